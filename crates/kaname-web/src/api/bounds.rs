//! Numbers of a query that say which part of a list is asked for. What lies outside the bounds is refused, not bent.

use std::ops::RangeInclusive;

use crate::http::{Call, Problem};

/// A whole number of the query within `bounds`; `None` if it is not there.
///
/// # Errors
/// 400 for anything else under this name.
pub(super) fn whole(
    call: &Call,
    name: &'static str,
    bounds: RangeInclusive<i64>,
) -> Result<Option<i64>, Problem> {
    if !call.query.iter().any(|(known, _)| known == name) {
        return Ok(None);
    }
    let text = call.query.text(name);
    let is_plain = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let number = text.parse::<i64>().ok().filter(|number| is_plain && bounds.contains(number));
    number.map(Some).ok_or_else(|| {
        let most = match *bounds.end() {
            i64::MAX => "on".to_owned(),
            most => format!("to {most}"),
        };
        Problem::malformed(format!("{name} is not one whole number from {} {most}", bounds.start()))
    })
}
