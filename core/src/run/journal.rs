//! Tells the host, and keeps `events.jsonl`.

use super::event::Event;
use super::host::{Control, Host};
use super::store::RunStore;
use crate::error::Result;

/// Name of the log in the run's folder: one event a line.
pub(super) const LOG: &str = "events.jsonl";

/// The run's one way to the outside.
pub(crate) struct Journal<'a, H: Host, S: RunStore> {
    pub(crate) host: &'a mut H,
    pub(crate) store: &'a mut S,
}

impl<H: Host, S: RunStore> Journal<'_, H, S> {
    /// Logs the event, then tells it.
    pub(crate) fn tell(&mut self, event: Event) -> Result<()> {
        if event.is_logged()
            && let Ok(line) = serde_json::to_string(&event)
        {
            self.store.append(LOG, &line)?;
        }
        self.host.emit(event);
        Ok(())
    }

    /// Lets the host's event loop turn; waits while it says so. `false` when it wants to stop.
    pub(crate) async fn goes_on(&mut self, round: usize, step: usize) -> Result<bool> {
        match self.host.breathe().await {
            Control::Continue => return Ok(true),
            Control::Stop => return Ok(false),
            Control::Pause => self.tell(Event::Paused { round, step })?,
        }
        loop {
            match self.host.breathe().await {
                Control::Pause => {}
                Control::Stop => return Ok(false),
                Control::Continue => {
                    self.tell(Event::Resumed { round, step })?;
                    return Ok(true);
                }
            }
        }
    }
}
