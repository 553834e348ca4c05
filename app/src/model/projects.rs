//! All projects that the browser keeps, as a list to choose from.

use std::collections::BTreeSet;

use super::order;
use super::project::Project;
use super::text;

/// Whether the browser keeps anything for this page.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Storage {
    /// It was not asked yet.
    #[default]
    Unknown,
    /// It does.
    Possible,
    /// It has no disk or no locks for this page.
    Impossible,
}

/// What can be done with a project.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Standing {
    /// Everything.
    #[default]
    Free,
    /// Nothing: another tab has it open.
    Elsewhere,
    /// Nothing: this tab still writes it.
    Saving,
    /// Nothing: it is being deleted.
    Deleting,
}

/// A project of the list.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// Its card.
    pub project: Project,
    /// How much it takes on the disk, bytes, once measured.
    pub bytes: Option<f64>,
    /// What can be done with it.
    pub standing: Standing,
}

/// What the browser lets this page keep.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Room {
    /// Bytes in use.
    pub used: f64,
    /// Bytes in all.
    pub quota: f64,
    /// Whether the browser clears it only on the user's wish.
    pub is_persistent: bool,
}

impl Room {
    /// "1.2 GB of 10.0 GB used. The browser may clear it when the disk gets full."
    pub fn in_words(&self) -> String {
        let kept = if self.is_persistent {
            "It is kept until you delete it."
        } else {
            "The browser may clear it when the disk gets full."
        };
        format!(
            "{} of {} used. {kept}",
            text::file_size(self.used as u64),
            text::file_size(self.quota as u64)
        )
    }
}

/// The list.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Projects {
    /// Whether there can be any.
    pub storage: Storage,
    /// The one saved last first.
    pub list: Vec<Entry>,
    /// How much there is room for; `None` where the browser does not say.
    pub room: Option<Room>,
}

impl Projects {
    /// Takes what was found on the disk, the one saved last first, and which of it is open or still being copied.
    /// What is being deleted stays until [`gone`](Self::gone).
    pub fn found(&mut self, found: Vec<Project>, open: &BTreeSet<String>, saving: &BTreeSet<String>) {
        let before = std::mem::take(&mut self.list);
        let known = |id: &str| before.iter().find(|entry| entry.project.id == id);
        let is_deleting = |entry: &&Entry| entry.standing == Standing::Deleting;
        self.list = found
            .into_iter()
            .filter(|project| known(&project.id).filter(is_deleting).is_none())
            .map(|project| Entry {
                bytes: known(&project.id).and_then(|entry| entry.bytes),
                standing: match (saving.contains(&project.id), open.contains(&project.id)) {
                    (true, _) => Standing::Saving,
                    (false, true) => Standing::Elsewhere,
                    (false, false) => Standing::Free,
                },
                project,
            })
            .collect();
        self.list.extend(before.iter().filter(is_deleting).cloned());
        order::sort_by(&mut self.list, |a, b| b.project.saved.total_cmp(&a.project.saved));
    }

    /// One of the list.
    pub fn entry_mut(&mut self, id: &str) -> Option<&mut Entry> {
        self.list.iter_mut().find(|entry| entry.project.id == id)
    }

    /// It is no longer on the disk.
    pub fn gone(&mut self, id: &str) {
        self.list.retain(|entry| entry.project.id != id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::project::Source;
    use crate::model::tests::summary;

    fn project(id: &str, saved: f64) -> Project {
        let source = Source::Sample { images: 6 };
        Project { saved, ..Project::new(id.into(), id.into(), source, &summary(6)) }
    }

    fn ids(projects: &Projects) -> Vec<(&str, Standing)> {
        projects.list.iter().map(|entry| (entry.project.id.as_str(), entry.standing)).collect()
    }

    #[test]
    fn what_is_being_deleted_stays_until_it_is_gone() {
        let none = BTreeSet::new();
        let mut projects = Projects::default();
        projects.found(vec![project("b", 2.0), project("a", 1.0)], &none, &none);
        projects.entry_mut("b").unwrap().standing = Standing::Deleting;
        // Its card is already gone, or not yet.
        for found in [vec![project("a", 1.0)], vec![project("b", 2.0), project("a", 1.0)]] {
            projects.found(found, &none, &none);
            assert_eq!(ids(&projects), [("b", Standing::Deleting), ("a", Standing::Free)]);
        }
        projects.gone("b");
        projects.found(vec![project("a", 1.0)], &none, &none);
        assert_eq!(ids(&projects), [("a", Standing::Free)]);
    }

    #[test]
    fn what_is_open_elsewhere_says_so_and_sizes_stay() {
        let none = BTreeSet::new();
        let open = BTreeSet::from(["a".to_string()]);
        let mut projects = Projects::default();
        projects.found(vec![project("a", 1.0)], &none, &none);
        projects.entry_mut("a").unwrap().bytes = Some(7.0);
        projects.found(vec![project("a", 3.0)], &open, &none);
        assert_eq!(projects.list[0].bytes, Some(7.0));
        assert_eq!(ids(&projects), [("a", Standing::Elsewhere)]);
        projects.found(vec![project("a", 3.0)], &open, &open);
        assert_eq!(ids(&projects), [("a", Standing::Saving)]);
    }

    #[test]
    fn room_is_told_in_words() {
        let room = Room { used: 1.2e9, quota: 1e10, is_persistent: false };
        assert_eq!(
            room.in_words(),
            "1.2 GB of 10.0 GB used. The browser may clear it when the disk gets full."
        );
        assert!(Room { is_persistent: true, ..room }.in_words().ends_with("until you delete it."));
    }
}
