//! The files of a run: in memory, where the loop writes them at once, and on the browser's disk, where they
//! follow between two steps.

use std::cell::{Ref, RefCell};
use std::collections::BTreeSet;
use std::rc::Rc;

use tag2mask_core::Result;
use tag2mask_core::run::RunStore;
use tag2mask_core::run::store::MemoryStore;
use wasm_bindgen::JsValue;

use crate::disk::{self, Folder};

/// Grows with every few steps: it is written when something else is.
const LOG: &str = "events.jsonl";

/// Shared by the loop, which writes, and its host, which carries the files to the disk.
#[derive(Clone, Default)]
pub struct KeptStore(Rc<RefCell<Kept>>);

#[derive(Default)]
struct Kept {
    files: MemoryStore,
    /// Whether the disk is to follow.
    on_disk: bool,
    /// Whether what the disk holds is of an earlier run.
    is_stale: bool,
    /// Files that differ from the disk's.
    changed: BTreeSet<String>,
    /// Files that are on the disk only: networks of earlier rounds would fill the memory.
    away: BTreeSet<String>,
}

/// Whether training does without the file once it is written.
fn can_go(name: &str) -> bool {
    name.starts_with("round-") || name.starts_with("masks-")
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

    /// Whether the disk follows from now on.
    pub fn keep_on_disk(&self, keep: bool) {
        let mut kept = self.0.borrow_mut();
        if keep && !kept.on_disk {
            let Kept { files, changed, .. } = &mut *kept;
            changed.extend(files.files.keys().cloned());
        }
        kept.on_disk = keep;
    }

    /// Takes the disk's files in place of those in memory; `false` when there are none.
    ///
    /// # Errors
    /// The browser's reason.
    pub async fn load(&self) -> std::result::Result<bool, JsValue> {
        let Some(folder) = Folder::open(disk::RUN).await else { return Ok(false) };
        let mut files = MemoryStore::default();
        let (away, here): (BTreeSet<String>, BTreeSet<String>) =
            folder.names().await?.into_iter().partition(|name| can_go(name));
        for name in here {
            if let Some(bytes) = folder.read(&name).await? {
                files.files.insert(name, bytes);
            }
        }
        let found = !files.files.is_empty();
        *self.0.borrow_mut() = Kept { files, on_disk: true, away, ..Kept::default() };
        Ok(found)
    }

    /// Brings a file back that is on the disk only.
    ///
    /// # Errors
    /// The browser's reason.
    pub async fn bring(&self, name: &str) -> std::result::Result<(), JsValue> {
        if !self.0.borrow().away.contains(name) {
            return Ok(());
        }
        let bytes = match Folder::open(disk::RUN).await {
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

    /// Brings every file back.
    ///
    /// # Errors
    /// As [`bring`](Self::bring).
    pub async fn bring_all(&self) -> std::result::Result<(), JsValue> {
        let away = self.0.borrow().away.clone();
        for name in away {
            self.bring(&name).await?;
        }
        Ok(())
    }

    /// Lets go of what is as well on the disk, and training does without.
    pub fn release(&self) {
        let mut kept = self.0.borrow_mut();
        let Kept { files, on_disk, changed, away, .. } = &mut *kept;
        if *on_disk {
            let gone = |name: &String| can_go(name) && !changed.contains(name);
            away.extend(files.files.keys().filter(|name| gone(name)).cloned());
            files.files.retain(|name, _| !away.contains(name));
        }
    }

    /// Whether a checkpoint waits to be carried to the disk.
    pub fn has_news(&self) -> bool {
        let kept = self.0.borrow();
        kept.on_disk && kept.changed.iter().any(|name| name != LOG)
    }

    /// Carries what has changed to the disk, the log last: it never tells of a checkpoint that is not there.
    /// `false` where the disk does not follow.
    ///
    /// # Errors
    /// The browser's reason, in most cases a lack of room. The disk no longer follows then.
    pub async fn carry(&self) -> std::result::Result<bool, JsValue> {
        if !self.0.borrow().on_disk {
            return Ok(false);
        }
        match self.try_to_carry().await {
            Ok(()) => {
                self.release();
                Ok(true)
            }
            Err(error) => {
                self.0.borrow_mut().on_disk = false;
                Err(error)
            }
        }
    }

    async fn try_to_carry(&self) -> std::result::Result<(), JsValue> {
        if self.0.borrow().is_stale {
            // What an earlier run left would pass for this one's.
            if let (Some(project), Some(run)) = (Folder::open(disk::PROJECT).await, disk::RUN.last()) {
                project.remove(run).await?;
            }
            self.0.borrow_mut().is_stale = false;
        }
        let folder = Folder::create(disk::RUN).await?;
        let changed = std::mem::take(&mut self.0.borrow_mut().changed);
        let (log, files): (Vec<_>, Vec<_>) = changed.into_iter().partition(|name| name == LOG);
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
                && let Err(error) = folder.write(&name, &bytes).await
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
