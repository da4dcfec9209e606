// refused: error[E0277]
use kaname_trust::Receipt;

pub fn twice<'u>(receipt: &Receipt<'u>) -> Receipt<'u> {
    Receipt::clone(receipt)
}
