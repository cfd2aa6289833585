//! Sign-in: from the authorization URL to the session.

use super::discovery::FRESH;
use super::flight::{Flight, Outcome};
use super::session::{Event, Session, User};
use super::{Client, Platform};
use crate::protocol::authorize::{self, Entropy, SignIn};
use crate::protocol::callback::{self, AuthorizationResponse};
use crate::protocol::error::{AuthError, Code, Phase};
use crate::protocol::http::Cache;
use crate::protocol::id_token::{self, Expected};
use crate::protocol::json::Value;
use crate::protocol::jwt::{self, Jwt};
use crate::protocol::metadata::Metadata;
use crate::protocol::scope;
use crate::protocol::secret::Secret;
use crate::protocol::token::{self, TokenResponse};
use crate::protocol::transaction::Transaction;
use std::rc::Rc;

/// The handling of one response, shared by all who ask for it.
pub(super) struct Handling {
    state: String,
    flight: Flight,
    result: Option<Rc<SignInResult>>,
}

impl Handling {
    pub(super) fn is_under_way(&self) -> bool {
        self.result.is_none()
    }
}

/// Where to send the browser.
#[derive(Clone, Debug)]
pub struct AuthorizeRequest {
    /// The authorization URL.
    pub url: String,
    /// The `state` in it, by which the response is recognised.
    pub state: String,
}

/// A finished sign-in.
#[derive(Clone, Debug)]
pub struct SignInResult {
    /// `None` without OpenID Connect.
    pub user: Option<Rc<User>>,
    /// What the app gave to the sign-in.
    pub app_state: Option<Value>,
    /// Where the app wants to go on.
    pub return_to: Option<String>,
    /// What was granted.
    pub granted: Rc<Vec<String>>,
    /// What was asked for and not granted.
    pub missing: Vec<String>,
}

impl<P: Platform> Client<P> {
    /// Gets metadata and keys, after which [`create_authorize_url`](Self::create_authorize_url) needs no
    /// waiting, and the page that handles the response finds both in the browser's HTTP cache.
    ///
    /// # Errors
    /// `discovery_failed`, `issuer_mismatch`, `jwks_failed`.
    pub async fn prepare(&self) -> Result<(), AuthError> {
        self.metadata(Cache::Default).await?;
        if self.0.config.verifies_signatures() {
            self.keys(Cache::Default, FRESH).await?;
        }
        Ok(())
    }

    /// Mints an authorization request. Each call is a new transaction, kept for ten minutes.
    ///
    /// # Errors
    /// `not_initialised` before [`prepare`](Self::prepare), `storage_unavailable`, `invalid_configuration`.
    pub fn create_authorize_url(&self, sign_in: &SignIn) -> Result<AuthorizeRequest, AuthError> {
        sign_in.check(&self.0.config)?;
        let metadata = self.known_metadata(i64::MAX).ok_or_else(|| {
            AuthError::new(Code::NotInitialised, Phase::Authorize, "call and await prepare() first")
        })?;
        let entropy = Entropy {
            state: self.random(Phase::Authorize)?,
            nonce: self.random(Phase::Authorize)?,
            verifier: self.random(Phase::Authorize)?,
        };
        let (url, record) = authorize::request(&self.0.config, &metadata, sign_in, &entropy);
        let mut ledger = self.ledger()?;
        let state = record.text("state").unwrap_or_default().to_owned();
        ledger.begin(record, self.0.platform.now());
        self.keep(ledger)?;
        Ok(AuthorizeRequest { url, state })
    }

    /// Finishes the sign-in that a URL is the response to. The same response gives the same result, however
    /// often and whenever it is asked for while the session lives; the code is sent once.
    ///
    /// # Errors
    /// `not_mine` for a URL that is no response to this client. Every failure before the transaction is
    /// consumed (discovery, `iss`) leaves it usable; after that a failure is final.
    pub async fn handle_callback(&self, url: &str) -> Result<Rc<SignInResult>, AuthError> {
        let response = callback::read(url, &self.0.config)?;
        let state = response.state.clone();
        let flight = self.handling(response);
        let outcome = flight.await;
        // What has consumed nothing can be tried again, and forged responses leave nothing behind.
        let was_consumed = |error: &AuthError| {
            error.code() != Code::AlreadyCompleted
                && self.ledger().is_ok_and(|ledger| ledger.is_spent(&state))
        };
        let keep = outcome.as_ref().err().is_none_or(was_consumed);
        let mut handlings = self.0.handlings.borrow_mut();
        let known = handlings.iter().find(|handling| handling.state == state);
        let result = known.and_then(|handling| handling.result.clone());
        handlings.retain(|handling| keep || handling.state != state);
        outcome?;
        result.ok_or_else(ended)
    }

