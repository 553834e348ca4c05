//! The files of a run: in memory, where the loop writes them at once, and on the browser's disk, where they
//! follow between two steps.

use std::cell::{Ref, RefCell};
use std::collections::BTreeSet;
use std::rc::Rc;

use tag2mask_core::Result;
use tag2mask_core::run::RunStore;
use tag2mask_core::run::checkpoint::{BOX_MASKS, Trained, load_optimizer};
use tag2mask_core::run::store::{BEGUN, MemoryStore, is_measured, round_of};
use wasm_bindgen::JsValue;

use super::by_hand::{BY_HAND, CLASSES};
use super::made::MADE;
use crate::disk::projects::{MOMENTUM, PROJECTS, RUN, SEGMENTER};
use crate::disk::{Folder, is_full, lock, make_room};
use crate::model::room::{Gift, own_rounds};

/// Without it there is no run.
const RUN_CARD: &str = "run.json";
/// Grows with every few steps: it is written when something else is.
const LOG: &str = "events.jsonl";

/// Which of a project's runs it is.
#[derive(Clone, Copy, Default, PartialEq)]
pub enum Place {
    /// The run.
    #[default]
    Run,
    /// That of the network for new photos.
    Segmenter,
}

impl Place {
    /// The folder of the project.
    fn folder(self) -> &'static str {
        match self {
            Self::Run => RUN,
            Self::Segmenter => SEGMENTER,
        }
    }
}

/// Shared by the loop, which writes, and its host, which carries the files to the disk.
#[derive(Clone, Default)]
pub struct KeptStore(Rc<RefCell<Kept>>);

#[derive(Default)]
struct Kept {
    place: Place,
    files: MemoryStore,
    /// The project on the disk that is to follow.
    project: Option<String>,
    /// Whether what the disk holds is of an earlier run.
    is_stale: bool,
    /// Files that differ from the disk's.
    changed: BTreeSet<String>,
    /// Files that are on the disk only: networks of earlier rounds would fill the memory.
    away: BTreeSet<String>,
    /// The project that they lie in, which may follow no more.
    home: Option<String>,
    /// When the card of a run was written that is only read: another tab may put another run in its place.
    card_written: Option<f64>,
    /// Files that the disk is still to lose.
    gone: BTreeSet<String>,
    /// Under which of its names the momentum lies that goes with the weights on the disk.
    momentum: usize,
    /// And under which the next one, whose weights are still to follow.
    next_momentum: Option<usize>,
    /// Whether the disk has refused something: it is tried again with the next checkpoint.
    waits: bool,
}

/// Whether the run does without the file where there is no room.
pub(super) fn is_spare(name: &str) -> bool {
    round_of(name).is_some() || is_measured(name)
}

/// Whether training does without the file once it is written.
fn can_go(name: &str) -> bool {
    is_spare(name) || name.starts_with(MADE)
}

impl KeptStore {
    /// An empty one.
    pub fn of(place: Place) -> Self {
        Self(Rc::new(RefCell::new(Kept { place, ..Kept::default() })))
    }

    /// The project on the disk that follows, if any.
    pub fn project(&self) -> Option<String> {
        self.0.borrow().project.clone()
    }

    /// Drops the files, those on the disk of a project, too.
    ///
    /// # Errors
    /// The browser's reason.
    pub async fn delete(&self, project: Option<&str>) -> std::result::Result<(), JsValue> {
        self.clear();
        let Some(id) = project else { return Ok(()) };
        let folder = self.0.borrow().place.folder();
        let _turn = lock::turn(id).await;
        match Folder::open(&[PROJECTS, id]).await {
            Some(project) => project.remove(folder).await,
            None => Ok(()),
        }
    }

