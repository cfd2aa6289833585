//! Reads an options object that the page gave: names and types are checked once, here.

use super::error::{AuthError, Code, Phase};
use super::json::Value;
use super::scope;

/// The names of one options interface. `pkg/src/types.ts` holds the same interface for people; a test
/// compares the two.
#[allow(missing_docs)]
pub struct Names {
    pub interface: &'static str,
    pub required: &'static [&'static str],
    pub optional: &'static [&'static str],
}

/// The members of one options object, all of which have a known name.
pub struct Options<'a> {
    value: &'a Value,
    names: &'static Names,
}

/// What is wrong with an option.
#[inline(never)]
pub(crate) fn invalid(option: &str, problem: &'static str) -> AuthError {
    AuthError::new(Code::InvalidConfiguration, Phase::Configuration, problem).with_option(option)
}

impl<'a> Options<'a> {
    /// Refuses what is no object, and every name that the interface does not have: a misspelt option would
    /// otherwise be one that is silently ignored.
    pub fn read(value: &'a Value, names: &'static Names) -> Result<Self, AuthError> {
        let Value::Object(members) = value else {
            return Err(invalid(names.interface, "is not an object"));
        };
        for (name, _) in members {
            let name = name.as_str();
            if !names.required.contains(&name) && !names.optional.contains(&name) {
                let secret = name.as_bytes().windows(6).any(|part| part.eq_ignore_ascii_case(b"secret"));
                let problem = if secret { "a browser app cannot keep a secret" } else { "is not an option" };
                return Err(invalid(name, problem));
            }
        }
        let options = Options { value, names };
        match names.required.iter().find(|name| options.get(name).is_none()) {
            Some(name) => Err(invalid(name, "is missing")),
            None => Ok(options),
        }
    }

    /// The value of an option; `null` is as absent.
    pub fn get(&self, name: &str) -> Option<&'a Value> {
        debug_assert!(
            self.names.required.contains(&name) || self.names.optional.contains(&name),
            "{name} is not in the table of {}",
            self.names.interface
        );
        self.value.get(name).filter(|value| !matches!(value, Value::Null))
    }

    /// A text that is not empty.
    pub fn text(&self, name: &str) -> Result<Option<&'a str>, AuthError> {
        match self.get(name) {
            None => Ok(None),
            Some(Value::String(text)) if !text.is_empty() => Ok(Some(text)),
            Some(_) => Err(invalid(name, "is not a text, or empty")),
        }
    }

    /// One of a few words.
    pub fn word(&self, name: &str, words: &[&str]) -> Result<Option<&'a str>, AuthError> {
        match self.text(name)? {
            Some(word) if !words.contains(&word) => Err(invalid(name, "is not one of the words it takes")),
            word => Ok(word),
        }
    }

    /// A whole number that is not negative and below 2^31.
    pub fn number(&self, name: &str) -> Result<Option<i64>, AuthError> {
        match self.get(name) {
            None => Ok(None),
            Some(Value::Integer(number)) if (0..1 << 31).contains(number) => Ok(Some(*number)),
            Some(_) => Err(invalid(name, "is not a whole number from 0 to 2147483647")),
        }
    }

    /// Yes or no; no when absent.
    pub fn flag(&self, name: &str) -> Result<bool, AuthError> {
        match self.get(name) {
            None => Ok(false),
            Some(Value::Bool(flag)) => Ok(*flag),
            Some(_) => Err(invalid(name, "is not true or false")),
        }
    }

    /// One value or an array of them.
    pub fn list(&self, name: &str) -> &'a [Value] {
        match self.get(name) {
            None => &[],
            Some(Value::Array(values)) => values,
            Some(value) => std::slice::from_ref(value),
        }
    }

    /// A space-delimited list of scopes, or an array of such.
    pub fn scope(&self, name: &str) -> Result<Option<Vec<String>>, AuthError> {
        if self.get(name).is_none() {
            return Ok(None);
        }
        let texts: Option<Vec<&str>> = self.list(name).iter().map(Value::as_str).collect();
        let scopes = texts.and_then(|texts| scope::parse(&texts.join(" ")));
        scopes.map(Some).ok_or_else(|| invalid(name, "is not a list of scopes (RFC 6749 3.3)"))
    }
}
