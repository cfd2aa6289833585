//! The global object, whether it is a window or a worker's.

use js_sys::{Function, Promise};
use wasm_bindgen::prelude::*;
use web_sys::{Crypto, Storage};

#[wasm_bindgen]
extern "C" {
    /// What pages and workers have in common.
    pub(super) type Global;

    #[wasm_bindgen(method, getter)]
    pub(super) fn crypto(this: &Global) -> Option<Crypto>;

    /// Throws where storage is denied; `undefined` in workers.
    #[wasm_bindgen(method, getter, catch, js_name = sessionStorage)]
    pub(super) fn session_storage(this: &Global) -> Result<Option<Storage>, JsValue>;

    #[wasm_bindgen(method, js_name = setTimeout)]
    pub(super) fn set_timeout(this: &Global, handler: &Function, milliseconds: i32);

    #[wasm_bindgen(method, getter)]
    pub(super) fn navigator(this: &Global) -> Option<Navigator>;

    #[wasm_bindgen(method)]
    pub(super) fn fetch(this: &Global, request: &web_sys::Request) -> Promise;

    pub(super) type Navigator;

    #[wasm_bindgen(method, getter, js_name = onLine)]
    pub(super) fn on_line(this: &Navigator) -> Option<bool>;
}

pub(super) fn global() -> Global {
    js_sys::global().unchecked_into()
}

/// Does the browser say that there is no network? (That it says there is one means little.)
pub(super) fn is_offline() -> bool {
    global().navigator().and_then(|navigator| navigator.on_line()) == Some(false)
}
