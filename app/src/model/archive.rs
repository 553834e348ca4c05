//! The project as one file, on its way to the user.

use tag2mask_core::run::Event;
use tag2mask_core::run::event::Phase;

/// What is known of it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Archive {
    /// While it is being packed: photos done, and in all; 0 until known.
    pub packing: Option<(usize, usize)>,
    /// Name of the file once the user has it.
    pub saved: Option<String>,
    /// What went wrong last.
    pub failure: Option<String>,
    /// Verdicts that came with a project that cannot be kept here.
    pub verdicts: Vec<(Option<usize>, String)>,
}

impl Archive {
    /// The user asked for it.
    pub fn start(&mut self) {
        self.end();
        self.packing = Some((0, 0));
    }

    /// Whether it is being packed.
    pub fn is_busy(&self) -> bool {
        self.packing.is_some()
    }

    /// It could not be packed.
    pub fn fail(&mut self, message: String) {
        self.end();
        self.failure = Some(message);
    }

    fn end(&mut self) {
        (self.packing, self.saved, self.failure) = (None, None, None);
    }

    /// Takes news while it is being packed; what is not of it comes back.
    pub fn apply(&mut self, event: Event) -> Option<Event> {
        match (&mut self.packing, event) {
            (Some(packing), Event::Progress { phase: Phase::Packing, done, total, .. }) => {
                *packing = (done, total);
            }
            (Some(_), Event::FileReady { name, .. }) => {
                self.end();
                self.saved = Some(name);
            }
            (Some(_), Event::Stopped { .. }) => self.end(),
            (Some(_), Event::Failed { message }) => self.fail(message),
            (_, other) => return Some(other),
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_takes_what_is_of_it_only() {
        let mut archive = Archive::default();
        let progress = Event::Progress { phase: Phase::Packing, done: 2, total: 9, seconds_left: None };
        assert_eq!(archive.apply(progress.clone()), Some(progress.clone()), "of something else");
        archive.start();
        assert_eq!((archive.apply(progress), archive.packing), (None, Some((2, 9))));
        let kept = Event::Kept { ok: true };
        assert_eq!(archive.apply(kept.clone()), Some(kept));
        archive.apply(Event::FileReady { name: "cells.zip".into(), bytes: Vec::new() });
        assert_eq!((archive.is_busy(), archive.saved.as_deref()), (false, Some("cells.zip")));
        archive.start();
        archive.apply(Event::Stopped { round: 0, step: 0 });
        assert_eq!(archive, Archive::default(), "cancelled");
        archive.start();
        archive.apply(Event::Failed { message: "no room".into() });
        assert_eq!((archive.is_busy(), archive.failure.as_deref()), (false, Some("no room")));
    }
}
