//! The command line, `tag2mask`.

mod cli;

fn main() -> std::process::ExitCode {
    cli::main()
}
