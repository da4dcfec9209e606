// refused: error[E0308]
use kaname_trust::{DataKey, Record, Sealed, TrustError};

pub fn read<T: Record>(key: &DataKey<'_>, sealed: &Sealed<T>) -> Result<T, TrustError> {
    sealed.open(key)?.of(key.person())
}
