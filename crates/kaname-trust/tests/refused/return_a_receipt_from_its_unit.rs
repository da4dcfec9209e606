// refused: lifetime may not live long enough
use kaname_base::Env;
use kaname_store::{Bucket, Store};
use kaname_trust::{Access, Actor, Keys, PersonId, TrustError, access};

pub fn keep(store: &Store, bucket: Bucket, keys: Keys, env: Env, who: PersonId) -> bool {
    let kept = store.write(bucket, move |tx| -> Result<_, TrustError> {
        let actor = Actor::resident();
        let asked = Access { person: who, actor: &actor, purpose: "p", basis: "b", fields: &[] };
        access::record(tx, &keys, &env, &asked)
    });
    kept.is_ok()
}
