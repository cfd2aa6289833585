//! One generic JSON value, its strict parser (RFC 8259) and its writer.
//!
//! Everything that comes in, from servers, storage and the page, is this one type: derived readers for each
//! message would cost more than all the rules together. Duplicate member names are refused (RFC 8259 4 leaves
//! it open; two readers that choose differently are an attack), and so is nesting deeper than [`DEPTH`].

use super::text;

/// How deep arrays and objects may nest.
pub const DEPTH: usize = 64;
/// How many members an object may have: names are compared one by one.
pub const MEMBERS: usize = 1000;

/// A JSON value. Numbers that are no integer of 64 bits keep their text: nothing here calculates with them.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Value {
    Null,
    Bool(bool),
    Integer(i64),
    Decimal(String),
    String(String),
    Array(Vec<Value>),
    Object(Vec<(String, Value)>),
}

impl Value {
    /// The member of an object.
    pub fn get(&self, name: &str) -> Option<&Value> {
        match self {
            Value::Object(members) => members.iter().find(|(key, _)| key == name).map(|(_, value)| value),
            _ => None,
        }
    }

    /// The member of an object, `null` being as absent.
    pub fn given(&self, name: &str) -> Option<&Value> {
        self.get(name).filter(|value| !matches!(value, Value::Null))
    }

    /// Takes the member of an object out.
    pub fn take(&mut self, name: &str) -> Option<Value> {
        match self {
            Value::Object(members) => members
                .iter_mut()
                .find(|(key, _)| key == name)
                .map(|(_, value)| std::mem::replace(value, Value::Null)),
            _ => None,
        }
    }

    /// The text that a member is.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.get(name)?.as_str()
    }

    /// The integer that a member is.
    pub fn integer(&self, name: &str) -> Option<i64> {
        self.get(name)?.as_integer()
    }

    /// Is a member `true`?
    pub fn is_true(&self, name: &str) -> bool {
        matches!(self.get(name), Some(Value::Bool(true)))
    }

    /// The texts of an array of nothing else.
    pub fn texts(&self) -> Option<Vec<String>> {
        self.as_array()?.iter().map(|text| text.as_str().map(str::to_owned)).collect()
    }

    /// The text of a string.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Value::String(text) => Some(text),
            _ => None,
        }
    }

    /// An integer, or a decimal number rounded down (NumericDate may have a fraction, RFC 7519 2).
    pub fn as_integer(&self) -> Option<i64> {
        match self {
            Value::Integer(integer) => Some(*integer),
            Value::Decimal(text) => floor(text),
            _ => None,
        }
    }

    /// The elements of an array.
    pub fn as_array(&self) -> Option<&[Value]> {
        match self {
            Value::Array(elements) => Some(elements),
            _ => None,
        }
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Value::String(text.to_owned())
    }
}

impl From<&[String]> for Value {
    fn from(texts: &[String]) -> Self {
        Value::Array(texts.iter().map(|text| Value::from(text.as_str())).collect())
    }
}

/// Builds an object, member by member. (One call a member is smaller than a literal of all.)
#[derive(Debug, Default)]
pub struct Object(Vec<(String, Value)>);

impl Object {
    /// An object without members.
    pub fn new() -> Self {
        Object::default()
    }

    /// The object of these members.
    pub fn from(members: Vec<(String, Value)>) -> Self {
        Object(members)
    }

    /// With any value.
    #[inline(never)]
    pub fn value(mut self, name: &str, value: Value) -> Self {
        self.0.push((name.to_owned(), value));
        self
    }

    /// With a text.
    #[inline(never)]
    pub fn text(self, name: &str, text: &str) -> Self {
        self.value(name, Value::from(text))
    }

    /// With a text, if there is one.
    #[inline(never)]
    pub fn maybe_text(self, name: &str, text: Option<&str>) -> Self {
        match text {
            Some(text) => self.text(name, text),
            None => self,
        }
    }

    /// With an integer, if there is one.
    #[inline(never)]
    pub fn maybe_integer(self, name: &str, integer: Option<i64>) -> Self {
        match integer {
            Some(integer) => self.value(name, Value::Integer(integer)),
            None => self,
        }
    }

    /// With an array of texts.
    #[inline(never)]
    pub fn texts(self, name: &str, texts: &[String]) -> Self {
        self.value(name, Value::from(texts))
    }

    /// The value.
    pub fn finish(self) -> Value {
        Value::Object(self.0)
    }
}

/// The integer below a plain decimal number, if it has no exponent and fits.
fn floor(text: &str) -> Option<i64> {
    let (whole, fraction) = text::cut(text, b'.')?;
    if !fraction.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let integer = text::integer(whole)?;
    let exact = fraction.bytes().all(|b| b == b'0');
    Some(if whole.starts_with('-') && !exact { integer.checked_sub(1)? } else { integer })
}

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

/// The text of a value, without white space.
pub fn write(value: &Value) -> String {
    let mut text = Vec::new();
    write_value(value, &mut text);
    String::from_utf8(text).unwrap_or_default()
}

fn write_value(value: &Value, text: &mut Vec<u8>) {
    match value {
        Value::Null => text.extend_from_slice(b"null"),
        Value::Bool(true) => text.extend_from_slice(b"true"),
        Value::Bool(false) => text.extend_from_slice(b"false"),
        Value::Integer(integer) => text.extend_from_slice(decimal(*integer).as_bytes()),
        Value::Decimal(decimal) => text.extend_from_slice(decimal.as_bytes()),
        Value::String(string) => write_string(string, text),
        Value::Array(elements) => {
            let mut before = b'[';
            for element in elements {
                text.push(before);
                write_value(element, text);
                before = b',';
            }
            close(before, b'[', b']', text);
        }
        Value::Object(members) => {
            let mut before = b'{';
            for (name, value) in members {
                text.push(before);
                write_string(name, text);
                text.push(b':');
                write_value(value, text);
                before = b',';
            }
            close(before, b'{', b'}', text);
        }
    }
}

/// Closes a list, of which an empty one has not been opened yet.
fn close(before: u8, open: u8, end: u8, text: &mut Vec<u8>) {
    if before == open {
        text.push(open);
    }
    text.push(end);
}

fn write_string(string: &str, text: &mut Vec<u8>) {
    text.push(b'"');
    for octet in string.bytes() {
        match octet {
            b'"' | b'\\' => text.extend_from_slice(&[b'\\', octet]),
            0x00..=0x1f => {
                let digit = |half: u8| half + if half < 10 { b'0' } else { b'a' - 10 };
                text.extend_from_slice(b"\\u00");
                text.extend_from_slice(&[digit(octet >> 4), digit(octet & 15)]);
            }
            _ => text.push(octet),
        }
    }
    text.push(b'"');
}

/// The decimal digits of an integer. (The standard library's formatting would cost ten times the size.)
pub fn decimal(integer: i64) -> String {
    let mut digits = Vec::new();
    let mut rest = integer.unsigned_abs();
    loop {
        digits.push(b'0' + (rest % 10) as u8);
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    if integer < 0 {
        digits.push(b'-');
    }
    digits.reverse();
    String::from_utf8(digits).unwrap_or_default()
}
