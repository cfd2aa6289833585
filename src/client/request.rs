//! The authorization request: prepared, pushed where it has to be, and minted (RFC 6749 4.1.1; RFC 9126).

use super::discovery::FRESH;
use super::session::Event;
use super::{Client, Platform};
use crate::protocol::authorize::{self, Entropy, SignIn, Window};
use crate::protocol::error::{AuthError, Code, Phase};
use crate::protocol::form::Form;
use crate::protocol::http::Cache;
use crate::protocol::json::Value;
use crate::protocol::metadata::Metadata;
use crate::protocol::par;
use crate::protocol::transaction::LIFETIME;

/// Where to send the browser.
#[derive(Clone, Debug)]
pub struct AuthorizeRequest {
    /// The authorization URL.
    pub url: String,
    /// The `state` in it, by which the response is recognised.
    pub state: String,
    /// Seconds for which the server takes the URL, and its response is recognised.
    pub expires_in: i64,
}

/// A request that was pushed ahead.
pub(super) struct Minted {
    options: Value,
    request: AuthorizeRequest,
    expires_at: i64,
}

fn failed(code: Code, reason: &'static str) -> AuthError {
    AuthError::new(code, Phase::Authorize, reason)
}

impl<P: Platform> Client<P> {
    /// Gets metadata and keys, after which [`create_authorize_url`](Self::create_authorize_url) needs no waiting,
    /// and the page that handles the response finds both in the browser's HTTP cache. A request that has to be
    /// pushed is pushed for these options.
    ///
    /// # Errors
    /// `discovery_failed`, `issuer_mismatch`, `jwks_failed`; those of the options and of the push.
    pub async fn prepare(&self, sign_in: &SignIn) -> Result<(), AuthError> {
        // In whichever window: a popup needs no less than others.
        let metadata = self.ready(sign_in, Window::Popup).await?;
        if self.pushes(&metadata)? {
            let request = self.push(&metadata, sign_in, Window::Page).await?;
            // Not longer than there is time for what comes then.
            let lifetime = request.expires_in.min(LIFETIME / 2000);
            let expires_at = self.time().saturating_add(lifetime.saturating_mul(1000));
            let options = sign_in.options().clone();
            self.0.minted.replace(Some(Minted { options, request, expires_at }));
        }
        Ok(())
    }

    /// Mints an authorization request at once. Each call is a new transaction, kept for ten minutes.
    ///
    /// # Errors
    /// `not_initialised` before [`prepare`](Self::prepare), and where the request must be pushed and was not, for
    /// these options; `storage_unavailable`, `invalid_configuration`.
    pub fn create_authorize_url(
        &self,
        sign_in: &SignIn,
        window: Window,
    ) -> Result<AuthorizeRequest, AuthError> {
        sign_in.check(&self.0.config)?;
        let metadata = self.known_metadata(i64::MAX);
        let metadata =
            metadata.ok_or_else(|| failed(Code::NotInitialised, "call and await prepare() first"))?;
        if let Some(request) = self.take_minted(sign_in, window) {
            return Ok(request);
        }
        if self.binds_code(window) && self.ready_key().is_none() {
            return Err(failed(
                Code::NotInitialised,
                "the key is not there yet: call and await prepare() again",
            ));
        }
        if self.pushes(&metadata)? && self.must_push(&metadata) {
            let reason = "the request must be pushed: call and await prepare() with the same options first";
            return Err(failed(Code::NotInitialised, reason));
        }
        let (form, record) = self.mint(sign_in, window)?;
        let state = self.remember(record)?;
        Ok(AuthorizeRequest { url: authorize::url(&metadata, form), state, expires_in: LIFETIME / 1000 })
    }

    /// Mints an authorization request, pushed where it has to be.
    ///
    /// # Errors
    /// Those of [`prepare`](Self::prepare) and [`create_authorize_url`](Self::create_authorize_url).
    pub async fn begin(&self, sign_in: &SignIn, window: Window) -> Result<AuthorizeRequest, AuthError> {
        if window == Window::Page && self.ledger_area().is_none() && !self.0.outlasts.get() {
            let reason = "is memory, which does not outlast leaving the page; use a popup";
            return Err(failed(Code::InvalidConfiguration, reason).with_option("transactionStorage"));
        }
        let epoch = self.epoch();
        let metadata = self.ready(sign_in, window).await?;
        if let Some(request) = self.take_minted(sign_in, window) {
            return Ok(request);
        }
        let request = match self.pushes(&metadata)? {
            true => self.push(&metadata, sign_in, window).await,
            false => self.create_authorize_url(sign_in, window),
        };
        // Nobody sees it, and who has signed out meanwhile does not want it.
        if window == Window::Frame && self.epoch() != epoch {
            return Err(failed(Code::Aborted, "the session was ended while the sign-in was under way"));
        }
        request
    }

