//! Files that the user gives: picked, or dropped with their folders.

use js_sys::{Array, Object, Promise, Reflect};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;

use crate::model::order;
use web_sys::{
    Blob, DataTransfer, File, FileList, FileSystemDirectoryEntry, FileSystemDirectoryReader, FileSystemEntry,
    FileSystemFileEntry,
};

/// A file and its path inside what was given.
#[derive(Clone)]
pub struct PickedFile {
    /// With `/` between parts.
    pub path: String,
    /// The browser's handle; its bytes are read by the trainer.
    pub file: File,
}

/// The files of a picker.
pub fn picked(list: &FileList) -> Vec<PickedFile> {
    (0..list.length())
        .filter_map(|index| list.get(index))
        .map(|file| {
            let relative =
                Reflect::get(&file, &"webkitRelativePath".into()).ok().and_then(|path| path.as_string());
            let path = relative.filter(|path| !path.is_empty()).unwrap_or_else(|| file.name());
            PickedFile { path, file }
        })
        .collect()
}

/// What was dropped, taken while the drop event still lives.
pub struct Dropped {
    entries: Vec<FileSystemEntry>,
    loose: Vec<PickedFile>,
}

impl Dropped {
    /// Takes hold of the dropped files and folders.
    pub fn take(transfer: &DataTransfer) -> Self {
        let items = transfer.items();
        let entries: Vec<FileSystemEntry> = (0..items.length())
            .filter_map(|index| items.get(index))
            .filter_map(|item| item.webkit_get_as_entry().ok().flatten())
            .collect();
        let loose = if entries.is_empty() { transfer.files().map(|list| picked(&list)) } else { None };
        Self { entries, loose: loose.unwrap_or_default() }
    }

    /// Walks through the folders, telling the number of files found so far. Unreadable folders count
    /// as empty.
    pub async fn walk(self, found: impl Fn(usize)) -> Vec<PickedFile> {
        let mut files = self.loose;
        let mut open = self.entries;
        let mut told = 0;
        while let Some(entry) = open.pop() {
            if entry.is_directory() {
                open.extend(children(entry.unchecked_into()).await);
            } else if let Some(file) = file_of(&entry).await {
                files.push(PickedFile { path: entry.full_path().trim_start_matches('/').to_string(), file });
            }
            if files.len() >= told + 100 {
                told = files.len();
                found(told);
            }
        }
        order::sort_by(&mut files, |a, b| a.path.cmp(&b.path));
        files
    }
}

async fn children(folder: FileSystemDirectoryEntry) -> Vec<FileSystemEntry> {
    let reader: FileSystemDirectoryReader = folder.create_reader();
    let mut all = Vec::new();
    // The browser hands out a hundred at a time and ends with none.
    loop {
        let promise = Promise::new(&mut |done, failed| {
            // A reader that cannot start leaves the promise to its error callback.
            let _ =
                reader.read_entries_with_callback_and_callback(done.unchecked_ref(), failed.unchecked_ref());
        });
        let batch: Array = match JsFuture::from(promise).await {
            Ok(batch) => batch.unchecked_into(),
            Err(_) => return all,
        };
        if batch.length() == 0 {
            return all;
        }
        all.extend(batch.iter().map(|entry| entry.unchecked_into::<FileSystemEntry>()));
    }
}

async fn file_of(entry: &FileSystemEntry) -> Option<File> {
    let entry: &FileSystemFileEntry = entry.unchecked_ref();
    let promise = Promise::new(&mut |done, failed| {
        entry.file_with_callback_and_callback(done.unchecked_ref(), failed.unchecked_ref());
    });
    JsFuture::from(promise).await.ok().map(|file| file.unchecked_into())
}

/// The files as the trainer takes them: an array of `{ path, file }`.
pub fn payload(files: &[PickedFile]) -> JsValue {
    files
        .iter()
        .map(|picked| {
            let entry = Object::new();
            // Setting a property of a fresh object cannot fail.
            let _ = Reflect::set(&entry, &"path".into(), &picked.path.as_str().into());
            let _ = Reflect::set(&entry, &"file".into(), &picked.file);
            entry
        })
        .collect::<Array>()
        .into()
}

/// The first bytes of a file.
pub async fn start_of(file: &Blob, length: i32) -> Option<Vec<u8>> {
    let part = file.slice_with_i32_and_i32(0, length).ok()?;
    let buffer = JsFuture::from(part.array_buffer()).await.ok()?;
    Some(js_sys::Uint8Array::new(&buffer).to_vec())
}

/// All bytes of a file, as an `ArrayBuffer`.
///
/// # Errors
/// The browser's reason: the file is gone, or too large for memory.
pub async fn bytes_of(file: &File) -> Result<JsValue, JsValue> {
    JsFuture::from(file.array_buffer()).await
}
