//! Running the program and reading what it leaves.

use std::ffi::OsStr;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;

/// What a finished process said.
#[derive(Debug)]
pub struct Finished {
    /// Exit status.
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

/// The program, ready to be given arguments.
pub fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tag2mask"));
    command.stdin(Stdio::null()).env_remove("RUST_LOG");
    command
}

/// Runs the program to its end.
pub fn tag2mask<S: AsRef<OsStr>>(arguments: impl IntoIterator<Item = S>) -> Finished {
    finished(program().args(arguments))
}

/// Runs a command to its end.
pub fn finished(command: &mut Command) -> Finished {
    let output = command.output().expect("the program starts");
    Finished {
        code: output.status.code().expect("the program ends by itself"),
        stdout: String::from_utf8(output.stdout).expect("standard output is UTF-8"),
        stderr: String::from_utf8(output.stderr).expect("standard error is UTF-8"),
    }
}

/// Runs the program with arguments separated by spaces; `{name}` stands for a path.
pub fn run(line: &str, paths: &[(&str, &Path)]) -> Finished {
    tag2mask(arguments(line, paths))
}

/// Splits a line of arguments and puts paths in.
pub fn arguments(line: &str, paths: &[(&str, &Path)]) -> Vec<String> {
    let path_of = |name: &str| {
        let found = paths.iter().find(|(known, _)| *known == name);
        found.unwrap_or_else(|| panic!("no path {{{name}}} was given")).1.to_str().unwrap().to_string()
    };
    let word = |word: &str| match word.strip_prefix('{').and_then(|word| word.strip_suffix('}')) {
        Some(name) => path_of(name),
        None => word.to_string(),
    };
    line.split_whitespace().map(word).collect()
}

impl Finished {
    /// The process ended with 0.
    #[track_caller]
    pub fn succeeded(self) -> Self {
        assert_eq!(self.code, 0, "{}\n{}", self.stdout, self.stderr);
        self
    }

    /// The process ended with this status and one line on standard error that holds all of `words`.
    #[track_caller]
    pub fn failed(self, code: i32, words: &[&str]) -> Self {
        assert_eq!(self.code, code, "{}\n{}", self.stdout, self.stderr);
        assert!(!self.stderr.contains("panicked"), "{}", self.stderr);
        for word in words {
            assert!(self.stderr.contains(word), "\"{word}\" is not in: {}", self.stderr);
        }
        self
    }

    /// Standard output as one JSON value.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {}", self.stdout))
    }
}

/// The events of a run, in order.
#[track_caller]
pub fn events(run: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(run.join("events.jsonl")).expect("the run has events");
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}")))
        .collect()
}

/// Those of one kind.
pub fn events_of<'a>(events: &'a [Value], kind: &'a str) -> impl Iterator<Item = &'a Value> {
    events.iter().filter(move |event| event["event"] == kind)
}

/// Names of the files in a folder, sorted; folders below it are left out.
#[track_caller]
pub fn file_names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(folder)
        .unwrap_or_else(|error| panic!("{error}: {}", folder.display()))
        .map(|entry| entry.unwrap())
        .filter(|entry| entry.file_type().unwrap().is_file())
        .map(|entry| entry.file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}
