//! The trainer as the page sees it: a second module that may be slow to come and may die.

/// Whether there is someone to do the work.
#[derive(Debug, Clone, PartialEq)]
pub enum Trainer {
    /// Its module is on the way; `total` is unknown where the server does not say, or compresses.
    Loading {
        /// Bytes so far.
        loaded: u64,
        /// Bytes in all.
        total: Option<u64>,
    },
    /// It compiles and looks for a device.
    Starting,
    /// It takes commands.
    Ready,
    /// It has not answered for this many seconds: busy with a long step, or stuck.
    Silent(u32),
    /// It is gone, and why.
    Dead(String),
}

impl Default for Trainer {
    fn default() -> Self {
        Self::Loading { loaded: 0, total: None }
    }
}

impl Trainer {
    /// Whether commands can be answered now.
    pub fn is_ready(&self) -> bool {
        matches!(self, Self::Ready | Self::Silent(_))
    }

    /// Whether it takes a fresh one to go on.
    pub fn is_dead(&self) -> bool {
        matches!(self, Self::Dead(_))
    }
}

/// Turns a browser's account of a worker's death into what a person can use.
pub fn plain_reason(message: &str) -> String {
    let lower = message.to_lowercase();
    let has = |words: &[&str]| words.iter().any(|word| lower.contains(word));
    let advice = if has(&["out of memory", "allocation", "memory access", "oom"]) {
        "It ran out of memory. A smaller size, batch or network helps."
    } else if has(&["device lost", "devicelost", "device was lost", "device is lost"]) {
        "The graphics card was taken away (a driver restart, sleep, or too long a job). A smaller size or batch may help."
    } else if has(&["http 409"]) {
        // The service worker's answer for a file that its version does not have.
        "A new version of the page is there: load it again."
    } else if has(&["failed to fetch", "load failed", "networkerror", "http "]) {
        "Its program could not be loaded. Check the connection."
    } else if has(&["ended without a word"]) {
        "The browser ended it, most often for lack of memory."
    } else {
        "Something went wrong inside it."
    };
    advice.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_deaths_get_advice() {
        assert!(plain_reason("RangeError: Out of memory").contains("smaller size"));
        assert!(plain_reason("Uncaught RuntimeError: device lost: reset").contains("graphics card"));
        assert!(plain_reason("TypeError: Failed to fetch").contains("connection"));
        assert!(plain_reason("HTTP 409 for ./trainer_bg.wasm").contains("new version"));
        assert!(plain_reason("HTTP 404 for ./trainer_bg.wasm").contains("connection"));
        assert!(plain_reason("unreachable executed").contains("went wrong"));
    }
}