    /// The files, all of them.
    pub fn files(&self) -> Ref<'_, MemoryStore> {
        Ref::map(self.0.borrow(), |kept| &kept.files)
    }

    /// Drops all files: other data. The disk's go when the next run is kept there.
    pub fn clear(&self) {
        let place = self.0.borrow().place;
        *self.0.borrow_mut() = Kept { place, is_stale: true, ..Kept::default() };
    }

    /// As [`clear`](Self::clear), for another run on the same data: what was drawn by hand is not the run's, and so is
    /// what the disk is still to lose of it.
    pub fn clear_run(&self) {
        let mut gone = std::mem::take(&mut self.0.borrow_mut().gone);
        gone.retain(|name| name.starts_with(BY_HAND));
        let place = self.0.borrow().place;
        *self.0.borrow_mut() = Kept { place, is_stale: true, gone, ..Kept::default() };
    }

    /// Which project on the disk follows from now on, if any.
    pub fn keep_on_disk(&self, project: Option<&str>) {
        let mut kept = self.0.borrow_mut();
        if kept.project.as_deref() != project {
            let Kept { files, changed, .. } = &mut *kept;
            changed.extend(files.files.keys().cloned());
            kept.project = project.map(str::to_owned);
        }
    }

    /// Takes the files of a project in place of those in memory, and has it follow unless it is only read; `false` when
    /// there are none.
    ///
    /// # Errors
    /// The browser's reason.
    pub async fn load(&self, project: &str, follows: bool) -> std::result::Result<bool, JsValue> {
        let place = self.0.borrow().place;
        let Some(folder) = Folder::open(&[PROJECTS, project, place.folder()]).await else { return Ok(false) };
        // Another tab may be writing it.
        let _turn = if follows { None } else { lock::turn(project).await };
        let card_written = if follows { None } else { folder.written(RUN_CARD).await };
        let mut files = MemoryStore::default();
        let (away, here): (BTreeSet<String>, BTreeSet<String>) =
            folder.names().await?.into_iter().partition(|name| can_go(name));
        for name in here {
            if let Some(bytes) = folder.read(&name).await? {
                files.files.insert(name, bytes);
            }
        }
        let found = !files.files.is_empty();
        let momentum = choose_momentum(&mut files);
        let home = Some(project.to_owned());
        *self.0.borrow_mut() = Kept {
            place,
            files,
            project: home.clone().filter(|_| follows),
            away,
            home,
            card_written,
            momentum,
            ..Kept::default()
        };
        Ok(found)
    }

    /// Takes the files of a project whose names begin so, but those that are here.
    ///
    /// # Errors
    /// The browser's reason.
    pub async fn load_all_of(&self, project: &str, prefix: &str) -> std::result::Result<(), JsValue> {
        let place = self.0.borrow().place;
        let Some(folder) = Folder::open(&[PROJECTS, project, place.folder()]).await else { return Ok(()) };
        let known = self.kept_names();
        for name in folder.names().await? {
            if name.starts_with(prefix)
                && !known.contains(&name)
                && !self.0.borrow().gone.contains(&name)
                && let Some(bytes) = folder.read(&name).await?
            {
                self.0.borrow_mut().files.files.insert(name, bytes);
            }
        }
        Ok(())
    }

    /// Names of all files, wherever they are.
    pub fn kept_names(&self) -> BTreeSet<String> {
        let kept = self.0.borrow();
        kept.files.files.keys().chain(&kept.away).cloned().collect()
    }

    /// Brings a file back that is on the disk only.
    ///
    /// # Errors
    /// The browser's reason.
    pub async fn bring(&self, name: &str) -> std::result::Result<(), JsValue> {
        if !self.0.borrow().away.contains(name) {
            return Ok(());
        }
        let project = self.0.borrow().home.clone().unwrap_or_default();
        let place = self.0.borrow().place;
        let card_written = self.0.borrow().card_written;
        let bytes = match Folder::open(&[PROJECTS, &project, place.folder()]).await {
            Some(folder) => {
                let bytes = folder.read(name).await?;
                if card_written.is_some() && folder.written(RUN_CARD).await != card_written {
                    return Err(JsValue::from("it was trained anew in another tab; look at it again"));
                }
                bytes
            }
            None => None,
        };
        let mut kept = self.0.borrow_mut();
        // What has given room meanwhile is missed by nobody; see `make_room`.
        if bytes.is_some() || is_spare(name) {
            kept.away.remove(name);
        }
        let Some(bytes) = bytes else {
            return match is_spare(name) {
                true => Ok(()),
                false => Err(JsValue::from(format!("it is no longer on the browser's disk: {name}"))),
            };
        };
        kept.files.files.insert(name.to_owned(), bytes);
        Ok(())
    }

    /// Brings every file of the run back: all but made masks.
    ///
    /// # Errors
    /// As [`bring`](Self::bring).
    pub async fn bring_all(&self) -> std::result::Result<(), JsValue> {
        let away = self.0.borrow().away.clone();
        for name in away.into_iter().filter(|name| !name.starts_with(MADE)) {
            self.bring(&name).await?;
        }
        Ok(())
    }

    /// Lets go of what is as well on the disk, and training does without.
    pub fn release(&self) {
        let mut kept = self.0.borrow_mut();
        let Kept { files, project, home, changed, away, .. } = &mut *kept;
        if project.is_some() || home.is_some() {
            let gone = |name: &String| can_go(name) && !changed.contains(name);
            away.extend(files.files.keys().filter(|name| gone(name)).cloned());
            files.files.retain(|name, _| !away.contains(name));
        }
    }

    /// Drops the files whose names begin so; the disk's go with the next checkpoint.
    pub fn forget(&self, prefix: &str) {
        let mut kept = self.0.borrow_mut();
        let Kept { files, changed, away, gone, .. } = &mut *kept;
        let names = files.files.keys().chain(&*away).filter(|name| name.starts_with(prefix));
        gone.extend(names.cloned());
        files.files.retain(|name, _| !name.starts_with(prefix));
        changed.retain(|name| !name.starts_with(prefix));
        away.retain(|name| !name.starts_with(prefix));
    }

    /// Whether a checkpoint waits to be carried to the disk.
    pub fn has_news(&self) -> bool {
        let kept = self.0.borrow();
        kept.project.is_some() && !kept.waits && kept.changed.iter().any(|name| name != LOG)
    }

    /// Carries what has changed to the disk, the log last: it never tells of a checkpoint that is not there. What had to
    /// give room goes to `gave`. `false` where the disk does not follow.
    ///
    /// # Errors
    /// The browser's reason, in most cases a lack of room. What the disk has stays, and the next checkpoint is tried.
    pub async fn carry(&self, gave: &mut Vec<Gift>) -> std::result::Result<bool, JsValue> {
        let Some(project) = self.0.borrow().project.clone() else { return Ok(false) };
        let carried = self.try_to_carry(&project, gave).await;
        for gift in &*gave {
            match gift {
                Gift::Measured { files } => {
                    self.0.borrow_mut().away.retain(|name| !files.contains(name));
                }
                Gift::OwnRound { file, .. } => {
                    self.0.borrow_mut().away.remove(file);
                }
                Gift::Opened { .. } | Gift::Momentum { .. } | Gift::Rounds { .. } => {}
            }
        }
        match carried {
            Ok(carried) => {
                self.release();
                Ok(carried)
            }
            Err(error) => {
                self.0.borrow_mut().waits = true;
                Err(error)
            }
        }
    }

    async fn try_to_carry(&self, id: &str, gave: &mut Vec<Gift>) -> std::result::Result<bool, JsValue> {
        self.bring_from_elsewhere(id).await?;
        let _turn = lock::turn(id).await;
        let place = self.0.borrow().place;
        let folder = Folder::create(&[PROJECTS, id, place.folder()]).await?;
        // What was drawn by hand can be drawn by nobody again: it is in two places rather than in none.
        self.write_changed(&folder, |name| name == CLASSES, id, gave).await?;
        self.write_changed(&folder, |name| name.starts_with(BY_HAND), id, gave).await?;
        if self.0.borrow().is_stale {
            // A run that could not begin takes no other's place.
            if !self.0.borrow().files.files.contains_key(RUN_CARD) {
                return Ok(false);
            }
            // What an earlier run left would pass for this one's.
            for name in folder.names().await? {
                // Cut by a run that ended before its first checkpoint, and kept for this one.
                let is_same = [BOX_MASKS, BEGUN].contains(&name.as_str())
                    && self.0.borrow().files.files.contains_key(&name);
                if !name.starts_with(BY_HAND) && !is_same {
                    folder.remove(&name).await?;
                }
            }
            self.0.borrow_mut().is_stale = false;
        }
        self.remove_gone(&folder, |name| name != BEGUN).await?;
        // Before the checkpoint: one of the next round would never bring them again.
        self.write_rounds(&folder, id, gave).await?;
        self.write_begun(&folder, id, gave).await?;
        self.write_changed(&folder, |name| name != LOG, id, gave).await?;
        // What it was a part of is there now.
        self.remove_gone(&folder, |_| true).await?;
        let next = self.0.borrow_mut().next_momentum.take();
        if let Some(next) = next {
            self.0.borrow_mut().momentum = next;
            // Where it stays, it is known by its step: see `choose_momentum`.
            let _ = folder.remove(MOMENTUM[1 - next]).await;
        }
        self.write_changed(&folder, |name| name != LOG, id, gave).await?;
        self.write_changed(&folder, |_| true, id, gave).await?;
        self.0.borrow_mut().home = Some(id.to_owned());
        Ok(true)
    }

    async fn remove_gone(
        &self,
        folder: &Folder,
        wanted: impl Fn(&str) -> bool,
    ) -> std::result::Result<(), JsValue> {
        let names: Vec<String> = self.0.borrow().gone.iter().filter(|name| wanted(name)).cloned().collect();
        for name in names {
            folder.remove(&name).await?;
            self.0.borrow_mut().gone.remove(&name);
        }
        Ok(())
    }

    /// Files that lie in another project only go with the run to this one.
    async fn bring_from_elsewhere(&self, id: &str) -> std::result::Result<(), JsValue> {
        let away = {
            let kept = self.0.borrow();
            if kept.home.as_deref().is_none_or(|home| home == id) {
                BTreeSet::new()
            } else {
                kept.away.clone()
            }
        };
        for name in away {
            self.bring(&name).await?;
            self.0.borrow_mut().changed.insert(name);
        }
        Ok(())
    }

    /// Writes what has changed of earlier rounds. Those that there is no room for go: training does without.
    async fn write_rounds(
        &self,
        folder: &Folder,
        id: &str,
        gave: &mut Vec<Gift>,
    ) -> std::result::Result<(), JsValue> {
        match self.write_changed(folder, is_spare, id, gave).await {
            Err(error) if is_full(&error) => {}
            other => return other,
        }
        let names: Vec<String> = {
            let kept = self.0.borrow();
            kept.changed.iter().filter(|name| is_spare(name)).cloned().collect()
        };
        gave.extend(own_rounds(&names));
        let mut kept = self.0.borrow_mut();
        for name in names {
            kept.changed.remove(&name);
            kept.files.files.remove(&name);
        }
        Ok(())
    }

    /// Writes how far photos were measured: without room for that, they are measured again after a crash.
    async fn write_begun(
        &self,
        folder: &Folder,
        id: &str,
        gave: &mut Vec<Gift>,
    ) -> std::result::Result<(), JsValue> {
        match self.write_changed(folder, |name| name == BEGUN, id, gave).await {
            Err(error) if is_full(&error) => {
                self.0.borrow_mut().changed.remove(BEGUN);
                Ok(())
            }
            other => other,
        }
    }

    /// Writes those of the changed files that are `wanted`.
    async fn write_changed(
        &self,
        folder: &Folder,
        wanted: impl Fn(&str) -> bool,
        id: &str,
        gave: &mut Vec<Gift>,
    ) -> std::result::Result<(), JsValue> {
        let names: Vec<String> =
            self.0.borrow().changed.iter().filter(|name| wanted(name)).cloned().collect();
        for name in names {
            // The loop may write it anew while the browser does.
            self.0.borrow_mut().changed.remove(&name);
            let bytes = self
                .0
                .borrow()
                .files
                .files
                .get(&name)
                .map(|bytes| js_sys::Uint8Array::from(bytes.as_slice()));
            let Some(bytes) = bytes else { continue };
            let next = (name == MOMENTUM[0]).then(|| 1 - self.0.borrow().momentum);
            let on_disk = next.map_or(name.as_str(), |next| MOMENTUM[next]);
            if let Err(error) = make_room::write(folder, on_disk, &bytes, id, gave).await {
                self.0.borrow_mut().changed.insert(name);
                return Err(error);
            }
            if next.is_some() {
                self.0.borrow_mut().next_momentum = next;
            }
        }
        Ok(())
    }
}

