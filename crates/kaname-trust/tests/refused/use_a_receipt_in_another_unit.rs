// refused: error[E0521]
use kaname_store::{Bucket, Store};
use kaname_trust::{Receipt, Record, Sealed, TrustError};

pub fn read_there<T: Record + Send + 'static>(
    store: &Store,
    bucket: Bucket,
    receipt: &Receipt<'_>,
    stored: Vec<u8>,
) -> Result<T, TrustError> {
    let who = receipt.person();
    store.write(bucket, move |_| Sealed::<T>::from_bytes(&stored).open(receipt)?.of(who))
}
