//! Where an access token may be sent (RFC 6750 5.3; RFC 9700 4.9).

use super::error::AuthError;
use super::json::Value;
use super::options::{Names, Options, invalid};
use super::url::{self, Url};

/// The names of `ApiTarget` in its object form.
pub const API_TARGET: Names = Names { interface: "ApiTarget", required: &["origin"], optional: &["path"] };

/// An origin and the paths below a prefix.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    origin: String,
    path: String,
}

impl Target {
    /// A target as it is written in the options: a URL, or origin and path.
    pub fn read(value: &Value) -> Result<Target, AuthError> {
        let text = match value {
            Value::String(text) => text.clone(),
            _ => {
                let options = Options::read(value, &API_TARGET)?;
                let origin = options.text("origin")?.unwrap_or_default();
                let path = options.text("path")?.unwrap_or_default();
                if Url::parse(origin).is_none_or(|url| url.path != "/") {
                    return Err(invalid("api", "the origin is not like https://api.example"));
                }
                if !path.is_empty() && !path.starts_with('/') {
                    return Err(invalid("api", "the path does not begin with /"));
                }
                [origin.strip_suffix('/').unwrap_or(origin), path].concat()
            }
        };
        let url = Url::parse(&text).filter(|url| url.query.is_none());
        let url = url.ok_or_else(|| invalid("api", "is not an https URL without query"))?;
        Ok(Target { origin: url.origin, path: url.path })
    }

    /// Does it cover a URL, as the browser writes it after parsing? Prefixes end at segments: `/v1` covers
    /// `/v1` and `/v1/notes`, but not `/v10`.
    pub fn covers(&self, href: &str) -> bool {
        let (place, _) = href.split_once(['?', '#']).unwrap_or((href, ""));
        let Some(url) = Url::parse(place) else { return false };
        if url.origin != self.origin {
            return false;
        }
        match url.path.strip_prefix(self.path.strip_suffix('/').unwrap_or(&self.path)) {
            Some(rest) => (rest.is_empty() || rest.starts_with('/')) && !climbs(rest),
            None => false,
        }
    }
}

/// Would a server that decodes `%2F`, `%5C` and `%2E` before it looks at segments be led upwards?
fn climbs(path: &str) -> bool {
    let decoded = path.to_ascii_lowercase().replace("%2f", "/").replace("%5c", "/");
    decoded.split('/').any(url::is_dot_segment)
}
