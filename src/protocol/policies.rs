//! The option `policies`: in what a server is known to deviate from the standards. Each is off unless given, has a name,
//! and is read where the rule is that it changes; the profiles of `wardkey/providers` are data over them.

use super::callback::RESPONSE_PARAMETERS;
use super::error::AuthError;
use super::json::Value;
use super::shape::{self, Kind, Member, invalid, optional};
use super::token;
use super::url::Url;

/// The option `policies`.
pub const POLICIES: &[Member] = &[
    // What scopes mean beyond their text.
    optional("scopeGrammar", Kind::Word(&["laserfiche", "docspace"])),
    // Where the paths are that scopes name.
    optional("scopeOrigin", Kind::Text),
    // Is the client known by its redirect URI alone?
    optional("omitClientId", Kind::Flag),
    // Would a query of the redirect URI not be kept apart from the response's?
    optional("plainRedirectUri", Kind::Flag),
    // The names of members of the token response, each with the standard's.
    optional("tokenResponseNames", Kind::Object),
    // Parameters of the authorization response, each with the values that it may have where it is there.
    optional("expectResponse", Kind::Object),
    // The one parameter of the sign-out page, for where it leads back to.
    optional("signOutReturnParameter", Kind::Text),
];

/// Checks the option `policies`.
pub fn check(policies: &Value) -> Result<(), AuthError> {
    shape::check_options(policies, POLICIES)?;
    let is_origin = |text: &str| Url::canonical(text).is_some_and(|url| url.origin == text);
    if !policies.text("scopeOrigin").is_none_or(is_origin) {
        return Err(invalid("scopeOrigin", "is not an origin such as https://api.example"));
    }
    // To call a member of the standard by the name of another would make of one token the other.
    let is_alias = |(alias, name): &(String, Value)| {
        !token::is_member(alias) && name.as_str().is_some_and(token::is_member)
    };
    if !members(policies, "tokenResponseNames").iter().all(is_alias) {
        return Err(invalid(
            "tokenResponseNames",
            "leads to or from what is no such name of a token response",
        ));
    }
    // What the standards say of a parameter is not for the app to choose.
    let is_expectation = |(name, values): &(String, Value)| {
        !RESPONSE_PARAMETERS.contains(&name.as_str())
            && values.texts().is_some_and(|values| !values.is_empty())
    };
    match members(policies, "expectResponse").iter().all(is_expectation) {
        true => Ok(()),
        false => Err(invalid("expectResponse", "has one of the standards' parameters, or no list of values")),
    }
}

/// The members of a policy that is an object; none where it is not given.
pub fn members<'a>(policies: &'a Value, name: &str) -> &'a [(String, Value)] {
    match policies.get(name) {
        Some(Value::Object(members)) => members,
        _ => &[],
    }
}
