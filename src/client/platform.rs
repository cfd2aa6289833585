//! What a client needs of the world around it.

use crate::protocol::http::{Failure, Request, Response};
use crate::protocol::jwk::SignatureCheck;
use std::future::Future;

/// The browser does not have it, or denies it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unavailable;

/// The effects of a client, each as small as can be. It runs in a page or in a worker: nothing here is a window.
pub trait Platform: 'static {
    /// Milliseconds since the epoch.
    fn now(&self) -> i64;

    /// Fills a buffer from a cryptographic generator.
    fn random(&self, octets: &mut [u8]) -> Result<(), Unavailable>;

    /// Sends a request without cookies or referrer, follows no redirect, and reads at most
    /// [`MAX_BODY`](crate::protocol::http::MAX_BODY) octets of the answer within `timeout` milliseconds.
    fn send(&self, request: Request, timeout: i64) -> impl Future<Output = Result<Response, Failure>>;

    /// Is the signature the key's? [`Unavailable`] without WebCrypto, or without the algorithm.
    fn verify(&self, check: SignatureCheck) -> impl Future<Output = Result<bool, Unavailable>>;

    /// Reads what this tab keeps while the page is away.
    fn load(&self, key: &str) -> Result<Option<String>, Unavailable>;

    /// Keeps a text for this tab, or removes it.
    fn save(&self, key: &str, text: Option<&str>) -> Result<(), Unavailable>;

    /// Waits; at most 2^31 - 1 milliseconds.
    fn sleep(&self, milliseconds: i32) -> impl Future<Output = ()> + 'static;

    /// Runs a task beside the caller's.
    fn spawn(&self, task: impl Future<Output = ()> + 'static);
}
