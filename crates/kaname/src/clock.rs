//! The real clock and the real dice. Everything below takes them as an [`Env`].

use kaname_base::{Env, Instant};
use kaname_trust::keys::random;

/// The environment of one unit of work that begins now.
pub(crate) fn env() -> Env {
    Env::new(now(), random())
}

/// The time of day.
#[expect(clippy::disallowed_methods, reason = "this is the door through which time comes in")]
pub(crate) fn now() -> Instant {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    Instant::from_micros(since.map_or(0, |duration| duration.as_micros() as i64))
}

/// A stopwatch, for progress and benchmarks.
#[derive(Clone, Copy)]
pub(crate) struct Stopwatch(std::time::Instant);

impl Stopwatch {
    /// Starts it.
    #[expect(clippy::disallowed_methods, reason = "measuring how long a command took decides nothing")]
    pub(crate) fn start() -> Stopwatch {
        Stopwatch(std::time::Instant::now())
    }

    /// Seconds since the start.
    pub(crate) fn seconds(self) -> f64 {
        self.0.elapsed().as_secs_f64()
    }
}

/// CPU seconds (user and system) that this process has used, all threads together, from `/proc/self/stat`.
/// `None` where the system does not tell.
pub(crate) fn cpu_seconds() -> Option<f64> {
    cpu_seconds_of("self")
}

/// CPU seconds that the process `pid` has used.
pub(crate) fn cpu_seconds_of(pid: &str) -> Option<f64> {
    stat_seconds(pid, 11)
}

/// CPU seconds of those whom the process `pid` started and who have ended.
pub(crate) fn cpu_seconds_of_ended(pid: u32) -> Option<f64> {
    stat_seconds(&pid.to_string(), 13)
}

/// Who started the process `pid`.
pub(crate) fn parent_of(pid: &str) -> Option<u32> {
    stat(pid)?.get(1)?.parse().ok()
}

/// User and system time, which stand at `first` and behind it.
fn stat_seconds(pid: &str, first: usize) -> Option<f64> {
    /// Linux reports in hundredths of a second to every program, whatever the kernel's own tick.
    const TICKS_PER_SECOND: f64 = 100.0;
    let fields = stat(pid)?;
    let user: f64 = fields.get(first)?.parse().ok()?;
    let system: f64 = fields.get(first + 1)?.parse().ok()?;
    Some((user + system) / TICKS_PER_SECOND)
}

fn stat(pid: &str) -> Option<Vec<String>> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The second field is the program's name in brackets and may hold spaces: count from the last bracket.
    Some(stat.rsplit_once(')')?.1.split_whitespace().map(str::to_owned).collect())
}
