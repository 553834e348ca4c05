//! The names of the classes, in the order of their numbers: the lines of `classes.txt`, or what `names:` in
//! `data.yaml` holds. Of YAML only that much is read: a list or a map from numbers, in brackets or line by line.

use std::collections::BTreeMap;

use crate::files::limits;

/// One name a line.
pub(super) fn of_lines(text: &str) -> Vec<String> {
    text.lines().map(str::trim).filter(|name| !name.is_empty()).map(str::to_owned).collect()
}

/// What follows the key `names`.
///
/// # Errors
/// Why it cannot be understood.
pub(super) fn of_yaml(text: &str) -> Result<Vec<String>, String> {
    let mut lines = text.lines();
    let first = lines
        .by_ref()
        .find_map(|line| line.strip_prefix("names:"))
        .map(|rest| without_comment(rest).trim())
        .ok_or("there is no key names: in it")?;
    if first.starts_with(['[', '{']) {
        let mut flow = first.to_owned();
        for line in lines {
            if closes(&flow) {
                break;
            }
            flow.push(' ');
            flow.push_str(without_comment(line).trim());
        }
        return of_flow(flow.trim());
    }
    if !first.is_empty() {
        return Err(format!("names: is neither a list nor a map, but {first:.40}"));
    }
    let mut entries = Vec::new();
    for line in lines {
        let entry = without_comment(line).trim();
        if entry.is_empty() {
            continue;
        }
        let is_item = entry.starts_with('-') && entry != "---";
        if !is_item && !line.starts_with([' ', '\t']) {
            break;
        }
        entries.push(match entry.strip_prefix('-') {
            Some(name) => Entry::Item(plain(name)),
            None => numbered(entry)?,
        });
    }
    in_order(entries)
}

/// One class of a list or of a map.
enum Entry {
    Item(String),
    Numbered(usize, String),
}

/// Whether brackets that a text starts with are closed in it.
fn closes(text: &str) -> bool {
    text.ends_with([']', '}'])
}

fn of_flow(flow: &str) -> Result<Vec<String>, String> {
    let inside = match (flow.as_bytes().first(), flow.as_bytes().last()) {
        (Some(b'['), Some(b']')) | (Some(b'{'), Some(b'}')) if flow.len() > 1 => &flow[1..flow.len() - 1],
        _ => return Err("the bracket after names: is not closed".into()),
    };
    let is_map = flow.starts_with('{');
    let parts = split_outside_quotes(inside, ',').into_iter().map(str::trim).filter(|part| !part.is_empty());
    let entries = parts.map(|part| if is_map { numbered(part) } else { Ok(Entry::Item(plain(part))) });
    in_order(entries.collect::<Result<_, _>>()?)
}

/// `number: name`.
fn numbered(entry: &str) -> Result<Entry, String> {
    let (number, name) = entry.split_once(':').ok_or_else(|| format!("{entry:.40} is no class"))?;
    let number = plain(number);
    let number = number.parse().map_err(|_| format!("{number:.40} is not the number of a class"))?;
    Ok(Entry::Numbered(number, plain(name)))
}

/// The names by their numbers, which must have no gaps.
fn in_order(entries: Vec<Entry>) -> Result<Vec<String>, String> {
    let mut names = BTreeMap::new();
    for (at, entry) in entries.into_iter().enumerate() {
        let (number, name) = match entry {
            Entry::Item(name) => (at, name),
            Entry::Numbered(number, name) => (number, name),
        };
        if name.is_empty() {
            return Err(format!("class {number} has no name"));
        }
        if names.insert(number, name).is_some() {
            return Err(format!("class {number} is named twice"));
        }
    }
    match (0..).zip(names.keys()).find(|(expected, number)| expected != *number) {
        Some((expected, _)) if expected <= limits::CLASSES => Err(format!("class {expected} is not named")),
        _ => Ok(names.into_values().collect()),
    }
}

