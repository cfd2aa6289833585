//! Access tokens: which one serves, and getting another with the refresh token (RFC 6749 6; RFC 8707 2.2).
//!
//! One grant serves every resource. Its refresh token may be good for one use only, so refreshes come one after
//! another, and all who want the same token wait for the same one.

use super::defer::Deferred;
use super::flight::{Flight, Outcome};
use super::{Client, Platform};
use crate::protocol::error::{AuthError, Code, Phase};
use crate::protocol::http::Cache;
use crate::protocol::json::Value;
use crate::protocol::secret::Secret;
use crate::protocol::token::{self, TokenOptions, TokenResponse, Wanted};
use std::rc::Rc;

/// An access token with what is known of it. Cheap to clone.
#[derive(Clone, Debug)]
pub struct AccessToken {
    /// For the `Authorization` header, and nothing else.
    pub token: Rc<Secret>,
    /// Is it bound to the client's key, so that a proof must go with it (RFC 9449)?
    pub bound: bool,
    /// Milliseconds since the epoch, where the server says it.
    pub expires_at: Option<i64>,
    /// Milliseconds since the epoch, from when on it is better replaced.
    pub(super) due_at: i64,
    /// What it is good for.
    pub scopes: Rc<Vec<String>>,
    /// The resource that it is for (RFC 8707), where one was asked for.
    pub resource: Option<String>,
    /// Granted authorization details (RFC 9396 7), or null.
    pub details: Value,
}

impl AccessToken {
    /// The `Authorization` header. Spelt as in the standards: some servers compare its case.
    pub(super) fn authorization(&self) -> Secret {
        let scheme = if self.bound { "DPoP " } else { "Bearer " };
        Secret::new([scheme, self.token.expose()].concat())
    }

    pub(super) fn is_valid(&self, now: i64) -> bool {
        self.expires_at.is_none_or(|at| at > now)
    }
}

impl<P: Platform> Client<P> {
    /// A token that serves: the one at hand while it is fresh, or a new one where there is a refresh token. While
    /// the server cannot be reached, the one at hand serves to its end.
    ///
    /// # Errors
    /// `not_signed_in` without a session, `session_expired` when it has run out; `scope_missing` for what was not
    /// granted; `interaction_required` where only a sign-in can give such a token; those of the token endpoint.
    pub async fn token(&self, options: &TokenOptions) -> Result<AccessToken, AuthError> {
        self.expire_if_due();
        let wanted = self.wanted(options)?;
        let at_hand = self.at_hand(&wanted);
        let is_fresh = |token: &AccessToken| !options.force && self.is_fresh(token, options);
        if let Some(token) = at_hand.filter(is_fresh) {
            return Ok(token);
        }
        let trouble = match self.deferral().filter(|_| !options.force) {
            Some(cause) => Some(cause),
            None => self.refresh(&wanted).await.err(),
        };
        // What is left of the one at hand is better than nothing, unless it is the very thing not wanted.
        let serves = trouble.as_ref().is_none_or(|error| {
            !options.force && (error.retryable() || error.code() == Code::InteractionRequired)
        });
        match self.at_hand(&wanted).filter(|_| serves) {
            Some(token) => Ok(token),
            None => Err(trouble.unwrap_or_else(not_granted)),
        }
    }

    /// Another token in place of one that a server does not take, unless there is another already.
    pub(super) async fn renew(&self, refused: &AccessToken, options: &TokenOptions) -> Outcome {
        let wanted = self.wanted(options)?;
        match self.at_hand(&wanted) {
            Some(other) if !Rc::ptr_eq(&other.token, &refused.token) => Ok(()),
            _ => self.refresh(&wanted).await,
        }
    }

    /// What the options want of this session. A scope that was never granted is refused before anybody is asked
    /// (RFC 6749 6).
    fn wanted(&self, options: &TokenOptions) -> Result<Wanted, AuthError> {
        let mut wanted = options.wanted.clone();
        let is_known = self.session(|session| {
            let is_own = wanted.resource.is_none() || wanted.resource == session.resource;
            if is_own {
                wanted.resource.clone_from(&session.resource);
            }
            // What the server grants for another resource shows when it is asked.
            let requested = |scope| !is_own && session.requested.contains(scope);
            wanted.scope.iter().all(|scope| session.granted.contains(scope) || requested(scope))
        })?;
        if is_known { Ok(wanted) } else { Err(not_granted()) }
    }

    fn at_hand(&self, wanted: &Wanted) -> Option<AccessToken> {
        let now = self.0.platform.now();
        let serves = |token: &&AccessToken| {
            token.resource == wanted.resource
                && token.is_valid(now)
                && wanted.scope.iter().all(|scope| token.scopes.contains(scope))
        };
        self.session(|session| session.tokens.iter().find(serves).cloned()).ok().flatten()
    }