    fn handling(&self, response: AuthorizationResponse) -> Flight {
        let mut handlings = self.0.handlings.borrow_mut();
        if let Some(known) = handlings.iter().find(|handling| handling.state == response.state) {
            return known.flight.clone();
        }
        let client = self.clone();
        let state = response.state.clone();
        let flight = Flight::new(Box::pin(async move { client.loading(response).await }));
        handlings.push(Handling { state, flight: flight.clone(), result: None });
        flight
    }

    /// Handles a response, meanwhile in the state `Loading`.
    async fn loading(&self, response: AuthorizationResponse) -> Outcome {
        let state = response.state.clone();
        self.begin_loading();
        let finished = self.finish(response).await;
        self.end_loading(finished.as_ref().err());
        let result = Rc::new(finished?);
        for handling in self.0.handlings.borrow_mut().iter_mut().filter(|handling| handling.state == state) {
            handling.result = Some(Rc::clone(&result));
        }
        Ok(())
    }

    async fn finish(&self, response: AuthorizationResponse) -> Result<SignInResult, AuthError> {
        let epoch = self.epoch();
        self.must_be_pending(&response.state)?;
        let metadata = self.metadata(Cache::Reuse).await?;
        let advertised = metadata.sends_iss();
        callback::check_issuer(response.iss.as_deref(), self.0.config.issuer(), advertised)?;
        let transaction = self.consume(&response.state)?;
        // From here on the same call cannot succeed any more, whatever the trouble is.
        let tokens = self.validated_tokens(response.outcome, &metadata, &transaction).await;
        let (tokens, user) = tokens.map_err(AuthError::permanent)?;
        self.establish(tokens, user, transaction, epoch)
    }

    async fn validated_tokens(
        &self,
        outcome: Result<Secret, String>,
        metadata: &Metadata,
        transaction: &Transaction,
    ) -> Result<(TokenResponse, Option<Rc<User>>), AuthError> {
        let code = outcome.map_err(|error| callback::server_error(&error))?;
        let tokens = self.redeem(metadata, &code, transaction).await?;
        let user = self.user(metadata, &tokens, transaction).await?;
        Ok((tokens, user))
    }

    fn must_be_pending(&self, state: &str) -> Result<(), AuthError> {
        let ledger = self.ledger()?;
        if let Some(record) = ledger.pending(state) {
            // Another client of the same issuer on another page: the response is for that one (Core 3.1.2.5).
            let config = &self.0.config;
            let here = record.text("redirectUri") == Some(config.redirect_uri());
            if here && record.text("issuer") == config.issuer() {
                return Ok(());
            }
            let reason = "the sign-in was begun for another redirect URI";
            return Err(AuthError::new(Code::InvalidCallback, Phase::Callback, reason));
        }
        let (code, reason) = if ledger.is_spent(state) {
            (Code::AlreadyCompleted, "this response was used before")
        } else {
            (
                Code::TransactionNotFound,
                "no sign-in with this state is pending in this tab; it may have expired",
            )
        };
        Err(AuthError::new(code, Phase::Callback, reason))
    }

    /// Takes the transaction out of the tab's storage before anything is sent (RFC 9700 4.2.4).
    fn consume(&self, state: &str) -> Result<Transaction, AuthError> {
        self.must_be_pending(state)?;
        let mut ledger = self.ledger()?;
        let transaction = ledger.consume(state, self.0.platform.now());
        self.keep(ledger)?;
        let broken = "the record of the sign-in is not whole";
        transaction.ok_or_else(|| AuthError::new(Code::TransactionNotFound, Phase::Callback, broken))
    }

