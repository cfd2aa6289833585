//! [`Platform`] on Web APIs: the one place that knows a browser.
//!
//! It needs no window: everything here exists in workers as well, but for `sessionStorage`, which is then
//! unavailable.
//!
//! Deliberately absent: any rule of a protocol, and any decision that a flow could take.

// The clock and the generator of random octets are denied everywhere else.
#![allow(clippy::disallowed_methods)]

mod global;
mod http;
mod keys;
mod locks;
mod resource;
mod storage;
mod timer;
pub mod value;

use crate::client::platform::{Area, Platform, Unavailable};
use crate::protocol::http::{Failure, Request, Response};
use crate::protocol::json::Value;
use crate::protocol::jwk::SignatureCheck;
use crate::protocol::jwt::Algorithm;
use crate::protocol::secret::Secret;
use web_sys::CryptoKey;

/// The browser, or a worker in it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Browser;

impl Platform for Browser {
    type Key = CryptoKey;
    type Call = web_sys::Request;
    type Answer = web_sys::Response;
    type Lock = locks::Held;

    fn now(&self) -> i64 {
        // A whole number of milliseconds, far below 2^53.
        js_sys::Date::now() as i64
    }

    fn monotonic(&self) -> i64 {
        global::monotonic() as i64
    }

    fn random(&self, octets: &mut [u8]) -> Result<(), Unavailable> {
        getrandom::fill(octets).map_err(|_| Unavailable)
    }

    async fn send(&self, request: &Request, timeout: i64) -> Result<Response, Failure> {
        http::send(request, timeout).await
    }

    async fn call(
        &self,
        call: &web_sys::Request,
        authorization: &Secret,
        proof: Option<&str>,
        again: bool,
    ) -> Result<(web_sys::Response, Response), Failure> {
        resource::send(call, authorization, proof, again).await
    }

    async fn own_key(
        &self,
        algorithm: Algorithm,
        name: Option<&str>,
    ) -> Result<(CryptoKey, Value), Unavailable> {
        keys::own(algorithm, name).await
    }

    async fn drop_key(&self, name: &str) {
        keys::drop_own(name).await;
    }

    async fn sign(
        &self,
        key: &CryptoKey,
        algorithm: Algorithm,
        input: &[u8],
    ) -> Result<Vec<u8>, Unavailable> {
        keys::sign(key, algorithm, input).await
    }

    async fn verify(&self, check: SignatureCheck) -> Result<bool, Unavailable> {
        keys::verify(check).await
    }

    async fn lock(&self, name: &str) -> locks::Held {
        locks::lock(name).await
    }

    fn is_hidden(&self) -> bool {
        global::is_hidden()
    }

    fn is_offline(&self) -> bool {
        global::is_offline()
    }

    fn load(&self, area: Area, key: &str) -> Result<Option<String>, Unavailable> {
        storage::load(area, key)
    }

    fn save(&self, area: Area, key: &str, text: Option<&str>) -> Result<(), Unavailable> {
        storage::save(area, key, text)
    }

    fn sleep(&self, milliseconds: i32) -> impl Future<Output = ()> + 'static {
        timer::sleep(milliseconds)
    }

    fn spawn(&self, task: impl Future<Output = ()> + 'static) {
        wasm_bindgen_futures::spawn_local(task);
    }
}
