//! Proof of possession (RFC 9449): the key of this session, the servers' nonces, and a proof for each request.

use super::flight::{Flight, Outcome};
use super::tokens::AccessToken;
use super::{Client, Platform, Unavailable};
use crate::protocol::authorize::Window;
use crate::protocol::challenge;
use crate::protocol::dpop::{self, Key, Proof};
use crate::protocol::error::{AuthError, Code, Phase};
use crate::protocol::http::{Cache, Request, Response};
use crate::protocol::jwt::Algorithm;
use crate::protocol::{shape, token, url};
use std::rc::Rc;
use std::slice;

/// How many servers' nonces are known at once; the oldest go first.
const SERVERS: usize = 32;

/// A key that never leaves the browser's keeping, and its public part.
pub(super) struct Pair<K> {
    private: K,
    pub(super) public: Key,
}

/// A key, if it is there by now.
pub(super) type Known<P> = Option<Rc<Pair<<P as Platform>::Key>>>;

/// The keys, and the newest nonce of each origin.
pub(super) struct Proofs<K> {
    /// The session's.
    key: Option<Rc<Pair<K>>>,
    /// The next session's, where none is kept: no session gets a key that another has had.
    next: Option<Rc<Pair<K>>>,
    /// The last session's, where none is kept: a sign-in that was begun with it can still be finished.
    past: Option<Rc<Pair<K>>>,
    making: Option<Flight>,
    nonces: Vec<(String, String)>,
}

impl<K> Default for Proofs<K> {
    fn default() -> Self {
        Proofs { key: None, next: None, past: None, making: None, nonces: Vec::new() }
    }
}

/// Does the server refuse a proof with this `error` (RFC 9449 5, 7.1, 8, 9)?
fn is_refused(response: &Response, error: &str) -> bool {
    let header = response.header("www-authenticate").and_then(|header| challenge::find(header, "DPoP"));
    token::is_refused(response, error) || header.is_some_and(|challenge| challenge.error() == Some(error))
}

fn failed(reason: &'static str) -> AuthError {
    AuthError::new(Code::DpopFailed, Phase::Token, reason)
}

impl<P: Platform> Client<P> {
    /// Are tokens bound to a key?
    pub(super) fn is_bound(&self) -> bool {
        self.0.config.dpop_algorithms().is_some()
    }

    /// Will the key be there for the response that comes to this window, so that the code can be bound to it (RFC 9449
    /// 10)? A page that is left takes along what is in its memory, but then the record of the sign-in must not be there.
    pub(super) fn binds_code(&self, window: Window) -> bool {
        self.is_bound() && (self.is_kept() || window != Window::Page || self.ledger_area().is_none())
    }

    /// Sends a request of the client's own, with a proof if one is due: for the token that goes with it, or because
    /// what is asked for shall be `bound`, to this `key` or else the session's. A server that asks for its nonce gets
    /// it, once (RFC 9449 8); one that refuses a proof for its time gets it with another time, once, where there is a
    /// better one (11.1).
    pub(super) async fn exchange(
        &self,
        mut request: Request,
        token: Option<&AccessToken>,
        bound: bool,
        key: Known<P>,
        phase: Phase,
    ) -> Result<Response, AuthError> {
        let is_proved = token.map_or(bound, |token| token.bound);
        let (mut nonces, mut times) = (is_proved, is_proved);
        loop {
            let nonce = self.nonce(&request.url);
            let time = self.server_time();
            if is_proved {
                let (key, access_token) = (key.clone(), token.map(|token| token.token.expose()));
                let proof =
                    self.proof(key, request.method(), &request.url, access_token, nonce.as_deref()).await;
                request.proof = Some(proof.map_err(|error| error.in_phase(phase))?);
            }
            let sent = self.0.platform.send(&request, self.0.config.timeout()).await;
            let response = sent.map_err(|failure| failure.error(phase))?;
            let is_new = self.note_nonce(&request.url, &response, nonce.as_deref());
            self.note_date(&response);
            if is_proved {
                self.note_success(&response, nonce.as_deref());
            }
            if nonces && is_new && is_refused(&response, "use_dpop_nonce") {
                nonces = false;
            } else if times && is_refused(&response, "invalid_dpop_proof") && self.reconsider(time) {
                times = false;
            } else {
                return Ok(response);
            }
        }
    }

