//! The page as a run's host.

use std::cell::Cell;

use tag2mask_core::Event;
use tag2mask_core::run::{Control, Host};

use super::endpoint::Endpoint;
use super::kept::KeptStore;
use super::turn::{sleep, yield_now};
use crate::disk;

/// How often a paused run looks for a new wish.
const PAUSE_MILLISECONDS: i32 = 50;

/// Where news go, what the user wishes, and what is to be carried to the disk.
pub(super) struct Page<'a> {
    pub(super) endpoint: &'a Endpoint,
    pub(super) wish: &'a Cell<Control>,
    pub(super) store: KeptStore,
}

impl Page<'_> {
    /// Whether the user does not want to wait any longer; the page hears that it was heard.
    pub(super) fn is_stopped(&self) -> bool {
        let is_stopped = self.wish.get() == Control::Stop;
        if is_stopped {
            self.tell_stopped();
        }
        is_stopped
    }

    /// Tells that work which is no training has ended before its end.
    pub(super) fn tell_stopped(&self) {
        self.endpoint.tell(Event::Stopped { round: 0, step: 0 });
    }

    /// Carries what the run has written to the browser's disk. Where that fails, training goes on, and what the
    /// disk had before stays.
    pub(super) async fn carry(&mut self) {
        let mut gave = Vec::new();
        let carried = self.store.carry(&mut gave).await;
        for gift in gave {
            self.emit(Event::Warning { message: gift.told() });
        }
        match carried {
            Ok(carried) => {
                if carried {
                    self.emit(Event::Kept { ok: true });
                }
            }
            Err(error) => {
                let message = format!(
                    "What was done last is not kept in the browser; it is tried again with the next checkpoint: {}",
                    disk::reason(&error)
                );
                self.emit(Event::Warning { message });
                self.emit(Event::Kept { ok: false });
            }
        }
    }
}

impl Host for Page<'_> {
    fn emit(&mut self, event: Event) {
        self.endpoint.tell(event);
    }

    async fn breathe(&mut self) -> Control {
        yield_now().await;
        if self.store.has_news() {
            self.carry().await;
            // The page's turn on the disk comes before the next step, which may take seconds.
            yield_now().await;
        }
        if self.wish.get() == Control::Pause {
            sleep(PAUSE_MILLISECONDS).await;
        }
        self.wish.get()
    }
}
