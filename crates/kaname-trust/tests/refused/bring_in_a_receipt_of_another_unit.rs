// refused: lifetime may not live long enough
use kaname_store::Tx;
use kaname_trust::Receipt;

pub fn same_unit<'u>(_tx: &Tx<'u>, _receipt: &Receipt<'u>) {}

pub fn mixed<'a, 'b>(tx: &Tx<'a>, receipt: &Receipt<'b>) {
    same_unit(tx, receipt);
}
