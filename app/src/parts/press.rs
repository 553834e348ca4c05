//! A button in one form for many uses: every form of its own is code of its own in what the browser loads.

use std::sync::Arc;

use leptos::prelude::*;

use super::bars::Swatch;

/// The keys that choose among the first of a list.
pub const DIGITS: [&str; 9] = ["1", "2", "3", "4", "5", "6", "7", "8", "9"];

type Told<T> = Arc<dyn Fn() -> T + Send + Sync>;

/// A button before it is shown.
pub struct Press {
    class: &'static str,
    words: String,
    act: Told<()>,
    key: &'static str,
    swatch: Option<usize>,
    label: Option<String>,
    count: Option<Told<String>>,
    pressed: Option<Told<bool>>,
    off: Option<Told<bool>>,
}

/// A button of these CSS classes that says these words.
pub fn press(class: &'static str, words: impl Into<String>, act: impl Fn() + Send + Sync + 'static) -> Press {
    let (words, act) = (words.into(), Arc::new(act));
    Press { class, words, act, key: "", swatch: None, label: None, count: None, pressed: None, off: None }
}

impl Press {
    /// The key that does the same.
    pub fn key(self, key: &'static str) -> Self {
        Self { key, ..self }
    }

    /// A class's colour before the words.
    pub fn swatch(self, class: Option<usize>) -> Self {
        Self { swatch: class, ..self }
    }

    /// What it is, where its words are a sign.
    pub fn label(self, label: impl Into<String>) -> Self {
        Self { label: Some(label.into()), ..self }
    }

    /// A number behind the words.
    pub fn count(self, count: impl Fn() -> String + Send + Sync + 'static) -> Self {
        Self { count: Some(Arc::new(count)), ..self }
    }

    /// It stays pressed while this holds.
    pub fn pressed(self, pressed: impl Fn() -> bool + Send + Sync + 'static) -> Self {
        Self { pressed: Some(Arc::new(pressed)), ..self }
    }

    /// It cannot be pressed while this holds.
    pub fn off(self, off: impl Fn() -> bool + Send + Sync + 'static) -> Self {
        Self { off: Some(Arc::new(off)), ..self }
    }

    /// The button.
    pub fn show(self) -> AnyView {
        let Self { class, words, act, key, swatch, label, count, pressed, off } = self;
        view! {
            <button
                type="button"
                class=class
                aria-label=label.clone()
                title=label
                disabled=move || off.as_ref().is_some_and(|off| off())
                aria-pressed=move || pressed.as_ref().map(|pressed| pressed().to_string())
                on:click=move |_| act()
            >
                {swatch.map(|class| view! { <Swatch class=class /> })}
                {words}
                {count.map(|count| view! { <span class="chip-count">{move || count()}</span> })}
                {(!key.is_empty()).then(|| view! { <kbd aria-hidden="true">{key}</kbd> })}
            </button>
        }
        .into_any()
    }
}
