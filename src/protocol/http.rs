//! Requests that the client makes of its own, and what their answers must be like.
//!
//! Every one is sent without cookies and referrer, and is never redirected (RFC 9700 4.12; browsers would send
//! the body of a 307 again, wherever it points).

use super::date;
use super::error::{AuthError, Code, Phase};
use super::form::Form;
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
    /// The `Authorization` header.
    pub authorization: Option<Secret>,
    /// The `DPoP` header (RFC 9449 4.1): one proof, for this request alone.
    pub proof: Option<String>,
}

impl Request {
    /// GET of a public document.
    pub fn get(url: &str, cache: Cache) -> Request {
        Request { url: url.to_owned(), form: None, cache, authorization: None, proof: None }
    }

    /// POST of a form. It has secrets, and so may its answer.
    pub fn post(url: &str, form: Form) -> Request {
        let form = Some(Secret::new(form.finish()));
        Request { form, ..Request::get(url, Cache::NoStore) }
    }

    /// The method, as it is sent.
    pub fn method(&self) -> &'static str {
        if self.form.is_some() { "POST" } else { "GET" }
    }
}

/// The headers of an answer that are read, in lower case.
pub const HEADERS: &[&str] = &["content-type", "dpop-nonce", "www-authenticate", "retry-after", "date"];

/// What came back.
#[derive(Debug)]
pub struct Response {
    /// The HTTP status.
    pub status: u16,
    /// Those of [`HEADERS`] that CORS lets us see, in their order there.
    pub headers: Vec<Option<String>>,
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
    /// By the caller's signal.
    Aborted,
}

impl Failure {
    /// The error that this is in a phase.
    pub fn error(self, phase: Phase) -> AuthError {
        match self {
            Failure::Timeout => AuthError::new(Code::Timeout, phase, "no answer within timeoutMs"),
            Failure::Offline => AuthError::new(Code::Offline, phase, "the browser is offline"),
            Failure::Network => {
                let reason = "no connection, a redirect, or an answer whose CORS does not list this origin";
                AuthError::new(Code::Network, phase, reason)
            }
            Failure::TooLarge => AuthError::new(Code::ServerError, phase, "the answer is too large"),
            Failure::Aborted => AuthError::new(Code::Aborted, phase, "the caller's signal ended the request"),
        }
    }
}

impl Response {
    /// A header of [`HEADERS`]; several of one name are joined by commas (RFC 9110 5.3).
    pub fn header(&self, name: &str) -> Option<&str> {
        let position = HEADERS.iter().position(|known| *known == name)?;
        self.headers.get(position)?.as_deref()
    }

    /// The error for a status that says "later": 408, 429 and 5xx. Nothing for any other.
    pub fn temporary_error(&self, phase: Phase) -> Option<AuthError> {
        let (code, reason) = match self.status {
            408 => (Code::Timeout, "the server answered 408"),
            429 => (Code::RateLimited, "the server asks to come later"),
            500.. => (Code::ServerError, "the server failed"),
            _ => return None,
        };
        // Seconds, or a date (RFC 9110 10.2.3), which is by the server's clock: without that clock the back-off serves.
        let at = |name| self.header(name).and_then(date::imf_fixdate);
        let until = || Some(at("retry-after")? - at("date")?);
        let wait =
            self.header("retry-after").and_then(text::integer).or_else(until).filter(|seconds| *seconds >= 0);
        Some(AuthError::new(code, phase, reason).with_status(self.status).with_retry_after(wait))
    }

    /// The error for an answer that is not the one asked for: "later", the server's own `error` in a 4xx for this
    /// `reason` (RFC 6749 5.2), or nothing that the standards know.
    pub fn refusal(&self, phase: Phase, reason: &'static str) -> AuthError {
        if let Some(error) = self.temporary_error(phase) {
            return error;
        }
        let document = self.json_object("application/json");
        let error = document.as_ref().and_then(|document| document.text("error"));
        let refused = |code, reason| AuthError::new(code, phase, reason).with_status(self.status);
        match error.filter(|_| (400..500).contains(&self.status)) {
            Some(error) => refused(Code::AuthorizationFailed, reason).with_oauth_error(error),
            None => refused(Code::ServerError, "an unexpected HTTP status").permanent(),
        }
    }

    /// The JSON object that the body is, if its media type is `application/json` or the `other` one that is
    /// registered for the document.
    pub fn json_object(&self, other: &str) -> Option<Value> {
        let (essence, _) = text::head(self.header("content-type").unwrap_or_default(), b';');
        let essence = essence.trim_ascii();
        if !essence.eq_ignore_ascii_case("application/json") && !essence.eq_ignore_ascii_case(other) {
            return None;
        }
        json::parse(&self.body).filter(|value| matches!(value, Value::Object(_)))
    }
}
