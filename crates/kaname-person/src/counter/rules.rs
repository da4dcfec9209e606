//! When a session at the counter is over: pure.

use kaname_base::Instant;
use kaname_base::pack::CounterRules;
use serde::{Deserialize, Serialize};

/// How a session at the counter ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ending {
    /// The officer ended it.
    Ended,
    /// Nothing was done in it for as long as the country allows.
    Idle,
    /// It was as long as the country allows.
    TooLong,
    /// The officer began another one.
    Replaced,
    /// The officer signed out, or somebody signed in on the terminal.
    SignedOut,
}

impl Ending {
    /// What the resident's log names beside the session.
    pub fn code(self) -> &'static str {
        match self {
            Ending::Ended => "counter-ended",
            Ending::Idle => "counter-idle",
            Ending::TooLong => "counter-too-long",
            Ending::Replaced => "counter-replaced",
            Ending::SignedOut => "counter-signed-out",
        }
    }
}

/// Why a session that began at `since`, and in which something was done at `seen`, is over at `now`; `None` while it is not. Where the
/// clock was set back by more than a pause, nobody knows how long nothing was done, and it is over.
pub fn over(rules: CounterRules, since: Instant, seen: Instant, now: Instant) -> Option<Ending> {
    if now >= since.plus_seconds(rules.longest_minutes * 60) {
        return Some(Ending::TooLong);
    }
    let idle = rules.idle_minutes * 60;
    (now >= seen.plus_seconds(idle) || now.plus_seconds(idle) <= seen).then_some(Ending::Idle)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_ends_by_itself_in_two_ways() {
        let rules = CounterRules { idle_minutes: 5, longest_minutes: 60 };
        let at = |minutes: i64| Instant::from_seconds(1_800_000_000 + minutes * 60);
        for (seen, now, expected) in [
            (0, 0, None),
            (0, 4, None),
            (0, 5, Some(Ending::Idle)),
            (4, 8, None),
            (55, 59, None),
            (59, 60, Some(Ending::TooLong)),
            (0, 90, Some(Ending::TooLong)),
            (20, 16, None),
            (20, 15, Some(Ending::Idle)),
            (20, -90, Some(Ending::Idle)),
        ] {
            assert_eq!(over(rules, at(0), at(seen), at(now)), expected, "seen {seen}, now {now}");
        }
    }
}
