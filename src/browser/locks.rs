//! Web Locks: one tab at a time.

use js_sys::{Function, Promise};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;

#[wasm_bindgen(module = "/src/browser/locks.js")]
extern "C" {
    fn acquire(name: &str) -> Promise;
}

/// A lock that is held until this is dropped; nothing where the browser has no such locks.
pub struct Held(Option<Function>);

impl Drop for Held {
    fn drop(&mut self) {
        if let Some(free) = &self.0 {
            // It only settles a promise.
            let _ = free.call0(&JsValue::UNDEFINED);
        }
    }
}

/// Waits for the lock.
pub(super) async fn lock(name: &str) -> Held {
    let free = JsFuture::from(acquire(name)).await;
    Held(free.ok().and_then(|free| free.dyn_into().ok()))
}
