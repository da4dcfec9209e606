// refused: error[E0521]
use kaname_base::Env;
use kaname_store::{Bucket, Store};
use kaname_trust::{Access, Actor, Keys, PersonId, TrustError, access};

pub fn keep(store: &Store, bucket: Bucket, keys: Keys, env: Env, who: PersonId) {
    let mut kept = Vec::new();
    let _ = store.write(bucket, move |tx| -> Result<(), TrustError> {
        let actor = Actor::resident();
        let asked = Access { person: who, actor: &actor, purpose: "p", basis: "b", fields: &[] };
        kept.push(access::record(tx, &keys, &env, &asked)?);
        Ok(())
    });
}
