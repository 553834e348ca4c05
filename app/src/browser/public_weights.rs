//! Public weights in the browser: fetched in parts, kept by the Cache API, digested. Bound by hand: features
//! of `web-sys` are shared with wgpu, and each one added would build the whole trainer anew.

use js_sys::{Array, ArrayBuffer, Promise, Uint8Array};
use tag2mask_core::public_weights::{Answer, Next, next};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::{Blob, File, Response};

use super::fetch::stream;
use super::trainer::{get, object};
use crate::model::text;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(catch, js_name = fetch)]
    fn fetch_with(address: &str, options: &JsValue) -> Result<Promise, JsValue>;

    /// Ends a download.
    #[derive(Clone)]
    pub type AbortController;
    #[wasm_bindgen(constructor)]
    pub fn new() -> AbortController;
    #[wasm_bindgen(method)]
    pub fn abort(this: &AbortController);
    #[wasm_bindgen(method, getter)]
    fn signal(this: &AbortController) -> JsValue;

    /// `caches`, and `crypto.subtle`: on secure origins only.
    type CacheStorage;
    #[wasm_bindgen(method, catch)]
    fn open(this: &CacheStorage, name: &str) -> Result<Promise, JsValue>;

    type Cache;
    #[wasm_bindgen(method, js_name = match)]
    fn find(this: &Cache, address: &str) -> Promise;
    #[wasm_bindgen(method)]
    fn put(this: &Cache, address: &str, response: &Response) -> Promise;
    #[wasm_bindgen(method)]
    fn delete(this: &Cache, address: &str) -> Promise;

    type SubtleCrypto;
    #[wasm_bindgen(method, catch)]
    fn digest(this: &SubtleCrypto, algorithm: &str, data: &ArrayBuffer) -> Result<Promise, JsValue>;
}

/// The store's name, among those of other pages of the same site.
const STORE: &str = "tag2mask-weights";

/// Under which address a part of the file is kept.
fn part_of(address: &str) -> String {
    format!("{address}?part")
}

/// How a download ended.
pub enum Fetched {
    /// All of it, and the length that the server told.
    Whole(Blob, Option<u64>),
    /// What there is of it, and why there is no more; no reason after an abort.
    Part(Option<Blob>, Option<String>),
}

/// Fetches what is missing of a file, telling how far it is.
pub async fn fetch(
    address: &str,
    part: Option<Blob>,
    abort: &AbortController,
    progress: impl Fn(u64, Option<u64>),
) -> Fetched {
    let is_aborted = || get(&abort.signal(), "aborted").is_truthy();
    let reason = |reason: String| (!is_aborted()).then_some(reason);
    let mut part = part.filter(|part| part.size() > 0.0);
    loop {
        let have = part.as_ref().map_or(0, length);
        let response = match request(address, have, abort).await {
            Ok(response) => response,
            // A host may refuse to be asked for a part by a page.
            Err(_) if have > 0 && !is_aborted() => match request(address, 0, abort).await {
                Ok(response) => response,
                Err(_) => return Fetched::Part(part, reason(UNREACHABLE.into())),
            },
            Err(_) => return Fetched::Part(part, reason(UNREACHABLE.into())),
        };
        let header = |name: &str| response.headers().get(name).ok().flatten();
        let range = header("content-range");
        let answer = Answer {
            status: response.status(),
            content_length: header("content-length").and_then(|length| length.parse().ok()),
            content_range: range.as_deref(),
        };
        let (from, total) = match (next(have, answer), part.clone()) {
            (Ok(Next::Read { from, total }), _) => (from, total),
            (Ok(Next::Complete), Some(part)) => return Fetched::Whole(part, Some(have)),
            (Ok(_), _) => {
                part = None;
                continue;
            }
            (Err(reason), part) => return Fetched::Part(part, Some(text::sentence(&reason))),
        };
        let pieces = Array::new();
        if let Some(part) = part.filter(|_| from > 0) {
            pieces.push(&part);
        }
        let mut loaded = from;
        progress(loaded, total);
        let ended = stream(&response, |piece| {
            loaded += u64::from(piece.length());
            pieces.push(&piece);
            progress(loaded, total);
        })
        .await;
        let Ok(all) = Blob::new_with_u8_array_sequence(&pieces) else {
            return Fetched::Part(None, Some("The browser has no room for the file.".into()));
        };
        // A connection that breaks off may look like an end.
        return match ended {
            Ok(()) if total.is_none_or(|total| loaded >= total) => Fetched::Whole(all, total),
            Ok(()) => Fetched::Part(Some(all), reason(BROKEN.into())),
            Err(_) => Fetched::Part(Some(all), reason(BROKEN.into())),
        };
    }
}

