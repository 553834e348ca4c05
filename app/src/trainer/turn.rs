//! Giving the event loop its turn.

use std::cell::RefCell;
use std::collections::VecDeque;

use js_sys::{Function, Promise};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;

use super::browser::{MessageChannel, set_timeout};

thread_local! {
    static CHANNEL: MessageChannel = channel();
    /// Who waits for a turn, in order: work and pictures may do so at the same time.
    static WAITING: RefCell<VecDeque<Function>> = RefCell::default();
}

fn channel() -> MessageChannel {
    let channel = MessageChannel::new();
    let next = Closure::<dyn Fn()>::new(|| {
        let next = WAITING.with_borrow_mut(VecDeque::pop_front);
        if let Some(resolve) = next {
            // Settling a promise of our own cannot throw.
            let _ = resolve.call0(&JsValue::UNDEFINED);
        }
    });
    channel.port1().set_onmessage(next.as_ref().unchecked_ref());
    next.forget();
    channel
}

/// Lets everything that waits in the event loop run: messages, drawing, other promises. A message to
/// oneself, because a timer of 0 ms takes 4.
pub async fn yield_now() {
    let turn = Promise::new(&mut |resolve, _| {
        WAITING.with_borrow_mut(|waiting| waiting.push_back(resolve));
        CHANNEL.with(|channel| channel.port2().post_message(&JsValue::NULL));
    });
    // Never rejected.
    let _ = JsFuture::from(turn).await;
}

/// Waits without burning the processor.
pub async fn sleep(milliseconds: i32) {
    let nap = Promise::new(&mut |resolve, _| set_timeout(&resolve, milliseconds));
    let _ = JsFuture::from(nap).await;
}
