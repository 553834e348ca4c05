//! The browser's own disk: a site's private file system, which survives a reload and a crash. Bound by hand,
//! for page and trainer alike: features of `web-sys` are shared with wgpu.
//!
//! Names are ours, never a user's.

pub mod lock;
pub mod make_room;
pub mod projects;

use js_sys::{AsyncIterator, IteratorNext, Object, Promise, Reflect, Uint8Array};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;

use crate::model::order;
use crate::model::projects::Room;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(catch, js_namespace = ["navigator", "storage"], js_name = getDirectory)]
    fn get_directory() -> Result<Promise, JsValue>;

    #[wasm_bindgen(catch, js_namespace = ["navigator", "storage"], js_name = estimate)]
    fn estimate() -> Result<Promise, JsValue>;

    #[wasm_bindgen(catch, js_namespace = ["navigator", "storage"], js_name = persisted)]
    fn persisted() -> Result<Promise, JsValue>;

    #[wasm_bindgen(catch, js_namespace = ["navigator", "storage"], js_name = persist)]
    fn persist() -> Result<Promise, JsValue>;

    #[derive(Clone)]
    type Directory;

    #[wasm_bindgen(method, js_name = getDirectoryHandle)]
    fn directory(this: &Directory, name: &str, options: &Object) -> Promise;

    #[wasm_bindgen(method, js_name = getFileHandle)]
    fn file(this: &Directory, name: &str, options: &Object) -> Promise;

    #[wasm_bindgen(method, js_name = removeEntry)]
    fn remove_entry(this: &Directory, name: &str, options: &Object) -> Promise;

    #[wasm_bindgen(method)]
    fn values(this: &Directory) -> AsyncIterator;

    /// A file's or a folder's.
    type Handle;

    #[wasm_bindgen(method, getter)]
    fn kind(this: &Handle) -> String;

    #[wasm_bindgen(method, getter)]
    fn name(this: &Handle) -> String;

    type FileHandle;

    #[wasm_bindgen(method, js_name = getFile)]
    fn get_file(this: &FileHandle) -> Promise;

    #[wasm_bindgen(method, catch, js_name = createWritable)]
    fn create_writable(this: &FileHandle) -> Result<Promise, JsValue>;

    #[wasm_bindgen(method, catch, js_name = move)]
    fn move_to(this: &FileHandle, folder: &Directory, name: &str) -> Result<Promise, JsValue>;

    type Writable;

    #[wasm_bindgen(method)]
    fn write(this: &Writable, data: &JsValue) -> Promise;

    #[wasm_bindgen(method)]
    fn close(this: &Writable) -> Promise;

    #[wasm_bindgen(method)]
    fn abort(this: &Writable) -> Promise;

    type Buffered;

    #[wasm_bindgen(method, js_name = arrayBuffer)]
    fn array_buffer(this: &Buffered) -> Promise;

    #[wasm_bindgen(method, getter, js_name = lastModified)]
    fn last_modified(this: &Buffered) -> f64;

    #[wasm_bindgen(method, getter)]
    fn size(this: &Buffered) -> f64;
}

/// A folder.
#[derive(Clone)]
pub struct Folder(Directory);

/// What lies in a folder: a name, and whether it is a folder itself.
type Content = Vec<(String, bool)>;

/// How often a file is tried to be read that is written anew each time.
const READS: usize = 8;

impl Folder {
    /// The folder, made if it is not there.
    ///
    /// # Errors
    /// The browser's reason: it has no such disk, or forbids it (a private window).
    pub async fn create(path: &[&str]) -> Result<Self, JsValue> {
        Self::walk(path, true).await
    }

    /// The folder; `None` when it is not there.
    pub async fn open(path: &[&str]) -> Option<Self> {
        Self::walk(path, false).await.ok()
    }

    async fn walk(path: &[&str], create: bool) -> Result<Self, JsValue> {
        let mut folder: Directory = JsFuture::from(get_directory()?).await?.unchecked_into();
        for part in path {
            folder =
                JsFuture::from(folder.directory(part, &option("create", create))).await?.unchecked_into();
        }
        Ok(Self(folder))
    }

