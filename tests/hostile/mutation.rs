//! The mutation language: one change to a JSON document, to its text, or to the HTTP answer around it.
//!
//! | operation | what it does |
//! |---|---|
//! | `set: pointer, to: value` | sets a member or an element |
//! | `remove: pointer` | removes a member |
//! | `append: pointer, text` | appends to a text |
//! | `head: pointer, length`, `upper: pointer` | leaves the first characters of a text; makes it upper case |
//! | `rename: name, to: name` | another name for a member of the document |
//! | `exchange: name, for: { name: value }` | other members in the place of one |
//! | `add: pointer, item: value, times` | appends to an array |
//! | `twice: name, to: value` | the member once more, before all others |
//! | `pad: length`, `nest: depth` | a member that is long, or deep |
//! | `before: text`, `after: text`, `cut: octets`, `body: text` | changes the text of the document |
//! | `status: number`, `header: name, to: text` | changes the answer |
//! | `reply: { status, headers, body }` | another answer; what it does not say stays |
//! | `redirect: status, to: url`, `drop: true`, `delay: milliseconds` | a redirect; no answer; a late one |
//!
//! Values hold names that stand for what is known only then: `$issuer`, `$honest` (another issuer), `$attacker`,
//! `$client`, `$key`, `$other` (JWKs: the server's, and one that it does not have), and `{"$now": seconds}`.

use crate::common::Answer;
use serde_json::{Value, json};
use wardkey::protocol::http::Failure;

/// What the names in values stand for.
pub(crate) struct Names {
    pub(crate) texts: Vec<(&'static str, String)>,
    pub(crate) keys: Vec<(&'static str, Value)>,
    /// Seconds since the epoch.
    pub(crate) now: i64,
}

impl Names {
    /// The value with its names replaced.
    pub(crate) fn fill(&self, value: &Value) -> Value {
        match value {
            Value::String(text) => match self.keys.iter().find(|(name, _)| name == text) {
                Some((_, key)) => key.clone(),
                None => self.text(text).into(),
            },
            Value::Array(items) => items.iter().map(|item| self.fill(item)).collect(),
            Value::Object(members) => match members.get("$now").and_then(Value::as_i64) {
                Some(seconds) => (self.now + seconds).into(),
                None => members.iter().map(|(name, value)| (name.clone(), self.fill(value))).collect(),
            },
            other => other.clone(),
        }
    }

    pub(crate) fn text(&self, text: &str) -> String {
        self.texts.iter().fold(text.to_owned(), |text, (name, value)| text.replace(name, value))
    }
}

fn named<'a>(operation: &'a Value, name: &str) -> Option<&'a str> {
    operation.get(name)?.as_str()
}

fn parent<'a>(document: &'a mut Value, pointer: &'a str) -> (&'a mut Value, &'a str) {
    let (parent, name) = pointer.rsplit_once('/').expect("a pointer");
    (document.pointer_mut(parent).unwrap_or_else(|| panic!("{pointer} leads nowhere")), name)
}

/// Changes a JSON document. Operations on its text are the last step, as they may end its being JSON.
pub(crate) fn document(text: &str, operation: &Value, names: &Names) -> String {
    let operation = &names.fill(operation);
    let parsed = serde_json::from_str::<Value>(text);
    if let Ok(mut value) = parsed
        && change(&mut value, operation)
    {
        return value.to_string();
    }
    changed_text(text, operation)
}

