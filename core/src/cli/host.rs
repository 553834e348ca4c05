//! The terminal as a run's host: events become bars and lines, Ctrl-C becomes a wish to stop.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tag2mask_core::memory::gigabytes;
use tag2mask_core::run::event::{LossPoint, Phase, Score};
use tag2mask_core::run::{Control, Host};
use tag2mask_core::{Error, Event, Result};

use super::output::{Report, duration};

/// A run's events, printed.
pub struct Terminal<'a> {
    report: &'a mut Report,
    stop: Arc<AtomicBool>,
    classes: &'a [String],
    /// Their names.
    rounds: Vec<&'static str>,
}

impl<'a> Terminal<'a> {
    /// Prints to `report`; from now on Ctrl-C asks the run to stop, and a second one ends the process.
    ///
    /// # Errors
    /// [`Error::Io`] when the system does not let the signal be caught.
    pub fn new(report: &'a mut Report, classes: &'a [String]) -> Result<Self> {
        let stop = Arc::new(AtomicBool::new(false));
        let asked = stop.clone();
        ctrlc::set_handler(move || {
            if asked.swap(true, Ordering::SeqCst) {
                std::process::exit(1);
            }
        })
        .map_err(|error| Error::Io {
            action: "catch",
            path: "Ctrl-C".into(),
            source: std::io::Error::other(error),
        })?;
        Ok(Self { report, stop, classes, rounds: Vec::new() })
    }

    /// Where it prints to, between two runs.
    pub fn report(&mut self) -> &mut Report {
        self.report
    }

    fn round_name(&self, round: usize) -> &'static str {
        self.rounds.get(round).copied().unwrap_or_default()
    }

    fn losses(&mut self, round: usize, points: &[LossPoint]) {
        let (Some(first), Some(last)) = (points.first(), points.last()) else { return };
        // A line about every hundred steps; `events.jsonl` has them all.
        if first.step / 100 != (last.step + 1) / 100 {
            let kind = if last.threshold_step { ", threshold" } else { "" };
            self.report.note(format!(
                "round {round} step {}: loss {:.4} (main {:.4}, share {:.4}){kind}, activation {:.3}",
                last.step + 1,
                last.total,
                last.main,
                last.share,
                last.activation
            ));
        }
    }

    fn shares(&mut self, round: usize, mean: &[Option<f32>], score: Option<&Score>) {
        let share = |(name, share): (&String, &Option<f32>)| {
            share.map(|share| format!("{name} {:.0} %", 100.0 * share))
        };
        let shares: Vec<_> = self.classes.iter().zip(mean).filter_map(share).collect();
        self.report.note(format!("foreground shares for round {round}: {}", shares.join(", ")));
        if let Some(score) = score {
            self.report.note(format!("mIoU of these masks {:.1} % (nothing learns from it)", score.miou));
        }
    }
}

impl Host for Terminal<'_> {
    fn emit(&mut self, event: Event) {
        match event {
            Event::RunStarted {
                device,
                parameters,
                micro_batch,
                recompute,
                memory,
                total_steps,
                done_steps,
                settings,
                given_masks: _,
            } => {
                self.rounds = settings.rounds().into_iter().map(|round| round.name).collect();
                self.report.note(format!(
                    "{} with {}, {:.1} M parameters, on {} ({}); {total_steps} steps of {} images",
                    settings.method.id(),
                    settings.backbone.id(),
                    parameters as f64 / 1e6,
                    device.name,
                    device.backend,
                    settings.batch
                ));
                self.report.note(format!("about {} of memory", gigabytes(memory)));
                if micro_batch < settings.batch {
                    self.report.note(format!("{micro_batch} images at once, to fit the device"));
                }
                if recompute {
                    self.report.note("activations are computed twice, to fit the device".to_owned());
                }
                if done_steps > 0 {
                    self.report.note(format!("going on from step {done_steps}"));
                }
            }
            Event::RoundStarted { round, rounds, epochs, steps } => {
                let name = self.round_name(round);
                self.report
                    .note(format!("round {round} of {}: {name}, {epochs} epochs, {steps} steps", rounds - 1));
            }
            Event::Losses { round, points, .. } => self.losses(round, &points),
            Event::Progress { phase, done, total, seconds_left } => {
                let label = match phase {
                    Phase::Reading => "reading",
                    Phase::Training => "training",
                    Phase::Shares => "foreground shares",
                    Phase::BoxMasks => "masks from boxes",
                    Phase::Masks => "masks",
                    Phase::Packing => "packing",
                };
                self.report.progress(label, done, total, seconds_left);
            }
            Event::SharesUpdated { round, mean, score } => self.shares(round, &mean, score.as_ref()),
            Event::BoxMasksCut { images, score } => {
                let of_truth = score.map_or(String::new(), |score| {
                    format!(", mIoU {:.1} % (nothing learns from it)", score.miou)
                });
                self.report.note(format!("masks cut out of the boxes of {images} images{of_truth}"));
            }
            Event::Collapsed { round, step, advice, .. } => {
                self.report.warning(format!("round {round}, step {step}: {advice}"));
            }
            Event::RoundFinished { round, seconds } => {
                self.report.note(format!("round {round} took {}", duration(seconds)));
            }
            Event::Stopped { round, step } => {
                self.report.note(format!("stopped in round {round} after {step} steps"));
            }
            Event::Warning { message } => self.report.warning(message),
            // The command says how it ended; the rest is for the page.
            Event::DeviceReady { .. }
            | Event::DatasetRead { .. }
            | Event::ProjectRead { .. }
            | Event::Thumbnail { .. }
            | Event::Preview { .. }
            | Event::Measured { .. }
            | Event::Altered { .. }
            | Event::Thresholds { .. }
            | Event::Paused { .. }
            | Event::Resumed { .. }
            | Event::Saved { .. }
            | Event::TrainingFinished { .. }
            | Event::MaskReady { .. }
            | Event::MaskShown { .. }
            | Event::MaskCorrected { .. }
            | Event::Kept { .. }
            | Event::MasksRestored { .. }
            | Event::SegmenterRestored { .. }
            | Event::PhotosRead { .. }
            | Event::PhotoReady { .. }
            | Event::MasksFinished { .. }
            | Event::FileReady { .. }
            | Event::Failed { .. } => {}
        }
    }

    async fn breathe(&mut self) -> Control {
        if self.stop.load(Ordering::SeqCst) { Control::Stop } else { Control::Continue }
    }
}
