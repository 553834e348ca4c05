//! Giving the event loop its turn.

use js_sys::{Function, Promise, Reflect};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;

thread_local! {
    static CHANNEL: web_sys::MessageChannel =
        web_sys::MessageChannel::new().expect("every browser with wasm has message channels");
}

/// Lets everything that waits in the event loop run: messages, drawing, other promises. A message to
/// oneself, because a timer of 0 ms takes 4.
pub async fn yield_now() {
    let turn = Promise::new(&mut |resolve, _| {
        CHANNEL.with(|channel| {
            channel.port1().set_onmessage(Some(&resolve));
            // Posting to an open channel of our own cannot fail.
            let _ = channel.port2().post_message(&JsValue::NULL);
        });
    });
    let _ = JsFuture::from(turn).await;
}

/// Waits without burning the processor.
pub async fn sleep(milliseconds: i32) {
    let nap = Promise::new(&mut |resolve, _| {
        let set_timeout = Reflect::get(&js_sys::global(), &"setTimeout".into()).unwrap_or(JsValue::UNDEFINED);
        match set_timeout.dyn_into::<Function>() {
            Ok(set_timeout) => {
                let _ = set_timeout.call2(&JsValue::UNDEFINED, &resolve, &milliseconds.into());
            }
            Err(_) => {
                let _ = resolve.call0(&JsValue::UNDEFINED);
            }
        }
    });
    let _ = JsFuture::from(nap).await;
}
