//! The image that a task means: an upload, a link, or a path on another machine.

use std::collections::BTreeMap;

use super::super::Candidate;
use super::super::finder::{Finder, Found};
use crate::files::{is_foreign_image_name, is_image_name, name};

/// The path in a link or a path, as text; `None` for an image that stands in the text itself.
pub(super) fn path_of(given: &str) -> Option<String> {
    if given.starts_with("data:") {
        return None;
    }
    let is_image = |path: &str| is_image_name(path) || is_foreign_image_name(path);
    // A link to a file on Label Studio's machine names it behind `?d=`.
    let local = given.split_once("?d=").map(|(_, rest)| rest.split('&').next().unwrap_or(rest));
    let path = local.unwrap_or_else(|| match given.split_once('?') {
        Some((path, _)) if is_image(path) => path,
        _ => given,
    });
    let inside = match path.split_once("://") {
        Some((_, rest)) => rest.split_once('/').map_or(rest, |(_, inside)| inside),
        None => path,
    };
    let decoded = match given.contains("://") || given.starts_with("/data/") {
        true => percent_decoded(inside),
        false => inside.to_owned(),
    };
    Some(decoded.replace('\\', "/"))
}

/// With `%20` as a space, and so on; what is no such code, or no text then, stays as it is.
fn percent_decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        let digits = after.get(..2).filter(|_| byte == b'%');
        let digits = digits.filter(|digits| digits.iter().all(u8::is_ascii_hexdigit));
        let code = digits
            .and_then(|digits| std::str::from_utf8(digits).ok())
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        match code {
            Some(code) => {
                bytes.push(code);
                rest = after.get(2..).unwrap_or_default();
            }
            None => {
                bytes.push(byte);
                rest = after;
            }
        }
    }
    String::from_utf8(bytes).unwrap_or_else(|_| text.to_owned())
}

/// By the longest end of the path that is one of an image, then as any name is found.
pub(super) fn find(finder: &Finder<'_>, path: &str) -> Found {
    /// Folders of a path that are looked at: each makes another end.
    const FOLDERS: usize = 32;
    let mut end = path;
    for _ in 0..FOLDERS {
        if let Some(at) = finder.at(end) {
            return Found::One(at);
        }
        match end.split_once('/') {
            Some((_, shorter)) => end = shorter,
            None => break,
        }
    }
    finder.find(path)
}

/// Images by the name that they have without what Label Studio does to names of uploads: eight hexadecimal
/// digits and a `-` before them, `_` for space, and nothing but letters, digits, `_`, `-` and `.`.
pub(super) struct Uploaded(BTreeMap<String, Vec<usize>>);

impl Uploaded {
    pub(super) fn new(images: &[Candidate<'_>]) -> Self {
        let mut by_name: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for (at, image) in images.iter().enumerate() {
            by_name.entry(plain(&image.path)).or_default().push(at);
        }
        Self(by_name)
    }

    /// The image of a path, by its name.
    pub(super) fn find(&self, path: &str) -> Found {
        self.0.get(&plain(path)).map_or(Found::None, |found| Found::of(found))
    }
}

fn plain(path: &str) -> String {
    let file = name(path);
    let is_prefix = |digits: &str| digits.len() == 8 && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    let own = match file.split_once('-') {
        Some((digits, own)) if is_prefix(digits) => own,
        _ => file,
    };
    let kept = own.trim().chars().map(|c| if c == ' ' { '_' } else { c });
    kept.filter(|c| c.is_alphanumeric() || "_-.".contains(*c)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_what_links_lead_to() {
        let cases = [
            ("/data/upload/1/0a1b2c3d-red_fox.jpg", Some("/data/upload/1/0a1b2c3d-red_fox.jpg")),
            ("/data/local-files/?d=set%2Fcow/a%20b.jpg&x=1", Some("set/cow/a b.jpg")),
            ("https://host.example/set/a%20b.jpg?sig=%2F..", Some("set/a b.jpg")),
            ("s3://bucket/cow/a.jpg", Some("cow/a.jpg")),
            (r"C:\photos\a.jpg", Some("C:/photos/a.jpg")),
            ("what?.jpg", Some("what?.jpg")),
            ("100%.jpg", Some("100%.jpg")),
            ("https://host/%FF%.jpg", Some("%FF%.jpg")),
            ("data:image/png;base64,AAAA", None),
        ];
        for (given, expected) in cases {
            assert_eq!(path_of(given).as_deref(), expected, "{given}");
        }
    }

    #[test]
    fn names_of_uploads_are_plain() {
        assert_eq!(plain("x/0A1b2c3d-red fox (1).jpg"), "red_fox_1.jpg");
        assert_eq!(plain("cat-1.jpg"), "cat-1.jpg");
        assert_eq!(plain("0a1b2c3-d.jpg"), "0a1b2c3-d.jpg");
    }
}
