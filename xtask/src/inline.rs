//! Nothing inline in the page: its Content-Security-Policy allows scripts and styles from files only.

use std::path::Path;

use crate::Result;

/// The file that trunk's script is moved into.
const START: &str = "start.js";

/// Moves the script that trunk writes into the page into a file beside it.
///
/// # Errors
/// The page cannot be read or written, or something inline is left in it.
pub fn move_out(folder: &Path) -> Result<()> {
    let page = folder.join("index.html");
    let html = std::fs::read_to_string(&page)
        .map_err(|error| format!("cannot read ({error}): {}", page.display()))?;
    let (html, script) = without_script(&html).map_err(|reason| format!("{reason}: {}", page.display()))?;
    for (file, text) in [(folder.join(START), script), (page, html)] {
        std::fs::write(&file, text).map_err(|error| format!("cannot write ({error}): {}", file.display()))?;
    }
    Ok(())
}

/// The page with an address in the place of its one inline script, and the script.
fn without_script(html: &str) -> Result<(String, String)> {
    const OPEN: &str = "<script type=\"module\">";
    const CLOSE: &str = "</script>";
    let (before, rest) = html.split_once(OPEN).ok_or("trunk's script is not where it was")?;
    let (script, after) = rest.split_once(CLOSE).ok_or("trunk's script has no end")?;
    let html = format!("{before}<script type=\"module\" src=\"./{START}\">{CLOSE}{after}");
    match inline_part(&html) {
        Some(part) => Err(format!("the policy of the page would not allow \"{part}\"")),
        None => Ok((html, format!("{}\n", script.trim()))),
    }
}

/// What is left that stands in the page itself: a script, a style, a handler. Our own page is read, so a look
/// at its tags is enough.
fn inline_part(html: &str) -> Option<&str> {
    let without_comments =
        html.split("<!--").map(|part| part.split_once("-->").map_or(part, |(_, rest)| rest));
    without_comments.flat_map(|text| text.split('<').skip(1)).find_map(|tag| {
        let tag = tag.split('>').next().unwrap_or(tag).trim_end();
        let mut words = tag.split_whitespace();
        let name = words.next().unwrap_or_default();
        let is_inline = name.eq_ignore_ascii_case("style")
            || name.eq_ignore_ascii_case("script") && !words.clone().any(|word| word.starts_with("src="))
            || words.any(|word| word.starts_with("style=") || word.starts_with("on") && word.contains('='));
        is_inline.then_some(tag)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = "<head><!-- <style> --><link rel=\"stylesheet\" href=\"a.css\">\n<script type=\"module\">\n\
                        import init from './page.js';\n\n</script><script src=\"b.js\"></script></head>";

    #[test]
    fn the_script_moves_into_a_file() {
        let (html, script) = without_script(PAGE).unwrap();
        assert_eq!(script, "import init from './page.js';\n");
        assert!(
            html.contains("<script type=\"module\" src=\"./start.js\"></script><script src=\"b.js\">"),
            "{html}"
        );
        assert!(!html.contains("import init"), "{html}");
    }

    #[test]
    fn whatever_else_is_inline_is_refused() {
        for part in [
            "<script>alert(1)</script>",
            "<script type=\"module\">2</script>",
            "<style>p { color: red }</style>",
            "<p style=\"color: red\">",
            "<img src=\"x.png\" onerror=\"alert(1)\">",
        ] {
            let error = without_script(&format!("{PAGE}{part}")).unwrap_err();
            assert!(error.contains("would not allow"), "{part}: {error}");
        }
        assert!(without_script("<head></head>").unwrap_err().contains("trunk's script"));
    }
}