    fn is_fresh(&self, token: &AccessToken, options: &TokenOptions) -> bool {
        let now = self.0.platform.now();
        token.due_at > now && token.expires_at.is_none_or(|at| at.saturating_sub(options.min_validity) > now)
    }

    /// Runs one refresh for this token, after those that are under way; joins one that is for the same.
    pub(super) async fn refresh(&self, wanted: &Wanted) -> Outcome {
        let flight = self.refreshing(wanted);
        flight.await
    }

    fn refreshing(&self, wanted: &Wanted) -> Flight {
        let mut refreshes = self.0.refreshes.borrow_mut();
        if let Some((_, flight)) = refreshes.iter().find(|(known, _)| known == wanted) {
            return flight.clone();
        }
        let before = refreshes.last().map(|(_, flight)| flight.clone());
        let (client, own) = (self.clone(), wanted.clone());
        let flight = Flight::new(Box::pin(async move {
            if let Some(before) = before {
                // What it came to is the matter of those who asked for it.
                let _ = before.await;
            }
            let outcome = client.refresh_now(&own).await;
            client.0.refreshes.borrow_mut().retain(|(known, _)| *known != own);
            client.after_refresh(outcome)
        }));
        refreshes.push((wanted.clone(), flight.clone()));
        flight
    }

    async fn refresh_now(&self, wanted: &Wanted) -> Outcome {
        let generation = self.generation();
        let Some(refresh_token) = self.session(|session| session.refresh_token.clone())? else {
            return Err(error(Code::InteractionRequired, "without a refresh token, only a sign-in gives it"));
        };
        let metadata = self.metadata(Cache::Default).await?;
        let client_id = self.0.config.client_id();
        let request = token::refresh_request(metadata.token_endpoint(), client_id, &refresh_token, wanted);
        let response = self.exchange(request, None, self.is_bound(), Phase::Refresh).await?;
        let tokens = token::response(&response, self.0.config.dpop_algorithms().is_some());
        let tokens = tokens.map_err(|error| error.in_phase(Phase::Refresh))?;
        let user = self.refreshed_user(&metadata, &tokens).await?;
        if self.generation() != generation {
            return Err(error(Code::Aborted, "the session was ended meanwhile"));
        }
        let asked = match wanted.scope.is_empty() {
            true => self.session(|session| Rc::clone(&session.granted))?,
            false => Rc::new(wanted.scope.clone()),
        };
        let token = self.access_token(&tokens, wanted.resource.clone(), asked);
        self.0.session.borrow_mut().deferred = Deferred::default();
        let is_watched = self.deadline().is_some();
        self.change_session(|session| {
            // One that comes takes the old one's place, none leaves it there (RFC 6749 6).
            session.refresh_token = tokens.refresh_token.or(session.refresh_token.take());
            session.id_token = tokens.id_token.or(session.id_token.take());
            session.user = user.or(session.user.take());
            let all = wanted.scope.is_empty();
            if all && wanted.resource == session.resource {
                session.granted = Rc::clone(&token.scopes);
            }
            // One for each resource and set of scopes.
            let is_like = |known: &&mut AccessToken| {
                known.resource == token.resource && (all || known.scopes == token.scopes)
            };
            match session.tokens.iter_mut().find(is_like) {
                Some(known) => *known = token,
                None => session.tokens.push(token),
            }
        });
        if !is_watched {
            self.watch(generation);
        }
        Ok(())
    }

    /// The token of a response. RFC 6749 5.1: no `scope` in it means that all was granted that was `asked` for.
    pub(super) fn access_token(
        &self,
        tokens: &TokenResponse,
        resource: Option<String>,
        asked: Rc<Vec<String>>,
    ) -> AccessToken {
        let now = self.0.platform.now();
        let lifetime = tokens.expires_in.map(|seconds| seconds.saturating_mul(1000));
        // A short-lived one is fresh for half of its time at least.
        let fresh = lifetime.map_or(i64::MAX, |lifetime| lifetime - self.0.config.leeway().min(lifetime / 2));
        AccessToken {
            token: Rc::clone(&tokens.access_token),
            bound: tokens.bound,
            expires_at: lifetime.map(|lifetime| now.saturating_add(lifetime)),
            due_at: now.saturating_add(fresh),
            scopes: tokens.scope.clone().map_or(asked, Rc::new),
            resource,
            details: tokens.details.clone(),
        }
    }
}

fn error(code: Code, reason: &'static str) -> AuthError {
    AuthError::new(code, Phase::Refresh, reason)
}

fn not_granted() -> AuthError {
    error(Code::ScopeMissing, "the scope was not granted for this resource")
}
