//! `sessionStorage` and `localStorage`: what is kept while the page is away.

use super::global;
use crate::client::platform::{Area, Unavailable};
use web_sys::Storage;

fn storage(area: Area) -> Result<Storage, Unavailable> {
    let storage = match area {
        Area::Tab => global::session_storage(),
        Area::Origin => global::local_storage(),
    };
    storage.ok_or(Unavailable)
}

pub(super) fn load(area: Area, key: &str) -> Result<Option<String>, Unavailable> {
    storage(area)?.get_item(key).map_err(|_| Unavailable)
}

pub(super) fn save(area: Area, key: &str, text: Option<&str>) -> Result<(), Unavailable> {
    let storage = storage(area)?;
    let result = match text {
        Some(text) => storage.set_item(key, text),
        None => storage.remove_item(key),
    };
    result.map_err(|_| Unavailable)
}
