//! When what is under way is written next: checkpoints of a training, masks that are being made.

use web_time::Instant;

/// Seconds between two writes, and how many times longer than one takes they are apart at least: with a step and a write,
/// a run that is killed has lost 30 seconds at most, unless writing itself takes long.
const SECONDS: f64 = 20.0;
const PAUSE: f64 = 10.0;

/// The time of the last write, and how long to wait for the next.
pub struct Saving {
    last: Instant,
    seconds: f64,
}

impl Saving {
    /// Nothing was written yet, and nothing is worth it for a while.
    pub fn begin() -> Self {
        Self { last: Instant::now(), seconds: SECONDS }
    }

    /// Whether it is time to write.
    pub fn is_due(&self) -> bool {
        self.last.elapsed().as_secs_f64() > self.seconds
    }

    /// It was written just now; that was begun at `started`.
    pub fn wrote(&mut self, started: Instant) {
        self.last = Instant::now();
        self.seconds = SECONDS.max(PAUSE * (self.last - started).as_secs_f64());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn slow_writes_are_further_apart() {
        let mut saving = Saving::begin();
        assert!(!saving.is_due());
        let now = Instant::now();
        saving.wrote(now);
        assert!((saving.seconds - SECONDS).abs() < 1e-9);
        let Some(earlier) = now.checked_sub(Duration::from_secs(7)) else { return };
        saving.wrote(earlier);
        assert!(saving.seconds >= 70.0 && !saving.is_due());
        (saving.last, saving.seconds) = (earlier, 5.0);
        assert!(saving.is_due());
    }
}
