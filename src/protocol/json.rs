//! One generic JSON value, its strict parser (RFC 8259) and its writer.
//!
//! Everything that comes in, from servers, storage and the page, is this one type: derived readers for each
//! message would cost more than all the rules together. Duplicate member names are refused (RFC 8259 4 leaves
//! it open; two readers that choose differently are an attack), and so is nesting deeper than [`DEPTH`].

use super::text;

mod parse;
mod write;

pub use parse::{parse, parse_nested};
pub use write::{decimal, write};

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

    /// With a value, unless it is null.
    #[inline(never)]
    pub fn maybe_value(self, name: &str, value: &Value) -> Self {
        match value {
            Value::Null => self,
            value => self.value(name, value.clone()),
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
