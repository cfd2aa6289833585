//! Sign-in: from the authorization response to the session.

use super::defer::Deferred;
use super::discovery::FRESH;
use super::dpop::Known;
use super::flight::{Flight, Outcome};
use super::session::{Event, Session, User};
use super::{Client, Platform};
use crate::protocol::callback::{self, AuthorizationResponse};
use crate::protocol::error::{AuthError, Code, Phase};
use crate::protocol::http::Cache;
use crate::protocol::id_token::{self, Demands, Expected};
use crate::protocol::json::Value;
use crate::protocol::jwt::{self, Jwt};
use crate::protocol::metadata::Metadata;
use crate::protocol::secret::Secret;
use crate::protocol::signed;
use crate::protocol::token::{self, TokenResponse};
use crate::protocol::transaction::Transaction;
use crate::protocol::url;
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
    /// Granted authorization details (RFC 9396 7), or null.
    pub details: Value,
}

impl<P: Platform> Client<P> {
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
        self.must_be_pending(&response)?;
        let metadata = self.metadata(Cache::Reuse).await?;
        if let Some(token) = &response.signed {
            self.check_signed_response(token, &metadata).await?;
        }
        let advertised = metadata.sends_iss();
        callback::check_issuer(response.iss.as_deref(), self.0.config.issuer(), advertised)?;
        let transaction = self.consume(&response)?;
        // From here on the same call cannot succeed any more, whatever the trouble is.
        let tokens = self.validated_tokens(response.outcome, &metadata, &transaction).await;
        let (tokens, user, key) = tokens.map_err(AuthError::permanent)?;
        self.establish(tokens, user, key, transaction, epoch)
    }

    async fn validated_tokens(
        &self,
        outcome: Result<Secret, String>,
        metadata: &Metadata,
        transaction: &Transaction,
    ) -> Result<(TokenResponse, Option<Rc<User>>, Known<P>), AuthError> {
        let code = outcome.map_err(|error| callback::server_error(&error))?;
        let key = match self.is_bound() {
            true => Some(self.key(self.key_of(transaction.thumbprint())).await?),
            false => None,
        };
        let tokens = self.redeem(metadata, &code, key.clone(), transaction).await?;
        let user = self.user(metadata, &tokens, transaction).await?;
        Ok((tokens, user, key))
    }

    /// JARM 2.4: nothing of a signed response is acted upon before its signature and claims are what they must be.
    async fn check_signed_response(&self, token: &Secret, metadata: &Metadata) -> Outcome {
        let malformed = |reason| AuthError::new(Code::InvalidCallback, Phase::Callback, reason);
        let jwt = jwt::parse(token.expose()).map_err(malformed)?;
        let config = &self.0.config;
        let issuer = config.issuer().unwrap_or_default();
        let correction = self.correction_by(&jwt.claims);
        let (now, skew) = self.seconds_and_skew(correction);
        let algorithms = id_token::algorithms(config.id_token_policy(), metadata.authorization_algorithms());
        let client_id = config.client_id();
        let expected = signed::Expected { issuer, client_id, algorithms: &algorithms, now, clock_skew: skew };
        callback::check_signed(&jwt, &expected)?;
        self.verify_signature(&jwt).await.map_err(|error| match error.code() {
            Code::IdTokenInvalid => error.as_code(Code::InvalidCallback).in_phase(Phase::Callback),
            _ => error,
        })?;
        self.correct(correction);
        Ok(())
    }

    fn must_be_pending(&self, response: &AuthorizationResponse) -> Result<(), AuthError> {
        let ledger = self.ledger()?;
        let state = response.state.as_str();
        let refused = |code, reason| Err(AuthError::new(code, Phase::Callback, reason));
        // First of all: another page may have brought back the record that it kept, beside the mark.
        if ledger.is_spent(state) {
            return refused(Code::AlreadyCompleted, "this response was used before");
        }
        let Some(record) = ledger.pending(state) else {
            let reason = "no sign-in with this state is pending in this tab; it may have expired";
            return refused(Code::TransactionNotFound, reason);
        };
        callback::check_mode(response, record.text("responseMode"))?;
        // Another client of the same issuer on another page: the response is for that one (Core 3.1.2.5).
        let config = &self.0.config;
        let is_ours = |uri: &str| [config.redirect_uri(), config.silent_redirect_uri()].contains(&uri);
        let here = record
            .text("redirectUri")
            .is_some_and(|uri| is_ours(uri) && url::same_place(uri, &response.place));
        if here && record.text("issuer") == config.issuer() {
            return callback::check_expected(response);
        }
        refused(Code::InvalidCallback, "the sign-in was begun for another redirect URI")
    }

    /// Takes the transaction out of the tab's storage before anything is sent (RFC 9700 4.2.4).
    fn consume(&self, response: &AuthorizationResponse) -> Result<Transaction, AuthError> {
        self.must_be_pending(response)?;
        let mut ledger = self.ledger()?;
        let transaction = ledger.consume(&response.state, self.0.platform.now());
        self.keep(ledger)?;
        let broken = "the record of the sign-in is not whole";
        transaction.ok_or_else(|| AuthError::new(Code::TransactionNotFound, Phase::Callback, broken))
    }

    async fn redeem(
        &self,
        metadata: &Metadata,
        code: &Secret,
        key: Known<P>,
        transaction: &Transaction,
    ) -> Result<TokenResponse, AuthError> {
        if self.0.config.verifies_signatures() {
            // The keys come while the token request is on its way. Should they fail, the check will say so.
            let client = self.clone();
            self.0.platform.spawn(async move {
                let _ = client.keys(Cache::Reuse, FRESH).await;
            });
        }
        let request =
            token::request(metadata.token_endpoint(), self.0.config.sent_client_id(), code, transaction);
        let response = self.exchange(request, None, key.is_some(), key, Phase::Token).await?;
        token::response(&response, self.is_bound(), self.0.config.policies())
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
        let demands = Demands {
            nonce: Some(nonce),
            max_age: transaction.max_age(),
            auth_time: transaction.auth_time(),
            acr: &transaction.acr(),
        };
        let jwt = jwt::parse(id_token.expose()).map_err(id_token::refused)?;
        self.check_id_token(&jwt, metadata, tokens.access_token.expose(), &demands, true).await?;
        let subject = jwt.claims.text("sub").unwrap_or_default().to_owned();
        Ok(Some(Rc::new(User { subject, claims: jwt.claims })))
    }

    /// The person of a refresh, if it brings an ID token: the same one, of the same sign-in (Core 12.2).
    pub(super) async fn refreshed_user(
        &self,
        metadata: &Metadata,
        tokens: &TokenResponse,
    ) -> Result<Option<Rc<User>>, AuthError> {
        let before = self.session(|session| session.user.clone())?;
        let (Some(id_token), Some(before)) = (&tokens.id_token, before) else { return Ok(None) };
        let mut jwt = jwt::parse(id_token.expose()).map_err(id_token::refused)?;
        // It should have none; should it have one, then that of the sign-in.
        let nonce = jwt.claims.get("nonce").and(before.claims.text("nonce"));
        let demands = Demands { nonce, max_age: None, auth_time: false, acr: &[] };
        let checked =
            self.check_id_token(&jwt, metadata, tokens.access_token.expose(), &demands, false).await;
        checked
            .and_then(|()| id_token::check_same(&before.claims, &jwt.claims))
            .map_err(|error| error.in_phase(Phase::Refresh))?;
        id_token::carry_over(&before.claims, &mut jwt.claims);
        Ok(Some(Rc::new(User { subject: before.subject.clone(), claims: jwt.claims })))
    }

    async fn check_id_token(
        &self,
        jwt: &Jwt<'_>,
        metadata: &Metadata,
        access_token: &str,
        demands: &Demands<'_>,
        made_now: bool,
    ) -> Outcome {
        let config = &self.0.config;
        let policy = config.id_token_policy();
        let correction = self.correction_by(&jwt.claims);
        let (now, clock_skew) = self.seconds_and_skew(correction);
        let expected = Expected {
            issuer: config.expected_issuer().ok_or_else(|| id_token::refused("iss"))?,
            audience: policy.text("expectAudience").unwrap_or(config.client_id()),
            client_id: config.client_id(),
            algorithms: &id_token::algorithms(policy, metadata.id_token_algorithms()),
            access_token,
            now,
            clock_skew,
        };
        id_token::check(jwt, &expected, demands).map_err(id_token::refused)?;
        if !config.skips_signatures() {
            self.verify_signature(jwt).await?;
        }
        // A nonce proves that it is new. One that came with a refresh shows only that it is not earlier now.
        if made_now || correction > 0 {
            self.correct(correction);
        }
        Ok(())
    }

    /// All checks have passed: from here on somebody is signed in.
    fn establish(
        &self,
        tokens: TokenResponse,
        user: Option<Rc<User>>,
        key: Known<P>,
        transaction: Transaction,
        epoch: u32,
    ) -> Result<SignInResult, AuthError> {
        // A sign-out wins over a sign-in that was under way.
        if self.epoch() != epoch {
            return Err(ended());
        }
        let requested = Rc::new(transaction.scope());
        let resource = transaction.resource().map(str::to_owned);
        let token = self.access_token(&tokens, resource.clone(), Rc::clone(&requested));
        let granted = Rc::clone(&token.scopes);
        let before = self.session(|session| session.user.clone()).ok().flatten();
        if let Some(key) = key {
            self.settle_key(key);
        }
        self.begin_session(Session {
            tokens: vec![token],
            refresh_token: tokens.refresh_token,
            id_token: tokens.id_token,
            user: user.clone(),
            resource,
            granted: Rc::clone(&granted),
            requested: Rc::clone(&requested),
            deferred: Deferred::default(),
        });
        // In this order, so that who hears of the sign-in finds the new state.
        self.tell_state();
        if self.epoch() != epoch {
            return Err(ended());
        }
        self.tell_if_other(before, user.clone());
        self.tell(Event::SignedIn(user.clone()));
        Ok(SignInResult {
            user,
            app_state: transaction.app_state().cloned(),
            return_to: transaction.return_to().map(str::to_owned),
            missing: self.0.config.grammar().missing(&requested, &granted),
            granted,
            details: tokens.details,
        })
    }
}

fn ended() -> AuthError {
    AuthError::new(Code::Aborted, Phase::Callback, "the session was ended while the sign-in was under way")
}
