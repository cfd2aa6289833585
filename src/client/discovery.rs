//! What is known of the authorization server: its metadata and its keys, in memory only.

use super::flight::Flight;
use super::{Client, Platform, Unavailable};
use crate::protocol::error::{AuthError, Code, Phase};
use crate::protocol::http::{Cache, Request, Response};
use crate::protocol::id_token;
use crate::protocol::json::Value;
use crate::protocol::jwk::{self, NoKey};
use crate::protocol::jwt::Jwt;
use crate::protocol::metadata::{self, Metadata};
use std::rc::Rc;

/// Milliseconds for which metadata and keys serve without being asked for again.
const FRESH: i64 = 60 * 60 * 1000;
/// Milliseconds in which an unknown key asks for the set at most once (OpenID Connect Core 10.1.1).
const COOL_DOWN: i64 = 60 * 1000;

/// A document, with the time at which the network was last asked for it.
struct Dated<T> {
    document: Rc<T>,
    at: i64,
}

type Shared<T> = Flight<Result<Rc<T>, AuthError>>;

/// Metadata and keys, and the requests for them that are under way.
#[derive(Default)]
pub(super) struct Server {
    metadata: Option<Dated<Metadata>>,
    metadata_request: Option<Shared<Metadata>>,
    keys: Option<Dated<Vec<Value>>>,
    keys_request: Option<Shared<Vec<Value>>>,
}

impl<P: Platform> Client<P> {
    /// The metadata, if it is in memory already.
    pub(super) fn known_metadata(&self) -> Option<Rc<Metadata>> {
        match &self.0.config.metadata {
            Some(metadata) => Some(Rc::new(metadata.clone())),
            None => {
                let server = self.0.server.borrow();
                let fresh =
                    |dated: &&Dated<Metadata>| self.0.platform.now().abs_diff(dated.at) < FRESH as u64;
                server.metadata.as_ref().filter(fresh).map(|dated| Rc::clone(&dated.document))
            }
        }
    }

    /// The metadata: given by hand, in memory, or discovered. `cache` is for the latter.
    pub(super) async fn metadata(&self, cache: Cache) -> Result<Rc<Metadata>, AuthError> {
        if let Some(metadata) = self.known_metadata() {
            return Ok(metadata);
        }
        let request = {
            let client = self.clone();
            let mut server = self.0.server.borrow_mut();
            server
                .metadata_request
                .get_or_insert_with(|| Flight::new(async move { client.discover(cache).await }))
                .clone()
        };
        let result = request.await;
        let mut server = self.0.server.borrow_mut();
        server.metadata_request = None;
        let document = result?;
        server.metadata = Some(Dated { document: Rc::clone(&document), at: self.0.platform.now() });
        Ok(document)
    }

    /// OpenID Connect Discovery first, then RFC 8414 where the server has no document at the former's place.
    async fn discover(&self, cache: Cache) -> Result<Rc<Metadata>, AuthError> {
        let issuer = self.0.config.issuer.as_deref();
        let failed = |reason: &'static str| AuthError::new(Code::DiscoveryFailed, Phase::Discovery, reason);
        let [openid, oauth] = issuer.and_then(metadata::well_known).ok_or_else(|| failed("issuer"))?;
        let as_failed = |error: AuthError| error.as_code(Code::DiscoveryFailed);
        let mut response = self.get(openid, cache, Phase::Discovery).await.map_err(as_failed)?;
        if response.status == 404 {
            response = self.get(oauth, cache, Phase::Discovery).await.map_err(as_failed)?;
        }
        let document = document(&response, "").ok_or_else(|| {
            failed("the metadata is not a JSON object with status 200").with_status(response.status)
        })?;
        let metadata = metadata::read(&document, issuer, true)?;
        if self.0.config.is_openid() && !self.0.config.id_token.skip_signature && metadata.jwks_uri.is_none()
        {
            return Err(failed("jwks_uri"));
        }
        Ok(Rc::new(metadata))
    }

    /// The keys of the issuer's `jwks_uri`: those in memory if they were asked for at `since` or later.
    pub(super) async fn keys(&self, cache: Cache, since: i64) -> Result<Rc<Vec<Value>>, AuthError> {
        if let Some(dated) = self.0.server.borrow().keys.as_ref().filter(|dated| dated.at >= since) {
            return Ok(Rc::clone(&dated.document));
        }
        let metadata = self.metadata(cache).await?;
        let request = {
            let client = self.clone();
            let mut server = self.0.server.borrow_mut();
            let fetch = || Flight::new(async move { client.fetch_keys(&metadata, cache).await });
            server.keys_request.get_or_insert_with(fetch).clone()
        };
        let result = request.await;
        let mut server = self.0.server.borrow_mut();
        server.keys_request = None;
        let document = result?;
        // What came out of the cache may be older than a rotation: it does not count as asked for.
        let at = if cache == Cache::Reuse { i64::MIN } else { self.0.platform.now() };
        let at = server.keys.as_ref().map_or(at, |known| known.at.max(at));
        server.keys = Some(Dated { document: Rc::clone(&document), at });
        Ok(document)
    }

    async fn fetch_keys(&self, metadata: &Metadata, cache: Cache) -> Result<Rc<Vec<Value>>, AuthError> {
        let failed = |reason: &'static str| AuthError::new(Code::JwksFailed, Phase::Token, reason);
        let uri = metadata.jwks_uri.clone().ok_or_else(|| failed("jwks_uri"))?;
        let as_failed = |error: AuthError| error.as_code(Code::JwksFailed);
        let response = self.get(uri, cache, Phase::Token).await.map_err(as_failed)?;
        let keys = document(&response, "application/jwk-set+json").and_then(|document| jwk::keys(&document));
        keys.map(Rc::new)
            .ok_or_else(|| failed("the answer is not a JSON Web Key Set").with_status(response.status))
    }

    async fn get(&self, url: String, cache: Cache, phase: Phase) -> Result<Response, AuthError> {
        let request = Request { url, form: None, cache };
        let response = self.0.platform.send(request, self.0.config.timeout).await;
        let response = response.map_err(|failure| failure.error(phase))?;
        response.temporary_error(phase).map_or(Ok(response), Err)
    }

    /// Does the signature come from a key of the issuer? An unknown key is worth one look at the newest set:
    /// servers rotate.
    pub(super) async fn verify_signature(&self, jwt: &Jwt<'_>) -> Result<(), AuthError> {
        let now = self.0.platform.now();
        let keys = self.keys(Cache::Reuse, now.saturating_sub(FRESH)).await?;
        let mut check = jwk::signature_check(&keys, jwt);
        if matches!(check, Err(NoKey::Unknown)) {
            let keys = self.keys(Cache::Revalidate, now.saturating_sub(COOL_DOWN)).await?;
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

/// The JSON object of a 200 answer.
fn document(response: &Response, other_type: &str) -> Option<Value> {
    (response.status == 200).then(|| response.json_object(other_type)).flatten()
}