    /// A proof for one request (RFC 9449 4.2), by this `key` or else the session's. `access_token` is the one that goes
    /// with it, `nonce` the server's.
    pub(super) async fn proof(
        &self,
        key: Known<P>,
        method: &str,
        url: &str,
        access_token: Option<&str>,
        nonce: Option<&str>,
    ) -> Result<String, AuthError> {
        let key = key.or_else(|| self.0.proofs.borrow().key.clone());
        let key = self.key(key).await?;
        let proof = Proof {
            method,
            url,
            nonce,
            access_token,
            issued_at: self.server_time().div_euclid(1000),
            jti: &self.random(Phase::Token)?,
        };
        let input = proof.signing_input(&key.public).ok_or_else(|| failed("no proof is for such a URL"))?;
        let signature = self.0.platform.sign(&key.private, key.public.algorithm(), input.as_bytes()).await;
        let signature = signature.map_err(|Unavailable| failed("the key does not sign"))?;
        Ok(dpop::finish(&input, &signature))
    }

    /// A proof for a request that the app makes by other means. Without DPoP there is no key for one.
    ///
    /// # Errors
    /// `invalid_configuration` without the option `dpop`, and those of a proof.
    pub async fn app_proof(
        &self,
        method: &str,
        url: &str,
        access_token: Option<&str>,
    ) -> Result<String, AuthError> {
        if !self.is_bound() {
            return Err(shape::invalid("dpop", "is off, so there is no key to prove the possession of"));
        }
        self.proof(None, method, url, access_token, self.nonce(url).as_deref()).await
    }

    /// The key that is there for the next session: where one is kept, that of all tabs.
    pub(super) fn ready_key(&self) -> Known<P> {
        let proofs = self.0.proofs.borrow();
        if self.is_kept() { &proofs.key } else { &proofs.next }.clone()
    }

    /// The session's key, or the last one's, where a code is bound to it: that of a sign-in that was begun beside the
    /// session's own.
    pub(super) fn key_of(&self, thumbprint: Option<&str>) -> Known<P> {
        let is_it = |pair: &Rc<Pair<P::Key>>| Some(pair.public.thumbprint().as_str()) == thumbprint;
        let proofs = self.0.proofs.borrow();
        [&proofs.key, &proofs.past].into_iter().flatten().find(|pair| is_it(pair)).cloned()
    }

    /// The key that is `known`, or else that of the next session; made when it is first needed, by one of those who
    /// need it.
    pub(super) async fn key(&self, known: Known<P>) -> Result<Rc<Pair<P::Key>>, AuthError> {
        if let Some(key) = known.or_else(|| self.ready_key()) {
            return Ok(key);
        }
        let client = self.clone();
        let make = || Flight::new(Box::pin(async move { client.make_key().await }));
        let making = self.0.proofs.borrow_mut().making.get_or_insert_with(make).clone();
        let outcome = making.await;
        self.0.proofs.borrow_mut().making = None;
        outcome?;
        self.ready_key().ok_or_else(|| failed("the key is gone"))
    }

    /// The key is the session's from here on.
    pub(super) fn settle_key(&self, key: Rc<Pair<P::Key>>) {
        let proofs = &mut *self.0.proofs.borrow_mut();
        if proofs.next.take_if(|next| Rc::ptr_eq(next, &key)).is_some() {
            // What was pushed ahead is bound to it.
            self.0.minted.replace(None);
        }
        proofs.key = Some(key);
    }

