//! Text that comes from outside, as text of a page or a picture.

/// Names come from outside: none of them is markup, ends an attribute or steers a terminal.
pub fn escaped(words: &str) -> String {
    let mut out = String::with_capacity(words.len());
    for letter in words.chars() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            // The last two are no characters, and not allowed in XML.
            letter if letter.is_control() || matches!(letter, '\u{FFFE}' | '\u{FFFF}') => out.push(' '),
            letter => out.push(letter),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_is_escaped_is_markup() {
        let hostile = "</td><script>alert('x')</script>\" onload=\"&\u{1b}\u{ffff}";
        let escaped = escaped(hostile);
        assert!(!escaped.contains(['<', '>', '"', '\'', '\u{1b}']), "{escaped}");
        let page = format!("<p title=\"{escaped}\">{escaped}</p>");
        let document = roxmltree::Document::parse(&page).unwrap();
        let expected = hostile.replace(['\u{1b}', '\u{ffff}'], " ");
        assert_eq!(document.root_element().text(), Some(expected.as_str()));
        assert_eq!(document.root_element().attribute("title"), Some(expected.as_str()));
    }
}