    /// Writes a file, whole or not at all. `data` is a `Blob` or a buffer. A file that is not there yet is made empty
    /// first, and stays so where the browser ends here: what is empty has not been written; see [`read`](Self::read).
    ///
    /// # Errors
    /// The browser's reason: no room, or no way to write (Safari before 26).
    pub async fn write(&self, name: &str, data: &JsValue) -> Result<(), JsValue> {
        let handle: FileHandle =
            JsFuture::from(self.0.file(name, &option("create", true))).await?.unchecked_into();
        let written = Self::fill(&handle, data).await;
        if written.is_err() && self.is_empty(name).await {
            // Best effort: an empty one is not taken for a file.
            let _ = self.remove(name).await;
        }
        written
    }

    async fn fill(handle: &FileHandle, data: &JsValue) -> Result<(), JsValue> {
        let file: Writable = JsFuture::from(handle.create_writable()?).await?.unchecked_into();
        let mut written = JsFuture::from(file.write(data)).await;
        if written.is_ok() {
            // The new content takes the place of the old one here.
            written = JsFuture::from(file.close()).await;
        }
        if written.is_err() {
            // What was begun is dropped by itself, sooner or later; until then the file could not be removed.
            let _ = JsFuture::from(file.abort()).await;
        }
        written.map(|_| ())
    }

    /// Whether a file is there and has nothing in it.
    pub async fn is_empty(&self, name: &str) -> bool {
        self.file(name).await.is_some_and(|file| file.unchecked_into::<Buffered>().size() == 0.0)
    }

    /// As [`write`](Self::write), from bytes.
    ///
    /// # Errors
    /// As [`write`](Self::write).
    pub async fn write_bytes(&self, name: &str, bytes: &[u8]) -> Result<(), JsValue> {
        self.write(name, &Uint8Array::from(bytes)).await
    }

    /// A file as a `File`; `None` when it is not there.
    pub async fn file(&self, name: &str) -> Option<JsValue> {
        let handle = JsFuture::from(self.0.file(name, &Object::new())).await.ok()?;
        JsFuture::from(handle.unchecked_into::<FileHandle>().get_file()).await.ok()
    }

    /// When a file was written, milliseconds since 1970; `None` when it is not there.
    pub async fn written(&self, name: &str) -> Option<f64> {
        Some(self.file(name).await?.unchecked_into::<Buffered>().last_modified())
    }

