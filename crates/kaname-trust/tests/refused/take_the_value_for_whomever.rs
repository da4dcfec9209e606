// refused: error[E0616]
use kaname_trust::{Receipt, Record, Sealed, TrustError};

pub fn read<T: Record>(receipt: &Receipt<'_>, sealed: &Sealed<T>) -> Result<T, TrustError> {
    Ok(sealed.open(receipt)?.value)
}
