//! What a client needs of the world around it.

use crate::protocol::http::{Failure, Request, Response};
use crate::protocol::json::Value;
use crate::protocol::jwk::SignatureCheck;
use crate::protocol::jwt::Algorithm;
use crate::protocol::secret::Secret;
use std::future::Future;

/// Where texts are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Area {
    /// By this tab, as long as it is open.
    Tab,
    /// By the browser, for all tabs of the origin.
    Origin,
    /// By the browser in a cookie, for all tabs, some minutes, and less than [`COOKIE`] octets.
    Cookie,
}

/// Octets that fit into a cookie, before they are encoded.
pub const COOKIE: usize = 2_900;

/// The browser does not have it, or denies it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unavailable;

/// The effects of a client, each as small as can be. It runs in a page or in a worker: nothing here is a window.
pub trait Platform: 'static {
    /// A private key that can sign, and that nobody can read.
    type Key: Clone + 'static;
    /// A request of the app's own.
    type Call: 'static;
    /// What the app gets for it.
    type Answer: 'static;
    /// A lock that is held until it is dropped, or its tab is gone.
    type Lock: 'static;

    /// Milliseconds since the epoch, by the device's clock: it may be wrong, and it may be set.
    fn now(&self) -> i64;

    /// Milliseconds that never leap while the page lives. They may stand still while the machine sleeps.
    fn monotonic(&self) -> i64;

    /// Fills a buffer from a cryptographic generator.
    fn random(&self, octets: &mut [u8]) -> Result<(), Unavailable>;

    /// Sends a request without cookies or referrer, follows no redirect, and reads at most
    /// [`MAX_BODY`](crate::protocol::http::MAX_BODY) octets of the answer within `timeout` milliseconds.
    fn send(&self, request: &Request, timeout: i64) -> impl Future<Output = Result<Response, Failure>>;

    /// Sends a request of the app's own with these headers, without cookies, and follows no redirect. The
    /// [`Response`] has the answer's status and headers, and no body. With `again`, the same call can be sent once
    /// more.
    fn call(
        &self,
        call: &Self::Call,
        authorization: &Secret,
        proof: Option<&str>,
        again: bool,
    ) -> impl Future<Output = Result<(Self::Answer, Response), Failure>>;

    /// Is the signature the key's? [`Unavailable`] without WebCrypto, or without the algorithm.
    fn verify(&self, check: SignatureCheck) -> impl Future<Output = Result<bool, Unavailable>>;

    /// A key that cannot be read, with its public part as a JWK: with a name the one that is kept under it, for all
    /// tabs, and else a new one. [`Unavailable`] where there is no WebCrypto, or one that has been tampered with,
    /// and where nothing can be kept.
    fn own_key(
        &self,
        algorithm: Algorithm,
        name: Option<&str>,
    ) -> impl Future<Output = Result<(Self::Key, Value), Unavailable>>;

    /// Forgets the key that is kept under a name.
    fn drop_key(&self, name: &str) -> impl Future<Output = ()>;

    /// Signs.
    fn sign(
        &self,
        key: &Self::Key,
        algorithm: Algorithm,
        input: &[u8],
    ) -> impl Future<Output = Result<Vec<u8>, Unavailable>>;

    /// Waits for a lock that the tabs of an origin share.
    fn lock(&self, name: &str) -> impl Future<Output = Self::Lock>;

    /// Does the page stand where nobody sees it? Never in a worker.
    fn is_hidden(&self) -> bool;

    /// Does the browser say that there is no network? (That it says there is one means little.)
    fn is_offline(&self) -> bool;

    /// Reads what is kept while the page is away.
    fn load(&self, area: Area, key: &str) -> Result<Option<String>, Unavailable>;

    /// Keeps a text, or removes it.
    fn save(&self, area: Area, key: &str, text: Option<&str>) -> Result<(), Unavailable>;

    /// Waits; at most 2^31 - 1 milliseconds.
    fn sleep(&self, milliseconds: i32) -> impl Future<Output = ()> + 'static;

    /// Runs a task beside the caller's.
    fn spawn(&self, task: impl Future<Output = ()> + 'static);
}
