//! The browser's own disk: a site's private file system, which survives a reload and a crash. Bound by hand,
//! for page and trainer alike: features of `web-sys` are shared with wgpu.
//!
//! Names are ours, never a user's.

use js_sys::{AsyncIterator, IteratorNext, Object, Promise, Reflect, Uint8Array};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(catch, js_namespace = ["navigator", "storage"], js_name = getDirectory)]
    fn get_directory() -> Result<Promise, JsValue>;

    #[wasm_bindgen(catch, js_namespace = ["navigator", "storage"], js_name = estimate)]
    fn estimate() -> Result<Promise, JsValue>;

    type Directory;

    #[wasm_bindgen(method, js_name = getDirectoryHandle)]
    fn directory(this: &Directory, name: &str, options: &Object) -> Promise;

    #[wasm_bindgen(method, js_name = getFileHandle)]
    fn file(this: &Directory, name: &str, options: &Object) -> Promise;

    #[wasm_bindgen(method, js_name = removeEntry)]
    fn remove_entry(this: &Directory, name: &str, options: &Object) -> Promise;

    #[wasm_bindgen(method)]
    fn keys(this: &Directory) -> AsyncIterator;

    type FileHandle;

    #[wasm_bindgen(method, js_name = getFile)]
    fn get_file(this: &FileHandle) -> Promise;

    #[wasm_bindgen(method, catch, js_name = createWritable)]
    fn create_writable(this: &FileHandle) -> Result<Promise, JsValue>;

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
}

/// Where the one kept project lies: `project.json`, [`RUN`], and a folder of [`PHOTOS`].
pub const PROJECT: &[&str] = &["project"];
/// The files of its run, by the names that core gives them.
pub const RUN: &[&str] = &["project", "run"];
/// With what the names of folders begin that hold what the user gave, numbered: one a run, as the copy for one
/// run may still be under way when the next one starts.
pub const PHOTOS: &str = "photos-";

/// A folder.
pub struct Folder(Directory);

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

    /// Writes a file, whole or not at all. `data` is a `Blob` or a buffer.
    ///
    /// # Errors
    /// The browser's reason: no room, or no way to write (Safari before 26).
    pub async fn write(&self, name: &str, data: &JsValue) -> Result<(), JsValue> {
        let handle: FileHandle =
            JsFuture::from(self.0.file(name, &option("create", true))).await?.unchecked_into();
        let file: Writable = JsFuture::from(handle.create_writable()?).await?.unchecked_into();
        if let Err(error) = JsFuture::from(file.write(data)).await {
            // What was begun is dropped by itself, sooner or later.
            let _ = JsFuture::from(file.abort()).await;
            return Err(error);
        }
        // The new content takes the place of the old one here.
        JsFuture::from(file.close()).await.map(|_| ())
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

    /// The bytes of a file; `None` when it is not there.
    ///
    /// # Errors
    /// The browser's reason, in most cases a lack of memory.
    pub async fn read(&self, name: &str) -> Result<Option<Vec<u8>>, JsValue> {
        let Some(file) = self.file(name).await else { return Ok(None) };
        let buffer = JsFuture::from(file.unchecked_into::<Buffered>().array_buffer()).await?;
        Ok(Some(Uint8Array::new(&buffer).to_vec()))
    }

    /// Names of what lies in it, sorted.
    ///
    /// # Errors
    /// The browser's reason.
    pub async fn names(&self) -> Result<Vec<String>, JsValue> {
        let keys = self.0.keys();
        let mut names = Vec::new();
        loop {
            let next: IteratorNext = JsFuture::from(keys.next()?).await?.unchecked_into();
            if next.done() {
                names.sort();
                return Ok(names);
            }
            names.extend(next.value().as_string());
        }
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

/// Bytes that the browser would still keep for this site; `None` where it does not say.
pub async fn room() -> Option<f64> {
    let estimate = JsFuture::from(estimate().ok()?).await.ok()?;
    let number = |name: &str| Reflect::get(&estimate, &name.into()).ok().and_then(|value| value.as_f64());
    Some(number("quota")? - number("usage")?)
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
