//! A page in one file, which asks nothing of the network, runs nothing, and prints.

use super::markup::escaped;

const STYLE: &str = include_str!("html.css");

/// All that stands before a page's content, its title last.
pub fn begin(title: &str) -> String {
    let title = escaped(title);
    // The policy is what "opens offline" means: nothing is fetched, and nothing runs.
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; img-src data:; \
         style-src 'unsafe-inline'\">\n<meta name=\"viewport\" content=\"width=device-width\">\n\
         <title>{title}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n<h1>{title}</h1>\n"
    )
}

/// All that stands after it.
pub const END: &str = "</body>\n</html>\n";
