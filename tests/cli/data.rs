//! Data sets to run on.

use std::io::Write;
use std::path::{Path, PathBuf};

use serde_json::Value;
use tempfile::TempDir;

use crate::process::run;

/// Images of the sample set: enough for two batches of each class.
pub const IMAGES: usize = 12;
/// Their side, pixels.
pub const SIDE: u32 = 64;

/// A folder with a sample set in it, gone at the end.
pub struct Sample {
    folder: TempDir,
}

impl Sample {
    /// Makes the set.
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let sample = Self { folder };
        let line = format!("sample {{data}} --images {IMAGES} --size {SIDE} --seed 7");
        run(&line, &[("data", &sample.data())]).succeeded();
        sample
    }

    /// The set.
    pub fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// A path beside the set.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}

/// What `inspect --json` says of a set.
#[track_caller]
pub fn inspect(data: &Path) -> Value {
    run("inspect {data} --json", &[("data", data)]).succeeded().json()
}

/// Packs a folder into a zip, entries under `prefix`.
pub fn zip_folder(folder: &Path, prefix: &str, file: &Path) {
    let mut zip = zip::ZipWriter::new(std::fs::File::create(file).unwrap());
    let mut waiting = vec![(folder.to_path_buf(), prefix.to_string())];
    while let Some((folder, prefix)) = waiting.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = format!("{prefix}{}", path.file_name().unwrap().to_str().unwrap());
            if path.is_dir() {
                waiting.push((path, format!("{name}/")));
            } else {
                zip.start_file(name, zip::write::SimpleFileOptions::default()).unwrap();
                zip.write_all(&std::fs::read(path).unwrap()).unwrap();
            }
        }
    }
    zip.finish().unwrap();
}

/// A safetensors file with one float32 tensor of zeros.
pub fn one_tensor(name: &str, shape: &[usize]) -> Vec<u8> {
    let bytes = 4 * shape.iter().product::<usize>();
    let header = serde_json::json!({ name: { "dtype": "F32", "shape": shape, "data_offsets": [0, bytes] } });
    let header = header.to_string();
    let mut file = (header.len() as u64).to_le_bytes().to_vec();
    file.extend_from_slice(header.as_bytes());
    file.resize(file.len() + bytes, 0);
    file
}
