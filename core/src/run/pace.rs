//! How fast work goes, and how long it will take.

use web_time::Instant;

/// Weight of the newest measurement.
const NEWEST: f64 = 0.2;

/// A moving average of seconds per unit of work.
pub(crate) struct Pace {
    last: Instant,
    seconds_per_unit: Option<f64>,
}

impl Pace {
    pub(crate) fn start() -> Self {
        Self { last: Instant::now(), seconds_per_unit: None }
    }

    /// Seconds since the last measurement.
    pub(crate) fn elapsed(&self) -> f64 {
        self.last.elapsed().as_secs_f64()
    }

    /// `units` were done since the last call.
    pub(crate) fn measure(&mut self, units: usize) {
        let seconds = self.elapsed() / units.max(1) as f64;
        self.last = Instant::now();
        self.seconds_per_unit = Some(match self.seconds_per_unit {
            // The first units warm up caches, kernels and autotuning: forget them quickly.
            None => seconds,
            Some(before) => before.min(seconds * 4.0) * (1.0 - NEWEST) + seconds * NEWEST,
        });
    }

    /// Time passed that was no work: a pause, a preview.
    pub(crate) fn skip(&mut self) {
        self.last = Instant::now();
    }

    /// Units done in `seconds`; 0 until one was measured.
    pub(crate) fn units_in(&self, seconds: f64) -> usize {
        self.seconds_per_unit.map_or(0, |each| (seconds / each) as usize)
    }

    /// Estimate for `units` more.
    pub(crate) fn seconds_left(&self, units: usize) -> Option<f64> {
        self.seconds_per_unit.map(|seconds| seconds * units as f64)
    }
}
