//! Sign-out: here first and completely, then at the server.

use super::session::Event;
use super::{Client, Platform};
use crate::protocol::error::{AuthError, Code, Phase};
use crate::protocol::http::Cache;
use crate::protocol::logout::{self, SignOut};
use crate::protocol::url;

/// Where the browser goes after the session has ended here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Farewell {
    /// To the server's end-session endpoint, which ends its session too.
    Server(String),
    /// To a path of this origin: the server has no such endpoint.
    Here(String),
    /// Nowhere.
    Stay,
}

impl<P: Platform> Client<P> {
    /// Ends the session here, and gives the URL at which it ends at the server.
    ///
    /// # Errors
    /// The session here has ended in any case. `discovery_failed` or `storage_unavailable` say why the server
    /// cannot be told.
    pub async fn sign_out(&self, sign_out: &SignOut) -> Result<Farewell, AuthError> {
        sign_out.check(&self.0.config)?;
        let id_token = self.take_id_token();
        self.sign_out_local();
        let metadata = self.metadata(Cache::Reuse).await?;
        let Some(endpoint) = metadata.end_session_endpoint() else {
            return Ok(sign_out.return_to().map_or(Farewell::Stay, |path| Farewell::Here(path.to_owned())));
        };
        let entropy = self.random(Phase::SignOut)?;
        let departure = logout::request(&self.0.config, endpoint, id_token.as_ref(), sign_out, &entropy);
        let mut ledger = self.ledger()?;
        let back = departure.post_logout_redirect_uri.as_deref();
        ledger.depart(&departure.state, back, sign_out.return_to(), self.0.platform.now());
        self.keep(ledger)?;
        Ok(Farewell::Server(departure.url))
    }

    /// Ends the session here only.
    pub fn sign_out_local(&self) {
        self.next_epoch();
        if self.end_session(None) {
            self.tell(Event::SignedOut(None));
        }
    }

    /// Handles the way back from the server's sign-out, and gives the path that the app wanted to go to.
    ///
    /// # Errors
    /// `not_mine` for another URL; `state_mismatch` where the `state` is not that of a sign-out of this tab.
    /// Neither signs anybody in or out.
    pub fn handle_sign_out_callback(&self, url: &str) -> Result<Option<String>, AuthError> {
        let error = |code, reason| AuthError::new(code, Phase::SignOut, reason);
        let back = logout::response(url)
            .ok_or_else(|| error(Code::NotMine, "the URL is an authorization response"))?;
        let mut ledger = self.ledger()?;
        if let Some(return_to) = back.state.and_then(|state| ledger.arrive(&state, back.place)) {
            self.keep(ledger)?;
            return Ok(return_to);
        }
        let expected = self.0.config.post_logout_redirect_uri();
        if expected.is_some_and(|expected| url::same_place(back.place, expected)) {
            return Err(error(Code::StateMismatch, "no sign-out with this state is in progress"));
        }
        Err(error(Code::NotMine, "the URL is not the postLogoutRedirectUri"))
    }
}
