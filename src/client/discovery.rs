//! What is known of the authorization server: its metadata and its keys, in memory only.

use super::flight::{Flight, Outcome, Task};
use super::{Client, Platform, Unavailable};
use crate::protocol::error::{AuthError, Code, Phase};
use crate::protocol::http::{Cache, Request, Response};
use crate::protocol::id_token;
use crate::protocol::json::Value;
use crate::protocol::jwk::{self, NoKey};
use crate::protocol::jwt::Jwt;
use crate::protocol::metadata::{self, Metadata};
use crate::protocol::transaction::LIFETIME;
use std::rc::Rc;

/// Milliseconds for which metadata and keys serve without being asked for again.
pub(super) const FRESH: i64 = 60 * 60 * 1000;
/// Milliseconds in which an unknown key asks for the set at most once (OpenID Connect Core 10.1.1).
const COOL_DOWN: i64 = 60 * 1000;

/// The two documents that are fetched, each by one request at a time.
#[derive(Clone, Copy)]
enum Document {
    Metadata = 0,
    Keys = 1,
}

/// Metadata and keys, when the network was last asked for each, and the requests that are under way.
#[derive(Default)]
pub(super) struct Server {
    metadata: Option<(Rc<Metadata>, i64)>,
    keys: Option<(Rc<Vec<Value>>, i64)>,
    requests: [Option<Flight>; 2],
}

impl<P: Platform> Client<P> {
    /// The metadata, if nobody has to be asked for it: given by hand, or asked for not longer ago than `max_age`.
    pub(super) fn known_metadata(&self, max_age: i64) -> Option<Rc<Metadata>> {
        if let Some(given) = self.0.config.metadata() {
            return Some(Rc::clone(given));
        }
        let server = self.0.server.borrow();
        let (metadata, at) = server.metadata.as_ref()?;
        self.is_within(*at, max_age).then(|| Rc::clone(metadata))
    }

    /// The metadata: given by hand, in memory, or discovered. `cache` is for the latter.
    pub(super) async fn metadata(&self, cache: Cache) -> Result<Rc<Metadata>, AuthError> {
        if let Some(metadata) = self.known_metadata(FRESH) {
            return Ok(metadata);
        }
        let client = self.clone();
        self.once(Document::Metadata, Box::pin(async move { client.discover(cache).await })).await?;
        self.known_metadata(FRESH).ok_or_else(|| failed(Code::DiscoveryFailed, "nothing was discovered"))
    }

    /// Was that time not longer ago than `span`?
    fn is_within(&self, at: i64, span: i64) -> bool {
        self.time().saturating_sub(at) < span
    }

    /// The keys of the issuer's `jwks_uri`: those in memory if they were asked for not longer ago than `max_age`.
    pub(super) async fn keys(&self, cache: Cache, max_age: i64) -> Result<Rc<Vec<Value>>, AuthError> {
        if let Some((keys, _)) =
            self.0.server.borrow().keys.as_ref().filter(|(_, at)| self.is_within(*at, max_age))
        {
            return Ok(Rc::clone(keys));
        }
        let client = self.clone();
        self.once(Document::Keys, Box::pin(async move { client.fetch_keys(cache).await })).await?;
        let server = self.0.server.borrow();
        let keys = server.keys.as_ref().map(|(keys, _)| Rc::clone(keys));
        keys.ok_or_else(|| failed(Code::JwksFailed, "nothing was fetched"))
    }

    /// Runs the task, unless the document is being fetched already: then waits for that.
    async fn once(&self, document: Document, task: Task) -> Outcome {
        let slot = document as usize;
        let request = match self.0.server.borrow_mut().requests.get_mut(slot) {
            Some(request) => request.get_or_insert_with(|| Flight::new(task)).clone(),
            None => Flight::new(task),
        };
        let outcome = request.await;
        if let Some(request) = self.0.server.borrow_mut().requests.get_mut(slot) {
            *request = None;
        }
        outcome
    }

