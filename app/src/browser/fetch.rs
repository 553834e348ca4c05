//! A download with its progress.

use js_sys::Uint8Array;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::{ReadableStreamDefaultReader, Response};

use super::trainer::get;

/// Fetches a file, telling how far it is. The total is unknown where the server does not say it or
/// says the compressed size.
///
/// # Errors
/// The browser's reason, or the server's status.
pub async fn fetch(url: &str, progress: impl Fn(u64, Option<u64>)) -> Result<JsValue, JsValue> {
    let window = web_sys::window().ok_or("no window")?;
    let response: Response = JsFuture::from(window.fetch_with_str(url)).await?.dyn_into()?;
    if !response.ok() {
        return Err(format!("HTTP {} for {url}", response.status()).into());
    }
    let header = |name: &str| response.headers().get(name).ok().flatten();
    let total = header("content-length")
        .filter(|_| header("content-encoding").is_none_or(|coding| coding == "identity"))
        .and_then(|length| length.parse::<u64>().ok());
    let mut chunks: Vec<Uint8Array> = Vec::new();
    let mut loaded = 0u64;
    progress(loaded, total);
    stream(&response, |chunk| {
        loaded += u64::from(chunk.length());
        chunks.push(chunk);
        progress(loaded, total.filter(|&total| loaded <= total));
    })
    .await?;
    let length = u32::try_from(loaded).map_err(|_| JsValue::from_str("the module is too large"))?;
    let whole = Uint8Array::new_with_length(length);
    let mut at = 0;
    for chunk in chunks {
        whole.set(&chunk, at);
        at += chunk.length();
    }
    Ok(whole.into())
}

/// Reads the body of an answer, piece by piece.
///
/// # Errors
/// The browser's reason.
pub(super) async fn stream(response: &Response, mut take: impl FnMut(Uint8Array)) -> Result<(), JsValue> {
    let body = response.body().ok_or("empty answer")?;
    let reader: ReadableStreamDefaultReader = body.get_reader().dyn_into()?;
    loop {
        let piece: JsValue = JsFuture::from(reader.read()).await?;
        if get(&piece, "done").is_truthy() {
            return Ok(());
        }
        take(get(&piece, "value").dyn_into()?);
    }
}
