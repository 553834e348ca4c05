//! Trained weights that anyone may fetch: where they are, under which licence, and how a file of them is
//! told from another. Plain data: whoever fetches them (the command line, the page) asks the user first.

mod known;
mod resume;

pub use known::KNOWN;
pub use resume::{Answer, Next, next};

use std::borrow::Cow;

use serde::Deserialize;

use crate::error::{Error, Result};
use crate::run::settings::BackboneName;

/// One file of trained weights on a public host.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct PublicWeights {
    /// The network that they are of.
    pub backbone: BackboneName,
    /// Who hands them out; with the network the name of the file: "torchvision".
    pub source: Cow<'static, str>,
    /// The file's address, with a fixed version where the host has versions.
    pub url: Cow<'static, str>,
    /// As the source states it, an SPDX identifier: "BSD-3-Clause".
    pub licence: Cow<'static, str>,
    /// What they were trained on and by whom, in a few words.
    pub trained: Cow<'static, str>,
    /// The file's size in bytes: exact, or rounded to megabytes.
    pub bytes: u64,
    /// Whether `bytes` is exact.
    #[serde(default)]
    pub is_exact: bool,
    /// SHA-256 of the file, 64 hexadecimal digits; `None` where no source tells it.
    #[serde(default)]
    pub sha256: Option<Cow<'static, str>>,
    /// Whether the host lets pages of others fetch the file (`Access-Control-Allow-Origin`).
    #[serde(default)]
    pub is_for_pages: bool,
}

impl PublicWeights {
    /// The name of a copy of the file: `resnet-18-torchvision.pth`.
    pub fn file_name(&self) -> String {
        let end = if self.url.ends_with(".safetensors") { "safetensors" } else { "pth" };
        format!("{}-{}.{end}", self.backbone.id(), self.source)
    }

    /// The host that hands the file out: `download.pytorch.org`.
    pub fn host(&self) -> &str {
        let rest = self.url.split_once("://").map_or(&*self.url, |(_, rest)| rest);
        rest.split('/').next().unwrap_or(rest)
    }

    /// Says in a clause what is wrong with a file of this length; `told` is the length that the server told.
    pub fn length_fault(&self, found: u64, told: Option<u64>) -> Option<String> {
        let expected = if self.is_exact { Some(self.bytes) } else { told };
        let expected = expected.filter(|&expected| expected != found)?;
        Some(format!("the file has {found} bytes instead of {expected}"))
    }

    /// Says in a clause what is wrong with a file of this SHA-256 (hexadecimal digits).
    pub fn hash_fault(&self, found: &str) -> Option<String> {
        let expected = self.sha256.as_deref().filter(|expected| !expected.eq_ignore_ascii_case(found))?;
        let start = |hash: &str| hash.chars().take(8).collect::<String>();
        let (found, expected) = (start(found), start(expected));
        Some(format!("the file is damaged or another one (SHA-256 {found}… instead of {expected}…)"))
    }
}

/// Reads another list: a JSON array of [`PublicWeights`], for files on a host of one's own.
///
/// # Errors
/// [`Error::Format`] when it is none, or when a source could not be part of a file's name.
pub fn read_list(path: &str, text: &str) -> Result<Vec<PublicWeights>> {
    let refused = |reason: String| Error::Format { path: path.to_owned(), reason };
    let list: Vec<PublicWeights> = serde_json::from_str(text)
        .map_err(|error| refused(format!("not a list of public weights ({error})")))?;
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || letter == '-';
    match list.iter().find(|entry| entry.source.is_empty() || !entry.source.chars().all(is_plain)) {
        Some(entry) => Err(refused(format!(
            "the source \"{}\" must be a name of letters, digits and hyphens",
            entry.source
        ))),
        None => Ok(list),
    }
}

