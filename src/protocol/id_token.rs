//! The ID token's claims (OpenID Connect Core 1.0, 2 and 3.1.3.7).
//!
//! The signature is the caller's to have verified, with the algorithm and key that `jwt` and `jwk` chose.

use super::error::{AuthError, Code, Phase};
use super::hash;
use super::json::Value;
use super::jwt::{Algorithm, Check, Jwt, require};
use super::shape::{self, Kind, Member, invalid, optional};

/// `IdTokenPolicy`.
pub const ID_TOKEN_POLICY: &[Member] = &[
    optional("algorithms", Kind::Texts),
    optional("clockSkewSec", Kind::Number),
    optional("expectIssuer", Kind::Text),
    optional("expectAudience", Kind::Text),
    optional("dangerouslySkipSignature", Kind::Flag),
];

/// How far the server's clock may be from ours, by default.
const CLOCK_SKEW: i64 = 60;
/// An ID token of a sign-in that just happened is not older than a day.
const MAX_AGE_OF_TOKEN: i64 = 86_400;
/// Beyond that, `exp` is a mistake (milliseconds) or an overflow to come.
const MAX_LIFETIME: i64 = 50 * 365 * 86_400;

/// Checks the option `idToken`.
pub fn check_policy(policy: Option<&Value>) -> Result<(), AuthError> {
    let Some(policy) = policy else { return Ok(()) };
    shape::check_options(policy, ID_TOKEN_POLICY)?;
    let names = policy.get("algorithms").and_then(Value::texts);
    match names.is_some_and(|names| names.is_empty() || Algorithm::known(&names).len() != names.len()) {
        true => Err(invalid("algorithms", "is empty, or names one that cannot be verified")),
        false => Ok(()),
    }
}

/// The algorithms that a policy accepts; without a policy, those that the server advertises.
pub fn algorithms(policy: &Value, advertised: Vec<Algorithm>) -> Vec<Algorithm> {
    policy.get("algorithms").and_then(Value::texts).map_or(advertised, |names| Algorithm::known(&names))
}

/// The seconds by which a policy lets the clocks differ.
pub fn clock_skew(policy: &Value) -> i64 {
    policy.integer("clockSkewSec").unwrap_or(CLOCK_SKEW)
}

/// What the token must say.
#[derive(Debug)]
#[allow(missing_docs)]
pub struct Expected<'a> {
    pub issuer: &'a str,
    pub audience: &'a str,
    pub client_id: &'a str,
    pub algorithms: &'a [Algorithm],
    /// The access token that came with it, for `at_hash`.
    pub access_token: &'a str,
    /// Seconds since the epoch.
    pub now: i64,
    pub clock_skew: i64,
}

/// What the request asked of it.
#[derive(Debug)]
#[allow(missing_docs)]
pub struct Demands<'a> {
    pub nonce: Option<&'a str>,
    /// Seconds, when `max_age` was asked for.
    pub max_age: Option<i64>,
    /// `auth_time` was asked for as an essential claim.
    pub auth_time: bool,
    /// The classes that were asked for as essential; any will do, none asks nothing.
    pub acr: &'a [String],
}

/// The error for an ID token, naming the claim or header.
pub fn refused(reason: &'static str) -> AuthError {
    AuthError::new(Code::IdTokenInvalid, Phase::Token, reason)
}

/// Every check of Core 3.1.3.7 but the signature's, in its order.
pub fn check(jwt: &Jwt<'_>, expected: &Expected<'_>, demands: &Demands<'_>) -> Check {
    jwt.check_kind(expected.algorithms)?; // (6), (7)
    let claims = &jwt.claims;
    require(claims.get("iss").and_then(Value::as_str) == Some(expected.issuer), "iss")?; // (2)
    check_audience(claims, expected)?; // (3) to (5)
    check_subject(claims)?; // Core 2
    check_times(claims, expected)?; // (9), (10)
    require(claims.get("nonce").map(Value::as_str) == demands.nonce.map(Some), "nonce")?; // (11)
    check_authentication(claims, expected, demands)?; // (12), (13)
    check_at_hash(jwt, expected) // 3.1.3.8
}

