//! The authenticated `fetch`: the token goes where the app said and nowhere else, and what a server asks for
//! besides is given once (RFC 6750; RFC 9449 7; RFC 9470).

use super::session::{Event, User};
use super::tokens::AccessToken;
use super::{Client, Platform};
use crate::protocol::challenge::{self, Challenge};
use crate::protocol::error::{AuthError, Code, Phase};
use crate::protocol::http::Response;
use crate::protocol::target::Target;
use crate::protocol::token::{TokenOptions, Wanted};
use crate::protocol::{form, scope, url};
use std::rc::Rc;

/// A request of the app's own.
#[derive(Debug)]
pub struct Call<R> {
    /// As it is sent.
    pub method: String,
    /// As the browser writes it after parsing.
    pub url: String,
    /// Did the caller set an `Authorization` or `DPoP` header?
    pub has_credentials: bool,
    /// Can it be sent more than once? A stream cannot.
    pub replayable: bool,
    /// The request itself.
    pub request: R,
}

/// What a server wants that the token does not show.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StepUp {
    /// Of these classes one (RFC 9470 3).
    pub acr_values: Option<String>,
    /// Seconds since the person signed in actively, at most.
    pub max_age: Option<i64>,
    /// Scopes (RFC 6750 3).
    pub scope: Option<String>,
    /// The resource that the token was for.
    pub resource: Option<String>,
}

/// What came of a request.
#[derive(Debug)]
pub struct Fetched<A> {
    /// The server's answer.
    pub answer: A,
    /// What it wants before it gives another one.
    pub step_up: Option<StepUp>,
}

/// What an answer asks of the client.
enum Demand {
    Nothing,
    Nonce,
    Time,
    Token,
    StepUp(StepUp),
}

fn refused(code: Code, reason: &'static str) -> AuthError {
    AuthError::new(code, Phase::Fetch, reason)
}

impl<P: Platform> Client<P> {
    /// Sends the request with a token for its target: one of `api`, or of the client's own. A token that the
    /// server does not take any more is renewed, and the nonce that it asks for is given, or another time than one that it refuses, each once.
    ///
    /// # Errors
    /// `origin_not_allowed` for a URL that no target covers; `scope_missing` where what was granted does not allow it, by
    /// the target or by the grammar of scopes, before anything is sent; `credential_refused` for a request with credentials of
    /// its own (RFC 6750 2: one method only); those of [`token`](Self::token); `body_not_replayable` where it must
    /// be sent again and cannot; `dpop_failed`; `aborted`, `offline`, `network`.
    pub async fn fetch(
        &self,
        call: &Call<P::Call>,
        api: Option<&[Target]>,
    ) -> Result<Fetched<P::Answer>, AuthError> {
        let options = self.admit(call, api)?;
        let (mut nonces, mut times, mut tokens) = (1, 1, 1);
        let person = self.subject();
        let is_other = |now: Option<Rc<User>>| {
            now.as_ref().map(|user| &user.subject) != person.as_ref().map(|user| &user.subject)
        };
        loop {
            // Nothing is sent that the server is known to refuse.
            if self.permits(options.wanted.resource.as_deref(), &call.method, &call.url) == Some(false) {
                return Err(refused(Code::ScopeMissing, "the granted scopes do not allow the request"));
            }
            let token = self.token(&options).await?;
            if is_other(self.subject()) {
                return Err(refused(Code::Aborted, "another person is signed in by now"));
            }
            let nonce = self.nonce(&call.url);
            let time = self.server_time();
            let (answer, response) =
                self.send_call(call, &token, nonce.as_deref(), nonces + times + tokens > 0).await?;
            let is_new = self.note_nonce(&call.url, &response, nonce.as_deref());
            self.note_success(&response, nonce.as_deref());
            match demand(&response, &token, is_new && nonces > 0)? {
                Demand::Nonce => nonces -= 1,
                Demand::Time if times > 0 && self.reconsider(time) => times -= 1,
                Demand::Token if tokens > 0 && self.can_refresh() => {
                    tokens -= 1;
                    self.renew(&token, &options).await?;
                }
                Demand::StepUp(step_up) => {
                    self.tell(Event::StepUpRequired(step_up.clone()));
                    return Ok(Fetched { answer, step_up: Some(step_up) });
                }
                _ => return Ok(Fetched { answer, step_up: None }),
            }
            if !call.replayable {
                let reason = "the server wants the request again, and its body is a stream; send it anew";
                return Err(refused(Code::BodyNotReplayable, reason));
            }
        }
    }

    /// Would the granted scopes do for a request to a URL that `api` covers? What the target asks for by `scope` was
    /// granted then, and nothing in the grammar of scopes is against it, be it inferred.
    pub fn covers(&self, method: &str, href: &str) -> bool {
        let grammar = self.0.config.grammar_at(href);
        find(self.0.config.targets(), href).is_ok_and(|target| {
            let is_own = target.resource.is_some();
            self.has_scope(&target.scope)
                && self.granted().is_some_and(|granted| is_own || grammar.covers(&granted, method, href))
        })
    }

    /// Is somebody signed in to whom all of this was granted?
    pub fn has_scope(&self, scopes: &[String]) -> bool {
        self.granted().is_some_and(|granted| self.0.config.grammar().includes(&granted, scopes))
    }