    async fn redeem(
        &self,
        metadata: &Metadata,
        code: &Secret,
        transaction: &Transaction,
    ) -> Result<TokenResponse, AuthError> {
        if self.0.config.verifies_signatures() {
            // The keys come while the token request is on its way. Should they fail, the check will say so.
            let client = self.clone();
            self.0.platform.spawn(async move {
                let _ = client.keys(Cache::Reuse, FRESH).await;
            });
        }
        let request = token::request(metadata.token_endpoint(), self.0.config.client_id(), code, transaction);
        let response = self.0.platform.send(request, self.0.config.timeout()).await;
        token::response(&response.map_err(|failure| failure.error(Phase::Token))?)
    }

    /// The person that the ID token names. Without OpenID Connect there is none to ask for, and one that comes
    /// unasked is not looked at.
    async fn user(
        &self,
        metadata: &Metadata,
        tokens: &TokenResponse,
        transaction: &Transaction,
    ) -> Result<Option<Rc<User>>, AuthError> {
        let Some(nonce) = transaction.nonce() else { return Ok(None) };
        let id_token =
            tokens.id_token.as_ref().ok_or_else(|| id_token::refused("the response has no ID token"))?;
        let jwt = jwt::parse(id_token.expose()).map_err(id_token::refused)?;
        self.check_claims(&jwt, metadata, tokens, transaction, nonce)?;
        if !self.0.config.skips_signatures() {
            self.verify_signature(&jwt).await?;
        }
        let subject = jwt.claims.text("sub").ok_or_else(|| id_token::refused("sub"))?.to_owned();
        Ok(Some(Rc::new(User { subject, claims: jwt.claims })))
    }

    fn check_claims(
        &self,
        jwt: &Jwt<'_>,
        metadata: &Metadata,
        tokens: &TokenResponse,
        transaction: &Transaction,
        nonce: &str,
    ) -> Result<(), AuthError> {
        let config = &self.0.config;
        let policy = config.id_token_policy();
        let expected = Expected {
            issuer: config.expected_issuer().ok_or_else(|| id_token::refused("iss"))?,
            audience: policy.text("expectAudience").unwrap_or(config.client_id()),
            client_id: config.client_id(),
            algorithms: &id_token::algorithms(policy, metadata.id_token_algorithms()),
            nonce: Some(nonce),
            access_token: tokens.access_token.expose(),
            max_age: transaction.max_age(),
            auth_time: transaction.auth_time(),
            acr: &transaction.acr(),
            now: self.0.platform.now().div_euclid(1000),
            clock_skew: id_token::clock_skew(policy),
        };
        id_token::check(jwt, &expected).map_err(id_token::refused)
    }

    /// All checks have passed: from here on somebody is signed in.
    fn establish(
        &self,
        tokens: TokenResponse,
        user: Option<Rc<User>>,
        transaction: Transaction,
        epoch: u32,
    ) -> Result<SignInResult, AuthError> {
        // A sign-out wins over a sign-in that was under way.
        if self.epoch() != epoch {
            return Err(ended());
        }
        let requested = Rc::new(transaction.scope());
        // RFC 6749 5.1: no `scope` in the response means that all was granted.
        let granted = tokens.scope.map_or_else(|| Rc::clone(&requested), Rc::new);
        let lifetime = tokens.expires_in.map(|seconds| seconds.saturating_mul(1000));
        self.begin_session(Session {
            access_token: Rc::new(tokens.access_token),
            id_token: tokens.id_token,
            user: user.clone(),
            expires_at: lifetime.map(|lifetime| self.0.platform.now().saturating_add(lifetime)),
            granted: Rc::clone(&granted),
            requested: Rc::clone(&requested),
        });
        // In this order, so that who hears of the sign-in finds the new state.
        self.tell_state();
        if self.epoch() != epoch {
            return Err(ended());
        }
        self.tell(Event::SignedIn(user.clone()));
        Ok(SignInResult {
            user,
            app_state: transaction.app_state().cloned(),
            return_to: transaction.return_to().map(str::to_owned),
            missing: scope::missing(&requested, &granted),
            granted,
        })
    }
}

fn ended() -> AuthError {
    AuthError::new(Code::Aborted, Phase::Callback, "the session was ended while the sign-in was under way")
}
