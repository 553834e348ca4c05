//! Giving the event loop its turn.

use js_sys::Promise;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;

use crate::browser::{MessageChannel, set_timeout};

thread_local! {
    static CHANNEL: MessageChannel = MessageChannel::new();
}

/// Lets everything that waits in the event loop run: messages, drawing, other promises. A message to
/// oneself, because a timer of 0 ms takes 4.
pub async fn yield_now() {
    let turn = Promise::new(&mut |resolve, _| {
        CHANNEL.with(|channel| {
            channel.port1().set_onmessage(&resolve);
            channel.port2().post_message(&JsValue::NULL);
        });
    });
    // Never rejected.
    let _ = JsFuture::from(turn).await;
}

/// Waits without burning the processor.
pub async fn sleep(milliseconds: i32) {
    let nap = Promise::new(&mut |resolve, _| set_timeout(&resolve, milliseconds));
    let _ = JsFuture::from(nap).await;
}
