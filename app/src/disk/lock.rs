//! The browser's locks, shared by all tabs and workers of the site, and given back when their holder ends, however
//! that happens.
//!
//! Two of them a project: who has it open ([`claim`]), and whose turn it is to write or delete in it ([`turn`]).

use std::collections::BTreeSet;

use js_sys::{Array, Function, Object, Promise, Reflect};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;

#[wasm_bindgen]
extern "C" {
    /// See <https://developer.mozilla.org/docs/Web/API/LockManager/request>.
    #[wasm_bindgen(catch, js_namespace = ["navigator", "locks"], js_name = request)]
    fn request(name: &str, options: &Object, granted: &JsValue) -> Result<Promise, JsValue>;

    #[wasm_bindgen(catch, js_namespace = ["navigator", "locks"], js_name = query)]
    fn query() -> Result<Promise, JsValue>;

    /// See <https://developer.mozilla.org/docs/Web/API/AbortSignal/timeout_static>.
    #[wasm_bindgen(catch, js_namespace = AbortSignal, js_name = timeout)]
    fn abort_after(milliseconds: u32) -> Result<JsValue, JsValue>;
}

/// How long a page that was loaded again waits for what it held before: its end takes a moment.
const PATIENCE: u32 = 3000;

const OPEN: &str = "tag2mask-project-";
const TURN: &str = "tag2mask-turn-";

/// Held until dropped.
pub struct Lock(Function);

impl Drop for Lock {
    fn drop(&mut self) {
        // Settling a promise of our own cannot throw.
        let _ = self.0.call0(&JsValue::UNDEFINED);
    }
}

/// Asks to be the one tab that has a project open; `None` when another one has.
pub async fn claim(project: &str) -> Option<Lock> {
    if_free(&format!("{OPEN}{project}")).await.ok().flatten()
}

/// As [`claim`], of a project that this tab had open before it was loaded again.
pub async fn claim_again(project: &str) -> Option<Lock> {
    let options = Object::new();
    let signal = abort_after(PATIENCE).ok()?;
    let _ = Reflect::set(&options, &"signal".into(), &signal);
    lock(&format!("{OPEN}{project}"), &options).await.ok().flatten()
}

/// Waits for the turn to write or delete in a project: turns are given in the order in which they were asked for.
pub async fn turn(project: &str) -> Option<Lock> {
    lock(&format!("{TURN}{project}"), &Object::new()).await.ok().flatten()
}

/// A lock of any name, if it is free.
///
/// # Errors
/// The browser has no locks for this page.
pub async fn if_free(name: &str) -> Result<Option<Lock>, JsValue> {
    let options = Object::new();
    // Setting a property of a fresh object cannot fail; nor above.
    let _ = Reflect::set(&options, &"ifAvailable".into(), &true.into());
    lock(name, &options).await
}

/// Projects that are open, in whatever tab.
pub async fn open_projects() -> BTreeSet<String> {
    let snapshot = match query() {
        Ok(snapshot) => JsFuture::from(snapshot).await.unwrap_or(JsValue::UNDEFINED),
        Err(_) => JsValue::UNDEFINED,
    };
    let field = |of: &JsValue, name: &str| Reflect::get(of, &name.into()).unwrap_or(JsValue::UNDEFINED);
    Array::from(&field(&snapshot, "held"))
        .iter()
        .filter_map(|held| field(&held, "name").as_string()?.strip_prefix(OPEN).map(str::to_owned))
        .collect()
}

async fn lock(name: &str, options: &Object) -> Result<Option<Lock>, JsValue> {
    let mut granted = JsValue::UNDEFINED;
    let answer = Promise::new(&mut |answer, _| {
        granted = Closure::once_into_js(move |lock: JsValue| -> JsValue {
            if !lock.is_truthy() {
                // Settling a promise of our own cannot throw; nor below.
                let _ = answer.call1(&JsValue::UNDEFINED, &JsValue::NULL);
                return JsValue::UNDEFINED;
            }
            // Held until this promise ends.
            Promise::new(&mut |release, _| {
                let _ = answer.call1(&JsValue::UNDEFINED, &release);
            })
            .into()
        });
    });
    // What was asked for ends after the answer, unless it was refused.
    let asked = request(name, options, &granted)?;
    let first = JsFuture::from(Promise::race(&Array::of2(&answer, &asked))).await?;
    Ok(first.dyn_into::<Function>().ok().map(Lock))
}
