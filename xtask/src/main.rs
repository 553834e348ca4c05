//! The project's commands: `cargo xtask serve | test | cost | dist | tools | help`.
//!
//! Without dependencies, so that the first command on a fresh machine starts within seconds.

mod command;
mod cost;
mod dist;
mod inline;
mod offline;
mod serve;
mod test;
mod tools;

use std::process::ExitCode;

/// What went wrong, as one line for the user.
type Result<T, E = String> = std::result::Result<T, E>;

const HELP: &str = "\
Builds, serves and tests tag2mask.

Usage: cargo xtask <command> [options]

Commands:
  serve [--port N]                    build the page and serve it on this machine (port 8080)
  test [--only GROUP]                 run every test, or one group of them: lint, native, exports, page
  cost                                count the kernels, read-backs and memory of a step in a browser
  dist [--quick]                      make the static folder for any host, in dist/
                                      (--quick: not optimised for size, in target/page/)
  tools                               fetch what the commands above need, and build nothing
  help                                this text

Each command first fetches what it needs and does not find, at pinned versions: trunk and wasm-bindgen
by cargo, wasm-opt, onnxruntime-web, playwright-core and axe-core by npm, Node.js and Chromium by
apt-get.

Environment:
  TAG2MASK_TOOLS     where tools are kept (default: .tools in the project)
  CHROMIUM           the browser that the page is tested in (default: the system's Chromium or Chrome)
  CARGO_TARGET_DIR   where cargo builds (default: target in the project)";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let result = match arguments.as_slice() {
        [] | ["help" | "--help" | "-h", ..] | [_, "--help" | "-h"] => {
            println!("{HELP}");
            Ok(())
        }
        ["serve", rest @ ..] => serve::run(rest),
        ["test", rest @ ..] => test::run(rest),
        ["cost"] => cost::run(),
        ["dist"] => dist::run(dist::Effort::Release),
        ["dist", "--quick"] => dist::run(dist::Effort::Quick),
        ["tools"] => tools::fetch_all(),
        ["dist" | "tools" | "cost", rest @ ..] => Err(unknown(rest)),
        [name, ..] => Err(unknown(&[name])),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("error: {message}");
            ExitCode::FAILURE
        }
    }
}

/// The complaint about arguments that a command does not take.
fn unknown(arguments: &[&str]) -> String {
    format!("\"{}\" is not understood; see `cargo xtask help`", arguments.join(" "))
}
