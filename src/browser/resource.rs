//! The authenticated `fetch`, once the client's policy has given it a token.

use super::global;
use crate::protocol::error::{AuthError, Code, Phase};
use crate::protocol::secret::Secret;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::{Request, RequestCache, RequestCredentials, RequestInit, RequestRedirect};

/// Does the request bring credentials of its own?
pub fn has_credentials(request: &Request) -> bool {
    let headers = request.headers();
    ["authorization", "dpop"].iter().any(|name| headers.has(name).unwrap_or(true))
}

/// Sends the caller's request with the token: without cookies, and to no other place than the one that was
/// checked (browsers would carry the method, body and other headers along a redirect).
///
/// # Errors
/// `aborted` by the caller's signal, `offline`, `network`.
pub async fn fetch(request: &Request, token: &Secret) -> Result<JsValue, AuthError> {
    let failure = |_: JsValue| {
        let error = |code, reason| AuthError::new(code, Phase::Fetch, reason);
        if request.signal().aborted() {
            error(Code::Aborted, "the caller's signal ended the request")
        } else if global::is_offline() {
            error(Code::Offline, "the browser is offline")
        } else {
            error(Code::Network, "no connection, a redirect, or CORS forbids the request")
        }
    };
    let request = with_token(request, token).map_err(failure)?;
    JsFuture::from(global::global().fetch(&request)).await.map_err(failure)
}

fn with_token(request: &Request, token: &Secret) -> Result<Request, JsValue> {
    let init = RequestInit::new();
    init.set_credentials(RequestCredentials::Omit);
    init.set_redirect(RequestRedirect::Error);
    if request.cache() == RequestCache::Default {
        // Answers to a person's token do not belong into the shared cache, unless the caller says how.
        init.set_cache(RequestCache::NoStore);
    }
    let request = Request::new_with_request_and_init(request, &init)?;
    // Spelt with a capital B: some servers compare it so, whatever their `token_type` says.
    request.headers().set("authorization", &["Bearer ", token.expose()].concat())?;
    Ok(request)
}