const UNREACHABLE: &str = "The host cannot be reached. Is there a network?";
const BROKEN: &str = "The connection broke off.";

/// Asks for the file from byte `have` on. Nothing is sent that a plain request would not have: no cookies,
/// and not the page's own address.
async fn request(address: &str, have: u64, abort: &AbortController) -> Result<Response, JsValue> {
    let mut options = vec![
        ("signal", abort.signal()),
        ("credentials", "omit".into()),
        ("referrerPolicy", "no-referrer".into()),
        // It is kept elsewhere.
        ("cache", "no-store".into()),
    ];
    if have > 0 {
        // Of this form it is no reason to ask the host for leave first (CORS). `If-Range` would be one; a fixed
        // version in the address, or the hash, tells what it would. Of ResNet-101's neither is known.
        options.push(("headers", object(&[("Range", format!("bytes={have}-").into())])));
    }
    JsFuture::from(fetch_with(address, &object(&options))?).await?.dyn_into()
}

/// The browser's store; `None` where it gives none to this page.
async fn store() -> Option<Cache> {
    let caches: CacheStorage =
        Some(get(&js_sys::global(), "caches")).filter(JsValue::is_object)?.unchecked_into();
    let cache = JsFuture::from(caches.open(STORE).ok()?).await.ok()?;
    Some(cache.unchecked_into())
}

async fn find(address: &str) -> Option<Blob> {
    let response = JsFuture::from(store().await?.find(address)).await.ok()?;
    let response: Response = response.dyn_into().ok()?;
    JsFuture::from(response.blob().ok()?).await.ok()?.dyn_into().ok()
}

/// Stores a blob; whether that was possible.
async fn put(address: &str, blob: &Blob) -> bool {
    let (Some(store), Ok(response)) = (store().await, Response::new_with_opt_blob(Some(blob))) else {
        return false;
    };
    // A store that is full refuses.
    JsFuture::from(store.put(address, &response)).await.is_ok()
}

/// Takes something out of the store; where there is none, nothing is in it.
async fn remove(address: &str) {
    if let Some(store) = store().await {
        let _ = JsFuture::from(store.delete(address)).await;
    }
}

/// The file, where it is kept.
pub async fn kept(address: &str) -> Option<Blob> {
    find(address).await
}

/// What was kept of it when a download ended early.
pub async fn kept_part(address: &str) -> Option<Blob> {
    find(&part_of(address)).await
}

/// Keeps the file; whether that was possible.
pub async fn keep(address: &str, file: &Blob) -> bool {
    remove(&part_of(address)).await;
    put(address, file).await
}

/// Keeps a part of it. Where that is not possible, it is there for as long as the page is.
pub async fn keep_part(address: &str, part: &Blob) {
    put(&part_of(address), part).await;
}

/// Keeps nothing of it any longer.
pub async fn forget(address: &str) {
    remove(address).await;
    remove(&part_of(address)).await;
}

/// SHA-256 in hexadecimal digits; `None` where the browser computes none for this page.
///
/// # Errors
/// The browser's reason: no memory.
pub async fn sha256(file: &Blob) -> Result<Option<String>, JsValue> {
    let subtle = get(&get(&js_sys::global(), "crypto"), "subtle");
    if !subtle.is_object() {
        return Ok(None);
    }
    let bytes: ArrayBuffer = JsFuture::from(file.array_buffer()).await?.unchecked_into();
    let digest = subtle.unchecked_into::<SubtleCrypto>().digest("SHA-256", &bytes)?;
    let digest = Uint8Array::new(&JsFuture::from(digest).await?).to_vec();
    Ok(Some(digest.iter().map(|byte| format!("{byte:02x}")).collect()))
}

/// The blob as a file with a name.
///
/// # Errors
/// The browser's reason.
pub fn named(blob: &Blob, name: &str) -> Result<File, JsValue> {
    File::new_with_blob_sequence(&Array::of1(blob), name)
}

/// Bytes.
pub fn length(blob: &Blob) -> u64 {
    blob.size() as u64
}
