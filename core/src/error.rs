//! One error type for the whole crate: each variant is one line that a user can act on, with the
//! reason first and the path last.

/// Shorthand for results of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Everything that can go wrong between labelled photos and masks.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file or folder could not be read or written.
    #[error("cannot {action}: {source}: {path}")]
    Io {
        /// What was tried: "read", "write", "list".
        action: &'static str,
        /// The path, as the user gave it.
        path: String,
        /// The system's reason.
        #[source]
        source: std::io::Error,
    },
    /// An image whose bytes cannot be decoded, or whose format is not supported.
    #[error("cannot read the image ({reason}): {path}")]
    Image {
        /// The path inside the data set.
        path: String,
        /// What the decoder said.
        reason: String,
    },
    /// Something is larger than a stated limit; refused before memory is allocated for it.
    #[error("{what} is {found}, more than the limit of {limit}: {path}")]
    TooLarge {
        /// What was measured: "the image", "the archive", "the number of entries".
        what: &'static str,
        /// The size found, with its unit.
        found: String,
        /// The limit, with its unit.
        limit: String,
        /// The path.
        path: String,
    },
    /// An archive that cannot be opened, or an entry of it that cannot be unpacked.
    #[error("cannot read the archive ({reason}): {path}")]
    Archive {
        /// The archive or the entry.
        path: String,
        /// Why.
        reason: String,
    },
    /// A table (`labels.csv`) with a line that cannot be understood.
    #[error("{reason} in line {line}: {path}")]
    Table {
        /// The file.
        path: String,
        /// 1-based line number.
        line: usize,
        /// Why.
        reason: String,
    },
    /// Nothing in the data set can be used.
    #[error("no usable data: {reason}")]
    NoData {
        /// What was looked for and what was found instead.
        reason: String,
    },
    /// A setting outside its range, or two settings that exclude each other.
    #[error("setting {name}: {reason}")]
    Setting {
        /// The setting's name as the user writes it.
        name: &'static str,
        /// Why it cannot be.
        reason: String,
    },
    /// A weights file that does not fit the network.
    #[error("weights do not fit ({reason}), tensor {tensor}: {path}")]
    Weights {
        /// The weights file.
        path: String,
        /// The tensor's name in the file.
        tensor: String,
        /// "missing", or the shapes found and expected.
        reason: String,
    },
    /// A file with a structure other than expected: `run.json`, `.safetensors`, a mask.
    #[error("{reason}: {path}")]
    Format {
        /// The file.
        path: String,
        /// What is wrong.
        reason: String,
    },
    /// The compute device is missing, lost, or out of memory.
    #[error("device {device}: {reason}")]
    Device {
        /// The device's name.
        device: String,
        /// What happened, and what to try.
        reason: String,
    },
}
