//! Where an access token may be sent (RFC 6750 5.3; RFC 9700 4.9).

use super::error::AuthError;
use super::json::Value;
use super::shape::{self, Kind, Member, invalid, optional, required};
use super::text;
use super::url::{self, Url};

/// `ApiTarget` in its object form.
pub const API_TARGET: &[Member] = &[
    required("origin", Kind::Redirect),
    optional("path", Kind::Path),
    optional("resource", Kind::Resource),
    optional("scope", Kind::Texts),
];

/// An origin and the paths below a prefix, and what a token for it must be like.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    origin: String,
    path: String,
    /// The resource that the token must be for (RFC 8707); nothing: that of the sign-in.
    pub resource: Option<String>,
    /// What the token must be good for.
    pub scope: Vec<String>,
}

impl Target {
    /// A target as it is written in the options: a URL, or origin and path.
    pub fn read(value: &Value) -> Result<Target, AuthError> {
        let text = match value {
            Value::String(text) => text.clone(),
            _ => {
                if !matches!(value, Value::Object(_)) {
                    return Err(invalid("api", "is neither a text nor an object"));
                }
                shape::check_options(value, API_TARGET)?;
                if value.given("resource").is_some_and(|resource| resource.as_str().is_none()) {
                    return Err(invalid("api.resource", "is not a text: a token is for one resource"));
                }
                let origin = value.text("origin").unwrap_or_default();
                if Url::canonical(origin).is_none_or(|url| !url.path.is_empty()) {
                    return Err(invalid("api", "has an origin that is not like https://api.example"));
                }
                [origin, value.text("path").unwrap_or_default()].concat()
            }
        };
        let url = Url::canonical(&text).filter(|url| url.query.is_none());
        let url = url.ok_or_else(|| {
            invalid("api", "is not an https URL without query, such as https://api.example/v1")
        })?;
        let path = url.path.strip_suffix('/').unwrap_or(url.path);
        Ok(Target {
            origin: url.origin.to_owned(),
            path: path.to_owned(),
            resource: value.text("resource").map(str::to_owned),
            scope: value.get("scope").and_then(Value::texts).unwrap_or_default(),
        })
    }

    /// The option `api`: one target or several.
    pub fn read_all(api: Option<&Value>) -> Result<Vec<Target>, AuthError> {
        match api {
            None | Some(Value::Null) => Ok(Vec::new()),
            Some(Value::Array(targets)) => targets.iter().map(Target::read).collect(),
            Some(target) => Ok(vec![Target::read(target)?]),
        }
    }

    /// Does it cover a URL, as the browser writes it after parsing? Prefixes end at segments: `/v1` covers
    /// `/v1` and `/v1/notes`, but not `/v10`.
    pub fn covers(&self, href: &str) -> bool {
        let (place, ..) = url::split(href);
        let rest = Url::canonical(place)
            .filter(|url| url.origin == self.origin)
            .and_then(|url| url.path.strip_prefix(self.path.as_str()));
        rest.is_some_and(|rest| (rest.is_empty() || rest.starts_with('/')) && !climbs(rest))
    }
}

/// Would a server that decodes `%2F`, `%5C` and `%2E` before it looks at segments be led upwards?
fn climbs(path: &str) -> bool {
    let mut decoded = String::new();
    let mut rest = path;
    while let Some((before, after)) = text::cut(rest, b'%') {
        decoded.push_str(before);
        let escape = after.get(..2).unwrap_or_default();
        let separator = escape.eq_ignore_ascii_case("2f") || escape.eq_ignore_ascii_case("5c");
        decoded.push(if separator { '/' } else { '%' });
        rest = if separator { after.get(2..).unwrap_or_default() } else { after };
    }
    decoded.push_str(rest);
    url::has_dot_segment(&decoded)
}
