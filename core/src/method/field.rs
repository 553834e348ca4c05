//! One setting as a form shows it: what it is called, in which unit, what it is for, and how it is read from
//! and written to [`Settings`].

use crate::run::Settings;

/// Where a field is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Group {
    /// At once.
    Main,
    /// Under "More".
    Network,
    /// Under "More", below this heading of a method's.
    Method(&'static str),
    /// Under "More".
    Optimizer,
    /// Under "More".
    Photos,
    /// Beside "Train a segmenter".
    Segmenter,
    /// Beside "Make masks".
    Masks,
    /// Beside "Make masks".
    Crf,
}

/// How a field is filled in.
#[derive(Debug, Clone, Copy)]
pub enum Kind {
    /// One of these: value, and what the user reads.
    Choice(fn() -> Vec<(&'static str, &'static str)>),
    /// Yes or no.
    Toggle,
    /// A number; the step of the arrows ("any" for none).
    Number(&'static str),
    /// Numbers with commas between.
    Numbers,
}

impl Kind {
    /// A whole number.
    pub const WHOLE: Self = Self::Number("1");
    /// Any number.
    pub const ANY: Self = Self::Number("any");
}

/// One setting.
#[derive(Clone, Copy)]
pub struct Field {
    /// Unique; also the element's id.
    pub id: &'static str,
    /// Where it is shown.
    pub group: Group,
    /// Its name.
    pub label: &'static str,
    /// Its unit, or empty.
    pub unit: &'static str,
    /// One line: what it does.
    pub help: &'static str,
    /// How it is filled in.
    pub kind: Kind,
    /// Its name in [`Settings::check`]'s errors.
    pub setting: &'static str,
    /// Its value as text.
    pub get: fn(&Settings) -> String,
    /// Takes a text; says what is wrong with it.
    pub set: fn(&mut Settings, &str) -> Result<(), String>,
    /// Whether it has a meaning with these settings; those of other methods than the chosen one have none.
    pub shown: fn(&Settings) -> bool,
}

/// A number from what was typed.
///
/// # Errors
/// What is wrong with the text.
pub fn number<T: std::str::FromStr>(text: &str) -> Result<T, String> {
    let text = text.trim();
    if text.is_empty() {
        return Err("needs a number".into());
    }
    text.parse().map_err(|_| {
        if text.parse::<f64>().is_ok() {
            "must be a whole number, 0 or more".into()
        } else {
            "is not a number".into()
        }
    })
}

/// Numbers with commas, semicolons or spaces between.
///
/// # Errors
/// What is wrong with the first that is none.
pub fn numbers(text: &str) -> Result<Vec<f64>, String> {
    text.split([',', ' ', ';']).filter(|part| !part.is_empty()).map(number).collect()
}

/// The text of [`numbers`].
pub fn list(values: &[f64]) -> String {
    values.iter().map(f64::to_string).collect::<Vec<_>>().join(", ")
}

/// Always shown.
pub const fn always(_: &Settings) -> bool {
    true
}

/// Builds one [`Field`]; the last argument says how its place in [`Settings`] is written, and names it.
#[macro_export]
macro_rules! field {
    ($group:expr, $id:literal $label:literal [$unit:literal] $help:literal, $kind:expr, $setting:literal, $shown:expr,
     number $($path:ident).+) => {
        $crate::method::Field {
            id: $id, group: $group, label: $label, unit: $unit, help: $help, kind: $kind, setting: $setting,
            get: |s| s.$($path).+.to_string(),
            set: |s, text| { s.$($path).+ = $crate::method::field::number(text)?; Ok(()) },
            shown: $shown,
        }
    };
    ($group:expr, $id:literal $label:literal [$unit:literal] $help:literal, $kind:expr, $setting:literal, $shown:expr,
     toggle $($path:ident).+) => {
        $crate::method::Field {
            id: $id, group: $group, label: $label, unit: $unit, help: $help, kind: $kind, setting: $setting,
            get: |s| s.$($path).+.to_string(),
            set: |s, text| { s.$($path).+ = text == "true"; Ok(()) },
            shown: $shown,
        }
    };
    ($group:expr, $id:literal $label:literal [$unit:literal] $help:literal, $kind:expr, $setting:literal, $shown:expr,
     numbers $($path:ident).+) => {
        $crate::method::Field {
            id: $id, group: $group, label: $label, unit: $unit, help: $help, kind: $kind, setting: $setting,
            get: |s| $crate::method::field::list(&s.$($path).+),
            set: |s, text| { s.$($path).+ = $crate::method::field::numbers(text)?; Ok(()) },
            shown: $shown,
        }
    };
}
