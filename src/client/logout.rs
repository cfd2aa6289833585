//! Sign-out: here first and completely, then at the server.

use super::session::{Event, Session};
use super::{Client, Platform};
use crate::protocol::authorize::Window;
use crate::protocol::error::{AuthError, Code, Phase};
use crate::protocol::http::Cache;
use crate::protocol::logout::{self, SignOut};
use crate::protocol::secret::Secret;
use crate::protocol::{revocation, url};
use std::rc::Rc;

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

fn error(code: Code, reason: &'static str) -> AuthError {
    AuthError::new(code, Phase::SignOut, reason)
}

/// What is revoked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Which {
    AccessToken,
    RefreshToken,
    All,
}

/// A token, and what the server is told of its kind.
pub(super) type Revocable = (Rc<Secret>, &'static str);

impl Session {
    /// The tokens of a kind.
    fn secrets(&self, which: Which) -> Vec<Revocable> {
        // The refresh token first: with it, many servers revoke what came of it.
        let refresh = self.refresh_token.iter().filter(|_| which != Which::AccessToken);
        let mut secrets: Vec<Revocable> = refresh.map(|token| (Rc::clone(token), "refresh_token")).collect();
        if which != Which::RefreshToken {
            secrets.extend(self.tokens.iter().map(|token| (Rc::clone(&token.token), "access_token")));
        }
        secrets
    }
}

impl<P: Platform> Client<P> {
    /// Ends the session here, and gives the URL at which it ends at the server.
    ///
    /// # Errors
    /// The session here has ended in any case. `discovery_failed` or `storage_unavailable` say why the server
    /// cannot be told.
    pub async fn sign_out(&self, sign_out: &SignOut) -> Result<Farewell, AuthError> {
        sign_out.check(&self.0.config)?;
        self.reread_shared();
        let tokens = self.session(|session| session.secrets(Which::All)).unwrap_or_default();
        let id_token = self.take_id_token();
        self.sign_out_local();
        if sign_out.revoke() {
            // The session has ended here in any case, and the server's page is what the person waits for.
            let _ = self.revoke_all(&tokens).await;
        }
        drop(tokens);
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

    /// Ends the session here only, and with it the key that its tokens were bound to.
    pub fn sign_out_local(&self) {
        self.end_here(true);
        // Whoever stored it, the person has signed out.
        self.forget_stored();
        self.forget_key();
    }

    /// Ends the session here. What is kept for all tabs, and what they are told, is the matter of the tab that signed
    /// out: is it this one?
    pub(super) fn end_here(&self, is_own: bool) {
        self.next_epoch();
        self.abandon_frames();
        let was_there = self.end_session(None);
        // Others may have a session that this one does not know of.
        if is_own {
            self.tell(Event::Ended);
        }
        if was_there {
            self.tell(Event::SignedOut(None));
        }
    }

    /// A silent sign-in that is under way was begun before the sign-out, and nobody sees it: its response finds nothing.
    /// One in a popup is what the person wants now.
    fn abandon_frames(&self) {
        // What cannot be read cannot be finished either.
        if let Ok(mut ledger) = self.ledger()
            && ledger.abandon(&Window::Frame.beginning(&self.0.config))
        {
            let _ = self.keep(ledger);
        }
    }

    /// Revokes tokens at the server, having forgotten them here first (RFC 7009 2). With all of them the session
    /// ends.
    ///
    /// # Errors
    /// `not_signed_in` without a session, `discovery_failed` where the server has no such endpoint, and what the
    /// server answers. The tokens are forgotten here in any case.
    pub async fn revoke(&self, which: Which) -> Result<(), AuthError> {
        self.reread_shared();
        let tokens = self.session(|session| session.secrets(which))?;
        let can_refresh = self.session(|session| session.refresh_token.is_some())?;
        match which {
            Which::RefreshToken => self.change_session(|session| session.refresh_token = None),
            Which::AccessToken if can_refresh => self.change_session(|session| session.tokens.clear()),
            _ => self.sign_out_local(),
        }
        self.revoke_all(&tokens).await
    }

    async fn revoke_all(&self, tokens: &[Revocable]) -> Result<(), AuthError> {
        let metadata = self.metadata(Cache::Reuse).await?;
        let endpoint = metadata.revocation_endpoint();
        let endpoint =
            endpoint.ok_or_else(|| error(Code::DiscoveryFailed, "the server has no revocation_endpoint"))?;
        let mut outcome = Ok(());
        let mut is_grant_revoked = false;
        for (token, hint) in tokens {
            let request = revocation::request(endpoint, self.0.config.sent_client_id(), token, hint);
            let sent = self.0.platform.send(&request, self.0.config.timeout()).await;
            let answer = sent.map_err(|failure| failure.error(Phase::SignOut));
            let answer = answer.and_then(|response| revocation::response(&response));
            // Tokens that speak for themselves cannot be revoked; what gave them was (RFC 7009 2.1, 2.2.1).
            let is_beyond = |error: &AuthError| error.oauth_error() == Some("unsupported_token_type");
            let is_settled = is_grant_revoked && answer.as_ref().is_err_and(is_beyond);
            is_grant_revoked |= *hint == "refresh_token" && answer.is_ok();
            outcome = outcome.and(if is_settled { Ok(()) } else { answer });
        }
        outcome
    }

    /// The server's word, by a frame of its own in our page, that the person has signed out there (OpenID Connect
    /// Front-Channel Logout 1.0). True if it was about this session, which has ended then.
    pub fn front_channel_logout(&self, url: &str) -> bool {
        let Some(issuer) = self.0.config.issuer() else { return false };
        let is_meant = self.session(|session| {
            let sid = session.user.as_ref().and_then(|user| user.claims.text("sid"));
            logout::front_channel(url, issuer, sid)
        });
        let is_meant = is_meant.unwrap_or(false);
        if is_meant {
            self.sign_out_local();
        }
        is_meant
    }

    /// Handles the way back from the server's sign-out, and gives the path that the app wanted to go to.
    ///
    /// # Errors
    /// `not_mine` for another URL, and where a server that sends no `state` leads back to a tab that has not signed
    /// out; `state_mismatch` where the `state` is not that of a sign-out of this tab.
    /// Neither signs anybody in or out.
    pub fn handle_sign_out_callback(&self, url: &str) -> Result<Option<String>, AuthError> {
        let back = logout::response(url)
            .ok_or_else(|| error(Code::NotMine, "the URL is an authorization response"))?;
        let mut ledger = self.ledger()?;
        let stateless = logout::return_parameter(&self.0.config);
        let state = stateless.map(str::to_owned).or(back.state);
        if let Some(return_to) = state.and_then(|state| ledger.arrive(&state, back.place)) {
            self.keep(ledger)?;
            return Ok(return_to);
        }
        let expected = self.0.config.post_logout_redirect_uri().filter(|_| stateless.is_none());
        if expected.is_some_and(|expected| url::same_place(back.place, expected)) {
            return Err(error(Code::StateMismatch, "no sign-out with this state is in progress"));
        }
        Err(error(Code::NotMine, "the URL is not the way back from a sign-out"))
    }
}
