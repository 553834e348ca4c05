//! The time left over all rounds, from the pace so far.

/// Pace of training steps and of the work between rounds.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Estimate {
    seconds_per_step: Option<f64>,
    last: Option<(f64, usize)>,
    between_rounds: Option<f64>,
    between_started: Option<f64>,
}

impl Estimate {
    /// Steps over which the pace is averaged.
    const MEMORY: f64 = 30.0;

    /// `done` steps of all rounds are done at `now` (seconds).
    pub fn steps(&mut self, done: usize, now: f64) {
        if let Some((then, before)) = self.last
            && done > before
            && now > then
        {
            let steps = (done - before) as f64;
            let pace = (now - then) / steps;
            let weight = (steps / Self::MEMORY).clamp(0.05, 1.0);
            self.seconds_per_step =
                Some(self.seconds_per_step.map_or(pace, |old| old + weight * (pace - old)));
        }
        // The first report ends a step that compiled kernels: it only starts the clock.
        if self.last.is_none_or(|(_, before)| done > before) {
            self.last = Some((now, done));
        }
    }

    /// Work between two rounds starts: the clock of steps rests.
    pub fn between(&mut self, now: f64) {
        self.last = None;
        self.between_started.get_or_insert(now);
    }

    /// The next round starts.
    pub fn round(&mut self, now: f64) {
        self.last = None;
        if let Some(start) = self.between_started.take() {
            self.between_rounds = Some(now - start);
        }
    }

    /// The run waits: this time does not count.
    pub fn rest(&mut self) {
        self.last = None;
        self.between_started = None;
    }

    /// Seconds left for `steps` steps and `pauses` stretches of work between rounds.
    pub fn left(&self, steps: usize, pauses: usize) -> Option<f64> {
        let training = if steps == 0 { 0.0 } else { self.seconds_per_step? * steps as f64 };
        Some(training + self.between_rounds.unwrap_or(0.0) * pauses as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_steady_pace_is_found_and_waiting_does_not_count() {
        let mut estimate = Estimate::default();
        estimate.steps(1, 9.0); // slow first step
        assert_eq!(estimate.left(10, 0), None);
        estimate.steps(2, 9.5);
        assert_eq!(estimate.left(10, 0), Some(5.0));
        estimate.rest();
        estimate.steps(3, 1000.0);
        estimate.steps(4, 1000.5);
        assert_eq!(estimate.left(10, 0), Some(5.0));
        assert_eq!(estimate.left(0, 0), Some(0.0));
    }

    #[test]
    fn the_work_between_rounds_is_measured_and_added() {
        let mut estimate = Estimate::default();
        estimate.steps(1, 0.0);
        estimate.steps(2, 1.0);
        estimate.between(1.0);
        estimate.between(5.0);
        estimate.round(11.0);
        assert_eq!(estimate.left(10, 2), Some(30.0));
    }

    #[test]
    fn repeated_reports_of_one_step_do_not_stretch_it() {
        let mut estimate = Estimate::default();
        estimate.steps(1, 0.0);
        estimate.steps(1, 5.0);
        estimate.steps(2, 10.0);
        assert_eq!(estimate.left(1, 0), Some(10.0));
    }
}