/// The client, and nobody else: other audiences are not trusted. `azp`, where present, is the client; and it is present
/// where a policy has another audience, as nothing else would say whom the token is for.
fn check_audience(claims: &Value, expected: &Expected<'_>) -> Check {
    let audience = match claims.get("aud") {
        Some(Value::Array(audiences)) => match audiences.as_slice() {
            [only] => only.as_str(),
            _ => None,
        },
        other => other.and_then(Value::as_str),
    };
    require(audience == Some(expected.audience), "aud")?;
    let party = match claims.get("azp") {
        Some(party) => party.as_str(),
        None => audience,
    };
    require(party == Some(expected.client_id), "azp")
}

fn check_subject(claims: &Value) -> Check {
    let subject = claims.get("sub").and_then(Value::as_str).unwrap_or_default();
    require((1..=255).contains(&subject.len()), "sub")
}

fn check_times(claims: &Value, expected: &Expected<'_>) -> Check {
    let (now, skew) = (expected.now, expected.clock_skew);
    let time = |name: &'static str| claims.get(name).and_then(Value::as_integer).ok_or(name);
    let expires = time("exp")?;
    require(expires > now.saturating_sub(skew) && expires < now.saturating_add(MAX_LIFETIME), "exp")?;
    let issued = time("iat")?;
    let oldest = now.saturating_sub(MAX_AGE_OF_TOKEN).saturating_sub(skew);
    require(issued >= oldest && issued <= now.saturating_add(skew), "iat")?;
    match claims.get("nbf") {
        None => Ok(()),
        Some(_) => require(time("nbf")? <= now.saturating_add(skew), "nbf"),
    }
}

fn check_authentication(claims: &Value, expected: &Expected<'_>, demands: &Demands<'_>) -> Check {
    if demands.auth_time || demands.max_age.is_some() {
        let authenticated = claims.get("auth_time").and_then(Value::as_integer).ok_or("auth_time")?;
        require(authenticated <= expected.now.saturating_add(expected.clock_skew), "auth_time")?;
        if let Some(max_age) = demands.max_age {
            let limit = authenticated.saturating_add(max_age).saturating_add(expected.clock_skew);
            require(expected.now <= limit, "auth_time")?;
        }
    }
    if demands.acr.is_empty() {
        return Ok(());
    }
    let class = claims.get("acr").and_then(Value::as_str);
    require(class.is_some_and(|class| demands.acr.iter().any(|wanted| wanted == class)), "acr")
}

fn check_at_hash(jwt: &Jwt<'_>, expected: &Expected<'_>) -> Check {
    match jwt.claims.get("at_hash") {
        None => Ok(()),
        Some(value) => {
            let computed = hash::left_half(jwt.algorithm.hash(), expected.access_token);
            require(value.as_str() == Some(&computed), "at_hash")
        }
    }
}

/// An ID token of a refresh is about the same person and sign-in as the first (Core 12.2).
pub fn check_same(before: &Value, claims: &Value) -> Result<(), AuthError> {
    if claims.text("sub") != before.text("sub") {
        return Err(AuthError::new(Code::UserMismatch, Phase::Refresh, "sub is not the session's"));
    }
    let differs =
        |name: &str| claims.get(name).is_some_and(|new| before.get(name).is_some_and(|old| new != old));
    match ["iss", "aud", "auth_time"].into_iter().find(|name| differs(name)) {
        Some(name) => Err(refused(name)),
        None => Ok(()),
    }
}

/// What the first ID token says of the sign-in, and a later one leaves out, holds on: the next is compared with it.
pub fn carry_over(before: &Value, claims: &mut Value) {
    for name in ["nonce", "auth_time", "sid"] {
        let missing = before.get(name).filter(|_| claims.get(name).is_none()).cloned();
        if let (Some(value), Value::Object(claims)) = (missing, &mut *claims) {
            claims.push((name.to_owned(), value));
        }
    }
}
