//! Merchants' codes: what others made is read, what we make is read back, and no rubbish is taken.

use kaname_codec::emvco::{EmvcoError, MerchantAccount, MerchantQr, crc16};
use kaname_codec::paylink::{PayLink, PayLinkError};
use proptest::prelude::*;

/// The example of the specification, annex A, with the alternate language template.
const BEST_TRANSPORT: &str = "00020101021229300012D156000000000510A93FO3230Q31280012D15600000001030812345678520441115802CN5914BEST TRANSPORT6007BEIJING64200002ZH0104最佳运输0202北京540523.7253031565502016233030412340603***0708A60086670902ME91320016A0112233449988770708123456786304A13A";
/// Published by another implementation (phannaly/emv-qr-code): its account names no scheme, and its city is too long by a letter.
const KUNTHEAS: &str = "00020101021252044131153137210116372101160123456789ABCDE6016Banteay Meanchey5913Kuntheas Shop5802KH540510.005303840621201081234567863041FF2";

fn shop() -> MerchantQr {
    MerchantQr {
        is_dynamic: Some(true),
        accounts: vec![MerchantAccount {
            identifier: "org.example.pay".to_owned(),
            fields: vec![(1, "north".to_owned()), (2, "north-1".to_owned())],
        }],
        category: "5411".to_owned(),
        currency: "963".to_owned(),
        amount: Some("12.50".to_owned()),
        country: "XT".to_owned(),
        name: "Green Grocer".to_owned(),
        city: "Port".to_owned(),
        reference: Some("till-4".to_owned()),
        others: Vec::new(),
    }
}

#[test]
fn the_checksum_is_the_standards() {
    assert_eq!(crc16(b"123456789"), 0x29B1, "the check value of this polynomial and start");
}

#[test]
fn the_example_of_the_specification_is_read() {
    let qr = MerchantQr::read(BEST_TRANSPORT).unwrap();
    assert_eq!(
        (qr.is_dynamic, qr.name.as_str(), qr.city.as_str()),
        (Some(true), "BEST TRANSPORT", "BEIJING")
    );
    assert_eq!((qr.country.as_str(), qr.currency.as_str(), qr.category.as_str()), ("CN", "156", "4111"));
    assert_eq!((qr.minor(2), qr.minor(3)), (Ok(Some(2_372)), Ok(Some(23_720))));
    assert_eq!(qr.minor(1), Err(EmvcoError::Value(54)), "finer than the currency");
    assert_eq!(qr.accounts.len(), 2);
    assert_eq!(qr.accounts[0].identifier, "D15600000000");
    assert!(qr.others.iter().any(|(id, value)| *id == 64 && value.contains("最佳运输")));
}

#[test]
fn a_code_of_another_implementation_is_read() {
    let qr = MerchantQr::read(KUNTHEAS).unwrap();
    assert_eq!((qr.name.as_str(), qr.city.as_str()), ("Kuntheas Shop", "Banteay Meanchey"));
    assert_eq!((qr.minor(2), qr.accounts.len()), (Ok(Some(1_000)), 0));
}

#[test]
fn what_is_written_is_read_back() {
    for qr in [
        shop(),
        MerchantQr { is_dynamic: Some(false), amount: None, reference: None, ..shop() },
        MerchantQr { name: "八百屋".to_owned(), city: "東京".to_owned(), ..shop() },
    ] {
        let code = qr.write().unwrap();
        let read = MerchantQr::read(&code).unwrap();
        assert_eq!(MerchantQr { others: Vec::new(), ..read }, qr);
    }
    assert_eq!(shop().write().unwrap().get(..12), Some("000201010212"));
}