/// A name without blanks and quotes around it.
fn plain(text: &str) -> String {
    let text = text.trim();
    let unquoted = ['"', '\''].into_iter().find_map(|quote| text.strip_prefix(quote)?.strip_suffix(quote));
    match unquoted {
        Some(inside) => inside.replace("''", "'"),
        None => text.to_owned(),
    }
}

/// A line up to `#`, where that is outside of quotes and at the start or after a blank.
fn without_comment(line: &str) -> &str {
    let starts = split_outside_quotes(line, '#');
    let mut end = 0;
    for part in starts {
        end += part.len();
        if end == 0 || line[..end].ends_with([' ', '\t']) {
            break;
        }
        end += 1;
    }
    &line[..end.min(line.len())]
}

/// The parts between `separator`s, which is one byte long, that are not in quotes. Quotes open at the start of
/// a part or after a blank or a bracket, so that an apostrophe in a name is none.
fn split_outside_quotes(text: &str, separator: char) -> Vec<&str> {
    let mut parts = Vec::new();
    let (mut start, mut quote, mut before) = (0, None, ' ');
    for (at, c) in text.char_indices() {
        match quote {
            Some(open) if c == open => quote = None,
            Some(_) => {}
            None if (c == '"' || c == '\'') && " \t[{,:-".contains(before) => quote = Some(c),
            None if c == separator => {
                parts.push(&text[start..at]);
                start = at + c.len_utf8();
            }
            None => {}
        }
        before = c;
    }
    parts.push(&text[start..]);
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_in_every_form_that_data_sets_use() {
        let expected = ["cow", "red fox", "sheep"].map(str::to_owned);
        for text in [
            "path: x\nnc: 3\nnames: ['cow', \"red fox\", sheep]\nroboflow:\n  a: b\n",
            "names: [cow,\n  'red fox', # second\n  sheep,\n]\nnc: 3\n",
            "# names: [x]\nnames:\n- cow\n- 'red fox'\n- sheep\nnc: 3\n",
            "names:\n  - cow\n\n  # between\n  - red fox # second\n  - sheep",
            "train: a\r\nnames:\r\n  0: cow\r\n  2: \"sheep\"\r\n  1: red fox\r\nval: b\r\n",
            "names: {0: cow, 1: 'red fox', 2: sheep}",
        ] {
            assert_eq!(of_yaml(text).as_deref(), Ok(&expected[..]), "{text}");
        }
        let odd = "names: ['a, b', \"c#d\", it's, 'it''s', e#f]";
        assert_eq!(of_yaml(odd).unwrap(), ["a, b", "c#d", "it's", "it's", "e#f"]);
        assert_eq!(of_lines("cow\r\n\r\n red fox \n"), ["cow", "red fox"]);
    }

    #[test]
    fn names_that_cannot_be_understood_say_why() {
        for (text, reason) in [
            ("", "there is no key names: in it"),
            ("nc: 3\n  names: [a]", "there is no key names: in it"),
            ("names: cow", "names: is neither a list nor a map, but cow"),
            ("names: [a, b", "the bracket after names: is not closed"),
            ("names: [", "the bracket after names: is not closed"),
            ("names: [a}", "the bracket after names: is not closed"),
            ("names:\n  0: a\n  2: b", "class 1 is not named"),
            ("names:\n  0: a\n  0: b", "class 0 is named twice"),
            ("names:\n  a: b", "a is not the number of a class"),
            ("names:\n  - a\n  - ''", "class 1 has no name"),
            ("names: {a}", "a is no class"),
        ] {
            assert_eq!(of_yaml(text), Err(reason.to_owned()), "{text}");
        }
        assert_eq!(of_yaml("names:\nnc: 0"), Ok(vec![]));
        // Nothing in it may panic.
        let text = "names: ['ä', \"b#\", {1: 'c'}]\n- ü #x\n";
        for cut in (0..=text.len()).filter(|&cut| text.is_char_boundary(cut)) {
            let _ = of_yaml(&text[..cut]);
            let _ = of_yaml(&format!("names:\n{}", &text[cut..]));
        }
    }
}
