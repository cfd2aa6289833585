//! The authenticated `fetch`, once the client's policy has given it a token.

use super::{global, value};
use crate::protocol::error::{AuthError, Code, Phase};
use crate::protocol::json::Object;
use crate::protocol::secret::Secret;
use wasm_bindgen::prelude::*;
use web_sys::{Request, RequestInit};

#[wasm_bindgen]
extern "C" {
    /// A `Request`, with its modes as the texts that they are.
    type Modes;

    #[wasm_bindgen(method, getter)]
    fn cache(this: &Modes) -> String;
}

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
    global::fetch(&request, &RequestInit::new()).await.map_err(failure)
}

fn with_token(request: &Request, token: &Secret) -> Result<Request, JsValue> {
    let cache = request.unchecked_ref::<Modes>().cache();
    // Answers to a person's token do not belong into the shared cache, unless the caller says how.
    let cache = if cache == "default" { "no-store" } else { &cache };
    let init = Object::new().text("credentials", "omit").text("redirect", "error").text("cache", cache);
    let init: RequestInit = value::to_js(&init.finish()).unchecked_into();
    let request = Request::new_with_request_and_init(request, &init)?;
    // Spelt with a capital B: some servers compare it so, whatever their `token_type` says.
    request.headers().set("authorization", &["Bearer ", token.expose()].concat())?;
    Ok(request)
}
