//! Public weights in the page: what is known of each network's, and how far fetching them is.

use std::collections::HashMap;

use tag2mask_core::public_weights::{KNOWN, PublicWeights};
use tag2mask_core::run::settings::BackboneName;

use super::text;

/// The weights that a page may fetch for a network.
pub fn entry(backbone: BackboneName) -> Option<&'static PublicWeights> {
    KNOWN.iter().find(|entry| entry.backbone == backbone && entry.is_for_pages)
}

/// Where fetching stands.
#[derive(Debug, Clone, Default, PartialEq)]
pub enum Stage {
    /// The browser's store has not been looked at yet.
    #[default]
    Unknown,
    /// Not there.
    Absent,
    /// A part is there: nothing more arrives, and why.
    Part {
        /// Its bytes.
        loaded: u64,
        /// `None` after the user's own wish.
        reason: Option<String>,
    },
    /// Under way.
    Fetching,
    /// All is there; length and hash are being looked at.
    Checking,
    /// Here.
    Here {
        /// The file's bytes.
        bytes: u64,
        /// Whether it is still here when the page is opened again.
        is_stored: bool,
    },
    /// What arrived is of no use, or nothing arrived.
    Failed(String),
}

/// One network's.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Download {
    /// Where it stands.
    pub stage: Stage,
    loaded: u64,
    total: Option<u64>,
    /// When bytes began to arrive (seconds), and how many there were.
    since: Option<(f64, u64)>,
    now: f64,
}

/// Shorter than this tells nothing about the pace, seconds.
const FIRST_GLANCE: f64 = 0.5;

impl Download {
    /// The user wants them.
    pub fn start(&mut self) {
        *self = Self { stage: Stage::Fetching, loaded: self.loaded, total: self.total, ..Self::default() };
    }

    /// So many bytes are there at `now` (seconds), of so many as the server told.
    pub fn arrived(&mut self, loaded: u64, total: Option<u64>, now: f64) {
        // What was there is void: another clock.
        if loaded < self.loaded {
            self.since = None;
        }
        self.since.get_or_insert((now, loaded));
        (self.loaded, self.total, self.now) = (loaded, total, now);
    }

    /// Ends, for this reason or by the user's wish; `loaded` bytes are kept to go on from.
    pub fn end(&mut self, loaded: u64, reason: Option<String>) {
        let stage = match (loaded, reason) {
            (0, None) => Stage::Absent,
            (0, Some(reason)) => Stage::Failed(reason),
            (loaded, reason) => Stage::Part { loaded, reason },
        };
        *self = Self { stage, loaded, ..Self::default() };
    }

    /// Part that has arrived, 0 to 1; `None` before the length is told.
    pub fn fraction(&self) -> Option<f64> {
        let total = self.total.filter(|&total| total > 0)?;
        Some(self.loaded as f64 / total as f64)
    }

    /// "12 MB of 47 MB".
    pub fn done(&self) -> String {
        match (&self.stage, self.total) {
            (Stage::Checking, _) => "checking the file".into(),
            (_, Some(total)) => format!("{} of {}", text::file_size(self.loaded), text::file_size(total)),
            (_, None) => text::file_size(self.loaded),
        }
    }

    /// "about 10 seconds left"; empty while it cannot be told.
    pub fn left(&self) -> String {
        let seconds = || {
            let (start, before) = self.since.filter(|_| self.stage == Stage::Fetching)?;
            let arrived = self.loaded.checked_sub(before).filter(|&arrived| arrived > 0)?;
            let took = Some(self.now - start).filter(|&took| took >= FIRST_GLANCE)?;
            Some(took / arrived as f64 * self.total?.saturating_sub(self.loaded) as f64)
        };
        seconds().map(|seconds| text::time_left(Some(seconds))).unwrap_or_default()
    }
}

/// Every network's.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Downloads(HashMap<BackboneName, Download>);

impl Downloads {
    /// One network's.
    pub fn of(&self, backbone: BackboneName) -> Download {
        self.0.get(&backbone).cloned().unwrap_or_default()
    }

