//! One text for each JSON value (JSON Canonicalization Scheme, RFC 8785), so that a signature can stand beside what it signs.

use serde_json::{Number, Value};

/// The largest whole number that every reader of JSON has exactly (RFC 7493 section 2.2).
const EXACT: u64 = 1 << 53;

/// The value as RFC 8785 writes it: no spaces, names sorted by their UTF-16 units, numbers as ECMAScript writes them.
///
/// A number is written as it was read: one with more digits than 17 may have been read as its neighbour, and is better sent as text.
pub fn canonical(value: &Value) -> String {
    let mut text = String::new();
    write(value, &mut text);
    text
}

fn write(value: &Value, out: &mut String) {
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(flag) => out.push_str(if *flag { "true" } else { "false" }),
        Value::Number(number) => out.push_str(&number_text(number)),
        Value::String(text) => write_text(text, out),
        Value::Array(items) => {
            out.push('[');
            for (at, item) in items.iter().enumerate() {
                if at > 0 {
                    out.push(',');
                }
                write(item, out);
            }
            out.push(']');
        }
        Value::Object(members) => {
            let mut members: Vec<(&String, &Value)> = members.iter().collect();
            members.sort_by(|(one, _), (other, _)| one.encode_utf16().cmp(other.encode_utf16()));
            out.push('{');
            for (at, (name, value)) in members.into_iter().enumerate() {
                if at > 0 {
                    out.push(',');
                }
                write_text(name, out);
                out.push(':');
                write(value, out);
            }
            out.push('}');
        }
    }
}

/// Section 3.2.2.2: the seven short escapes, `\u00xx` for the other control characters, everything else as it is.
fn write_text(text: &str, out: &mut String) {
    out.push('"');
    for letter in text.chars() {
        match letter {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\u{8}' => out.push_str("\\b"),
            '\t' => out.push_str("\\t"),
            '\n' => out.push_str("\\n"),
            '\u{c}' => out.push_str("\\f"),
            '\r' => out.push_str("\\r"),
            control if control < ' ' => out.push_str(&format!("\\u{:04x}", u32::from(control))),
            other => out.push(other),
        }
    }
    out.push('"');
}

/// Section 3.2.2.3: `Number::toString` of ECMA-262.
fn number_text(number: &Number) -> String {
    if let Some(whole) = number.as_i64().filter(|whole| whole.unsigned_abs() <= EXACT) {
        return whole.to_string();
    }
    let value = number.as_f64().unwrap_or_default();
    if value == 0.0 {
        return "0".to_owned();
    }
    // Rust's shortest digits are ECMAScript's; only where point and exponent stand differs.
    let shortest = format!("{:e}", value.abs());
    let (digits, exponent) = shortest.split_once('e').expect("the format has an exponent");
    let digits = digits.replace('.', "");
    let (count, point) = (digits.len() as i64, exponent.parse::<i64>().unwrap_or_default() + 1);
    let zeros = |count: i64| "0".repeat(usize::try_from(count).unwrap_or_default());
    let split = |at: i64| digits.split_at(usize::try_from(at).unwrap_or_default());
    let text = match point {
        21.. if point > 21 => exponential(&digits, point - 1),
        1.. if count <= point => format!("{digits}{}", zeros(point - count)),
        1.. => format!("{}.{}", split(point).0, split(point).1),
        -5..=0 => format!("0.{}{digits}", zeros(-point)),
        _ => exponential(&digits, point - 1),
    };
    if value < 0.0 { format!("-{text}") } else { text }
}

fn exponential(digits: &str, exponent: i64) -> String {
    let (first, rest) = digits.split_at(1);
    let point = if rest.is_empty() { "" } else { "." };
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{first}{point}{rest}e{sign}{}", exponent.unsigned_abs())
}
