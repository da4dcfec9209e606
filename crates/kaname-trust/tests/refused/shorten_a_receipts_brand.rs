// refused: lifetime may not live long enough
use kaname_trust::Receipt;

pub fn another_unit<'a, 'b: 'a>(receipt: Receipt<'b>) -> Receipt<'a> {
    receipt
}
