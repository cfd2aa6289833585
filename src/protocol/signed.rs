//! What a message that the server signs must say, where it is no ID token: an authorization response (JWT Secured
//! Authorization Response Mode 2.4) or UserInfo (OpenID Connect Core 5.3.2).
//!
//! The signature is the caller's to have verified, with the algorithm and key that `jwt` and `jwk` chose.

use super::json::Value;
use super::jwt::{Algorithm, Jwt};

/// The reason that a check gives: the claim's or header's name.
pub type Check = Result<(), &'static str>;

/// Of our issuer, for us, not run out, signed as was agreed, and no other kind of JWT. Who needs `exp` to be
/// there says so. Times are seconds.
pub fn check(
    jwt: &Jwt<'_>,
    issuer: &str,
    client_id: &str,
    algorithms: &[Algorithm],
    now: i64,
    clock_skew: i64,
) -> Check {
    require(jwt.claims.text("iss") == Some(issuer), "iss")?;
    require(is_audience(jwt.claims.get("aud"), client_id), "aud")?;
    let (earliest, latest) = (now.saturating_sub(clock_skew), now.saturating_add(clock_skew));
    check_time(&jwt.claims, "exp", |time| time > earliest)?;
    check_time(&jwt.claims, "iat", |time| time <= latest)?;
    check_time(&jwt.claims, "nbf", |time| time <= latest)?;
    require(algorithms.contains(&jwt.algorithm), "alg")?;
    // Neither has a type of its own, so that what says of itself to be another is (RFC 8725 3.11).
    let is_jwt =
        |kind: &str| kind.eq_ignore_ascii_case("JWT") || kind.eq_ignore_ascii_case("application/jwt");
    require(jwt.media_type.as_deref().is_none_or(is_jwt), "typ")
}

/// Passes what held; else the name of what did not.
pub fn require(held: bool, name: &'static str) -> Check {
    if held { Ok(()) } else { Err(name) }
}

fn is_audience(audience: Option<&Value>, client_id: &str) -> bool {
    match audience {
        Some(Value::Array(audiences)) => audiences.iter().any(|one| one.as_str() == Some(client_id)),
        other => other.and_then(Value::as_str) == Some(client_id),
    }
}

fn check_time(claims: &Value, name: &'static str, holds: impl Fn(i64) -> bool) -> Check {
    match claims.get(name) {
        None => Ok(()),
        Some(time) => require(time.as_integer().is_some_and(holds), name),
    }
}
