//! Requests that the client makes of its own, and what their answers must be like.
//!
//! Every one is sent without cookies and referrer, and is never redirected (RFC 9700 4.12; browsers would send
//! the body of a 307 again, wherever it points).

use super::error::{AuthError, Code, Phase};
use super::json::{self, Value};
use super::secret::Secret;
use super::text;
use zeroize::Zeroizing;

/// Octets that an answer may have.
pub const MAX_BODY: usize = 512 * 1024;

/// What the browser's HTTP cache may do for a request. Script cannot write to that cache, so it is the one
/// place where a public document may outlast the page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cache {
    /// Neither read nor kept: whatever holds a secret.
    NoStore,
    /// What was kept serves for as long as the server said; else it is asked for anew, and kept.
    Default,
    /// Asked for anew, and kept.
    Revalidate,
    /// What was kept serves; the network if nothing was.
    Reuse,
}

/// A request of the client's own.
#[derive(Debug)]
pub struct Request {
    /// Absolute, checked.
    pub url: String,
    /// POST with this form body; without one, GET.
    pub form: Option<Secret>,
    /// See [`Cache`].
    pub cache: Cache,
}

/// What came back.
#[derive(Debug)]
pub struct Response {
    /// The HTTP status.
    pub status: u16,
    /// The `Content-Type` header, or an empty text.
    pub content_type: String,
    /// At most [`MAX_BODY`] octets, wiped when dropped.
    pub body: Zeroizing<Vec<u8>>,
}

/// Why no answer came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Failure {
    Timeout,
    Offline,
    Network,
    TooLarge,
}

impl Failure {
    /// The error that this is in a phase.
    pub fn error(self, phase: Phase) -> AuthError {
        match self {
            Failure::Timeout => AuthError::new(Code::Timeout, phase, "no answer within timeoutMs"),
            Failure::Offline => AuthError::new(Code::Offline, phase, "the browser is offline"),
            Failure::Network => AuthError::new(Code::Network, phase, "no connection, a redirect, or CORS"),
            Failure::TooLarge => AuthError::new(Code::ServerError, phase, "the answer is too large"),
        }
    }
}

impl Response {
    /// The error for a status that says "later": 408, 429 and 5xx. Nothing for any other.
    pub fn temporary_error(&self, phase: Phase) -> Option<AuthError> {
        let (code, reason) = match self.status {
            408 => (Code::Timeout, "the server answered 408"),
            429 => (Code::RateLimited, "the server asks to come later"),
            500.. => (Code::ServerError, "the server failed"),
            _ => return None,
        };
        Some(AuthError::new(code, phase, reason).with_status(self.status))
    }

    /// The JSON object that the body is, if its media type is `application/json` or the `other` one that is
    /// registered for the document.
    pub fn json_object(&self, other: &str) -> Option<Value> {
        let (essence, _) = text::head(&self.content_type, b';');
        let essence = essence.trim_ascii();
        if !essence.eq_ignore_ascii_case("application/json") && !essence.eq_ignore_ascii_case(other) {
            return None;
        }
        json::parse(&self.body).filter(|value| matches!(value, Value::Object(_)))
    }
}
