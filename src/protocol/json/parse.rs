//! The strict parser (RFC 8259).

use super::super::text;
use super::{DEPTH, MEMBERS, Value};

/// The value that a text is. `None` for everything that RFC 8259 does not allow, duplicate names, lone
/// surrogates, nesting beyond [`DEPTH`], and objects of more than [`MEMBERS`].
pub fn parse(text: &[u8]) -> Option<Value> {
    parse_nested(text, DEPTH)
}

/// The same with another limit: what holds a value is deeper than the value.
pub fn parse_nested(text: &[u8], depth: usize) -> Option<Value> {
    std::str::from_utf8(text).ok()?;
    let mut parser = Parser { rest: text };
    parser.space();
    let value = parser.value(depth)?;
    parser.space();
    parser.rest.is_empty().then_some(value)
}

struct Parser<'a> {
    rest: &'a [u8],
}

impl Parser<'_> {
    fn peek(&self) -> Option<u8> {
        self.rest.first().copied()
    }

    fn next(&mut self) -> Option<u8> {
        let (first, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(*first)
    }

    /// Consumes what is next if it is this octet.
    fn eat(&mut self, octet: u8) -> bool {
        let found = self.peek() == Some(octet);
        if found {
            self.next();
        }
        found
    }

    fn space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.next();
        }
    }

    fn value(&mut self, depth: usize) -> Option<Value> {
        match self.peek()? {
            b'{' => self.object(depth.checked_sub(1)?),
            b'[' => self.array(depth.checked_sub(1)?),
            b'"' => self.string().map(Value::String),
            b'n' => self.word(b"null", Value::Null),
            b't' => self.word(b"true", Value::Bool(true)),
            b'f' => self.word(b"false", Value::Bool(false)),
            _ => self.number(),
        }
    }

    fn word(&mut self, word: &[u8], value: Value) -> Option<Value> {
        self.rest = self.rest.strip_prefix(word)?;
        Some(value)
    }

    fn array(&mut self, depth: usize) -> Option<Value> {
        self.next();
        let mut elements = Vec::new();
        self.space();
        if self.eat(b']') {
            return Some(Value::Array(elements));
        }
        loop {
            self.space();
            elements.push(self.value(depth)?);
            self.space();
            match self.next()? {
                b',' => {}
                b']' => return Some(Value::Array(elements)),
                _ => return None,
            }
        }
    }

    fn object(&mut self, depth: usize) -> Option<Value> {
        self.next();
        let mut members: Vec<(String, Value)> = Vec::new();
        self.space();
        if self.eat(b'}') {
            return Some(Value::Object(members));
        }
        loop {
            self.space();
            let name = self.string()?;
            if members.len() >= MEMBERS || members.iter().any(|(known, _)| *known == name) {
                return None;
            }
            self.space();
            if !self.eat(b':') {
                return None;
            }
            self.space();
            let value = self.value(depth)?;
            members.push((name, value));
            self.space();
            match self.next()? {
                b',' => {}
                b'}' => return Some(Value::Object(members)),
                _ => return None,
            }
        }
    }

    fn string(&mut self) -> Option<String> {
        if !self.eat(b'"') {
            return None;
        }
        // The buffer never grows: a token would leave a copy of itself behind.
        let mut text = Vec::with_capacity(self.rest.iter().position(|b| *b == b'"')?);
        loop {
            match self.next()? {
                b'"' => return String::from_utf8(text).ok(),
                b'\\' => self.escape(&mut text)?,
                0x00..=0x1f => return None,
                octet => text.push(octet),
            }
        }
    }

    fn escape(&mut self, text: &mut Vec<u8>) -> Option<()> {
        let octet = match self.next()? {
            quoted @ (b'"' | b'\\' | b'/') => quoted,
            b'b' => 0x08,
            b'f' => 0x0c,
            b'n' => b'\n',
            b'r' => b'\r',
            b't' => b'\t',
            b'u' => {
                let code_point = self.code_point()?;
                text.extend_from_slice(code_point.encode_utf8(&mut [0; 4]).as_bytes());
                return Some(());
            }
            _ => return None,
        };
        text.push(octet);
        Some(())
    }

    /// What stands behind `\u`, a surrogate pair counting as one.
    fn code_point(&mut self) -> Option<char> {
        let unit = self.hex4()?;
        if !(0xd800..0xdc00).contains(&unit) {
            return char::from_u32(unit);
        }
        self.rest = self.rest.strip_prefix(b"\\u")?;
        let low = self.hex4()?;
        if !(0xdc00..0xe000).contains(&low) {
            return None;
        }
        char::from_u32(0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00))
    }

    fn hex4(&mut self) -> Option<u32> {
        let mut unit = 0;
        for _ in 0..4 {
            unit = unit * 16 + char::from(self.next()?).to_digit(16)?;
        }
        Some(unit)
    }

    fn number(&mut self) -> Option<Value> {
        let start = self.rest;
        self.eat(b'-');
        if !self.eat(b'0') {
            self.digits()?;
        }
        if self.eat(b'.') {
            self.digits()?;
        }
        if self.eat(b'e') || self.eat(b'E') {
            let _ = self.eat(b'+') || self.eat(b'-');
            self.digits()?;
        }
        let text = std::str::from_utf8(start.get(..start.len() - self.rest.len())?).ok()?;
        Some(text::integer(text).map_or_else(|| Value::Decimal(text.to_owned()), Value::Integer))
    }

    /// One digit or more.
    fn digits(&mut self) -> Option<()> {
        let mut any = None;
        while self.peek().is_some_and(|b| b.is_ascii_digit()) {
            self.next();
            any = Some(());
        }
        any
    }
}
