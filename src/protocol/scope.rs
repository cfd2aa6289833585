//! Lists of scope tokens (RFC 6749 3.3), and what they mean where a server says more of it than their text.

use super::form;
use super::json::Value;
use super::text;
use super::url::{self, Url};

/// How many scopes a list may have: they are compared one by one.
const LONGEST: usize = 500;

/// The tokens of a space-delimited list, in order, each once. Nothing where a character is not allowed:
/// scope-token = 1*( %x21 / %x23-5B / %x5D-7E ).
pub fn parse(list: &str) -> Option<Vec<String>> {
    let legal = |b: u8| matches!(b, 0x20 | 0x21 | 0x23..=0x5b | 0x5d..=0x7e);
    if !list.bytes().all(legal) {
        return None;
    }
    let mut scopes: Vec<String> = Vec::new();
    for token in text::parts(list, b' ') {
        if scopes.len() >= LONGEST {
            return None;
        }
        if !token.is_empty() && !scopes.iter().any(|known| known == token) {
            scopes.push(token.to_owned());
        }
    }
    Some(scopes)
}

/// The space-delimited list.
pub fn write(scopes: &[String]) -> String {
    let mut list = String::new();
    for scope in scopes {
        if !list.is_empty() {
            list.push(' ');
        }
        list.push_str(scope);
    }
    list
}

/// The scopes of a text, or of an array of texts.
pub fn read(value: &Value) -> Option<Vec<String>> {
    match value {
        Value::String(list) => parse(list),
        _ => parse(&write(&value.texts()?)),
    }
}

/// What scopes mean to a server. Paths are as [`path`] gives them.
#[derive(Debug)]
pub struct Grammar {
    /// What of a scope was not granted, as a scope; nothing where all of it was.
    pub lacks: fn(scope: &str, granted: &[String]) -> Option<String>,
    /// Is a request allowed by what was granted? (Nothing granted: no scope was asked for, nor one named.) Nothing where
    /// the grammar does not know the path, or nobody can say.
    pub allows: fn(granted: &[String], method: &str, path: &str) -> Option<bool>,
    /// Does the server's documentation state what a request takes? Else it is inferred from others.
    pub is_stated: fn(method: &str, path: &str) -> bool,
    /// The least scope that allows a request, of those for a whole API or (`granular`) of all that there are; an empty
    /// one where none does. Nothing where none is needed or known.
    pub least: fn(method: &str, path: &str, granular: bool) -> Option<String>,
    /// Why what is asked for will not be of the use that it seems to be.
    pub doubt: fn(asked: &[String]) -> Option<&'static str>,
}

/// Scopes mean their text (RFC 6749 3.3 leaves the rest to the server).
pub static PLAIN: Grammar = Grammar {
    lacks: |scope, granted| if has(granted, scope) { None } else { Some(scope.to_owned()) },
    allows: |_, _, _| None,
    is_stated: |_, _| true,
    least: |_, _, _| None,
    doubt: |_| None,
};

impl Grammar {
    /// What was asked for and not granted, each part of it once.
    pub fn missing(&self, requested: &[String], granted: &[String]) -> Vec<String> {
        let mut missing: Vec<String> = Vec::new();
        for scope in requested {
            let lack = (self.lacks)(scope, granted).and_then(|lack| (self.lacks)(&lack, &missing));
            if let Some(lack) = lack {
                missing.push(lack);
            }
        }
        missing
    }

    /// Was all of this granted?
    pub fn includes(&self, granted: &[String], scopes: &[String]) -> bool {
        self.missing(scopes, granted).is_empty()
    }

    /// Adds to what is asked for what was granted before, as far as it is not in it. Who asks for nothing in
    /// particular still does: that may be more.
    pub fn keep(&self, asked: &mut Vec<String>, granted: &[String]) {
        if !asked.is_empty() {
            let kept = self.missing(granted, asked);
            asked.extend(kept);
        }
    }

    /// Is a request to this URL allowed by what was granted? Nothing where nobody can say: an inferred refusal is none.
    pub fn permits(&self, granted: &[String], method: &str, href: &str) -> Option<bool> {
        let path = path(href)?;
        let is_sure = |allowed: &bool| *allowed || (self.is_stated)(method, &path);
        (self.allows)(granted, method, &path).filter(is_sure)
    }

    /// Does what was granted seem to do for a request to this URL? Here an inferred refusal counts.
    pub fn covers(&self, granted: &[String], method: &str, href: &str) -> bool {
        path(href).and_then(|path| (self.allows)(granted, method, &path)) != Some(false)
    }

    /// What is asked for and the least that allows a request to this URL, each part once; an empty scope is in it where
    /// nothing does.
    pub fn ask(&self, asked: Vec<String>, method: &str, href: &str, granular: bool) -> Vec<String> {
        let least = path(href).and_then(|path| (self.least)(method, &path, granular));
        let Some(least) = least.and_then(|least| (self.lacks)(&least, &asked)) else { return asked };
        let least = [least];
        // What is for less than this is not needed any more.
        let mut asked = self.missing(&asked, &least);
        asked.extend(least);
        asked
    }
}

/// Is a scope among others, by its text?
pub fn has(scopes: &[String], scope: &str) -> bool {
    scopes.iter().any(|known| known == scope)
}

/// Does a request with this method only read, as far as methods go (RFC 9110 9.2.1)?
pub fn is_reading(method: &str) -> bool {
    method.eq_ignore_ascii_case("GET") || method.eq_ignore_ascii_case("HEAD")
}

/// The path of a URL without a slash at its end, unescaped. Nothing where a segment is empty: servers do not agree on
/// what that is.
pub fn path(href: &str) -> Option<String> {
    let (place, ..) = url::split(href);
    let path = Url::canonical(place)?.path;
    let is_plain = !path.as_bytes().windows(2).any(|pair| pair == b"//");
    is_plain.then(|| unescape(path.strip_suffix('/').unwrap_or(path)))
}

/// What is escaped in a path without need is unescaped, as servers do before they compare (RFC 3986 6.2.2.2); what would
/// change its segments, or no scope can have, stays as it is.
pub fn unescape(escaped: &str) -> String {
    let mut rest = escaped.as_bytes();
    let mut path = Vec::new();
    while let Some((first, behind)) = rest.split_first() {
        rest = behind;
        path.push(match behind {
            [high, low, behind @ ..] if *first == b'%' => plain(*high, *low).map_or(b'%', |octet| {
                rest = behind;
                octet
            }),
            _ => *first,
        });
    }
    // ASCII took the place of ASCII.
    String::from_utf8(path).unwrap_or_default()
}

/// What two hexadecimal digits stand for, if it could as well stand there itself.
fn plain(high: u8, low: u8) -> Option<u8> {
    let octet = (form::hex(high)? << 4 | form::hex(low)?) as u8;
    (octet.is_ascii_graphic() && !b"\"%/\\".contains(&octet)).then_some(octet)
}

/// Does a path have the segments of a pattern, of which `*` is any, and `...` whatever follows? ASCII case makes no
/// difference: these servers' routes have none.
pub fn fits(path: &str, pattern: &str) -> bool {
    let mut segments = text::parts(path, b'/').into_iter();
    for part in text::parts(pattern, b'/') {
        if part == "..." {
            return true;
        }
        if !segments.next().is_some_and(|segment| part == "*" || part.eq_ignore_ascii_case(segment)) {
            return false;
        }
    }
    segments.next().is_none()
}
