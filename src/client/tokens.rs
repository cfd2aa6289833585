//! Access tokens: which one serves, and getting another with the refresh token (RFC 6749 6; RFC 8707 2.2).
//!
//! One grant serves every resource. Its refresh token may be good for one use only, so refreshes come one after
//! another, and all who want the same token wait for the same one.

use super::defer::Deferred;
use super::flight::{Flight, Outcome, Waiting};
use super::session::{Event, User};
use super::{Client, Platform};
use crate::protocol::error::{AuthError, Code, Phase};
use crate::protocol::http::Cache;
use crate::protocol::json::Value;
use crate::protocol::secret::Secret;
use crate::protocol::token::{self, TokenOptions, TokenResponse, Wanted};
use std::rc::Rc;

/// How many refreshes wait in line at most; more wait for a place in it.
const QUEUE: usize = 16;
/// How many access tokens a session has at most; the oldest go first, but for the sign-in's own.
const TOKENS: usize = 32;

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
    /// When it came.
    pub(super) since: i64,
    /// What it is good for.
    pub scopes: Rc<Vec<String>>,
    /// Was it asked for with less than all that was granted?
    pub(super) narrowed: bool,
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
        let generation = self.generation();
        let wanted = self.wanted(options)?;
        let at_hand = self.at_hand(&wanted);
        let is_fresh = |token: &AccessToken| !options.force && self.is_fresh(token, options);
        if let Some(token) = at_hand.filter(is_fresh) {
            return Ok(self.shown(token));
        }
        let trouble = match self.deferral().filter(|_| !options.force) {
            Some(cause) => Some(cause),
            None => self.refresh(&wanted).await.err(),
        };
        // Who asked for a token of one session is not given that of the next.
        if self.generation() != generation {
            return Err(trouble.unwrap_or_else(ended));
        }
        // A refresh may have brought less than was granted before.
        let wanted = self.wanted(options)?;
        // What is left of the one at hand is better than nothing, unless it is the very thing not wanted.
        let serves = trouble.is_none() || !options.force;
        match self.at_hand(&wanted).filter(|_| serves) {
            Some(token) => Ok(self.shown(token)),
            None => Err(trouble.unwrap_or_else(not_granted)),
        }
    }

    /// When a token ends, by the clock that the app has.
    pub(super) fn expiry(&self, token: &AccessToken) -> Option<i64> {
        token.expires_at.map(|at| self.0.clock.by_device(at))
    }

    fn shown(&self, token: AccessToken) -> AccessToken {
        AccessToken { expires_at: self.expiry(&token), ..token }
    }

    /// Another token in place of one that a server does not take, unless there is another already, or none to be had
    /// now.
    pub(super) async fn renew(&self, refused: &AccessToken, options: &TokenOptions) -> Outcome {
        let wanted = self.wanted(options)?;
        match self.at_hand(&wanted) {
            Some(other) if !Rc::ptr_eq(&other.token, &refused.token) => Ok(()),
            _ => match self.deferral() {
                Some(cause) => Err(cause),
                None => self.refresh(&wanted).await,
            },
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
            let missing = self.0.config.grammar().missing(&wanted.scope, &session.granted);
            let all = missing.iter().all(|scope| !is_own && session.requested.contains(scope));
            if is_own {
                // One token has all that was granted.
                wanted.scope.clear();
            }
            all
        })?;
        if is_known { Ok(wanted) } else { Err(not_granted()) }
    }

    /// Takes over what another tab has made of the session meanwhile. Is there another token for this now than before?
    fn adopt(&self, wanted: &Wanted, before: Option<&AccessToken>) -> bool {
        self.reread();
        let now = self.at_hand(wanted);
        now.is_some_and(|now| before.is_none_or(|before| before.token.expose() != now.token.expose()))
    }

    fn at_hand(&self, wanted: &Wanted) -> Option<AccessToken> {
        let now = self.time();
        let serves = |token: &&AccessToken| {
            token.resource == wanted.resource
                && token.is_valid(now)
                && !(token.narrowed && wanted.scope.is_empty())
                && self.0.config.grammar().includes(&token.scopes, &wanted.scope)
        };
        // The newest first: that is what a refresh was for.
        self.session(|session| session.tokens.iter().rev().find(serves).cloned()).ok().flatten()
    }

    fn is_fresh(&self, token: &AccessToken, options: &TokenOptions) -> bool {
        let now = self.time();
        token.due_at > now && token.expires_at.is_none_or(|at| at.saturating_sub(options.min_validity) > now)
    }

    /// Runs one refresh for this token, after those that are under way; joins one that is for the same.
    pub(super) async fn refresh(&self, wanted: &Wanted) -> Outcome {
        loop {
            let full = {
                let refreshes = self.0.refreshes.borrow();
                let is_joined = refreshes.iter().any(|(_, known, _)| known == wanted);
                refreshes
                    .last()
                    .filter(|_| !is_joined && refreshes.len() >= QUEUE)
                    .map(|(.., last)| last.clone())
            };
            match full {
                // Each asks the one before it, and the stack has an end.
                Some(last) => drop(last.await),
                None => {
                    let waiting = Waiting::new(&self.0.platform, self.refreshing(wanted));
                    return waiting.flight().await;
                }
            }
        }
    }

    fn refreshing(&self, wanted: &Wanted) -> Flight {
        let generation = self.generation();
        let mut refreshes = self.0.refreshes.borrow_mut();
        // Those of a session that has ended come to nothing.
        refreshes.retain(|(of, ..)| *of == generation);
        if let Some((.., flight)) = refreshes.iter().find(|(_, known, _)| known == wanted) {
            return flight.clone();
        }
        let before = refreshes.last().map(|(.., flight)| flight.clone());
        // What is heard of another tab while waiting counts as well.
        let known = self.at_hand(wanted);
        let (client, own) = (self.clone(), wanted.clone());
        let flight = Flight::new(Box::pin(async move {
            let outcome = client.refresh_after(before, generation, &own, known).await;
            client.0.refreshes.borrow_mut().retain(|(of, known, _)| *of != generation || *known != own);
            outcome
        }));
        refreshes.push((generation, wanted.clone(), flight.clone()));
        flight
    }

    /// `known`: the token at hand when another was asked for.
    async fn refresh_after(
        &self,
        before: Option<Flight>,
        generation: u32,
        wanted: &Wanted,
        known: Option<AccessToken>,
    ) -> Outcome {
        let put_off_until = self.put_off_until();
        if let Some(before) = before {
            // What it came to is the matter of those who asked for it.
            let _ = before.await;
        }
        let is_shared = self.is_shared();
        // Held until the new tokens are stored.
        let _lock = match is_shared {
            true => Some(self.0.platform.lock(&self.session_key()).await),
            false => None,
        };
        if self.generation() != generation {
            return Err(ended());
        }
        if is_shared && self.adopt(wanted, known.as_ref()) {
            return Ok(());
        }
        // Where the one before it was put off, here or in another tab, so is this one.
        if self.put_off_until() != put_off_until
            && let Some(cause) = self.deferral()
        {
            return Err(cause);
        }
        let Some(refresh_token) = self.session(|session| session.refresh_token.clone())? else {
            return Err(error(Code::InteractionRequired, "without a refresh token, only a sign-in gives it"));
        };
        let mut newest = Rc::clone(&refresh_token);
        let outcome = self.redeem_refresh_token(&mut newest, wanted).await;
        // In another tab somebody may have signed out or in meanwhile: what this brings is not written over that.
        let is_adopted = is_shared && self.adopt(wanted, known.as_ref());
        // The session may have ended meanwhile, or the refresh token been revoked.
        if !self.holds(&refresh_token) {
            return if is_adopted { Ok(()) } else { Err(ended()) };
        }
        // What another process has stored may take a moment to be seen here.
        let is_refused = outcome.as_ref().is_err_and(|error| error.code() == Code::InvalidGrant);
        if is_refused && self.is_shared() && self.adopt(wanted, known.as_ref()) {
            return Ok(());
        }
        match outcome {
            Ok((tokens, user)) => self.take_up(tokens, user, newest, wanted),
            Err(error) => {
                let error = self.refresh_failed(error);
                // The old one may be used up, whatever else of the answer cannot be used yet.
                if newest.expose() != refresh_token.expose() {
                    self.change_session(|session| session.refresh_token = Some(newest));
                }
                Err(error)
            }
        }
    }

    /// Is this still the refresh token of the session?
    fn holds(&self, refresh_token: &Secret) -> bool {
        let is_same = |held: &Rc<Secret>| held.expose() == refresh_token.expose();
        self.session(|session| session.refresh_token.as_ref().is_some_and(is_same)).unwrap_or(false)
    }

    /// Sends the refresh token, in whose place comes the one that the answer may have (RFC 6749 6).
    async fn redeem_refresh_token(
        &self,
        refresh_token: &mut Rc<Secret>,
        wanted: &Wanted,
    ) -> Result<(TokenResponse, Option<Rc<User>>), AuthError> {
        let metadata = self.metadata(Cache::Default).await?;
        // Nothing is sent for a session that has ended meanwhile, nor is a key made for it.
        if !self.holds(refresh_token) {
            return Err(ended());
        }
        let client_id = self.0.config.sent_client_id();
        let request = token::refresh_request(metadata.token_endpoint(), client_id, refresh_token, wanted);
        let response = self.exchange(request, None, self.is_bound(), None, Phase::Refresh).await?;
        let tokens = token::response(&response, self.is_bound(), self.0.config.policies());
        let mut tokens = tokens.map_err(|error| error.in_phase(Phase::Refresh))?;
        if let Some(next) = tokens.refresh_token.take() {
            *refresh_token = next;
        }
        let user = self.refreshed_user(&metadata, &tokens).await?;
        Ok((tokens, user))
    }

    fn take_up(
        &self,
        tokens: TokenResponse,
        user: Option<Rc<User>>,
        refresh_token: Rc<Secret>,
        wanted: &Wanted,
    ) -> Outcome {
        let narrowed = !wanted.scope.is_empty();
        let asked = match narrowed {
            true => Rc::new(wanted.scope.clone()),
            false => self.session(|session| Rc::clone(&session.granted))?,
        };
        let token = self.access_token(&tokens, wanted.resource.clone(), asked);
        let token = AccessToken { narrowed, ..token };
        let expires_at = self.expiry(&token);
        let now = self.time();
        self.change_session(|session| {
            session.deferred = Deferred::default();
            session.refresh_token = Some(refresh_token);
            session.id_token = tokens.id_token.or(session.id_token.take());
            session.user = user.or(session.user.take());
            if token.resource == session.resource {
                session.granted = Rc::clone(&token.scopes);
            }
            // One for each resource and set of scopes.
            let is_like = |known: &AccessToken| known.narrowed && known.scopes == token.scopes;
            session.tokens.retain(|known| known.resource != token.resource || (narrowed && !is_like(known)));
            // Those that have run out are of no use, but for the sign-in's own, whose end is the session's.
            session.tokens.retain(|known| known.resource == session.resource || known.is_valid(now));
            let is_other = |known: &AccessToken| known.narrowed || known.resource != session.resource;
            while session.tokens.len() >= TOKENS
                && let Some(oldest) = session.tokens.iter().position(is_other)
            {
                session.tokens.remove(oldest);
            }
            session.tokens.push(token);
        });
        self.watch(self.generation());
        self.tell(Event::TokenRefreshed(expires_at));
        Ok(())
    }

    /// The token of a response. RFC 6749 5.1: no `scope` in it means that all was granted that was `asked` for.
    pub(super) fn access_token(
        &self,
        tokens: &TokenResponse,
        resource: Option<String>,
        asked: Rc<Vec<String>>,
    ) -> AccessToken {
        let now = self.time();
        let lifetime = tokens.expires_in.map(|seconds| seconds.saturating_mul(1000));
        // A short-lived one is fresh for half of its time at least.
        let fresh = lifetime.map_or(i64::MAX, |lifetime| lifetime - self.0.config.leeway().min(lifetime / 2));
        AccessToken {
            token: Rc::clone(&tokens.access_token),
            bound: tokens.bound,
            expires_at: lifetime.map(|lifetime| now.saturating_add(lifetime)),
            due_at: now.saturating_add(fresh),
            since: now,
            scopes: tokens.scope.clone().map_or(asked, Rc::new),
            narrowed: false,
            resource,
            details: tokens.details.clone(),
        }
    }
}

fn error(code: Code, reason: &'static str) -> AuthError {
    AuthError::new(code, Phase::Refresh, reason)
}

fn ended() -> AuthError {
    error(Code::Aborted, "the session was ended meanwhile")
}

fn not_granted() -> AuthError {
    error(Code::ScopeMissing, "the scope was not granted for this resource")
}
