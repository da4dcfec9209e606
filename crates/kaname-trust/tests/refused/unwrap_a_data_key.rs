// refused: error[E0624]
use kaname_trust::Keys;

pub fn steal(keys: &Keys, holder: &[u8; 16], wrapped: &[u8]) -> Vec<u8> {
    keys.unwrap_data_key(holder, wrapped).map(|secret| secret.to_vec()).unwrap_or_default()
}
