//! Relative paths with `/` between parts, whatever system they come from.

/// What a path from outside turned out to be.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Cleaned {
    /// A relative path that stays inside its folder.
    Path(String),
    /// A file that operating systems leave behind, or a hidden one: not worth a word.
    Junk,
    /// A path that must not be followed, with the reason.
    Refused(&'static str),
}

/// Brings a path from outside into the one form used here.
pub(super) fn clean(path: &str) -> Cleaned {
    let path = path.replace('\\', "/");
    let drive = path.as_bytes().get(1) == Some(&b':') && path.as_bytes()[0].is_ascii_alphabetic();
    if path.starts_with('/') || drive {
        return Cleaned::Refused("the path is absolute; only files inside the data set are read");
    }
    if path.contains(char::is_control) {
        return Cleaned::Refused("the path contains control characters");
    }
    let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty() && *part != ".").collect();
    if parts.contains(&"..") {
        return Cleaned::Refused("the path leads out of its folder; only files inside the data set are read");
    }
    if parts.is_empty() || parts.iter().any(|part| is_junk(part)) {
        return Cleaned::Junk;
    }
    Cleaned::Path(parts.join("/"))
}

/// A path from outside in the one form used here; `None` for one that is absolute, leads out of its folder,
/// or is of a hidden file.
pub fn clean_path(path: &str) -> Option<String> {
    match clean(path) {
        Cleaned::Path(path) => Some(path),
        Cleaned::Junk | Cleaned::Refused(_) => None,
    }
}

/// Hidden names, and what macOS and Windows put into folders and archives.
pub(super) fn is_junk(part: &str) -> bool {
    part.starts_with('.')
        || ["__MACOSX", "Thumbs.db", "desktop.ini", "$RECYCLE.BIN"]
            .iter()
            .any(|junk| part.eq_ignore_ascii_case(junk))
}

/// The part after the last `/`.
pub fn name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// The path up to the last dot of its name: `cow/a.b.jpg` → `cow/a.b`.
pub fn stem(path: &str) -> &str {
    match name(path).rfind('.') {
        Some(dot) if dot > 0 => &path[..path.len() - name(path).len() + dot],
        _ => path,
    }
}

/// What follows the last dot of the name, in lower case; empty if there is none.
pub fn extension(path: &str) -> String {
    path[stem(path).len()..].trim_start_matches('.').to_ascii_lowercase()
}

/// Whether a file with this name is taken for a training image.
pub fn is_image_name(path: &str) -> bool {
    ["jpg", "jpeg", "jpe", "jfif", "png", "webp", "bmp", "dib"].contains(&extension(path).as_str())
}

/// Whether a file with this name is an image of a format that is not read.
pub fn is_foreign_image_name(path: &str) -> bool {
    [
        "tif", "tiff", "gif", "heic", "heif", "avif", "jxl", "jp2", "svg", "psd", "raw", "cr2", "nef", "dng",
        "dcm",
    ]
    .contains(&extension(path).as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_from_outside_take_one_form_or_are_refused() {
        assert_eq!(clean(r"cow\.\a b.jpg"), Cleaned::Path("cow/a b.jpg".into()));
        assert_eq!(clean("./cow//ä.jpg"), Cleaned::Path("cow/ä.jpg".into()));
        for junk in ["", "./", "__MACOSX/cow/._a.jpg", "cow/.DS_Store", "cow/thumbs.db", ".git/config"] {
            assert_eq!(clean(junk), Cleaned::Junk, "{junk}");
        }
        for refused in ["../evil", "cow/../../evil", "/etc/passwd", r"C:\x.jpg", r"\\host\x", "a\0b"] {
            assert!(matches!(clean(refused), Cleaned::Refused(_)), "{refused}");
        }
    }

    #[test]
    fn a_path_comes_apart() {
        assert_eq!(
            (name("a/b.c.JPG"), stem("a/b.c.JPG"), &*extension("a/b.c.JPG")),
            ("b.c.JPG", "a/b.c", "jpg")
        );
        assert_eq!((name("a.b/c"), stem("a.b/c"), &*extension("a.b/c")), ("c", "a.b/c", ""));
        assert_eq!((stem("a/.b"), &*extension("a/.b")), ("a/.b", ""));
    }
}