/// Of two, the momentum that goes with the weights; under which name it lies.
fn choose_momentum(files: &mut MemoryStore) -> usize {
    let Some(other) = files.files.remove(MOMENTUM[1]) else { return 0 };
    let fits = |files: &MemoryStore| {
        let trained = Trained::load(files, None).ok().flatten();
        trained.and_then(|trained| load_optimizer(files, trained.position).ok().flatten()).is_some()
    };
    if files.files.contains_key(MOMENTUM[0]) && fits(files) {
        return 0;
    }
    files.files.insert(MOMENTUM[0].to_owned(), other);
    1
}

impl RunStore for KeptStore {
    fn write(&mut self, name: &str, bytes: &[u8]) -> Result<()> {
        let mut kept = self.0.borrow_mut();
        kept.waits = false;
        kept.changed.insert(name.to_owned());
        kept.gone.remove(name);
        kept.files.write(name, bytes)
    }

    fn append(&mut self, name: &str, line: &str) -> Result<()> {
        let mut kept = self.0.borrow_mut();
        kept.changed.insert(name.to_owned());
        kept.files.append(name, line)
    }

    fn remove(&mut self, name: &str) -> Result<()> {
        let mut kept = self.0.borrow_mut();
        kept.changed.remove(name);
        kept.away.remove(name);
        kept.gone.insert(name.to_owned());
        kept.files.remove(name)
    }

    fn read(&self, name: &str) -> Result<Option<Vec<u8>>> {
        self.0.borrow().files.read(name)
    }

    fn describe(&self, name: &str) -> String {
        self.0.borrow().files.describe(name)
    }
}