    /// The request that was pushed ahead for these options: once (RFC 9126 4).
    fn take_minted(&self, sign_in: &SignIn, window: Window) -> Option<AuthorizeRequest> {
        let now = self.time();
        let fits = |minted: &mut Minted| {
            window == Window::Page && minted.options == *sign_in.options() && minted.expires_at > now
        };
        self.0.minted.borrow_mut().take_if(fits).map(|minted| minted.request)
    }

    async fn ready(&self, sign_in: &SignIn, window: Window) -> Result<std::rc::Rc<Metadata>, AuthError> {
        sign_in.check(&self.0.config)?;
        let metadata = self.metadata(Cache::Default).await?;
        if self.binds_code(window) {
            self.key(None).await?;
        }
        if self.0.config.verifies_signatures() {
            self.keys(Cache::Default, FRESH).await?;
        }
        Ok(metadata)
    }

    fn must_push(&self, metadata: &Metadata) -> bool {
        self.0.config.par() == Some("required") || metadata.requires_pushed_requests()
    }

    /// Is the request pushed? Where the client or the server insists on it there is no other way.
    fn pushes(&self, metadata: &Metadata) -> Result<bool, AuthError> {
        let par = self.0.config.par();
        let can = metadata.pushed_authorization_request_endpoint().is_some();
        let refused = |reason| Err(failed(Code::InvalidConfiguration, reason).with_option("par"));
        match (self.must_push(metadata), par) {
            (true, Some("off")) => refused("is off, and the server takes pushed requests only"),
            (true, _) if !can => refused("is required, and the server has no endpoint for it"),
            (must, par) => Ok(must || (can && par == Some("auto"))),
        }
    }

    /// Pushes a request.
    async fn push(
        &self,
        metadata: &Metadata,
        sign_in: &SignIn,
        window: Window,
    ) -> Result<AuthorizeRequest, AuthError> {
        let endpoint = metadata.pushed_authorization_request_endpoint().unwrap_or_default();
        let (form, record) = self.mint(sign_in, window)?;
        let (bound, key) = (self.binds_code(window), self.ready_key());
        let response =
            self.exchange(par::request(endpoint, form), None, bound, key, Phase::Authorize).await?;
        let pushed = par::response(&response)?;
        let url = par::authorization_url(metadata, self.0.config.sent_client_id(), &pushed.request_uri);
        let state = self.remember(record)?;
        Ok(AuthorizeRequest { url, state, expires_in: pushed.expires_in })
    }

    /// The parameters of a new request, and the record that its response will be judged by.
    fn mint(&self, sign_in: &SignIn, window: Window) -> Result<(Form, Value), AuthError> {
        let entropy = Entropy {
            state: self.random(Phase::Authorize)?,
            nonce: self.random(Phase::Authorize)?,
            verifier: self.random(Phase::Authorize)?,
        };
        let key = self.ready_key().filter(|_| self.binds_code(window));
        let thumbprint = key.map(|key| key.public.thumbprint());
        let config = &self.0.config;
        let granted = self.granted().unwrap_or_default();
        let minted = authorize::request(config, sign_in, window, &entropy, thumbprint.as_deref(), &granted);
        let asked = minted.1.get("scope").and_then(Value::texts).unwrap_or_default();
        if let Some(reason) = (config.grammar().doubt)(&asked) {
            self.tell(Event::ScopeDoubtful(reason));
        }
        Ok(minted)
    }

    /// Keeps the record of a request that will be made; with its `state`.
    fn remember(&self, record: Value) -> Result<String, AuthError> {
        let mut ledger = self.ledger()?;
        let state = record.text("state").unwrap_or_default().to_owned();
        ledger.begin(record, self.0.platform.now());
        self.keep(ledger)?;
        Ok(state)
    }
}
