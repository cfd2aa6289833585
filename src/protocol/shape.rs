//! What an object from outside must be like, as a table: an app's options, a server's metadata and token
//! response, a record from storage. Checked once; what is read afterwards is there and of its kind.

use super::callback::RESPONSE_PARAMETERS;
use super::error::{AuthError, Code, Phase};
use super::json::Value;
use super::url::{self, Url};
use super::{form, scope, text};

/// What a member must be.
#[derive(Clone, Copy, Debug)]
pub enum Kind {
    /// A text that is not empty.
    Text,
    /// One of a few words.
    Word(&'static [&'static str]),
    /// True or false.
    Flag,
    /// A whole number from 0 to 2^31 - 1.
    Number,
    /// An object.
    Object,
    /// An array of texts.
    Texts,
    /// Scopes: a text of them or an array of such (RFC 6749 3.3).
    Scope,
    /// An absolute URL, https (or loopback), without fragment.
    Url,
    /// Absolute URIs without fragment (RFC 8707 2): a text, or an array of such.
    Resource,
    /// Authorization details (RFC 9396 2): an array of objects, each with its `type`.
    Details,
    /// Such a URL as browsers spell it, to be compared with the page's, without a parameter of a response.
    Redirect,
    /// A path of this origin that is safe to go to.
    Path,
    /// Whatever.
    Any,
}

/// One member of an object.
#[derive(Clone, Copy, Debug)]
pub struct Member {
    /// Its name.
    pub name: &'static str,
    /// What it must be.
    pub kind: Kind,
    /// Must it be there?
    pub required: bool,
}

/// A member that must be there.
pub const fn required(name: &'static str, kind: Kind) -> Member {
    Member { name, kind, required: true }
}

/// A member that may be there. `null` is as absent.
pub const fn optional(name: &'static str, kind: Kind) -> Member {
    Member { name, kind, required: false }
}

/// The first member that is not as it must be, with what is wrong.
pub type Misfit<'a> = (&'a str, &'static str);

/// Holds a value against a table. Members that the table does not have are ignored.
pub fn check<'a>(value: &'a Value, members: &'static [Member]) -> Result<(), Misfit<'a>> {
    if !matches!(value, Value::Object(_)) {
        return Err(("the argument", "is not an object"));
    }
    members.iter().try_for_each(|member| match value.get(member.name) {
        None | Some(Value::Null) if member.required => Err((member.name, "is missing")),
        None | Some(Value::Null) => Ok(()),
        Some(value) => problem(value, member.kind).map_or(Ok(()), |problem| Err((member.name, problem))),
    })
}

/// Holds an options object of the page against its table. Here a name that the table does not have is refused:
/// a misspelt option would otherwise be one that is silently ignored.
pub fn check_options(value: &Value, members: &'static [Member]) -> Result<(), AuthError> {
    check(value, members).map_err(|(name, problem)| invalid(name, problem))?;
    let Value::Object(given) = value else { return Ok(()) };
    match given.iter().find(|(name, _)| !members.iter().any(|member| member.name == name)) {
        None => Ok(()),
        Some((name, _)) => Err(match SECRETS.iter().any(|word| has_word(name, word)) {
            true => refused(name),
            false => invalid(name, "is not an option"),
        }),
    }
}

/// Has a name a word in it, in any case?
pub fn has_word(name: &str, word: &str) -> bool {
    name.as_bytes().windows(word.len()).any(|part| part.eq_ignore_ascii_case(word.as_bytes()))
}

/// What the names of secrets have in them. No option's name has it.
const SECRETS: &[&str] = &["secret", "key", "password", "assertion"];

/// The error for an option or parameter that would be a secret of the app's.
pub fn refused(option: &str) -> AuthError {
    let reason = "is refused: a browser keeps no secret; register a public client, which has PKCE instead";
    AuthError::new(Code::CredentialRefused, Phase::Configuration, reason).with_option(option)
}

/// What is wrong with an option.
pub fn invalid(option: &str, problem: &'static str) -> AuthError {
    AuthError::new(Code::InvalidConfiguration, Phase::Configuration, problem).with_option(option)
}

/// What keeps a value from being of a kind.
fn problem(value: &Value, kind: Kind) -> Option<&'static str> {
    let text = value.as_str();
    let url = text.and_then(Url::parse).is_some();
    let (fits, problem) = match kind {
        Kind::Text => (text.is_some_and(|text| !text.is_empty()), "is not a text, or empty"),
        Kind::Word(words) => {
            (text.is_some_and(|text| words.contains(&text)), "is not one of the words it takes")
        }
        Kind::Flag => (matches!(value, Value::Bool(_)), "is not true or false"),
        Kind::Number => (
            matches!(value, Value::Integer(number) if *number >> 31 == 0),
            "is not a whole number from 0 to 2147483647",
        ),
        Kind::Object => (matches!(value, Value::Object(_)), "is not an object"),
        Kind::Texts => (value.texts().is_some(), "is not an array of texts"),
        Kind::Scope => (scope::read(value).is_some(), "is not a list of scopes (RFC 6749 3.3)"),
        Kind::Url => (url, "is not an https URL without fragment"),
        Kind::Resource => (is_resource(value), "is not an absolute URI without fragment, or a list of such"),
        Kind::Details => (is_details(value), "is not an array of objects with a type"),
        Kind::Redirect => (
            text.is_some_and(is_redirect),
            "is not an absolute https URL without fragment and response parameters, as browsers spell it",
        ),
        Kind::Path => (text.is_some_and(url::is_local_path), "is not a plain path of this origin"),
        Kind::Any => (true, ""),
    };
    if fits { None } else { Some(problem) }
}

/// One resource or several (RFC 8707 2). What a URI must be beyond its scheme is the server's to say: it is a name.
fn is_resource(value: &Value) -> bool {
    let resources = resources(value);
    let is_absolute = |uri: &String| {
        let (scheme, rest) = text::head(uri, b':');
        let legal = |b: u8| b.is_ascii_graphic() && b != b'#';
        scheme.bytes().next().is_some_and(|b| b.is_ascii_alphabetic())
            && scheme.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.'))
            && rest.is_some_and(|rest| !rest.is_empty())
            && uri.bytes().all(legal)
    };
    !resources.is_empty() && resources.iter().all(is_absolute)
}

/// The resources of a text, or of an array of texts.
pub fn resources(value: &Value) -> Vec<String> {
    match value {
        Value::String(text) => vec![text.clone()],
        _ => value.texts().unwrap_or_default(),
    }
}

fn is_details(value: &Value) -> bool {
    let typed = |detail: &Value| detail.text("type").is_some_and(|kind| !kind.is_empty());
    value.as_array().is_some_and(|details| details.iter().all(typed))
}

/// A URI that the server redirects to (RFC 6749 3.1.2). What it has for a query comes back with the response,
/// and must not be taken for it.
fn is_redirect(text: &str) -> bool {
    Url::canonical(text)
        .is_some_and(|url| !form::parse(url.query.unwrap_or_default()).has_any(RESPONSE_PARAMETERS))
}