    async fn make_key(&self) -> Outcome {
        let metadata = self.metadata(Cache::Default).await?;
        let wanted = self.0.config.dpop_algorithms().unwrap_or_default();
        let advertised = metadata.dpop_algorithms();
        // Not every browser has every algorithm, so that the next one is tried.
        let chosen = |one| dpop::choose(slice::from_ref(one), advertised.as_deref());
        let both: Vec<Algorithm> = wanted.iter().filter_map(chosen).collect();
        let mut outcome = Err(failed("the server takes no proof that is signed with ES256 or EdDSA"));
        for round in 0..2 {
            // The one that is kept may be for another algorithm, from when the app or the server wanted that.
            if round > 0 && self.is_kept() && !both.is_empty() {
                self.0.platform.drop_key(&self.session_key()).await;
            }
            for algorithm in &both {
                outcome = self.take_key(*algorithm).await;
                if outcome.is_ok() {
                    return outcome;
                }
            }
        }
        outcome
    }

    /// Makes the key, or takes up the one that is kept.
    async fn take_key(&self, algorithm: Algorithm) -> Outcome {
        let name = self.session_key();
        let name = Some(name.as_str()).filter(|_| self.is_kept());
        let made = self.0.platform.own_key(algorithm, name).await;
        let made =
            made.ok().and_then(|(private, jwk)| Some(Pair { private, public: Key::read(algorithm, &jwk)? }));
        let pair = made.ok_or_else(|| failed("the browser gives no key that it keeps to itself"))?;
        let proofs = &mut *self.0.proofs.borrow_mut();
        *(if name.is_some() { &mut proofs.key } else { &mut proofs.next }) = Some(Rc::new(pair));
        Ok(())
    }

    /// Takes up the key that was kept along with a session. Is it that session's?
    pub(super) async fn restore_key(&self, algorithm: Option<&str>, thumbprint: Option<&str>) -> bool {
        let Some(algorithm) = algorithm.and_then(Algorithm::from_name) else { return false };
        let is_there = self.take_key(algorithm).await.is_ok();
        let is_its = is_there && self.public_key().map(|key| key.thumbprint()).as_deref() == thumbprint;
        if !is_its {
            self.forget_key();
        }
        is_its
    }

    /// The public half of the key, if there is one by now.
    pub(super) fn public_key(&self) -> Option<Key> {
        self.0.proofs.borrow().key.as_ref().map(|pair| pair.public.clone())
    }

    /// Lets the key go, which may be kept.
    pub(super) fn release_key(&self) {
        let proofs = &mut *self.0.proofs.borrow_mut();
        if let Some(key) = proofs.key.take()
            && !self.is_kept()
        {
            proofs.past = Some(key);
        }
        // What was pushed ahead was bound to it.
        self.0.minted.replace(None);
    }

    /// Forgets the key: the next session has another one.
    pub(super) fn forget_key(&self) {
        self.release_key();
        if self.is_bound() && self.is_kept() {
            let client = self.clone();
            let name = self.session_key();
            self.0.platform.spawn(async move { client.0.platform.drop_key(&name).await });
        }
    }

    /// The newest nonce of the server.
    pub(super) fn nonce(&self, url: &str) -> Option<String> {
        let origin = url::origin(url)?;
        let proofs = self.0.proofs.borrow();
        proofs.nonces.iter().find(|(server, _)| server == origin).map(|(_, nonce)| nonce.clone())
    }

    /// Remembers the nonce that an answer brings, whatever the answer is (RFC 9449 8.2). Is it another than the one
    /// that was `sent`? (It may be known by now, from the answer to a request beside this one.)
    pub(super) fn note_nonce(&self, url: &str, response: &Response, sent: Option<&str>) -> bool {
        let nonce = response.header("dpop-nonce").and_then(dpop::nonce);
        let (Some(nonce), Some(origin)) = (nonce, url::origin(url)) else { return false };
        let nonces = &mut self.0.proofs.borrow_mut().nonces;
        nonces.retain(|(server, _)| server != origin);
        let surplus = (nonces.len() + 1).saturating_sub(SERVERS);
        nonces.drain(..surplus);
        nonces.push((origin.to_owned(), nonce.to_owned()));
        sent != Some(nonce)
    }
}
