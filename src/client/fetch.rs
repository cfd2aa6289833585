//! The policy of the authenticated `fetch`.

use super::{AccessToken, Client, Platform};
use crate::protocol::error::{AuthError, Code, Phase};
use crate::protocol::{form, url};

impl<P: Platform> Client<P> {
    /// The token for a request, if the request may have it. `href` is as the browser writes it after parsing,
    /// `has_credentials` whether the caller set an `Authorization` or `DPoP` header.
    ///
    /// # Errors
    /// `origin_not_allowed` for a URL that `api` does not cover, `credential_refused` for a request that brings
    /// credentials of its own (RFC 6750 2: one method only), and those of
    /// [`access_token`](Self::access_token).
    pub fn authorize_fetch(&self, href: &str, has_credentials: bool) -> Result<AccessToken, AuthError> {
        let refused = |code, reason| AuthError::new(code, Phase::Fetch, reason);
        if !self.0.config.targets().iter().any(|target| target.covers(href)) {
            return Err(refused(Code::OriginNotAllowed, "the URL is not covered by `api`"));
        }
        if has_credentials || form::parse(url::split(href).1).has_any(&["access_token"]) {
            return Err(refused(Code::CredentialRefused, "the request brings credentials of its own"));
        }
        self.access_token()
    }
}
