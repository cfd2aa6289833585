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

/// What scopes mean to a server. Each rule is handed what was granted; paths are as [`path`] gives them.
#[derive(Debug)]
pub struct Grammar {
    /// What of a scope was not granted, as a scope; nothing where all of it was.
    pub lacks: fn(scope: &str, granted: &[String]) -> Option<String>,
    /// Is a request allowed by these scopes? Nothing where the grammar does not know the path.
    pub allows: fn(granted: &[String], method: &str, path: &str) -> Option<bool>,
    /// Is it with a token for which no scope was asked, nor one named? Nothing where nobody can say.
    pub allows_unscoped: fn(method: &str, path: &str) -> Option<bool>,
    /// The least scope that allows a request, of those for a whole API or (`granular`) of all that there are. Nothing
    /// where none does.
    pub least: fn(method: &str, path: &str, granular: bool) -> Option<String>,
    /// Why what is asked for will not be of the use that it seems to be.
    pub doubt: fn(asked: &[String]) -> Option<&'static str>,
}

/// Scopes mean their text (RFC 6749 3.3 leaves the rest to the server).
pub static PLAIN: Grammar = Grammar {
    lacks: |scope, granted| (!granted.iter().any(|known| known == scope)).then(|| scope.to_owned()),
    allows: |_, _, _| None,
    allows_unscoped: |_, _| None,
    least: |_, _, _| None,
    doubt: |_| None,
};

impl Grammar {
    /// What was asked for and not granted, each part of it once.
    pub fn missing(&self, requested: &[String], granted: &[String]) -> Vec<String> {
        let mut missing: Vec<String> = Vec::new();
        for lack in requested.iter().filter_map(|scope| (self.lacks)(scope, granted)) {
            missing.extend((self.lacks)(&lack, &missing));
        }
        missing
    }

    /// Was all of this granted?
    pub fn includes(&self, granted: &[String], scopes: &[String]) -> bool {
        scopes.iter().all(|scope| (self.lacks)(scope, granted).is_none())
    }

    /// Adds to what is asked for what was granted before, as far as it is not in it. Who asks for nothing in
    /// particular still does: that may be more.
    pub fn keep(&self, asked: &mut Vec<String>, granted: &[String]) {
        if !asked.is_empty() {
            let kept = self.missing(granted, asked);
            asked.extend(kept);
        }
    }

    /// Is a request to this URL allowed by what was granted? Nothing where the grammar cannot say.
    pub fn permits(&self, granted: &[String], method: &str, href: &str) -> Option<bool> {
        let path = path(href)?;
        match granted {
            [] => (self.allows_unscoped)(method, &path),
            _ => (self.allows)(granted, method, &path),
        }
    }

    /// Adds to what is asked for the least that allows a request to this URL. False where nothing does.
    pub fn ask(&self, asked: &mut Vec<String>, method: &str, href: &str, granular: bool) -> bool {
        let Some(path) = path(href) else { return false };
        if (self.allows)(asked, method, &path) != Some(false) {
            return true;
        }
        let Some(least) = (self.least)(method, &path, granular) else { return false };
        if (self.lacks)(&least, asked).is_some() {
            // What is for less than this one is not needed any more.
            let wider = [least];
            asked.retain(|narrower| (self.lacks)(narrower, &wider).is_some());
            asked.extend(wider);
        }
        true
    }
}

/// Does a request with this method read only, as far as methods go (RFC 9110 9.2.1)?
pub fn is_reading(method: &str) -> bool {
    ["GET", "HEAD"].iter().any(|reading| method.eq_ignore_ascii_case(reading))
}

/// The path of a URL without a slash at its end. What is escaped in it without need is unescaped, as servers do
/// before they compare (RFC 3986 6.2.2.2); what would change its segments, or no scope can have, stays as it is.
pub fn path(href: &str) -> Option<String> {
    let (place, ..) = url::split(href);
    let mut rest = Url::canonical(place)?.path;
    rest = rest.strip_suffix('/').unwrap_or(rest);
    let mut path = String::new();
    while let Some((before, after)) = text::cut(rest, b'%') {
        path.push_str(before);
        let plain = plain_octet(after);
        path.push(plain.unwrap_or('%'));
        rest = plain.and_then(|_| after.get(2..)).unwrap_or(after);
    }
    path.push_str(rest);
    Some(path)
}

/// What two hexadecimal digits stand for, if it could as well stand there itself.
fn plain_octet(digits: &str) -> Option<char> {
    let [high, low, ..] = digits.as_bytes() else { return None };
    let octet = u8::try_from(form::hex(*high)? << 4 | form::hex(*low)?).ok()?;
    (octet.is_ascii_graphic() && !matches!(octet, b'"' | b'%' | b'/' | b'\\')).then_some(char::from(octet))
}

/// Does a path begin with the segments of a pattern, of which `*` is any? ASCII case makes no difference: these
/// servers' routes have none.
pub fn begins(path: &str, pattern: &str) -> bool {
    let mut segments = text::parts(path, b'/').into_iter();
    let fits =
        |part: &str| segments.next().is_some_and(|segment| part == "*" || part.eq_ignore_ascii_case(segment));
    text::parts(pattern, b'/').into_iter().all(fits)
}
