//! Bytes as hexadecimal digits (RFC 4648, section 8, in lower case): ids in addresses, files and what commands print.

/// Two digits for each byte, in lower case.
pub fn encode(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Sixteen bytes from their thirty-two digits, in either case; `None` for anything else.
pub fn decode(digits: &str) -> Option<[u8; 16]> {
    let all_digits = digits.len() == 32 && digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    all_digits.then(|| u128::from_str_radix(digits, 16).ok().map(u128::to_be_bytes)).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sixteen_bytes_come_back_and_nothing_else_does() {
        let bytes: [u8; 16] = std::array::from_fn(|at| at as u8 * 17);
        assert_eq!(encode(&bytes), "00112233445566778899aabbccddeeff");
        assert_eq!(decode("00112233445566778899AABBccddeeff"), Some(bytes));
        for bad in [
            "",
            "00",
            "+0112233445566778899aabbccddeeff",
            "0x112233445566778899aabbccddeeff",
            "é0112233445566778899aabbccddeef",
        ] {
            assert_eq!(decode(bad), None, "{bad}");
        }
    }
}
