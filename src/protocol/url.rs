//! The URLs that this crate accepts: absolute, https (plain http on loopback only), and of a plain spelling.
//!
//! This is a check, not a parser for all URLs: what is legal but strange is refused, and what the browser
//! parsed before (a request's `url`) passes. Nothing is decoded or rewritten, so that two readers cannot differ.

use super::text;

/// A checked absolute URL, taken apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Url<'a> {
    /// Scheme, host and port: `https://as.example` or `http://localhost:3000`.
    pub origin: &'a str,
    /// From the first `/`; empty where there is none.
    pub path: &'a str,
    /// Behind the `?`, without it.
    pub query: Option<&'a str>,
}

/// Scheme, host and port of a URL.
pub fn origin(url: &str) -> Option<&str> {
    let (place, ..) = split(url);
    Url::parse(place).map(|url| url.origin)
}

impl<'a> Url<'a> {
    /// `None` for everything else, also: credentials, a fragment, white space, backslashes, characters beyond
    /// ASCII, dot segments.
    pub fn parse(text: &'a str) -> Option<Url<'a>> {
        let legal = |b: u8| {
            b.is_ascii_graphic() && !matches!(b, b'\\' | b'"' | b'<' | b'>' | b'`' | b'{' | b'}' | b'#')
        };
        if !text.bytes().all(legal) {
            return None;
        }
        let (scheme, rest) = text::cut(text, b':')?;
        let rest = rest.strip_prefix("//")?;
        let (place, query) = text::head(rest, b'?');
        let (authority, _) = text::head(place, b'/');
        let path = place.get(authority.len()..)?;
        let origin = text.get(..scheme.len() + 3 + authority.len())?;
        let host = host(authority)?;
        let secure = scheme.eq_ignore_ascii_case("https");
        let plain = scheme.eq_ignore_ascii_case("http") && is_loopback(host);
        if !(secure || plain) || has_dot_segment(path) {
            return None;
        }
        Some(Url { origin, path, query })
    }

    /// One in the spelling that browsers give it: scheme and host in lower case, no default port. Only such
    /// can be compared with what the browser says.
    pub fn canonical(text: &'a str) -> Option<Url<'a>> {
        let url = Url::parse(text)?;
        let default_port = if url.origin.starts_with("https") { ":443" } else { ":80" };
        let canonical =
            !url.origin.bytes().any(|b| b.is_ascii_uppercase()) && !url.origin.ends_with(default_port);
        canonical.then_some(url)
    }
}

/// What is before the query and the fragment of any text, the query and the fragment; empty where there is none.
pub fn split(text: &str) -> (&str, &str, &str) {
    let (before, fragment) = text::head(text, b'#');
    let (place, query) = text::head(before, b'?');
    (place, query.unwrap_or_default(), fragment.unwrap_or_default())
}

/// Have two URLs the same origin and path? (Queries are not compared.)
pub fn same_place(one: &str, other: &str) -> bool {
    let place =
        |text| Url::parse(text).map(|url| (url.origin, url.path.strip_prefix('/').unwrap_or_default()));
    let one = place(one);
    one.is_some() && one == place(other)
}

/// The host of an authority without credentials, if it and the port are well-formed.
fn host(authority: &str) -> Option<&str> {
    let (host, port) = match text::cut_last(authority, b':') {
        Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
        _ => (authority, None),
    };
    // As browsers write it: without sign and leading zeros.
    let is_port = |port: &str| {
        matches!(port.bytes().next(), Some(b'1'..=b'9'))
            && port.len() <= 5
            && text::integer(port).is_some_and(|port| port >> 16 == 0)
    };
    let address = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    let legal = match address {
        Some(address) => address.bytes().all(|b| b.is_ascii_hexdigit() || b == b':' || b == b'.'),
        None => host.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_')),
    };
    (legal && !host.is_empty() && port.is_none_or(is_port)).then_some(host)
}

/// Hosts that browsers hold for trustworthy without TLS (W3C Secure Contexts 3.1).
fn is_loopback(host: &str) -> bool {
    let localhost = host.len().checked_sub(9).and_then(|start| host.split_at_checked(start));
    let localhost = localhost.is_some_and(|(before, end)| {
        end.eq_ignore_ascii_case("localhost") && (before.is_empty() || before.ends_with('.'))
    });
    localhost || host == "127.0.0.1" || host == "[::1]"
}

/// Is there a segment `.` or `..`, also spelled with `%2e`, which browsers resolve as well?
pub fn has_dot_segment(path: &str) -> bool {
    let spellings = [".", "..", "%2e", ".%2e", "%2e.", "%2e%2e"];
    let is_dots = |segment: &str| spellings.iter().any(|dots| segment.eq_ignore_ascii_case(dots));
    text::parts(path, b'/').into_iter().any(is_dots)
}

/// A path of this origin that is safe to go to after a sign-in (RFC 9700 4.11: no open redirector): it begins
/// with one `/`, and no reader of URLs can take it for anything else.
pub fn is_local_path(path: &str) -> bool {
    let (before, ..) = split(path);
    path.bytes().all(|b| b > b' ' && b != 0x7f && b != b'\\')
        && before.starts_with('/')
        && !before.as_bytes().windows(2).any(|pair| pair == b"//")
        && !has_dot_segment(before)
}
