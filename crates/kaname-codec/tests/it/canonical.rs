//! RFC 8785: the examples of section 3.2 and of appendix B.

use kaname_codec::canonical::canonical;
use kaname_codec::json::parse;

fn of(text: &str) -> String {
    canonical(&parse(text.as_bytes()).unwrap())
}

#[test]
fn the_example_of_the_standard_is_written_as_there() {
    let given = r#"{
        "numbers": [333333333.3333333, 1E30, 4.50, 2e-3, 0.000000000000000000000000001],
        "string": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/",
        "literals": [null, true, false]
    }"#;
    let expected = concat!(
        r#"{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"#,
        r#""string":"€$\u000f\nA'B\"\\\\\"/"}"#
    );
    assert_eq!(of(given), expected);
}

#[test]
fn names_are_sorted_by_utf_16() {
    // A letter beyond the first plane comes before U+FB33 in UTF-16, and after it in UTF-8.
    let given = r#"{"\u20ac":1,"\r":2,"\ufb33":3,"1":4,"\ud83d\ude00":5,"\u0080":6,"\u00f6":7}"#;
    let expected = "{\"\\r\":2,\"1\":4,\"\u{80}\":6,\"ö\":7,\"€\":1,\"😀\":5,\"\u{fb33}\":3}";
    assert_eq!(of(given), expected);
}

#[test]
fn numbers_are_written_as_ecmascript_does() {
    for (bits, expected) in [
        (0x0000_0000_0000_0000_u64, "0"),
        (0x8000_0000_0000_0000, "0"),
        (0x0000_0000_0000_0001, "5e-324"),
        (0x8000_0000_0000_0001, "-5e-324"),
        (0x7fef_ffff_ffff_ffff, "1.7976931348623157e+308"),
        (0x4340_0000_0000_0000, "9007199254740992"),
        (0x4430_0000_0000_0000, "295147905179352830000"),
        (0x44b5_2d02_c7e1_4af5, "9.999999999999997e+22"),
        (0x444b_1ae4_d6e2_ef4e, "999999999999999700000"),
        (0x444b_1ae4_d6e2_ef50, "1e+21"),
        (0x3eb0_c6f7_a0b5_ed8c, "9.999999999999997e-7"),
        (0x3eb0_c6f7_a0b5_ed8d, "0.000001"),
        (0x41b3_de43_5555_5553, "333333333.3333332"),
        (0x43c0_0000_0000_0000, "2305843009213694000"),
    ] {
        let number = serde_json::json!(f64::from_bits(bits));
        assert_eq!(canonical(&number), expected, "{bits:016x}");
    }
    assert_eq!(of("12345678901234567890"), "12345678901234567000");
    assert_eq!(of("[9007199254740992, -7, 1.0, 100]"), "[9007199254740992,-7,1,100]");
}