/// The entry of a network from a source, or the first of the network where no source is given.
///
/// # Errors
/// [`Error::Setting`] when there is none; it names those that there are.
pub fn find<'a>(
    list: &'a [PublicWeights],
    backbone: BackboneName,
    source: Option<&str>,
) -> Result<&'a PublicWeights> {
    let of_backbone = || list.iter().filter(|entry| entry.backbone == backbone);
    of_backbone().find(|entry| source.is_none_or(|source| entry.source == source)).ok_or_else(|| {
        let sources: Vec<&str> = of_backbone().map(|entry| &*entry.source).collect();
        let name = backbone.id();
        Error::Setting {
            name: "weights",
            reason: match (source, sources.is_empty()) {
                (_, true) => format!("no public weights of {name} are known; give a file"),
                (Some(source), _) => {
                    format!("\"{source}\" has none of {name}; choose one of {}", sources.join(", "))
                }
                (None, _) => format!("choose one of {}", sources.join(", ")),
            },
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_entry_is_whole_and_has_a_name_of_its_own() {
        let mut names = std::collections::BTreeSet::new();
        for entry in &KNOWN {
            assert!(names.insert(entry.file_name()), "{}", entry.file_name());
            assert!(entry.url.starts_with("https://") && !entry.host().is_empty(), "{}", entry.url);
            assert!(entry.bytes > 1_000_000 && !entry.backbone.trains_from_scratch());
            if let Some(hash) = &entry.sha256 {
                assert!(hash.len() == 64 && hash.chars().all(|digit| digit.is_ascii_hexdigit()), "{hash}");
            }
            // torchvision's names end with the first digits of the file's SHA-256.
            if let Some((_, end)) = entry.url.rsplit_once('-').filter(|_| entry.url.ends_with(".pth")) {
                let digits = end.trim_end_matches(".pth");
                assert!(
                    entry.sha256.as_deref().is_some_and(|hash| hash.starts_with(digits)),
                    "{}",
                    entry.url
                );
            }
        }
        assert_eq!(KNOWN[0].file_name(), "mobilenet-v2-torchvision.pth");
        assert_eq!(KNOWN[0].host(), "download.pytorch.org");
    }

    #[test]
    fn an_entry_is_found_by_network_and_source() {
        let found = |backbone, source| find(&KNOWN, backbone, source).map(PublicWeights::file_name);
        assert_eq!(found(BackboneName::Resnet18, None).unwrap(), "resnet-18-torchvision.pth");
        assert_eq!(found(BackboneName::Resnet18, Some("timm")).unwrap(), "resnet-18-timm.safetensors");
        let unknown = found(BackboneName::Resnet18, Some("keras")).unwrap_err().to_string();
        assert!(unknown.contains("choose one of torchvision, timm"), "{unknown}");
        let none = found(BackboneName::Resnet38, None).unwrap_err().to_string();
        assert!(none.contains("no public weights of resnet-38"), "{none}");
    }

    #[test]
    fn lengths_and_hashes_are_compared_where_they_are_known() {
        let exact = find(&KNOWN, BackboneName::Resnet18, None).unwrap();
        assert_eq!(exact.length_fault(exact.bytes, None), None);
        assert!(exact.length_fault(7, Some(7)).unwrap().contains("7 bytes instead of 46830571"));
        let rounded = PublicWeights { is_exact: false, sha256: None, ..exact.clone() };
        assert_eq!(rounded.length_fault(7, None), None);
        assert!(rounded.length_fault(7, Some(9)).unwrap().contains("instead of 9"));
        let hash = exact.sha256.as_deref().unwrap();
        assert_eq!(exact.hash_fault(&hash.to_uppercase()), None);
        assert!(exact.hash_fault(&hash.replace('f', "0")).unwrap().contains("SHA-256"));
        assert_eq!(rounded.hash_fault("00"), None);
    }

    #[test]
    fn another_list_is_read_and_its_names_stay_in_their_folder() {
        let text = |source: &str| {
            format!(
                r#"[{{"backbone": "tiny", "source": "{source}", "url": "https://a.b/c.safetensors",
                    "licence": "MIT", "trained": "here", "bytes": 5}}]"#
            )
        };
        let list = read_list("list.json", &text("ours")).unwrap();
        assert_eq!(list[0].file_name(), "tiny-ours.safetensors");
        assert_eq!((list[0].is_exact, &list[0].sha256), (false, &None));
        for source in ["../ours", "", "a b", "a/b"] {
            assert!(read_list("list.json", &text(source)).is_err(), "{source}");
        }
        assert!(read_list("list.json", "{}").unwrap_err().to_string().ends_with("list.json"));
    }
}
