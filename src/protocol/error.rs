//! The one error of this crate, and the one list of its codes.

use std::fmt;

macro_rules! codes {
    ($($(#[$doc:meta])* $variant:ident $name:literal,)*) => {
        /// What went wrong, as a stable name. The number crosses to JavaScript, which holds the same list
        /// in `pkg/src/errors.ts`; a test compares the two.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[repr(u8)]
        pub enum Code { $($(#[$doc])* $variant,)* }

        impl Code {
            /// Every code, in the order of its number.
            pub const ALL: &'static [Code] = &[$(Code::$variant,)*];

            /// The name as JavaScript sees it, `snake_case`.
            pub fn name(self) -> &'static str {
                match self { $(Code::$variant => $name,)* }
            }
        }
    };
}

codes! {
    /// An option is missing, malformed, unknown, or cannot be combined with another.
    InvalidConfiguration "invalid_configuration",
    /// The page has no WebCrypto (plain http beyond loopback), so a signature cannot be verified.
    InsecureContext "insecure_context",
    /// `prepare` has not finished, so nothing synchronous can be done yet.
    NotInitialised "not_initialised",
    /// The server's metadata could not be had or is not usable.
    DiscoveryFailed "discovery_failed",
    /// The metadata or the authorization response names another issuer.
    IssuerMismatch "issuer_mismatch",
    /// The response of our authorization server bears no `state` of ours.
    StateMismatch "state_mismatch",
    /// The `state` is of our making, but no sign-in with it is pending in this browser tab (any more).
    TransactionNotFound "transaction_not_found",
    /// This response was used before.
    AlreadyCompleted "already_completed",
    /// The URL is not a response to this client; it was left alone.
    NotMine "not_mine",
    /// The response is malformed.
    InvalidCallback "invalid_callback",
    /// The person, or the server's policy, said no.
    AccessDenied "access_denied",
    /// Nobody is signed in at the server, and it was asked not to show a page.
    LoginRequired "login_required",
    /// The server has to show a page, and was asked not to.
    InteractionRequired "interaction_required",
    /// The server refused the authorization request for another reason; see its `error`.
    AuthorizationFailed "authorization_failed",
    /// The token endpoint's answer is not one.
    InvalidTokenResponse "invalid_token_response",
    /// The server does not accept the code: used, expired, or not ours.
    InvalidGrant "invalid_grant",
    /// A check of OpenID Connect Core 3.1.3.7 failed.
    IdTokenInvalid "id_token_invalid",
    /// The server's signing keys could not be had or are not usable.
    JwksFailed "jwks_failed",
    /// DPoP (RFC 9449) could not be done: no usable key, or a server that refuses every proof.
    DpopFailed "dpop_failed",
    /// The server issued a kind of token that was not asked for.
    TokenTypeMismatch "token_type_mismatch",
    /// The server answered for another person than the one who is signed in.
    UserMismatch "user_mismatch",
    /// The app was about to redirect round and round.
    LoginLoop "login_loop",
    /// The browser did not open the popup.
    PopupBlocked "popup_blocked",
    /// The popup was closed before it was done.
    PopupClosed "popup_closed",
    /// The server did not answer in time.
    Timeout "timeout",
    /// The caller's `AbortSignal` ended it.
    Aborted "aborted",
    /// The browser says that there is no network.
    Offline "offline",
    /// The request failed below HTTP, was redirected, or CORS forbids to read its answer.
    Network "network",
    /// The server asks to come later (429).
    RateLimited "rate_limited",
    /// The server failed (5xx), or its answer is not what the standard allows.
    ServerError "server_error",
    /// Nobody is signed in.
    NotSignedIn "not_signed_in",
    /// The access token has run out.
    SessionExpired "session_expired",
    /// The scope or resource was not granted.
    ScopeMissing "scope_missing",
    /// The URL is not covered by `api`, so the token was not sent.
    OriginNotAllowed "origin_not_allowed",
    /// The request must be sent again, and its body can be read only once.
    BodyNotReplayable "body_not_replayable",
    /// The caller brought credentials of its own.
    CredentialRefused "credential_refused",
    /// The browser denies storage, or it is full.
    StorageUnavailable "storage_unavailable",
    /// A cookie that browsers would drop or misread, or that the browser did not keep.
    InvalidCookie "invalid_cookie",
}

/// In the course of what it went wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
#[allow(missing_docs)] // The names say it.
pub enum Phase {
    Configuration,
    Discovery,
    Authorize,
    Callback,
    Token,
    Refresh,
    UserInfo,
    Fetch,
    Storage,
    SignOut,
}

/// The one error. Safe to log: it holds no token, code, verifier or claim, and nothing that a server wrote
/// except its `error` value in the character set of RFC 6749.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuthError(Box<Fields>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Fields {
    code: Code,
    phase: Phase,
    retryable: bool,
    status: Option<u16>,
    oauth_error: Option<String>,
    reason: &'static str,
    option: Option<String>,
    retry_after: Option<i64>,
}

impl AuthError {
    /// `reason` says which rule, in a few words for the developer. It must never quote what a server, URL
    /// or storage holds.
    #[inline(never)] // Called from everywhere; a call is smaller than what it does.
    pub fn new(code: Code, phase: Phase, reason: &'static str) -> Self {
        let retryable = matches!(
            code,
            Code::Timeout | Code::Offline | Code::Network | Code::RateLimited | Code::ServerError
        );
        AuthError(Box::new(Fields {
            code,
            phase,
            retryable,
            status: None,
            oauth_error: None,
            reason,
            option: None,
            retry_after: None,
        }))
    }

    /// With the HTTP status that the server answered.
    pub fn with_status(mut self, status: u16) -> Self {
        self.0.status = Some(status);
        self
    }

    /// With the server's `error` value, where it is one by RFC 6749 4.1.2.1: %x20-21 / %x23-5B / %x5D-7E,
    /// here of at most 64 characters. Anything else is dropped.
    pub fn with_oauth_error(mut self, error: &str) -> Self {
        let legal = |b: u8| matches!(b, 0x20..=0x21 | 0x23..=0x5b | 0x5d..=0x7e);
        if error.len() <= 64 && error.bytes().all(legal) {
            self.0.oauth_error = Some(error.to_owned());
        }
        self
    }

    /// With the name of the option that is wrong: the developer's own text.
    pub fn with_option(mut self, name: &str) -> Self {
        self.0.option = Some(name.to_owned());
        self
    }

    /// The same trouble under the name that it has for the caller: a network failure during discovery is
    /// `discovery_failed`, and still retryable.
    pub fn as_code(mut self, code: Code) -> Self {
        self.0.code = code;
        self
    }

    /// The same trouble in another phase.
    pub fn in_phase(mut self, phase: Phase) -> Self {
        self.0.phase = phase;
        self
    }

    /// With the seconds that the server asks to wait for.
    pub fn with_retry_after(mut self, seconds: Option<i64>) -> Self {
        self.0.retry_after = seconds;
        self
    }

    /// It would fail in the same way again.
    pub fn permanent(mut self) -> Self {
        self.0.retryable = false;
        self
    }

    /// What went wrong.
    pub fn code(&self) -> Code {
        self.0.code
    }

    /// In the course of what.
    pub fn phase(&self) -> Phase {
        self.0.phase
    }

    /// The same call may succeed later without the user doing anything.
    pub fn retryable(&self) -> bool {
        self.0.retryable
    }

    /// The HTTP status, where a server answered.
    pub fn status(&self) -> Option<u16> {
        self.0.status
    }

    /// The server's `error` value, where it sent a well-formed one.
    pub fn oauth_error(&self) -> Option<&str> {
        self.0.oauth_error.as_deref()
    }

    /// Seconds that the server asks to wait for (RFC 9110 10.2.3).
    pub fn retry_after(&self) -> Option<i64> {
        self.0.retry_after
    }

    /// Which rule, in a few words for the developer.
    pub fn reason(&self) -> &'static str {
        self.0.reason
    }

    /// Which option, where one is wrong.
    pub fn option(&self) -> Option<&str> {
        self.0.option.as_deref()
    }
}

impl fmt::Display for AuthError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.code.name())?;
        f.write_str(": ")?;
        if let Some(option) = &self.0.option {
            f.write_str(option)?;
            f.write_str(" ")?;
        }
        f.write_str(self.0.reason)
    }
}

impl std::error::Error for AuthError {}
