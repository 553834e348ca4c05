//! What a cell of a table of labels says.

use std::collections::BTreeSet;

use super::super::means_no_class;

/// Whether a cell of a class's column says that the image has it: `1`, `true`, `yes`, `x`, or `0`, `false`,
/// `no` or nothing. `None` for anything else.
pub(super) fn flag(cell: &str) -> Option<bool> {
    let is = |words: &[&str]| words.iter().any(|word| cell.eq_ignore_ascii_case(word));
    match cell {
        "" => Some(false),
        _ if is(&["0", "0.0", "false", "no", "n", "f"]) => Some(false),
        _ if is(&["1", "1.0", "true", "yes", "y", "t", "x"]) => Some(true),
        _ => None,
    }
}

/// The labels of a cell, separated by spaces, `,`, `;` or `|`; in brackets, as programs write lists, by
/// commas alone. With listed classes, a name may itself have spaces, and a name that is not listed is an
/// error that holds it.
pub(super) fn split(cell: &str, listed: Option<&[String]>) -> Result<BTreeSet<String>, String> {
    let is_listed = |label: &str| listed.is_some_and(|names| names.iter().any(|name| name == label));
    let mut labels = BTreeSet::new();
    let mut take = |label: &str| {
        if is_listed(label) || (listed.is_none() && !means_no_class(label)) {
            labels.insert(label.to_owned());
        } else if !means_no_class(label) {
            return Err(label.to_owned());
        }
        Ok(())
    };
    if is_listed(cell) {
        take(cell)?;
        return Ok(labels);
    }
    let inside = |open, close| cell.strip_prefix(open)?.strip_suffix(close);
    if let Some(list) = inside('[', ']').or_else(|| inside('{', '}')).or_else(|| inside('(', ')')) {
        let unquoted = |part: &str| part.trim().trim_matches(['"', '\'']).trim().to_owned();
        let mut parts = list.split([',', ';', '|']).map(unquoted).filter(|part| !part.is_empty());
        parts.try_for_each(|part| take(&part))?;
        return Ok(labels);
    }
    for part in cell.split([',', ';', '|']).map(str::trim).filter(|part| !part.is_empty()) {
        let words: Vec<&str> = if is_listed(part) { vec![part] } else { part.split_whitespace().collect() };
        words.into_iter().try_for_each(&mut take)?;
    }
    Ok(labels)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(cell: &str) -> Vec<String> {
        split(cell, None).unwrap().into_iter().collect()
    }

    #[test]
    fn lists_are_split_however_they_are_written() {
        for cell in
            ["cow dog", "cow,dog", "dog;cow", "cow | dog", "[cow, dog]", "['cow', 'dog']", "(\"dog\",'cow',)"]
        {
            assert_eq!(labels(cell), ["cow", "dog"], "{cell}");
        }
        assert_eq!(labels("['red fox', 'cow']"), ["cow", "red fox"]);
        for cell in ["", "[]", "none", "['Background']", " , ;"] {
            assert!(labels(cell).is_empty(), "{cell}");
        }
        let listed = ["a, b (c)".to_owned(), "red fox".to_owned()];
        assert_eq!(split("a, b (c)", Some(&listed)).unwrap().len(), 1);
        assert_eq!(split("red fox", Some(&listed)).unwrap().len(), 1);
        assert_eq!(split("red fox;wolf", Some(&listed)), Err("wolf".to_owned()));
    }

    #[test]
    fn flags_are_few_words() {
        assert!(["1", "1.0", "TRUE", "Yes", "x", "X"].iter().all(|cell| flag(cell) == Some(true)));
        assert!(["0", "", "False", "no", "0.0"].iter().all(|cell| flag(cell) == Some(false)));
        assert!(["-1", "2", "cow", "maybe", "0.5"].iter().all(|cell| flag(cell).is_none()));
    }
}
