//! A download that goes on where it broke off, and that leaves a file only when it is the right one.

use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::time::{Duration, Instant};

use tag2mask_core::public_weights::{Answer, Next, PublicWeights, next};
use tag2mask_core::{Error, Result};
use ureq::Agent;
use ureq::http::HeaderMap;

use super::cache::{self, Cache};
use super::check_structure;
use crate::cli::output::Report;

/// Times in a row that a server may answer without a new byte.
const ATTEMPTS: u32 = 3;
/// Before another attempt, times the number of those that failed.
const PAUSE: Duration = Duration::from_secs(1);
/// Without an answer, or a next byte, for so long, the connection counts as broken.
const PATIENCE: Duration = Duration::from_secs(30);
const CHUNK: usize = 64 << 10;
/// More than this is no weights file of ours: read into memory to be checked.
const MOST_BYTES: u64 = 2 << 30;

/// Fetches the file into the cache and checks its length, hash, tensors and their shapes; `host` stands in
/// for scheme and host of its address.
///
/// # Errors
/// [`Error::Format`] with what the server or the connection did; the part stays for the next time, unless it
/// is of another file than was meant.
pub fn download(entry: &PublicWeights, host: Option<&str>, cache: &Cache, report: &mut Report) -> Result<()> {
    let path = cache.path(entry).display().to_string();
    let io_failed =
        |action| move |source| Error::Io { action, path: cache.part(entry).display().to_string(), source };
    fs::create_dir_all(cache.folder()).map_err(io_failed("make a folder for"))?;
    let mut part = Part::open(entry, cache).map_err(io_failed("write"))?;
    let url = address(&entry.url, host);
    let failed = |reason: String| Error::Format { reason, path: url.clone() };
    let total = match part.complete(&url, report) {
        Ok(total) => total,
        Err(reason) => {
            if part.have == 0 {
                part.discard().map_err(io_failed("remove"))?;
            }
            return Err(failed(reason));
        }
    };
    report.end_progress();

    let bytes = part.read().map_err(io_failed("read"))?;
    let checked = match cache::fault(entry, &bytes, total) {
        None => check_structure(&bytes, &path, entry.backbone),
        Some(reason) => Err(failed(reason)),
    };
    if let Err(error) = checked {
        // The same bytes would be wrong the next time too.
        part.discard().map_err(io_failed("remove"))?;
        return Err(error);
    }
    part.keep().map_err(io_failed("keep"))
}

/// The file's address on another host.
fn address(url: &str, host: Option<&str>) -> String {
    let path = url.split_once("://").and_then(|(_, rest)| rest.split_once('/')).map_or("", |(_, path)| path);
    match host {
        Some(host) => format!("{}/{path}", host.trim_end_matches('/')),
        None => url.to_owned(),
    }
}

/// What has arrived of a file.
struct Part<'a> {
    entry: &'a PublicWeights,
    cache: &'a Cache,
    file: File,
    have: u64,
}

/// Why a request ended early.
enum Broken {
    /// Another one may do.
    ForNow(String),
    /// No other one will.
    ForGood(String),
}

impl<'a> Part<'a> {
    fn open(entry: &'a PublicWeights, cache: &'a Cache) -> io::Result<Self> {
        let mut file =
            File::options().read(true).write(true).create(true).truncate(false).open(cache.part(entry))?;
        // Two that write one file would leave none. Some file systems (network shares) know no locks.
        if let Err(fs::TryLockError::WouldBlock) = file.try_lock() {
            let reason = "another process is fetching it";
            return Err(io::Error::new(io::ErrorKind::ResourceBusy, reason));
        }
        // Whoever had the lock may have made it the finished file meanwhile.
        if !cache.part(entry).exists() {
            let reason = "another process has just ended fetching it; ask again";
            return Err(io::Error::new(io::ErrorKind::ResourceBusy, reason));
        }
        let have = file.seek(SeekFrom::End(0))?;
        Ok(Self { entry, cache, file, have })
    }

    /// Asks until all is there; returns the length that the server told.
    fn complete(&mut self, url: &str, report: &mut Report) -> std::result::Result<Option<u64>, String> {
        let agent: Agent = Agent::config_builder()
            .http_status_as_error(false)
            .timeout_connect(Some(PATIENCE))
            .timeout_recv_response(Some(PATIENCE))
            .timeout_per_read(Some(PATIENCE))
            .user_agent(concat!("tag2mask/", env!("CARGO_PKG_VERSION")))
            .build()
            .into();
        let mut vain = 0;
        loop {
            let before = self.have;
            match self.request(&agent, url, report) {
                Ok(total) => return Ok(total),
                Err(Broken::ForGood(reason)) => return Err(reason),
                Err(Broken::ForNow(reason)) => {
                    vain = if self.have > before { 0 } else { vain + 1 };
                    if vain == ATTEMPTS {
                        let hint = if self.have > 0 { "; what has arrived is kept" } else { "" };
                        return Err(format!("{reason}{hint}"));
                    }
                    report.note(match self.have {
                        0 => format!("{reason}; trying again"),
                        have => format!("{reason}; going on from {}", super::megabytes(have, true)),
                    });
                    std::thread::sleep(PAUSE * vain);
                }
            }
        }
    }

