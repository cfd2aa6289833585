//! The URLs that this crate accepts: absolute, https (plain http on loopback only), and of one spelling.
//!
//! This is a check, not a parser for all URLs: what is legal but strange is refused, and what the browser
//! parsed before (a request's `url`) passes unchanged. Nothing is decoded, so that two readers cannot differ.

/// A checked absolute URL, with scheme and host in lower case and without the scheme's default port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Url {
    /// Scheme, host and port: `https://as.example` or `http://localhost:3000`.
    pub origin: String,
    /// From the first `/`; never empty.
    pub path: String,
    /// Behind the `?`, without it.
    pub query: Option<String>,
}

impl Url {
    /// `None` for everything else, also: credentials, a fragment, white space, backslashes, characters beyond
    /// ASCII, dot segments.
    pub fn parse(text: &str) -> Option<Url> {
        let legal = |b: u8| b.is_ascii_graphic() && !b"\\\"<>`{}#".contains(&b);
        if !text.bytes().all(legal) {
            return None;
        }
        let (scheme, rest) = text.split_once("://")?;
        let (before_query, query) = match rest.split_once('?') {
            Some((before, query)) => (before, Some(query.to_owned())),
            None => (rest, None),
        };
        let (authority, path) = before_query.split_once('/').unwrap_or((before_query, ""));
        let origin = origin(scheme, authority)?;
        if path.split('/').any(is_dot_segment) {
            return None;
        }
        Some(Url { origin, path: ["/", path].concat(), query })
    }

    /// Is this the same origin and path? (Queries are not compared.)
    pub fn same_place(&self, other: &Url) -> bool {
        self.origin == other.origin && self.path == other.path
    }

    /// The whole URL.
    pub fn text(&self) -> String {
        match &self.query {
            Some(query) => [&self.origin, &self.path, "?", query].concat(),
            None => [self.origin.as_str(), &self.path].concat(),
        }
    }
}

/// `scheme://host[:port]` in its one spelling.
fn origin(scheme: &str, authority: &str) -> Option<String> {
    let scheme = scheme.to_ascii_lowercase();
    let authority = authority.to_ascii_lowercase();
    let (host, port) = match authority.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((address, rest)) => {
            let legal = |b: u8| b.is_ascii_hexdigit() || b == b':' || b == b'.';
            if address.is_empty() || !address.bytes().all(legal) {
                return None;
            }
            (["[", address, "]"].concat(), if rest.is_empty() { None } else { Some(rest.strip_prefix(':')?) })
        }
        None => {
            let (host, port) = match authority.split_once(':') {
                Some((host, port)) => (host, Some(port)),
                None => (authority.as_str(), None),
            };
            let legal = |b: u8| b.is_ascii_alphanumeric() || b"-._".contains(&b);
            if host.is_empty() || !host.bytes().all(legal) {
                return None;
            }
            (host.to_owned(), port)
        }
    };
    let default_port = match scheme.as_str() {
        "https" => 443,
        "http" if is_loopback(&host) => 80,
        _ => return None,
    };
    match port {
        None => Some([&scheme, "://", &host].concat()),
        Some(digits) => {
            // `parse` alone would let a sign through.
            let port: u16 = digits.bytes().all(|b| b.is_ascii_digit()).then(|| digits.parse().ok())??;
            let port = if port == default_port { String::new() } else { [":", &port.to_string()].concat() };
            Some([scheme.as_str(), "://", &host, &port].concat())
        }
    }
}

/// Hosts that browsers hold for trustworthy without TLS (W3C Secure Contexts 3.1).
fn is_loopback(host: &str) -> bool {
    let ipv4 = || {
        let octets = || host.split('.');
        octets().count() == 4
            && octets().next() == Some("127")
            && octets().all(|octet| octet.parse::<u8>().is_ok())
    };
    host == "localhost" || host.ends_with(".localhost") || host == "[::1]" || ipv4()
}

/// `.` and `..`, also spelled with `%2e`, which browsers resolve as well.
pub fn is_dot_segment(segment: &str) -> bool {
    segment.len() <= 6 && matches!(segment.to_ascii_lowercase().replace("%2e", ".").as_str(), "." | "..")
}

/// A path of this origin that is safe to go to after a sign-in (RFC 9700 4.11: no open redirector): it begins
/// with one `/`, and no reader of URLs can take it for anything else.
pub fn is_local_path(path: &str) -> bool {
    let (before, _) = path.split_once(['?', '#']).unwrap_or((path, ""));
    let legal = |c: char| !c.is_control() && !c.is_whitespace() && c != '\\';
    path.chars().all(legal)
        && before.starts_with('/')
        && !before.contains("//")
        && !before.split('/').any(is_dot_segment)
}