    /// The bytes of a file; `None` when it is not there, or was made and never written: of ours none is empty.
    ///
    /// # Errors
    /// The browser's reason, in most cases a lack of memory.
    pub async fn read(&self, name: &str) -> Result<Option<Vec<u8>>, JsValue> {
        let mut tries = READS;
        loop {
            let Some(file) = self.file(name).await else { return Ok(None) };
            if file.unchecked_ref::<Buffered>().size() == 0.0 {
                return Ok(None);
            }
            tries -= 1;
            match JsFuture::from(file.unchecked_into::<Buffered>().array_buffer()).await {
                Ok(buffer) => return Ok(Some(Uint8Array::new(&buffer).to_vec())),
                // Between these two lines it was written anew: what was taken hold of is gone.
                Err(error) if tries > 0 && name_of(&error).as_deref() == Some("NotReadableError") => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Names of what lies in it, sorted, but files that were made and never written.
    ///
    /// # Errors
    /// The browser's reason.
    pub async fn names(&self) -> Result<Vec<String>, JsValue> {
        let mut names = Vec::new();
        for (name, is_folder) in self.content().await? {
            if is_folder || !self.is_empty(&name).await {
                names.push(name);
            }
        }
        Ok(names)
    }

    async fn content(&self) -> Result<Content, JsValue> {
        let handles = self.0.values();
        let mut found = Content::new();
        loop {
            let next: IteratorNext = JsFuture::from(handles.next()?).await?.unchecked_into();
            if next.done() {
                order::sort_by(&mut found, Ord::cmp);
                return Ok(found);
            }
            let handle: Handle = next.value().unchecked_into();
            found.push((handle.name(), handle.kind() == "directory"));
        }
    }

    /// A folder in it.
    async fn inside(&self, name: &str, create: bool) -> Result<Self, JsValue> {
        let folder = JsFuture::from(self.0.directory(name, &option("create", create))).await?;
        Ok(Self(folder.unchecked_into()))
    }

    /// Bytes of all files in it, and in its folders.
    ///
    /// # Errors
    /// The browser's reason: something in it was removed meanwhile.
    pub async fn bytes(&self) -> Result<f64, JsValue> {
        let (mut open, mut bytes) = (vec![self.clone()], 0.0);
        while let Some(folder) = open.pop() {
            for (name, is_folder) in folder.content().await? {
                if is_folder {
                    open.push(folder.inside(&name, false).await?);
                } else if let Some(file) = folder.file(&name).await {
                    bytes += file.unchecked_into::<Buffered>().size();
                }
            }
        }
        Ok(bytes)
    }

    /// Moves all that is in it to another folder, file by file, the one called `last` at the end: until that is
    /// there, the move can be gone on with.
    ///
    /// # Errors
    /// The browser's reason, in most cases a lack of room.
    pub async fn move_all(&self, to: &Self, last: &str) -> Result<(), JsValue> {
        let mut open = vec![(self.clone(), to.clone())];
        while let Some((from, to)) = open.pop() {
            for (name, is_folder) in from.content().await? {
                if is_folder {
                    open.push((from.inside(&name, false).await?, to.inside(&name, true).await?));
                } else if name != last {
                    from.move_file(&name, &to).await?;
                }
            }
        }
        self.move_file(last, to).await
    }

    async fn move_file(&self, name: &str, to: &Self) -> Result<(), JsValue> {
        let handle: FileHandle = JsFuture::from(self.0.file(name, &Object::new())).await?.unchecked_into();
        if let Ok(moved) = handle.move_to(&to.0, name)
            && JsFuture::from(moved).await.is_ok()
        {
            return Ok(());
        }
        // Not every browser can move; one file at a time needs little room.
        if let Some(file) = self.file(name).await {
            to.write(name, &file).await?;
        }
        self.remove(name).await
    }

    /// Removes a file, or a folder and all in it; what is not there is gone already.
    ///
    /// # Errors
    /// The browser's reason: something in it is being written.
    pub async fn remove(&self, name: &str) -> Result<(), JsValue> {
        match JsFuture::from(self.0.remove_entry(name, &option("recursive", true))).await {
            Err(error) if name_of(&error).as_deref() != Some("NotFoundError") => Err(error),
            _ => Ok(()),
        }
    }
}

/// How much room there is; `None` where the browser does not say.
pub async fn room() -> Option<Room> {
    let estimate = JsFuture::from(estimate().ok()?).await.ok()?;
    let number = |name: &str| Reflect::get(&estimate, &name.into()).ok().and_then(|value| value.as_f64());
    let is_persistent = match persisted() {
        Ok(answer) => JsFuture::from(answer).await.is_ok_and(|answer| answer.is_truthy()),
        Err(_) => false,
    };
    Some(Room { used: number("usage")?, quota: number("quota")?, is_persistent })
}

/// Asks the browser not to clear what is kept when room gets short; the answer is in [`room`].
pub async fn ask_to_persist() {
    if !room().await.is_some_and(|room| room.is_persistent)
        && let Ok(answer) = persist()
    {
        // Refused or not: what is kept is kept either way, with less certainty.
        let _ = JsFuture::from(answer).await;
    }
}

/// Whether the browser refused for a lack of room.
pub fn is_full(error: &JsValue) -> bool {
    name_of(error).as_deref() == Some("QuotaExceededError")
}

fn name_of(error: &JsValue) -> Option<String> {
    Reflect::get(error, &"name".into()).ok().and_then(|name| name.as_string())
}

/// Why the browser refused, in its words.
pub fn reason(error: &JsValue) -> String {
    let text = Reflect::get(error, &"message".into()).ok().and_then(|message| message.as_string());
    text.filter(|text| !text.is_empty())
        .or_else(|| error.as_string())
        .unwrap_or_else(|| "no reason was given".into())
}

fn option(name: &str, value: bool) -> Object {
    let options = Object::new();
    // Setting a property of a fresh object cannot fail.
    let _ = Reflect::set(&options, &name.into(), &value.into());
    options
}
