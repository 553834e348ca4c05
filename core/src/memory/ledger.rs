//! An account of bytes: how many are held, and how many were at most.

use std::cell::Cell;
use std::rc::Rc;

/// Shared by all that is held.
#[derive(Debug, Clone, Default)]
pub struct Ledger(Rc<Account>);

#[derive(Debug, Default)]
struct Account {
    held: Cell<u64>,
    peak: Cell<u64>,
}

/// Bytes that are held as long as this lives; clones share them.
#[derive(Debug, Clone)]
pub struct Held(#[allow(dead_code)] Rc<Bytes>);

#[derive(Debug)]
struct Bytes {
    count: u64,
    ledger: Ledger,
}

impl Ledger {
    /// Takes `count` bytes.
    pub fn hold(&self, count: u64) -> Held {
        let held = self.0.held.get() + count;
        self.0.held.set(held);
        self.0.peak.set(self.0.peak.get().max(held));
        Held(Rc::new(Bytes { count, ledger: self.clone() }))
    }

    /// Most bytes at once so far.
    pub fn peak(&self) -> u64 {
        self.0.peak.get()
    }
}

impl Drop for Bytes {
    fn drop(&mut self) {
        let held = &self.ledger.0.held;
        held.set(held.get() - self.count);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shared_counts_once_until_the_last_lets_go() {
        let ledger = Ledger::default();
        let first = ledger.hold(5);
        let same = first.clone();
        drop(first);
        let second = ledger.hold(3);
        drop((same, second));
        let _third = ledger.hold(7);
        assert_eq!(ledger.peak(), 8);
    }
}
