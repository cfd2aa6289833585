//! Requests of the app's own, once the client has given them a token.

use super::{global, http, value};
use crate::protocol::http::{Failure, Response};
use crate::protocol::json::Object;
use crate::protocol::secret::Secret;
use wasm_bindgen::prelude::*;
use web_sys::{Request, RequestInit};
use zeroize::Zeroizing;

#[wasm_bindgen]
extern "C" {
    /// A `Request`, with its modes as the texts that they are.
    type Modes;

    #[wasm_bindgen(method, getter)]
    fn cache(this: &Modes) -> String;
}

/// Sends the request with these headers: without cookies, and to no other place than the one that was checked
/// (browsers would carry the method, body and other headers along a redirect).
pub(super) async fn send(
    request: &Request,
    authorization: &Secret,
    proof: Option<&str>,
    again: bool,
) -> Result<(web_sys::Response, Response), Failure> {
    let failure = |_: JsValue| {
        if request.signal().aborted() {
            Failure::Aborted
        } else if global::is_offline() {
            Failure::Offline
        } else {
            Failure::Network
        }
    };
    let ours = with_headers(request, authorization, proof, again).map_err(failure)?;
    let answer = global::fetch(&ours, &RequestInit::new()).await;
    let answer = answer.and_then(JsCast::dyn_into::<web_sys::Response>).map_err(failure)?;
    let head = http::head(answer.status(), &answer.headers(), Zeroizing::default());
    Ok((answer, head))
}

fn with_headers(
    request: &Request,
    authorization: &Secret,
    proof: Option<&str>,
    again: bool,
) -> Result<Request, JsValue> {
    let cache = request.unchecked_ref::<Modes>().cache();
    // Answers to a person's token do not belong into the shared cache, unless the caller says how.
    let cache = if cache == "default" { "no-store" } else { &cache };
    let init = Object::new().text("credentials", "omit").text("redirect", "error").text("cache", cache);
    let init: RequestInit = value::to_js(&init.finish()).unchecked_into();
    // What is sent is used up: a copy goes where the request may have to be sent again.
    let copy = if again { Some(request.clone()?) } else { None };
    let ours = Request::new_with_request_and_init(copy.as_ref().unwrap_or(request), &init)?;
    ours.headers().set("authorization", authorization.expose())?;
    if let Some(proof) = proof {
        ours.headers().set("dpop", proof)?;
    }
    Ok(ours)
}
