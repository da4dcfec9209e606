// refused: error[E0624]
use kaname_trust::DataKey;

pub fn read(key: &DataKey<'_>, sealed: &[u8]) -> Vec<u8> {
    key.open_bytes("person.resident", sealed).map(|plain| plain.to_vec()).unwrap_or_default()
}
