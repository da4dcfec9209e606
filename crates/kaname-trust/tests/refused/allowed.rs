// The one way that compiles. The other files are this one with one thing wrong.
use kaname_base::Env;
use kaname_store::{Bucket, Store, Tx};
use kaname_trust::{Access, Actor, DataKey, Keys, PersonId, Receipt, Record, Sealed, TrustError, access, seal};

pub fn read<T: Record>(
    tx: &mut Tx<'_>,
    keys: &Keys,
    env: &Env,
    asked: &Access<'_>,
    sealed: &Sealed<T>,
) -> Result<T, TrustError> {
    let receipt = access::record(tx, keys, env, asked)?;
    sealed.open(&receipt)?.of(asked.person)
}

pub fn change<T: Record>(tx: &mut Tx<'_>, keys: &Keys, who: PersonId, record: &T) -> Result<Vec<u8>, TrustError> {
    let key: DataKey<'_> = seal::data_key(tx, keys, who)?;
    Ok(key.seal(record).bytes().to_vec())
}

pub fn unit(store: &Store, bucket: Bucket, keys: Keys, env: Env, who: PersonId) -> Result<i64, TrustError> {
    store.write(bucket, move |tx| {
        let actor = Actor::resident();
        let asked = Access { person: who, actor: &actor, purpose: "p", basis: "b", fields: &[] };
        let receipt: Receipt<'_> = access::record(tx, &keys, &env, &asked)?;
        Ok(receipt.number())
    })
}
