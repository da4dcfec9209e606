//! What a command shows: lines and progress bars for a person, JSON for a machine.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde::Serialize;

/// Prints `value` as one JSON document.
pub(crate) fn json(value: &impl Serialize) {
    println!("{}", serde_json::to_string_pretty(value).expect("a report is plain data"));
}

/// Prints a list: as JSON, or a line for each of it and a sentence at the end.
pub(crate) fn list<T: Serialize>(as_json: bool, items: &[T], line: impl Fn(&T) -> String, end: &str) {
    if as_json {
        return json(&items);
    }
    for item in items {
        println!("{}", line(item));
    }
    if !end.is_empty() {
        println!("{end}");
    }
}

/// A progress bar on standard error; hidden when `quiet` or when nobody watches (it is not a terminal).
pub(crate) fn progress(what: &str, total: u64, quiet: bool) -> ProgressBar {
    let bar = ProgressBar::new(total);
    if quiet {
        bar.set_draw_target(ProgressDrawTarget::hidden());
    }
    let style =
        ProgressStyle::with_template("{msg:28} {bar:32} {human_pos}/{human_len} {per_sec}, {eta} left")
            .unwrap_or_else(|_| ProgressStyle::default_bar());
    bar.set_style(style);
    bar.set_message(what.to_owned());
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}

/// A whole number with commas between thousands, for people.
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut shown = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            shown.push(',');
        }
        shown.push(digit);
    }
    shown
}

/// So many people, in words.
pub(crate) fn people(count: u64) -> String {
    if count == 1 { "1 person".to_owned() } else { format!("{} people", grouped(count)) }
}

#[cfg(test)]
mod tests {
    #[test]
    fn thousands_are_grouped() {
        for (number, shown) in [(0, "0"), (999, "999"), (1_000, "1,000"), (1_234_567, "1,234,567")] {
            assert_eq!(super::grouped(number), shown);
        }
    }
}
