//! Authorization server metadata (RFC 8414; OpenID Connect Discovery 1.0).

use super::authorize;
use super::error::{AuthError, Code, Phase};
use super::form;
use super::json::Value;
use super::jwt::Algorithm;
use super::shape::{self, Kind, Member, optional, required};
use super::url::{self, Url};

/// The members that this client uses.
const MEMBERS: &[Member] = &[
    optional("issuer", Kind::Text),
    required("authorization_endpoint", Kind::Url),
    required("token_endpoint", Kind::Url),
    optional("jwks_uri", Kind::Url),
    optional("userinfo_endpoint", Kind::Url),
    optional("end_session_endpoint", Kind::Url),
    optional("revocation_endpoint", Kind::Url),
    optional("pushed_authorization_request_endpoint", Kind::Url),
    optional("require_pushed_authorization_requests", Kind::Flag),
    optional("authorization_response_iss_parameter_supported", Kind::Flag),
    optional("code_challenge_methods_supported", Kind::Texts),
    optional("id_token_signing_alg_values_supported", Kind::Texts),
    optional("userinfo_signing_alg_values_supported", Kind::Texts),
    optional("authorization_signing_alg_values_supported", Kind::Texts),
    optional("dpop_signing_alg_values_supported", Kind::Texts),
];

/// A checked metadata document.
#[derive(Clone, Debug)]
pub struct Metadata(Value);

/// Where an issuer's metadata may be: OpenID Connect Discovery 4.1 appends to the issuer's path, RFC 8414 3.1
/// goes before it. `None` for what is no issuer identifier (RFC 8414 2: https, no query, no fragment).
pub fn well_known(issuer: &str) -> Option<[String; 2]> {
    let url = Url::parse(issuer).filter(|url| url.query.is_none())?;
    let path = url.path.strip_suffix('/').unwrap_or(url.path);
    Some([
        [url.origin, path, "/.well-known/openid-configuration"].concat(),
        [url.origin, "/.well-known/oauth-authorization-server", path].concat(),
    ])
}

fn unusable(reason: &'static str) -> AuthError {
    AuthError::new(Code::DiscoveryFailed, Phase::Discovery, reason)
}

/// Checks a metadata document. With an `issuer`, the document must name exactly it (RFC 8414 3.3) when it was
/// `fetched`, and may not name another one when it was given by hand.
pub fn read(document: Value, issuer: Option<&str>, fetched: bool) -> Result<Metadata, AuthError> {
    let misfit = shape::check(&document, MEMBERS).err();
    if let Some((name, _)) = misfit {
        // By the table's own name: the document's text has no place in an error.
        return Err(unusable(
            MEMBERS.iter().map(|member| member.name).find(|known| *known == name).unwrap_or("metadata"),
        ));
    }
    let metadata = Metadata(document);
    let named = metadata.issuer();
    if issuer.is_some() && named != issuer && (fetched || named.is_some()) {
        let reason = "the metadata's issuer is not the option's; a trailing slash counts";
        return Err(AuthError::new(Code::IssuerMismatch, Phase::Discovery, reason));
    }
    metadata.check_schemes(issuer)?;
    metadata.check_endpoint_query()?;
    metadata.check_methods()?;
    Ok(metadata)
}

impl Metadata {
    /// Plain http is for a server on this very machine: where the issuer is https, everything is.
    fn check_schemes(&self, issuer: Option<&str>) -> Result<(), AuthError> {
        let secure = |url: &str| url.get(..6).is_some_and(|scheme| scheme.eq_ignore_ascii_case("https:"));
        let is_url = |member: &&Member| matches!(member.kind, Kind::Url);
        let mut urls = MEMBERS.iter().filter(is_url).filter_map(|member| self.0.text(member.name));
        let expected = secure(issuer.unwrap_or(self.authorization_endpoint()));
        match expected && !urls.all(secure) {
            true => Err(unusable("an endpoint is not https")),
            false => Ok(()),
        }
    }

