//! Names that users give to classes.

pub(super) use super::super::layouts::means_no_class;

/// Most letters of a name.
pub const LENGTH: usize = 60;

/// A name without what cannot be seen: control characters and those that turn the direction of text are taken out,
/// spaces come singly, and it is cut to [`LENGTH`]. `None` where nothing is left.
pub fn clean(name: &str) -> Option<String> {
    let is_hidden = |letter: char| {
        letter.is_control()
            || matches!(letter, '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
    };
    let visible: String = name
        .chars()
        .map(|letter| if letter.is_whitespace() { ' ' } else { letter })
        .filter(|&letter| !is_hidden(letter))
        .collect();
    let words = visible.split(' ').filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ");
    let cut: String = words.chars().take(LENGTH).collect();
    let cut = cut.trim_end();
    (!cut.is_empty()).then(|| cut.to_owned())
}

/// Whether two names differ in the case of their letters at most.
pub(super) fn is_same(one: &str, other: &str) -> bool {
    one.to_lowercase() == other.to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_cleaned_and_cut() {
        assert_eq!(clean("  red\t\n blood\u{7}   cell "), Some("red blood cell".into()));
        assert_eq!(clean("\u{202e}tac\u{2066}"), Some("tac".into()));
        assert_eq!(clean("Käfer 🪲, groß"), Some("Käfer 🪲, groß".into()));
        for empty in ["", " ", "\n\t", "\u{0}\u{1b}", "\u{feff}\u{200b} \u{202e}"] {
            assert_eq!(clean(empty), None, "{empty:?}");
        }
        let long = clean(&"ä ".repeat(1000)).unwrap();
        assert!(long.chars().count() <= LENGTH && !long.ends_with(' '));
        assert_eq!(clean(&long), Some(long), "what is clean stays");
    }

    #[test]
    fn case_makes_no_other_name() {
        assert!(is_same("Cat", "cAT") && is_same("ÄRA", "ära") && !is_same("cat", "cats"));
    }
}
