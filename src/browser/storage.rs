//! `sessionStorage`, `localStorage` and a cookie: what is kept while the page is away.

use super::global;
use crate::client::platform::{Area, Unavailable};
use crate::protocol::hash;
use web_sys::Storage;

pub(super) fn load(area: Area, key: &str) -> Result<Option<String>, Unavailable> {
    match storage(area) {
        Some(storage) => storage?.get_item(key).map_err(|_| Unavailable),
        None => Ok(load_cookie(&cookie_name(key))),
    }
}

pub(super) fn save(area: Area, key: &str, text: Option<&str>) -> Result<(), Unavailable> {
    let Some(storage) = storage(area) else { return save_cookie(&cookie_name(key), text) };
    let storage = storage?;
    let result = match text {
        Some(text) => storage.set_item(key, text),
        None => storage.remove_item(key),
    };
    result.map_err(|_| Unavailable)
}

fn storage(area: Area) -> Option<Result<Storage, Unavailable>> {
    let storage = match area {
        Area::Tab => global::session_storage(),
        Area::Origin => global::local_storage(),
        Area::Cookie => return None,
    };
    Some(storage.ok_or(Unavailable))
}

/// No other site and no subdomain can set a cookie of such a name (RFC 6265bis 4.1.3.2).
fn cookie_name(key: &str) -> String {
    let key: String = key.chars().map(|c| if c == ':' { '-' } else { c }).collect();
    ["__Host-", &key, "="].concat()
}

fn load_cookie(name: &str) -> Option<String> {
    let cookies = global::cookies()?;
    let value = cookies.split("; ").find_map(|cookie| cookie.strip_prefix(name))?;
    String::from_utf8(hash::from_base64url(value)?).ok()
}

/// As long as a sign-in can take. `Lax`: it must be there when the server sends the browser back.
fn save_cookie(name: &str, text: Option<&str>) -> Result<(), Unavailable> {
    let value = hash::base64url(text.unwrap_or_default().as_bytes());
    let age = if text.is_some() { "600" } else { "0" };
    global::set_cookie(&[name, &value, "; Path=/; Secure; SameSite=Lax; Max-Age=", age].concat());
    // A browser drops a cookie that it does not like without a word.
    if load_cookie(name).as_deref() == text { Ok(()) } else { Err(Unavailable) }
}