    /// One request for what is missing.
    fn request(
        &mut self,
        agent: &Agent,
        url: &str,
        report: &mut Report,
    ) -> std::result::Result<Option<u64>, Broken> {
        let for_good = |error: io::Error| Broken::ForGood(format!("what arrives cannot be kept ({error})"));
        let mut request = agent.get(url);
        // Without a tag or a hash nothing tells whether the part is of the same file.
        let tag = fs::read_to_string(self.cache.tag(self.entry)).ok();
        if self.have > 0 && (tag.is_some() || self.entry.sha256.is_some()) {
            request = request.header("Range", format!("bytes={}-", self.have));
            if let Some(tag) = tag {
                request = request.header("If-Range", tag);
            }
        } else {
            self.restart().map_err(for_good)?;
        }
        let response = request.call().map_err(|error| match error {
            ureq::Error::BadUri(_) | ureq::Error::InvalidProxyUrl => Broken::ForGood(error.to_string()),
            error => Broken::ForNow(format!("the server cannot be reached ({error})")),
        })?;
        let status = response.status().as_u16();
        let text = |name| header(response.headers(), name);
        let answer = Answer {
            status,
            content_length: text("content-length").and_then(|length| length.parse().ok()),
            content_range: text("content-range"),
        };
        let (from, total) = match next(self.have, answer) {
            Ok(Next::Read { from, total }) => (from, total),
            Ok(Next::Complete) => return Ok(Some(self.have)),
            Ok(Next::Anew) => {
                self.restart().map_err(for_good)?;
                return self.request(agent, url, report);
            }
            Err(reason) if status >= 500 || status == 429 => return Err(Broken::ForNow(reason)),
            Err(reason) => return Err(Broken::ForGood(reason)),
        };
        if let Some(reason) = total.and_then(|total| self.entry.length_fault(total, None)) {
            self.restart().map_err(for_good)?;
            return Err(Broken::ForGood(reason));
        }
        if from == 0 {
            self.restart().map_err(for_good)?;
            // A weak tag does not promise the same bytes.
            if let Some(tag) = text("etag").filter(|tag| !tag.starts_with("W/")) {
                fs::write(self.cache.tag(self.entry), tag).map_err(for_good)?;
            }
        }
        self.receive(response.into_body().into_reader(), total, report)
    }

    /// Appends the body.
    fn receive(
        &mut self,
        mut body: impl Read,
        total: Option<u64>,
        report: &mut Report,
    ) -> std::result::Result<Option<u64>, Broken> {
        let (started, before) = (Instant::now(), self.have);
        let mut chunk = vec![0; CHUNK];
        let ended = loop {
            match body.read(&mut chunk) {
                Ok(0) => break None,
                Ok(count) => {
                    self.file
                        .write_all(&chunk[..count])
                        .map_err(|error| Broken::ForGood(format!("what arrives cannot be kept ({error})")))?;
                    self.have += count as u64;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => break Some(error.to_string()),
            }
            let expected = total.unwrap_or(self.entry.bytes);
            if self.have > total.unwrap_or(MOST_BYTES).min(MOST_BYTES) {
                return Err(Broken::ForGood("the server sends more than the file has".into()));
            }
            let pace = (self.have - before) as f64 / started.elapsed().as_secs_f64().max(1e-3);
            let left = expected.saturating_sub(self.have) as f64 / pace;
            let whole = |bytes: u64| bytes.div_ceil(1_000_000) as usize;
            report.progress("megabytes fetched", whole(self.have), whole(expected), Some(left));
        };
        match (ended, total) {
            (None, None) => Ok(None),
            (None, Some(total)) if self.have == total => Ok(Some(total)),
            (None, _) => Err(Broken::ForNow("the connection broke off".into())),
            (Some(reason), _) => Err(Broken::ForNow(format!("the connection broke off ({reason})"))),
        }
    }

    /// Forgets what has arrived.
    fn restart(&mut self) -> io::Result<()> {
        self.file.set_len(0)?;
        self.have = self.file.seek(SeekFrom::Start(0))?;
        remove(&self.cache.tag(self.entry))
    }

    fn read(&mut self) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        self.file.seek(SeekFrom::Start(0))?;
        self.file.read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    /// Makes the part the file.
    fn keep(self) -> io::Result<()> {
        self.file.sync_all()?;
        let (part, path, tag) =
            (self.cache.part(self.entry), self.cache.path(self.entry), self.cache.tag(self.entry));
        // The file's lock goes last: another download would take what is renamed here for its own part.
        #[cfg(windows)] // where an open file cannot be renamed
        drop(self.file);
        fs::rename(part, path)?;
        remove(&tag)
    }

    fn discard(self) -> io::Result<()> {
        let (part, tag) = (self.cache.part(self.entry), self.cache.tag(self.entry));
        #[cfg(windows)]
        drop(self.file);
        remove(&part)?;
        remove(&tag)
    }
}

/// Removes a file that may not be there.
fn remove(path: &std::path::Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mirror_has_the_same_paths() {
        let url = "https://download.pytorch.org/models/a-1.pth";
        assert_eq!(address(url, None), url);
        assert_eq!(address(url, Some("http://[::1]:8000/")), "http://[::1]:8000/models/a-1.pth");
        assert_eq!(address(url, Some("http://mirror/below")), "http://mirror/below/models/a-1.pth");
    }
}