#[test]
fn what_the_standard_cannot_hold_is_not_written() {
    for (qr, id) in [
        (MerchantQr { name: "x".repeat(26), ..shop() }, 59),
        (MerchantQr { city: String::new(), ..shop() }, 60),
        (MerchantQr { country: "xt".to_owned(), ..shop() }, 58),
        (MerchantQr { currency: "XTS".to_owned(), ..shop() }, 53),
        (MerchantQr { category: "54".to_owned(), ..shop() }, 52),
        (MerchantQr { amount: Some("1,5".to_owned()), ..shop() }, 54),
        (MerchantQr { amount: Some(".5".to_owned()), ..shop() }, 54),
        (MerchantQr { reference: Some(String::new()), ..shop() }, 62),
    ] {
        assert_eq!(qr.write(), Err(EmvcoError::Value(id)), "{qr:?}");
    }
    assert_eq!(MerchantQr { accounts: Vec::new(), ..shop() }.write(), Err(EmvcoError::Missing(26)));
}

#[test]
fn a_changed_code_is_refused() {
    let code = shop().write().unwrap();
    for place in 0..code.len() {
        let mut other = code.clone().into_bytes();
        other[place] = if other[place] == b'7' { b'8' } else { b'7' };
        let other = String::from_utf8(other).unwrap();
        assert!(MerchantQr::read(&other).is_err(), "{other}");
    }
    for end in 0..code.len() {
        assert!(MerchantQr::read(&code[..end]).is_err());
    }
    let with = |text: &str| {
        let signed = format!("{text}6304");
        format!("{signed}{:04X}", crc16(signed.as_bytes()))
    };
    for bad in ["000201", "0002010102", "000201010213", "00020101021201021154", "000201999", "0002015200"] {
        assert!(MerchantQr::read(&with(bad)).is_err(), "{bad}");
    }
    let twice = with("00020101021101021152045411");
    assert_eq!(MerchantQr::read(&twice), Err(EmvcoError::Repeated(1)));
    assert_eq!(MerchantQr::read(&"0".repeat(600)), Err(EmvcoError::TooLong));
}

#[test]
fn a_link_is_read_as_it_was_written() {
    let link = PayLink {
        address: "north-1@north".to_owned(),
        name: "Green & Gröcer".to_owned(),
        amount: Some("12.50".to_owned()),
        currency: "XTS".to_owned(),
        text: Some("tea=2".to_owned()),
        reference: None,
    };
    let text = link.write("pay");
    assert_eq!(text, "pay://pay?pa=north-1%40north&pn=Green%20%26%20Gr%C3%B6cer&am=12.50&cu=XTS&tn=tea%3D2");
    assert_eq!(PayLink::read("pay", &text), Ok(link));
    assert_eq!(PayLink::read("upi", &text), Err(PayLinkError::OtherLink));
    for (bad, name) in [
        ("pay://pay?pn=a&cu=XTS", "pa"),
        ("pay://pay?pa=a@b&pa=c@d&pn=a&cu=XTS", "pa"),
        ("pay://pay?pa=ab&pn=a&cu=XTS", "pa"),
        ("pay://pay?pa=a@b&pn=%F&cu=XTS", "pn"),
        ("pay://pay?pa=a@b&pn=%FF&cu=XTS", "pn"),
        ("pay://pay?pa=a@b&pn=%0A&cu=XTS", "pn"),
        ("pay://pay?pa=a@b&pn=a", "cu"),
        ("pay://pay?pa=a@b&pn=a&cu=XTS&am=1e9", "am"),
        ("pay://pay?pa=a@b&pn=a&cu=XTS&am=-1", "am"),
    ] {
        assert_eq!(PayLink::read("pay", bad), Err(PayLinkError::Parameter(name)), "{bad}");
    }
}

proptest! {
    #[test]
    fn no_text_panics(text in "\\PC{0,80}") {
        let _ = MerchantQr::read(&text);
        let _ = PayLink::read("pay", &format!("pay://pay?{text}"));
        let signed = format!("000201{text}6304");
        let _ = MerchantQr::read(&format!("{signed}{:04X}", crc16(signed.as_bytes())));
    }
}