    /// What is asked for and the least scopes that a request needs besides: what the target that covers its URL asks for,
    /// and what the grammar of scopes says; with `granular`, for its path alone where there are such.
    ///
    /// # Errors
    /// `origin_not_allowed` for a URL that no target covers; `scope_missing` where no scope allows the request.
    pub fn ask(
        &self,
        mut asked: Vec<String>,
        method: &str,
        href: &str,
        granular: bool,
    ) -> Result<Vec<String>, AuthError> {
        let grammar = self.0.config.grammar();
        let target = find(self.0.config.targets(), href)?;
        asked.extend(grammar.missing(&target.scope, &asked));
        let asked = self.0.config.grammar_at(href).ask(asked, method, href, granular);
        match scope::has(&asked, "") {
            false => Ok(asked),
            true => Err(refused(Code::ScopeMissing, "no scope that can be asked for allows the request")),
        }
    }

    /// Does the server allow a request, as far as is known? A token for a resource of its own has scopes of its own.
    fn permits(&self, resource: Option<&str>, method: &str, href: &str) -> Option<bool> {
        let granted = self.granted().filter(|_| resource.is_none())?;
        self.0.config.grammar_at(href).permits(&granted, method, href)
    }

    /// The token that the request may have.
    fn admit(&self, call: &Call<P::Call>, api: Option<&[Target]>) -> Result<TokenOptions, AuthError> {
        let target = find(api.unwrap_or(self.0.config.targets()), &call.url)?;
        if call.has_credentials || form::parse(url::split(&call.url).1).has_any(&["access_token"]) {
            return Err(refused(Code::CredentialRefused, "the request brings credentials of its own"));
        }
        let wanted = Wanted { resource: target.resource.clone(), scope: target.scope.clone() };
        Ok(TokenOptions { wanted, ..TokenOptions::default() })
    }

    async fn send_call(
        &self,
        call: &Call<P::Call>,
        token: &AccessToken,
        nonce: Option<&str>,
        again: bool,
    ) -> Result<(P::Answer, Response), AuthError> {
        let proof = match token.bound {
            true => {
                let proof =
                    self.proof(None, &call.method, &call.url, Some(token.token.expose()), nonce).await;
                Some(proof.map_err(|error| error.in_phase(Phase::Fetch))?)
            }
            false => None,
        };
        let again = again && call.replayable;
        let sent = self.0.platform.call(&call.request, &token.authorization(), proof.as_deref(), again).await;
        sent.map_err(|failure| failure.error(Phase::Fetch))
    }

    fn can_refresh(&self) -> bool {
        self.session(|session| session.refresh_token.is_some()).unwrap_or(false)
    }
}

/// The target that covers a URL.
fn find<'a>(targets: &'a [Target], href: &str) -> Result<&'a Target, AuthError> {
    let target = targets.iter().find(|target| target.covers(href));
    target.ok_or_else(|| refused(Code::OriginNotAllowed, "the URL is not covered by `api`"))
}

/// What the answer's challenge for our kind of token says (RFC 6750 3; RFC 9449 7.1). `has_nonce` says whether it
/// brings a nonce that has not been tried.
fn demand(response: &Response, token: &AccessToken, has_nonce: bool) -> Result<Demand, AuthError> {
    if !matches!(response.status, 401 | 403) {
        return Ok(Demand::Nothing);
    }
    let is_401 = response.status == 401;
    let header = response.header("www-authenticate");
    let scheme = if token.bound { "DPoP" } else { "Bearer" };
    let challenge = header.and_then(|header| challenge::find(header, scheme));
    let error = challenge.as_ref().and_then(Challenge::error);
    let is_hidden = header.is_none() || error == Some("use_dpop_nonce");
    if token.bound && is_401 && is_hidden && response.header("dpop-nonce").is_none() {
        let reason = "the server's 401 shows no DPoP-Nonce: it must expose WWW-Authenticate and DPoP-Nonce to this \
                      origin (Access-Control-Expose-Headers)";
        return Err(refused(Code::DpopFailed, reason));
    }
    let is_step_up = |challenge: &&Challenge| challenge.is_step_up() || error == Some("insufficient_scope");
    if let Some(challenge) = challenge.as_ref().filter(is_step_up) {
        return Ok(Demand::StepUp(StepUp {
            acr_values: challenge.acr_values().map(str::to_owned),
            max_age: challenge.max_age(),
            scope: challenge.scope().map(str::to_owned),
            resource: token.resource.clone(),
        }));
    }
    // Many servers, or their CORS, say no more than 401, or 401 and the scheme. A header that is not of the grammar, or
    // about other schemes only, is no word about this token.
    let may_mean_us = is_401 && (header.is_none() || challenge.is_some());
    Ok(match error {
        Some("use_dpop_nonce") if token.bound && is_401 && has_nonce => Demand::Nonce,
        None if token.bound && may_mean_us && has_nonce => Demand::Nonce,
        Some("invalid_dpop_proof") if token.bound => Demand::Time,
        Some("invalid_token") => Demand::Token,
        None if may_mean_us => Demand::Token,
        _ => Demand::Nothing,
    })
}
