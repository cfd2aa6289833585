//! Waiting.

use super::global;
use js_sys::Promise;
use wasm_bindgen_futures::JsFuture;

pub(super) async fn sleep(milliseconds: i32) {
    let timer = Promise::new(&mut |resolve, _| global::set_timeout(&resolve, milliseconds));
    // A timer's promise is never rejected.
    let _ = JsFuture::from(timer).await;
}
