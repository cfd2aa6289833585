//! The global object, whether it is a window or a worker's.

use js_sys::{Function, Promise};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::{Crypto, RequestInit, Storage};

#[wasm_bindgen]
extern "C" {
    /// What pages and workers have in common.
    #[wasm_bindgen(js_name = globalThis)]
    type Global;

    #[wasm_bindgen(static_method_of = Global, getter, js_class = "globalThis")]
    fn crypto() -> Option<Crypto>;

    /// Throws where storage is denied; `undefined` in workers.
    #[wasm_bindgen(static_method_of = Global, getter, catch, js_class = "globalThis", js_name = sessionStorage)]
    fn session_storage() -> Result<Option<Storage>, JsValue>;

    #[wasm_bindgen(static_method_of = Global, getter, catch, js_class = "globalThis", js_name = localStorage)]
    fn local_storage() -> Result<Option<Storage>, JsValue>;

    #[wasm_bindgen(js_namespace = globalThis, js_name = setTimeout)]
    pub(super) fn set_timeout(handler: &Function, milliseconds: i32);

    /// Milliseconds since the page was opened.
    #[wasm_bindgen(js_namespace = performance, js_name = now)]
    pub(super) fn monotonic() -> f64;

    /// Pages replace it: it may give anything, or throw.
    #[wasm_bindgen(js_namespace = globalThis, catch, js_name = fetch)]
    fn start_fetch(request: &JsValue, init: &RequestInit) -> Result<JsValue, JsValue>;

    type Document;

    /// `undefined` in workers.
    #[wasm_bindgen(static_method_of = Global, getter, js_class = "globalThis")]
    fn document() -> Option<Document>;

    /// Throws in sandboxed frames.
    #[wasm_bindgen(method, getter, catch)]
    fn cookie(this: &Document) -> Result<String, JsValue>;

    #[wasm_bindgen(method, setter, catch)]
    fn set_cookie(this: &Document, text: &str) -> Result<(), JsValue>;

    #[wasm_bindgen(method, getter)]
    fn hidden(this: &Document) -> bool;

    type Navigator;

    #[wasm_bindgen(static_method_of = Global, getter, js_class = "globalThis")]
    fn navigator() -> Option<Navigator>;

    #[wasm_bindgen(method, getter, js_name = onLine)]
    fn on_line(this: &Navigator) -> Option<bool>;
}

pub(super) fn crypto() -> Option<Crypto> {
    Global::crypto()
}

pub(super) fn session_storage() -> Option<Storage> {
    Global::session_storage().ok().flatten()
}

pub(super) fn local_storage() -> Option<Storage> {
    Global::local_storage().ok().flatten()
}

pub(super) fn cookies() -> Option<String> {
    Global::document()?.cookie().ok()
}

pub(super) fn set_cookie(text: &str) {
    // Whether it was taken shows when it is read again.
    let _ = Global::document().map(|document| document.set_cookie(text));
}

/// Sends `request`, a URL or a `Request`.
pub(super) async fn fetch(request: &JsValue, init: &RequestInit) -> Result<JsValue, JsValue> {
    JsFuture::from(Promise::resolve(&start_fetch(request, init)?)).await
}

pub(super) fn is_hidden() -> bool {
    Global::document().is_some_and(|document| document.hidden())
}

/// Does the browser say that there is no network? (That it says there is one means little.)
pub(super) fn is_offline() -> bool {
    Global::navigator().and_then(|navigator| navigator.on_line()) == Some(false)
}
