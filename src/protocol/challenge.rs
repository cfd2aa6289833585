//! What a protected resource asks for: `WWW-Authenticate` as the grammar that it is (RFC 9110 11.6.1), and the
//! attributes that RFC 6750 3, RFC 9449 7.1 and RFC 9470 3 give it.
//!
//! Read in one pass over a bounded text. A header that is not of the grammar says nothing at all; a guess at
//! its meaning would be another reader's chance. No attribute is ever a place to go to.

use super::text;

/// Octets that a header may have: beyond them nobody challenges a browser app.
pub const LONGEST: usize = 16 * 1024;
/// How many parameters a challenge may have: names are compared one by one.
pub const PARAMETERS: usize = 64;

/// One challenge. (A token68 is recognised, and not kept: no scheme of ours has one.)
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Challenge {
    /// In lower case (RFC 9110 11.1).
    pub scheme: String,
    /// Names in lower case, each once; values without their quotes.
    pub params: Vec<(String, String)>,
}

impl Challenge {
    /// A parameter, by its name in lower case.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.params.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The error code: `invalid_token`, `insufficient_scope`, `use_dpop_nonce`, … (RFC 6750 3.1).
    pub fn error(&self) -> Option<&str> {
        self.get("error")
    }

    /// The scopes that the resource needs (RFC 6750 3).
    pub fn scope(&self) -> Option<&str> {
        self.get("scope")
    }

    /// The authentication context classes of which the resource needs one (RFC 9470 3).
    pub fn acr_values(&self) -> Option<&str> {
        self.get("acr_values").filter(|classes| !classes.trim_ascii().is_empty())
    }

    /// The seconds that the user's authentication may be old (RFC 9470 3): as many as a request can ask for, and
    /// never fewer than none.
    pub fn max_age(&self) -> Option<i64> {
        let digits = self.get("max_age").filter(|text| text.bytes().all(|b| b.is_ascii_digit()))?;
        text::integer(digits).filter(|seconds| *seconds >> 31 == 0)
    }

    /// Does it ask for another authentication of the user (RFC 9470 3), and say which? Without a word on that
    /// the next sign-in would be as the last.
    pub fn is_step_up(&self) -> bool {
        self.error() == Some("insufficient_user_authentication")
            && (self.acr_values().is_some() || self.max_age().is_some())
    }
}

/// The challenge of a scheme. Of several, as servers with several token handlers send them, the first with an
/// error: the others say no more than that the scheme is known.
pub fn find(header: &str, scheme: &str) -> Option<Challenge> {
    let mut challenges = parse(header)?;
    challenges.retain(|challenge| challenge.scheme.eq_ignore_ascii_case(scheme));
    let position = challenges.iter().position(|challenge| challenge.error().is_some()).unwrap_or(0);
    challenges.into_iter().nth(position)
}

/// The challenges of a header, or of several that were joined by commas (RFC 9110 5.3). `None` where anything is
/// not of the grammar, where a parameter comes twice in one challenge (RFC 6750 3), and beyond [`LONGEST`] and
/// [`PARAMETERS`].
pub fn parse(header: &str) -> Option<Vec<Challenge>> {
    if header.len() > LONGEST {
        return None;
    }
    let mut parser = Parser { rest: header.as_bytes(), challenges: Vec::new(), open: false };
    loop {
        // Elements of the list may be empty (RFC 9110 5.6.1.2).
        parser.run(|octet| is_space(octet) || octet == b',');
        if parser.rest.is_empty() {
            return Some(parser.challenges);
        }
        parser.element()?;
        parser.run(is_space);
        if !parser.is_at_end() {
            return None;
        }
    }
}

struct Parser<'a> {
    rest: &'a [u8],
    challenges: Vec<Challenge>,
    /// May the last challenge have more parameters? Not behind a token68.
    open: bool,
}

impl<'a> Parser<'a> {
    /// Takes the longest run of such octets.
    fn run(&mut self, legal: fn(u8) -> bool) -> &'a [u8] {
        let length = self.rest.iter().position(|octet| !legal(*octet)).unwrap_or(self.rest.len());
        let (run, rest) = self.rest.split_at_checked(length).unwrap_or_default();
        self.rest = rest;
        run
    }

    /// Takes what is next if it is this octet.
    fn eat(&mut self, octet: u8) -> Option<()> {
        let (first, rest) = self.rest.split_first()?;
        (*first == octet).then(|| self.rest = rest)
    }

    /// Is this the end of an element of the list?
    fn is_at_end(&self) -> bool {
        matches!(self.rest.first(), None | Some(b','))
    }

    /// What is between two commas: a challenge with its first parameter, or one more parameter of the challenge
    /// before. Which of them shows behind the first token, where only a parameter goes on with `=`.
    fn element(&mut self) -> Option<()> {
        let start = self.rest;
        let scheme = self.token()?.to_ascii_lowercase();
        let spaces = self.run(is_space);
        if self.rest.first() == Some(&b'=') {
            self.rest = start;
            return self.parameter();
        }
        self.challenges.push(Challenge { scheme, params: Vec::new() });
        self.open = true;
        if self.is_at_end() {
            return Some(());
        }
        if spaces.is_empty() {
            return None;
        }
        if self.token68() {
            self.open = false;
            return Some(());
        }
        self.parameter()
    }

    /// `token BWS "=" BWS ( token / quoted-string )` (RFC 9110 11.2).
    fn parameter(&mut self) -> Option<()> {
        let name = self.token()?.to_ascii_lowercase();
        self.run(is_space);
        self.eat(b'=')?;
        self.run(is_space);
        let value = if self.eat(b'"').is_some() { self.quoted()? } else { self.token()? };
        let params = &mut self.challenges.last_mut().filter(|_| self.open)?.params;
        if params.len() >= PARAMETERS || params.iter().any(|(known, _)| *known == name) {
            return None;
        }
        params.push((name, value));
        Some(())
    }

    /// Takes a token68 if all of the element is one: `abc=` is, `a=b` and `a="b"` are not (RFC 9110 11.2). There
    /// is something, and it does not begin with `=`: that was looked at before.
    fn token68(&mut self) -> bool {
        let start = self.rest;
        self.run(|b| b.is_ascii_alphanumeric() || b"-._~+/".contains(&b));
        self.run(|octet| octet == b'=');
        self.run(is_space);
        let whole = self.is_at_end();
        if !whole {
            self.rest = start;
        }
        whole
    }

    fn token(&mut self) -> Option<String> {
        let token = self.run(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b));
        if token.is_empty() { None } else { String::from_utf8(token.to_vec()).ok() }
    }

    /// A quoted-string behind its first quote (RFC 9110 5.6.4).
    fn quoted(&mut self) -> Option<String> {
        let mut text = Vec::new();
        loop {
            let (mut octet, mut rest) = self.rest.split_first()?;
            let escaped = *octet == b'\\';
            if escaped {
                (octet, rest) = rest.split_first()?;
            }
            self.rest = rest;
            match octet {
                b'"' if !escaped => return String::from_utf8(text).ok(),
                b'\t' | 0x20..=0x7e | 0x80.. => text.push(*octet),
                _ => return None,
            }
        }
    }
}

/// White space (RFC 9110 5.6.3).
fn is_space(octet: u8) -> bool {
    matches!(octet, b' ' | b'\t')
}
