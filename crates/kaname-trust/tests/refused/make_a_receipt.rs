// refused: error[E0451]
use kaname_trust::{DataKey, Receipt};

pub fn forge(key: DataKey<'_>) -> Receipt<'_> {
    Receipt { key, n: 1 }
}
