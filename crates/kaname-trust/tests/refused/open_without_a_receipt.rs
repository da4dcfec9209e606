// refused: error[E0061]
use kaname_trust::{PersonId, Record, Sealed, TrustError};

pub fn read<T: Record>(who: PersonId, sealed: &Sealed<T>) -> Result<T, TrustError> {
    sealed.open()?.of(who)
}
