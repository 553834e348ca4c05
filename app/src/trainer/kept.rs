//! The files of a run: in memory, where the loop writes them at once, and on the browser's disk, where they
//! follow between two steps.

use std::cell::{Ref, RefCell};
use std::collections::BTreeSet;
use std::rc::Rc;

use tag2mask_core::Result;
use tag2mask_core::run::RunStore;
use tag2mask_core::run::store::MemoryStore;
use wasm_bindgen::JsValue;

use super::made::MADE;
use crate::disk::projects::{self, PROJECTS, RUN};
use crate::disk::{Folder, lock};

/// Grows with every few steps: it is written when something else is.
const LOG: &str = "events.jsonl";

/// Shared by the loop, which writes, and its host, which carries the files to the disk.
#[derive(Clone, Default)]
pub struct KeptStore(Rc<RefCell<Kept>>);

#[derive(Default)]
struct Kept {
    files: MemoryStore,
    /// The project on the disk that is to follow.
    project: Option<String>,
    /// Whether what the disk holds is of an earlier run.
    is_stale: bool,
    /// Files that differ from the disk's.
    changed: BTreeSet<String>,
    /// Files that are on the disk only: networks of earlier rounds would fill the memory.
    away: BTreeSet<String>,
    /// Files that the disk is still to lose.
    gone: BTreeSet<String>,
}

/// Whether training does without the file once it is written.
fn can_go(name: &str) -> bool {
    name.starts_with("round-") || name.starts_with("masks-") || name.starts_with(MADE)
}

impl KeptStore {
    /// The files, all of them.
    pub fn files(&self) -> Ref<'_, MemoryStore> {
        Ref::map(self.0.borrow(), |kept| &kept.files)
    }

    /// Drops all files: a new run, or other data. The disk's go when the next run is kept there.
    pub fn clear(&self) {
        *self.0.borrow_mut() = Kept { is_stale: true, ..Kept::default() };
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

    /// Whether the disk follows.
    pub fn is_on_disk(&self) -> bool {
        self.0.borrow().project.is_some()
    }

    /// Takes the files of a project in place of those in memory; `false` when there are none.
    ///
    /// # Errors
    /// The browser's reason.
    pub async fn load(&self, project: &str) -> std::result::Result<bool, JsValue> {
        let Some(folder) = Folder::open(&[PROJECTS, project, RUN]).await else { return Ok(false) };
        let mut files = MemoryStore::default();
        let (away, here): (BTreeSet<String>, BTreeSet<String>) =
            folder.names().await?.into_iter().partition(|name| can_go(name));
        for name in here {
            if let Some(bytes) = folder.read(&name).await? {
                files.files.insert(name, bytes);
            }
        }
        let found = !files.files.is_empty();
        *self.0.borrow_mut() = Kept { files, project: Some(project.to_owned()), away, ..Kept::default() };
        Ok(found)
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
        let project = self.0.borrow().project.clone().unwrap_or_default();
        let bytes = match Folder::open(&[PROJECTS, &project, RUN]).await {
            Some(folder) => folder.read(name).await?,
            None => None,
        };
        let bytes =
            bytes.ok_or_else(|| JsValue::from(format!("it is no longer on the browser's disk: {name}")))?;
        let mut kept = self.0.borrow_mut();
        kept.away.remove(name);
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
        let Kept { files, project, changed, away, .. } = &mut *kept;
        if project.is_some() {
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
        kept.project.is_some() && kept.changed.iter().any(|name| name != LOG)
    }

    /// Carries what has changed to the disk, the log last: it never tells of a checkpoint that is not there. Names
    /// of other projects that had to give room go to `gave`. `false` where the disk does not follow.
    ///
    /// # Errors
    /// The browser's reason, in most cases a lack of room. The disk no longer follows then.
    pub async fn carry(&self, gave: &mut Vec<String>) -> std::result::Result<bool, JsValue> {
        let Some(project) = self.0.borrow().project.clone() else { return Ok(false) };
        match self.try_to_carry(&project, gave).await {
            Ok(()) => {
                self.release();
                Ok(true)
            }
            Err(error) => {
                self.0.borrow_mut().project = None;
                Err(error)
            }
        }
    }

    async fn try_to_carry(&self, id: &str, gave: &mut Vec<String>) -> std::result::Result<(), JsValue> {
        let _turn = lock::turn(id).await;
        if self.0.borrow().is_stale {
            // What an earlier run left would pass for this one's.
            if let Some(project) = Folder::open(&[PROJECTS, id]).await {
                project.remove(RUN).await?;
            }
            self.0.borrow_mut().is_stale = false;
        }
        let folder = Folder::create(&[PROJECTS, id, RUN]).await?;
        let gone = std::mem::take(&mut self.0.borrow_mut().gone);
        for name in gone {
            folder.remove(&name).await?;
        }
        let changed = std::mem::take(&mut self.0.borrow_mut().changed);
        let (log, mut files): (Vec<_>, Vec<_>) = changed.into_iter().partition(|name| name == LOG);
        // What is told of masks comes after the masks: without it, they are not looked for.
        files.sort_by_key(|name| name.starts_with(MADE) && name.ends_with(".json"));
        for name in files.into_iter().chain(log) {
            // Copied out first: the loop may write while the browser does.
            let bytes = self
                .0
                .borrow()
                .files
                .files
                .get(&name)
                .map(|bytes| js_sys::Uint8Array::from(bytes.as_slice()));
            if let Some(bytes) = bytes
                && let Err(error) = projects::write(&folder, &name, &bytes, id, gave).await
            {
                self.0.borrow_mut().changed.insert(name);
                return Err(error);
            }
        }
        Ok(())
    }
}

impl RunStore for KeptStore {
    fn write(&mut self, name: &str, bytes: &[u8]) -> Result<()> {
        let mut kept = self.0.borrow_mut();
        kept.changed.insert(name.to_owned());
        kept.gone.remove(name);
        kept.files.write(name, bytes)
    }

    fn append(&mut self, name: &str, line: &str) -> Result<()> {
        let mut kept = self.0.borrow_mut();
        kept.changed.insert(name.to_owned());
        kept.files.append(name, line)
    }

    fn read(&self, name: &str) -> Result<Option<Vec<u8>>> {
        self.0.borrow().files.read(name)
    }

    fn describe(&self, name: &str) -> String {
        self.0.borrow().files.describe(name)
    }
}