/// An operation on the value; false if it is none.
fn change(document: &mut Value, operation: &Value) -> bool {
    let to = operation.get("to").cloned().unwrap_or(Value::Null);
    if let Some(pointer) = named(operation, "set") {
        let (place, name) = parent(document, pointer);
        match place {
            Value::Array(items) => items[name.parse::<usize>().expect("a number")] = to,
            place => place[name] = to,
        }
    } else if let Some(pointer) = named(operation, "remove") {
        let (place, name) = parent(document, pointer);
        assert!(place.as_object_mut().expect("an object").remove(name).is_some(), "{pointer} was not there");
    } else if let Some(pointer) = named(operation, "append") {
        edit(document, pointer, |text| format!("{text}{}", named(operation, "text").expect("text")));
    } else if let Some(pointer) = named(operation, "head") {
        let length = operation["length"].as_u64().expect("a length") as usize;
        edit(document, pointer, |text| text.chars().take(length).collect());
    } else if let Some(pointer) = named(operation, "upper") {
        edit(document, pointer, str::to_uppercase);
    } else if let Some(name) = named(operation, "rename") {
        let members = document.as_object_mut().expect("an object");
        let value = members.remove(name).expect("the member");
        members.insert(to.as_str().expect("a name").to_owned(), value);
    } else if let Some(name) = named(operation, "exchange") {
        let members = document.as_object_mut().expect("an object");
        assert!(members.remove(name).is_some(), "{name} was not there");
        members.extend(operation["for"].as_object().expect("members").clone());
    } else if let Some(pointer) = named(operation, "add") {
        let items = document.pointer_mut(pointer).and_then(Value::as_array_mut).expect("an array");
        let times = operation["times"].as_u64().unwrap_or(1);
        items.extend((0..times).map(|_| operation["item"].clone()));
    } else if let Some(length) = operation["pad"].as_u64() {
        document["padding"] = "A".repeat(length as usize).into();
    } else {
        return false;
    }
    true
}

fn edit(document: &mut Value, pointer: &str, edit: impl Fn(&str) -> String) {
    let place = document.pointer_mut(pointer).unwrap_or_else(|| panic!("{pointer} leads nowhere"));
    let text = place.as_str().unwrap_or_else(|| panic!("{pointer} is no text"));
    *place = edit(text).into();
}

fn changed_text(text: &str, operation: &Value) -> String {
    if let Some(name) = named(operation, "twice") {
        return text.replacen('{', &format!("{{{}:{},", json!(name), operation["to"]), 1);
    }
    if let Some(depth) = operation["nest"].as_u64() {
        let depth = depth as usize;
        return text.replacen('{', &format!("{{\"deep\":{}{},", "[".repeat(depth), "]".repeat(depth)), 1);
    }
    if let Some(before) = named(operation, "before") {
        return format!("{before}{text}");
    }
    if let Some(after) = named(operation, "after") {
        return format!("{text}{after}");
    }
    if let Some(octets) = operation["cut"].as_u64() {
        return text[..text.len() - octets as usize].to_owned();
    }
    if let Some(body) = named(operation, "body") {
        return body.to_owned();
    }
    assert!(operation.as_object().is_some_and(serde_json::Map::is_empty), "no such operation: {operation}");
    text.to_owned()
}

/// Changes an HTTP answer.
pub(crate) fn answer(answer: Answer, operation: &Value, names: &Names) -> Answer {
    let Answer::Reply { mut status, mut headers, mut body } = answer else { return answer };
    if let Some(url) = operation["redirect"].as_u64() {
        let to = names.text(named(operation, "to").expect("a URL"));
        return Answer::html(url as u16).with("location", &to);
    }
    if operation["drop"] == true {
        return Answer::Fail(Failure::Network);
    }
    if let Some(milliseconds) = operation["delay"].as_i64() {
        return Answer::Reply { status, headers, body }.late(milliseconds);
    }
    let mut set_header = |name: &str, value: Option<&str>| {
        headers.retain(|(known, _)| known != name);
        headers.extend(value.map(|value| (name.to_owned(), names.text(value))));
    };
    if let Some(number) = operation["status"].as_u64() {
        status = number as u16;
    } else if let Some(name) = named(operation, "header") {
        set_header(name, named(operation, "to"));
    } else if let Some(reply) = operation.get("reply") {
        status = reply["status"].as_u64().map_or(status, |number| number as u16);
        for (name, value) in reply["headers"].as_object().into_iter().flatten() {
            set_header(name, value.as_str());
        }
        body = match &reply["body"] {
            Value::Null => body,
            Value::String(text) => names.text(text).into(),
            value => names.fill(value).to_string().into(),
        };
    } else {
        let text = String::from_utf8(body).expect("text");
        body = document(&text, operation, names).into();
    }
    Answer::Reply { status, headers, body }
}
