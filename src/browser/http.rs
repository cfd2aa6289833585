//! Requests of the client's own.

use super::global;
use crate::protocol::http::{Cache, Failure, MAX_BODY, Request, Response};
use js_sys::Uint8Array;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::{
    AbortSignal, ReadableStreamDefaultReader, ReferrerPolicy, RequestCache, RequestCredentials, RequestInit,
    RequestRedirect,
};
use zeroize::Zeroizing;

#[wasm_bindgen]
extern "C" {
    /// What a reader of a stream gives: `{ done, value }`.
    type Chunk;

    #[wasm_bindgen(method, getter)]
    fn value(this: &Chunk) -> Option<Uint8Array>;
}

/// Sends; the time-out covers the body as well.
pub(super) async fn send(request: Request, timeout: i64) -> Result<Response, Failure> {
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
    let request = browser_request(&request, &signal).map_err(failure)?;
    // An `Error` in either case: the signal is ours, so its reason is the browser's own.
    let response = gloo_net::http::Request::from(request).send().await.map_err(|_| failure(JsValue::NULL))?;
    let body = match response.body() {
        Some(stream) => {
            let reader: ReadableStreamDefaultReader = stream.get_reader().unchecked_into();
            let chunks = read(&reader).await.map_err(failure)?;
            if chunks.is_none() {
                // Nobody waits for the rest; whether the connection minds is of no interest.
                let _ = reader.cancel();
            }
            chunks.ok_or(Failure::TooLarge)?
        }
        None => Vec::new(),
    };
    Ok(Response {
        status: response.status(),
        content_type: response.headers().get("content-type").unwrap_or_default(),
        body: join(&body),
    })
}

fn browser_request(request: &Request, signal: &AbortSignal) -> Result<web_sys::Request, JsValue> {
    let init = RequestInit::new();
    init.set_credentials(RequestCredentials::Omit);
    init.set_redirect(RequestRedirect::Error);
    init.set_referrer_policy(ReferrerPolicy::NoReferrer);
    init.set_signal(Some(signal));
    init.set_cache(match request.cache {
        Cache::NoStore => RequestCache::NoStore,
        Cache::Revalidate => RequestCache::NoCache,
        Cache::Reuse => RequestCache::ForceCache,
    });
    if let Some(form) = &request.form {
        init.set_method("POST");
        init.set_body(&JsValue::from_str(form.expose()));
    }
    let built = web_sys::Request::new_with_str_and_init(&request.url, &init)?;
    let headers = built.headers();
    headers.set("accept", "application/json")?;
    if request.form.is_some() {
        headers.set("content-type", "application/x-www-form-urlencoded")?;
    }
    Ok(built)
}

/// The chunks of a body; nothing when they are too many octets.
async fn read(reader: &ReadableStreamDefaultReader) -> Result<Option<Vec<Uint8Array>>, JsValue> {
    let mut chunks = Vec::new();
    let mut length = 0;
    loop {
        let chunk: Chunk = JsFuture::from(reader.read()).await?.unchecked_into();
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
