//! What a message that the server signs must say, where it is no ID token: an authorization response (JWT Secured
//! Authorization Response Mode 2.4) or UserInfo (OpenID Connect Core 5.3.2).
//!
//! The signature is the caller's to have verified, with the algorithm and key that `jwt` and `jwk` chose.

use super::json::Value;
use super::jwt::{Algorithm, Check, Jwt, require};

/// What it is held against. Times are seconds.
#[derive(Clone, Copy, Debug)]
#[allow(missing_docs)]
pub struct Expected<'a> {
    pub issuer: &'a str,
    pub client_id: &'a str,
    pub algorithms: &'a [Algorithm],
    pub now: i64,
    pub clock_skew: i64,
}

/// Of our issuer, for us, not run out, signed as was agreed, and no other kind of JWT. Who needs `exp` to be
/// there says so.
pub fn check(jwt: &Jwt<'_>, expected: &Expected<'_>) -> Check {
    require(jwt.claims.text("iss") == Some(expected.issuer), "iss")?;
    require(is_audience(jwt.claims.get("aud"), expected.client_id), "aud")?;
    let earliest = expected.now.saturating_sub(expected.clock_skew);
    let latest = expected.now.saturating_add(expected.clock_skew);
    check_time(&jwt.claims, "exp", |time| time > earliest)?;
    check_time(&jwt.claims, "iat", |time| time <= latest)?;
    check_time(&jwt.claims, "nbf", |time| time <= latest)?;
    jwt.check_kind(expected.algorithms)
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