    /// The authorization endpoint may have a query of its own (RFC 6749 3.1), but no parameter that the request
    /// will have: it must not be sent twice.
    fn check_endpoint_query(&self) -> Result<(), AuthError> {
        let parameters = form::parse(url::split(self.authorization_endpoint()).1);
        match parameters.0.iter().any(|(name, _)| authorize::is_reserved(name)) {
            true => Err(unusable("authorization_endpoint")),
            false => Ok(()),
        }
    }

    /// A server that lists its methods and not S256 cannot be used; there is no fall back to `plain` (RFC 7636
    /// 7.2). One that lists none may do S256 all the same; `state` and `nonce` are always sent. Nor can one be
    /// used that signs ID tokens with nothing that we verify.
    fn check_methods(&self) -> Result<(), AuthError> {
        let methods = self.0.get("code_challenge_methods_supported").and_then(Value::texts);
        if methods.is_some_and(|methods| !methods.iter().any(|method| method == "S256")) {
            return Err(unusable("code_challenge_methods_supported"));
        }
        if self.id_token_algorithms().is_empty() {
            return Err(unusable("id_token_signing_alg_values_supported"));
        }
        Ok(())
    }

    /// The issuer that the document names.
    pub fn issuer(&self) -> Option<&str> {
        self.0.text("issuer")
    }

    /// Where the browser is sent to.
    pub fn authorization_endpoint(&self) -> &str {
        self.0.text("authorization_endpoint").unwrap_or_default()
    }

    /// Where codes become tokens.
    pub fn token_endpoint(&self) -> &str {
        self.0.text("token_endpoint").unwrap_or_default()
    }

    /// Where the signing keys are.
    pub fn jwks_uri(&self) -> Option<&str> {
        self.0.text("jwks_uri")
    }

    /// Where a person's claims are.
    pub fn userinfo_endpoint(&self) -> Option<&str> {
        self.0.text("userinfo_endpoint")
    }

    /// Where tokens are revoked.
    pub fn revocation_endpoint(&self) -> Option<&str> {
        self.0.text("revocation_endpoint")
    }

    /// Where authorization requests are pushed to (RFC 9126 5).
    pub fn pushed_authorization_request_endpoint(&self) -> Option<&str> {
        self.0.text("pushed_authorization_request_endpoint")
    }

    /// Does the server take pushed authorization requests only (RFC 9126 5)?
    pub fn requires_pushed_requests(&self) -> bool {
        self.0.is_true("require_pushed_authorization_requests")
    }

    /// Where the browser is sent to for sign-out.
    pub fn end_session_endpoint(&self) -> Option<&str> {
        self.0.text("end_session_endpoint")
    }

    /// Does every authorization response bear `iss` (RFC 9207 3)?
    pub fn sends_iss(&self) -> bool {
        self.0.is_true("authorization_response_iss_parameter_supported")
    }

    /// The algorithms of ID tokens that this client can verify; RS256 where the server does not say (Discovery
    /// 3).
    pub fn id_token_algorithms(&self) -> Vec<Algorithm> {
        self.algorithms("id_token_signing_alg_values_supported")
    }

    /// Those of signed UserInfo responses.
    pub fn userinfo_algorithms(&self) -> Vec<Algorithm> {
        self.algorithms("userinfo_signing_alg_values_supported")
    }

    /// Those of signed authorization responses (JARM 4).
    pub fn authorization_algorithms(&self) -> Vec<Algorithm> {
        self.algorithms("authorization_signing_alg_values_supported")
    }

    /// The algorithms of DPoP proofs, if the server says which (RFC 9449 5.1).
    pub fn dpop_algorithms(&self) -> Option<Vec<String>> {
        self.0.get("dpop_signing_alg_values_supported").and_then(Value::texts)
    }

    fn algorithms(&self, name: &str) -> Vec<Algorithm> {
        match self.0.get(name).and_then(Value::texts) {
            Some(names) => Algorithm::known(&names),
            None => vec![Algorithm::Rs256],
        }
    }
}