    /// One network's, to be changed.
    pub fn of_mut(&mut self, backbone: BackboneName) -> &mut Download {
        self.0.entry(backbone).or_default()
    }

    /// Whether something is under way for a network.
    pub fn is_busy(&self, backbone: BackboneName) -> bool {
        matches!(self.of(backbone).stage, Stage::Fetching | Stage::Checking)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the page's policy does not name, the browser does not ask.
    #[test]
    fn the_policy_of_the_page_names_every_host_and_no_other() {
        let page = include_str!("../../../index.html");
        let policy = page.split_once("http-equiv=\"Content-Security-Policy\"").map(|(_, rest)| rest);
        let sources = policy.and_then(|rest| rest.split_once("connect-src")).map(|(_, rest)| rest);
        let sources = sources.and_then(|rest| rest.split(';').next());
        let named: Vec<&str> =
            sources.unwrap_or_default().split(' ').filter(|s| s.starts_with("https://")).collect();
        let is_under = |entry: &PublicWeights, source: &&str| entry.url.starts_with(source);
        for backbone in BackboneName::ALL {
            if let Some(entry) = entry(backbone) {
                assert!(named.iter().any(|source| is_under(entry, source)), "{}: {named:?}", entry.url);
            }
        }
        // Where that host redirects to, as it publishes itself.
        let others: Vec<&&str> = named
            .iter()
            .filter(|source| {
                !BackboneName::ALL
                    .iter()
                    .any(|&backbone| entry(backbone).is_some_and(|entry| is_under(entry, source)))
            })
            .collect();
        assert_eq!(others, [&"https://*.hf.co", &"https://*.huggingface.co"]);
    }

    #[test]
    fn every_network_that_wants_weights_has_some_but_the_paper_s() {
        for backbone in BackboneName::ALL {
            let wanted = !backbone.trains_from_scratch() && backbone != BackboneName::Resnet38;
            assert_eq!(entry(backbone).is_some(), wanted, "{}", backbone.id());
        }
        assert_eq!(entry(BackboneName::Resnet18).unwrap().host(), "huggingface.co");
    }

    #[test]
    fn a_download_tells_how_far_it_is_and_how_long_it_takes() {
        let mut download = Download::default();
        download.start();
        assert_eq!((download.fraction(), download.left().as_str()), (None, ""));
        download.arrived(0, Some(40_000_000), 10.0);
        download.arrived(1_000_000, Some(40_000_000), 10.1);
        assert_eq!(download.left(), "", "too early to tell");
        download.arrived(10_000_000, Some(40_000_000), 20.0);
        assert_eq!(download.fraction(), Some(0.25));
        assert_eq!(download.done(), "10 MB of 40 MB");
        assert_eq!(download.left(), "about 30 seconds left");

        // It goes on after a break: the pace is that of the second part.
        download.end(10_000_000, Some("the connection broke off".into()));
        assert_eq!(
            download.stage,
            Stage::Part { loaded: 10_000_000, reason: Some("the connection broke off".into()) }
        );
        download.start();
        download.arrived(10_000_000, Some(40_000_000), 100.0);
        download.arrived(20_000_000, Some(40_000_000), 105.0);
        assert_eq!(download.left(), "about 10 seconds left");

        // The server starts anew.
        download.arrived(0, None, 106.0);
        assert_eq!((download.fraction(), download.left().as_str()), (None, ""));
    }

    #[test]
    fn what_ends_without_a_byte_leaves_nothing() {
        let mut download = Download::default();
        download.end(0, None);
        assert_eq!(download.stage, Stage::Absent);
        download.end(0, Some("no network".into()));
        assert_eq!(download.stage, Stage::Failed("no network".into()));
        download.end(5, None);
        assert_eq!(download.stage, Stage::Part { loaded: 5, reason: None });
    }

    #[test]
    fn networks_do_not_wait_for_each_other() {
        let mut downloads = Downloads::default();
        downloads.of_mut(BackboneName::Resnet18).start();
        assert!(downloads.is_busy(BackboneName::Resnet18) && !downloads.is_busy(BackboneName::Resnet50));
        assert_eq!(downloads.of(BackboneName::Resnet50).stage, Stage::Unknown);
    }
}
