//! Who runs a run: the page's worker, the CLI, a test. The loop tells it what happens and asks it,
//! between two steps, what the user wants.

use super::event::Event;

/// What the user wants of a run that is under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Control {
    /// Go on.
    #[default]
    Continue,
    /// Wait, and ask again, until it says something else.
    Pause,
    /// Save and end: the run can be resumed.
    Stop,
}

/// The run's surroundings. One implementation each for the worker, the CLI and the tests.
#[allow(async_fn_in_trait)] // one run, one thread: no caller needs the future to be `Send`
pub trait Host {
    /// Takes one piece of news. Called in order, never concurrently.
    fn emit(&mut self, event: Event);

    /// Called between steps: lets a browser's event loop turn, and returns the user's wish.
    async fn breathe(&mut self) -> Control;
}
