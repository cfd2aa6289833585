//! Sign-in that another site begins (OpenID Connect Core 1.0, 4). All that its link can do is begin a sign-in at
//! our own issuer, with a hint of who and a page of this origin for afterwards.

use super::callback;
use super::config::Config;
use super::form::{self, Parameters};
use super::text;
use super::url::{self, Url};

/// What the link asks for.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Initiated {
    /// For the server's sign-in page.
    pub login_hint: Option<String>,
    /// `target_link_uri`, as a path of this origin.
    pub return_to: Option<String>,
}

/// Reads a link; nothing where it is none that this client follows. Parameters beyond the three are not looked
/// at: a link says neither scope nor prompt.
pub fn read(link: &str, config: &Config) -> Option<Initiated> {
    let (_, query, _) = url::split(link);
    if callback::bears_response(link) || !form::is_well_formed(query) {
        return None;
    }
    let parameters = form::parse(query);
    let issuer = single(&parameters, "iss")?.filter(|issuer| Url::parse(issuer).is_some())?;
    if config.issuer() != Some(issuer) {
        return None;
    }
    let return_to = match single(&parameters, "target_link_uri")? {
        Some(target) => Some(local_path(target, config)?),
        None => None,
    };
    Some(Initiated { login_hint: single(&parameters, "login_hint")?.map(str::to_owned), return_to })
}

/// The value of a parameter that may be absent or empty (which is the same, RFC 6749 3.1), but not there twice.
fn single<'a>(parameters: &'a Parameters, name: &str) -> Option<Option<&'a str>> {
    (parameters.count(name) < 2).then(|| parameters.text(name).filter(|value| !value.is_empty()))
}

/// What a URL is behind our own origin, if it may be gone to after a sign-in ("the RP MUST verify the value of the
/// `target_link_uri`", 4).
fn local_path(target: &str, config: &Config) -> Option<String> {
    let (before, _) = text::head(target, b'#');
    let url = Url::canonical(before)?;
    let ours = Url::parse(config.redirect_uri()).is_some_and(|redirect| redirect.origin == url.origin);
    let behind = target.get(url.origin.len()..).filter(|_| ours)?;
    let path = if url.path.is_empty() { ["/", behind].concat() } else { behind.to_owned() };
    (url::is_local_path(&path) && config.check_return_to(Some(&path)).is_ok()).then_some(path)
}
