//! Names of results: one per image, usable as a file name on every system.

use std::collections::HashSet;

use crate::files::{extension, name, stem};

/// For each path a file name without extension: the file's stem; with its folders where stems repeat;
/// with its extension, then a number, where that repeats too. Unique also where case is ignored.
pub fn unique(paths: &[&str]) -> Vec<String> {
    let candidates: [fn(&str) -> String; 3] = [
        |path| sanitized(name(stem(path))),
        |path| sanitized(&stem(path).replace('/', "_")),
        |path| sanitized(&format!("{}_{}", stem(path).replace('/', "_"), extension(path))),
    ];
    let mut stems = vec![String::new(); paths.len()];
    let mut taken = HashSet::new();
    let mut open: Vec<usize> = (0..paths.len()).collect();
    for candidate in candidates {
        let names: Vec<(usize, String)> = open.iter().map(|&at| (at, candidate(paths[at]))).collect();
        let mut seen = HashSet::new();
        let repeated: HashSet<String> = names
            .iter()
            .map(|(_, name)| name.to_lowercase())
            .filter(|name| !seen.insert(name.clone()))
            .collect();
        open.clear();
        for (at, name) in names {
            let key = name.to_lowercase();
            if repeated.contains(&key) || !taken.insert(key) {
                open.push(at);
            } else {
                stems[at] = name;
            }
        }
    }
    for at in open {
        let base = candidates[2](paths[at]);
        let free =
            (2..).map(|number| format!("{base}_{number}")).find(|name| taken.insert(name.to_lowercase()));
        stems[at] = free.unwrap_or(base);
    }
    stems
}

/// For each name a file name of its own, as near to it as every system allows.
pub(crate) fn of_names(names: &[String]) -> Vec<String> {
    // Bytes, as systems count, with room for a number.
    const LONGEST: usize = 200;
    let mut taken = HashSet::new();
    let own = |name: &String| {
        let mut base = sanitized(name);
        base.truncate(base.floor_char_boundary(LONGEST));
        let candidates =
            std::iter::once(base.clone()).chain((2..).map(|number: usize| format!("{base}_{number}")));
        let mut free = candidates.filter(|name| taken.insert(name.to_lowercase()));
        free.next().unwrap_or_default()
    };
    names.iter().map(own).collect()
}

/// Replaces what some system does not allow in file names.
fn sanitized(text: &str) -> String {
    let replaced: String =
        text.chars().map(|c| if c.is_control() || r#"<>:"/\|?*"#.contains(c) { '_' } else { c }).collect();
    let trimmed = replaced.trim_matches([' ', '.']);
    let device = trimmed.split('.').next().unwrap_or_default().to_ascii_uppercase();
    let reserved = ["CON", "PRN", "AUX", "NUL"].contains(&device.as_str())
        || (device.len() == 4
            && (device.starts_with("COM") || device.starts_with("LPT"))
            && device.as_bytes()[3].is_ascii_digit());
    match trimmed {
        "" => "image".to_owned(),
        name if reserved => format!("_{name}"),
        name => name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stems_are_short_where_they_can_be_and_unique_always() {
        let paths =
            ["cow/a.jpg", "cow/b.jpg", "dog/A.jpg", "x/c.jpg", "x/c.png", "x_c_png.jpg", "con.png", "q?.png"];
        let stems = unique(&paths);
        assert_eq!(stems, ["cow_a", "b", "dog_A", "x_c_jpg", "x_c_png_2", "x_c_png", "_con", "q_"]);
        let unique: HashSet<_> = stems.iter().map(|stem| stem.to_lowercase()).collect();
        assert_eq!(unique.len(), paths.len());
    }

    #[test]
    fn names_become_file_names_of_their_own() {
        let names = ["cow", "Cow", "../..", "a/b", "a:b", "traffic.light", "", "nul"].map(str::to_owned);
        let expected = ["cow", "Cow_2", "_", "a_b", "a_b_2", "traffic.light", "image", "_nul"];
        assert_eq!(of_names(&names), expected);
        assert_eq!(of_names(&["ä".repeat(300)])[0].len(), 200);
    }
}