    /// OpenID Connect Discovery first, then RFC 8414 where the server has no document at the former's place.
    async fn discover(&self, cache: Cache) -> Outcome {
        let issuer = self.0.config.issuer();
        let [openid, oauth] =
            issuer.and_then(metadata::well_known).ok_or_else(|| failed(Code::DiscoveryFailed, "issuer"))?;
        let mut found = self.get(openid, cache, Code::DiscoveryFailed).await;
        if found.as_ref().is_err_and(|error| error.status() == Some(404)) {
            found = self.get(oauth, cache, Code::DiscoveryFailed).await;
        }
        let metadata = metadata::read(found?, issuer, true)?;
        if self.0.config.verifies_signatures() && metadata.jwks_uri().is_none() {
            return Err(failed(Code::DiscoveryFailed, "jwks_uri"));
        }
        // What came out of the cache is as old as the sign-in whose response is handled, at the most.
        let now = self.time();
        let at = if cache == Cache::Reuse { now.saturating_sub(FRESH - LIFETIME) } else { now };
        self.0.server.borrow_mut().metadata = Some((Rc::new(metadata), at));
        Ok(())
    }

    async fn fetch_keys(&self, cache: Cache) -> Outcome {
        let metadata = self.metadata(cache).await?;
        let uri = metadata.jwks_uri().ok_or_else(|| failed(Code::JwksFailed, "jwks_uri"))?.to_owned();
        let document = self.get(uri, cache, Code::JwksFailed).await?;
        let keys =
            jwk::keys(&document).ok_or_else(|| failed(Code::JwksFailed, "the answer is no key set"))?;
        // What came out of the cache may be older than a rotation: it does not count as asked for just now.
        let now = self.time();
        let at = if cache == Cache::Reuse { now.saturating_sub(COOL_DOWN) } else { now };
        self.0.server.borrow_mut().keys = Some((Rc::new(keys), at));
        Ok(())
    }

    /// A public document of the server: 200 and a JSON object. Whatever goes wrong has the name `code`.
    async fn get(&self, url: String, cache: Cache, code: Code) -> Result<Value, AuthError> {
        let request = Request::get(&url, cache);
        let sent = self.0.platform.send(&request, self.0.config.timeout()).await;
        let response = sent.map_err(|failure| failure.error(Phase::Discovery).as_code(code))?;
        if let Some(error) = response.temporary_error(Phase::Discovery) {
            return Err(error.as_code(code));
        }
        document(&response).ok_or_else(|| {
            failed(code, "the answer is not a JSON object with status 200").with_status(response.status)
        })
    }

    /// Does the signature come from a key of the issuer? An unknown key is worth one look at the newest set:
    /// servers rotate.
    pub(super) async fn verify_signature(&self, jwt: &Jwt<'_>) -> Outcome {
        let mut keys = self.keys(Cache::Reuse, FRESH).await?;
        let mut check = jwk::signature_check(&keys, jwt);
        if matches!(check, Err(NoKey::Unknown)) {
            keys = self.keys(Cache::Revalidate, COOL_DOWN).await?;
            check = jwk::signature_check(&keys, jwt);
        }
        let check = check.map_err(|no_key| match no_key {
            NoKey::Unknown => id_token::refused("no key of the issuer fits"),
            NoKey::Unusable(reason) => id_token::refused(reason),
        })?;
        match self.0.platform.verify(check).await {
            Ok(true) => Ok(()),
            Ok(false) => Err(id_token::refused("signature")),
            Err(Unavailable) => {
                let reason = "WebCrypto is missing here, so the ID token's signature cannot be verified";
                Err(AuthError::new(Code::InsecureContext, Phase::Token, reason))
            }
        }
    }
}

fn failed(code: Code, reason: &'static str) -> AuthError {
    AuthError::new(code, Phase::Discovery, reason)
}

/// The JSON object of a 200 answer. Key sets have a media type of their own (RFC 7517 8.5.2).
fn document(response: &Response) -> Option<Value> {
    (response.status == 200).then(|| response.json_object("application/jwk-set+json")).flatten()
}
