//! Authorization server metadata (RFC 8414; OpenID Connect Discovery 1.0).

use super::error::{AuthError, Code, Phase};
use super::form;
use super::json::Value;
use super::jwt::Algorithm;
use super::url::Url;

/// What of the metadata this client uses, checked.
#[derive(Clone, Debug)]
#[allow(missing_docs)] // The names are the standards'.
pub struct Metadata {
    pub issuer: Option<String>,
    pub authorization_endpoint: String,
    pub token_endpoint: String,
    pub jwks_uri: Option<String>,
    pub end_session_endpoint: Option<String>,
    pub authorization_response_iss_parameter_supported: bool,
    /// Those that this client can verify; RS256 where the server does not say (Discovery 3).
    pub id_token_signing_algorithms: Vec<Algorithm>,
}

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

/// Checks a metadata document. With an `issuer`, the document must name exactly it (RFC 8414 3.3) when it was
/// `fetched`, and may not name another one when it was given by hand.
pub fn read(document: &Value, issuer: Option<&str>, fetched: bool) -> Result<Metadata, AuthError> {
    let named = text(document, "issuer")?;
    if issuer.is_some() && named != issuer && (fetched || named.is_some()) {
        let reason = "the metadata names another issuer";
        return Err(AuthError::new(Code::IssuerMismatch, Phase::Discovery, reason));
    }
    require_s256(document)?;
    Ok(Metadata {
        issuer: issuer.or(named).map(str::to_owned),
        authorization_endpoint: authorization_endpoint(document)?,
        token_endpoint: endpoint(document, "token_endpoint")?.ok_or_else(|| unusable("token_endpoint"))?,
        jwks_uri: endpoint(document, "jwks_uri")?,
        end_session_endpoint: endpoint(document, "end_session_endpoint")?,
        authorization_response_iss_parameter_supported: match document
            .get("authorization_response_iss_parameter_supported")
        {
            None => false,
            Some(Value::Bool(supported)) => *supported,
            Some(_) => return Err(unusable("authorization_response_iss_parameter_supported")),
        },
        id_token_signing_algorithms: id_token_algorithms(document)?,
    })
}

fn unusable(name: &'static str) -> AuthError {
    AuthError::new(Code::DiscoveryFailed, Phase::Discovery, name)
}

fn text<'a>(document: &'a Value, name: &'static str) -> Result<Option<&'a str>, AuthError> {
    match document.get(name) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(unusable(name)),
    }
}

/// An endpoint's URL in its checked spelling: https, no fragment, no credentials.
fn endpoint(document: &Value, name: &'static str) -> Result<Option<String>, AuthError> {
    match text(document, name)? {
        None => Ok(None),
        Some(url) if Url::parse(url).is_some() => Ok(Some(url.to_owned())),
        Some(_) => Err(unusable(name)),
    }
}

/// May have a query of its own (RFC 6749 3.1), but no parameter that the request will have: it must not be
/// sent twice.
fn authorization_endpoint(document: &Value) -> Result<String, AuthError> {
    const NAME: &str = "authorization_endpoint";
    let endpoint = endpoint(document, NAME)?.ok_or_else(|| unusable(NAME))?;
    let query = endpoint.split_once('?').map(|(_, query)| query).unwrap_or_default();
    let ours =
        |name: &str| super::authorize::OWNED.contains(&name) || super::authorize::TYPED.contains(&name);
    if form::decode(query).any(|(name, _)| ours(&name)) {
        return Err(unusable(NAME));
    }
    Ok(endpoint)
}

/// A server that lists its methods and not S256 cannot be used; there is no fall back to `plain` (RFC 7636
/// 7.2). One that lists none may do S256 all the same; `state` and `nonce` are always sent.
fn require_s256(document: &Value) -> Result<(), AuthError> {
    const NAME: &str = "code_challenge_methods_supported";
    match document.get(NAME) {
        None => Ok(()),
        Some(Value::Array(methods)) if methods.iter().any(|method| method.as_str() == Some("S256")) => Ok(()),
        Some(_) => Err(unusable(NAME)),
    }
}

fn id_token_algorithms(document: &Value) -> Result<Vec<Algorithm>, AuthError> {
    const NAME: &str = "id_token_signing_alg_values_supported";
    match document.get(NAME) {
        None => Ok(vec![Algorithm::Rs256]),
        Some(Value::Array(names)) => {
            let known: Vec<_> =
                names.iter().filter_map(Value::as_str).filter_map(Algorithm::from_name).collect();
            if known.is_empty() { Err(unusable(NAME)) } else { Ok(known) }
        }
        Some(_) => Err(unusable(NAME)),
    }
}
