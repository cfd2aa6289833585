//! Requests of the client's own.

use super::{global, value};
use crate::protocol::http::{Cache, Failure, HEADERS, MAX_BODY, Request, Response};
use crate::protocol::json::Object;
use crate::protocol::secret::Secret;
use js_sys::{Promise, Uint8Array};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::{AbortSignal, Headers, RequestInit};
use zeroize::Zeroizing;

#[wasm_bindgen]
extern "C" {
    /// A `ReadableStream` and its reader. A page that replaces `fetch` can make each throw.
    type Body;
    type Reader;

    #[wasm_bindgen(method, catch, js_name = getReader)]
    fn get_reader(this: &Body) -> Result<Reader, JsValue>;

    #[wasm_bindgen(method, catch)]
    fn read(this: &Reader) -> Result<Promise, JsValue>;

    #[wasm_bindgen(method, catch)]
    fn cancel(this: &Reader) -> Result<Promise, JsValue>;

    /// What a reader gives: `{ done, value }`.
    type Chunk;

    #[wasm_bindgen(method, getter)]
    fn value(this: &Chunk) -> Option<Uint8Array>;
}

/// Sends; the time-out covers the body as well.
pub(super) async fn send(request: &Request, timeout: i64) -> Result<Response, Failure> {
    let signal = AbortSignal::timeout_with_u32(u32::try_from(timeout).unwrap_or(u32::MAX));
    let failure = |_: JsValue| {
        if signal.aborted() {
            Failure::Timeout
        } else if global::is_offline() {
            Failure::Offline
        } else {
            Failure::Network
        }
    };
    let response = global::fetch(&JsValue::from_str(&request.url), &init(request, &signal)).await;
    let response = response.and_then(JsCast::dyn_into::<web_sys::Response>).map_err(failure)?;
    let response = gloo_net::http::Response::from(response);
    let body = match response.body() {
        Some(stream) => {
            let reader = stream.unchecked_ref::<Body>().get_reader().map_err(failure)?;
            let chunks = read(&reader).await.map_err(failure)?;
            if chunks.is_none() {
                // Nobody waits for the rest; whether the connection minds is of no interest.
                let _ = reader.cancel();
            }
            chunks.ok_or(Failure::TooLarge)?
        }
        None => Vec::new(),
    };
    Ok(head(response.status(), &response.headers().into_raw(), join(&body)))
}

/// What is read of an answer, with its body.
pub(super) fn head(status: u16, headers: &Headers, body: Zeroizing<Vec<u8>>) -> Response {
    let headers = HEADERS.iter().map(|name| headers.get(name).ok().flatten()).collect();
    Response { status, headers, body }
}

fn init(request: &Request, signal: &AbortSignal) -> RequestInit {
    let cache = match request.cache {
        Cache::NoStore => "no-store",
        Cache::Default => "default",
        Cache::Revalidate => "no-cache",
        Cache::Reuse => "force-cache",
    };
    let form = request.form.as_ref();
    let headers = Object::new()
        .text("accept", "application/json")
        .maybe_text("content-type", form.map(|_| "application/x-www-form-urlencoded"))
        .maybe_text("authorization", request.authorization.as_ref().map(Secret::expose))
        .maybe_text("dpop", request.proof.as_deref());
    let init = Object::new()
        .text("method", if form.is_some() { "POST" } else { "GET" })
        .text("credentials", "omit")
        .text("redirect", "error")
        .text("referrerPolicy", "no-referrer")
        .text("cache", cache)
        .value("headers", headers.finish());
    let init: RequestInit = value::to_js(&init.finish()).unchecked_into();
    init.set_signal(Some(signal));
    if let Some(form) = form {
        // Not by way of a `Value`, which would leave a copy of the code behind.
        init.set_body(&JsValue::from_str(form.expose()));
    }
    init
}

/// The chunks of a body; nothing when they are too many octets.
async fn read(reader: &Reader) -> Result<Option<Vec<Uint8Array>>, JsValue> {
    let mut chunks = Vec::new();
    let mut length = 0;
    loop {
        let chunk: Chunk = JsFuture::from(reader.read()?).await?.unchecked_into();
        let Some(octets) = chunk.value() else { return Ok(Some(chunks)) };
        length += octets.length() as usize;
        if length > MAX_BODY {
            return Ok(None);
        }
        chunks.push(octets);
    }
}

/// In one buffer that never grew, so that no part of a token stays behind.
fn join(chunks: &[Uint8Array]) -> Zeroizing<Vec<u8>> {
    let length = chunks.iter().map(|chunk| chunk.length() as usize).sum();
    let mut body = Zeroizing::new(vec![0; length]);
    let mut rest = body.as_mut_slice();
    for chunk in chunks {
        let Some((here, after)) = rest.split_at_mut_checked(chunk.length() as usize) else { break };
        chunk.copy_to(here);
        rest = after;
    }
    body
}
