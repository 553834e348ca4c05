//! `classes.txt`: one class name per line, in the order of the mask values, `background` first.

/// What the file is called.
pub const NAME: &str = "classes.txt";
/// The name of mask value 0.
pub const BACKGROUND: &str = "background";

/// The file for these foreground classes: line `i` (from 0) names mask value `i`.
pub fn encode(classes: &[String]) -> Vec<u8> {
    let mut text = String::from(BACKGROUND);
    for class in classes {
        text.push('\n');
        // A line break inside a name would shift every name after it.
        text.extend(class.chars().map(|letter| if letter.is_control() { ' ' } else { letter }));
    }
    text.push('\n');
    text.into_bytes()
}

/// The foreground classes named in such a file. The `background` line may be missing; empty lines at
/// the end and a byte-order mark do not count.
pub fn decode(text: &str) -> Vec<String> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text).trim_end();
    let mut names: Vec<String> = text.lines().map(|line| line.trim().to_owned()).collect();
    if names.first().is_some_and(|name| name.eq_ignore_ascii_case(BACKGROUND)) {
        names.remove(0);
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_come_back() {
        let classes = vec!["cow".to_owned(), "traffic light".to_owned(), "näve".to_owned()];
        let bytes = encode(&classes);
        assert!(bytes.starts_with(b"background\ncow\n"));
        assert_eq!(decode(std::str::from_utf8(&bytes).unwrap()), classes);
        assert_eq!(decode("\u{feff}cow\r\ntraffic light\r\nnäve\r\n\r\n"), classes);
        assert_eq!(decode(""), Vec::<String>::new());
    }

    #[test]
    fn a_line_break_in_a_name_does_not_shift_the_others() {
        let bytes = encode(&["a\nb".to_owned(), "c".to_owned()]);
        assert_eq!(decode(std::str::from_utf8(&bytes).unwrap()), ["a b", "c"]);
    }
}
