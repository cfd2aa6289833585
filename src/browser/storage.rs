//! `sessionStorage`: what a tab keeps while its page is away.

use super::global;
use crate::client::platform::Unavailable;
use web_sys::Storage;

fn storage() -> Result<Storage, Unavailable> {
    global::session_storage().ok_or(Unavailable)
}

pub(super) fn load(key: &str) -> Result<Option<String>, Unavailable> {
    storage()?.get_item(key).map_err(|_| Unavailable)
}

pub(super) fn save(key: &str, text: Option<&str>) -> Result<(), Unavailable> {
    let storage = storage()?;
    let result = match text {
        Some(text) => storage.set_item(key, text),
        None => storage.remove_item(key),
    };
    result.map_err(|_| Unavailable)
}
