//! The data file, read strictly: a misspelt member would otherwise be a scenario that does nothing.

use serde_json::Value;
use std::fs;
use std::path::Path;

/// One change to the server's messages of a kind.
pub(crate) struct Change {
    /// The kind of message: a key of `messages`.
    pub(crate) at: String,
    /// Of a JWT, which part: `header`, `claims`, or `token`.
    pub(crate) part: String,
    /// The mutation; see `mutation.rs`.
    pub(crate) mutation: Value,
    /// Which of the messages of this kind are changed, counted from 1.
    pub(crate) from: u64,
    pub(crate) times: u64,
}

/// The honest server but for one mutation, and what must come of it.
pub(crate) struct Scenario {
    pub(crate) name: String,
    pub(crate) group: String,
    /// What it reproduces: conformance tests, advisories, rules.
    pub(crate) shows: Vec<String>,
    pub(crate) changes: Vec<Change>,
    /// Options of the client, over the usual ones.
    pub(crate) options: Value,
    /// The algorithm of the server's key.
    pub(crate) key: String,
    /// The server is honest for one whole sign-in before.
    pub(crate) again: bool,
    /// Where the flow ends: the step whose outcome is judged. Those before it go well, and where it does too, so do
    /// those behind it.
    pub(crate) step: String,
    /// The code of the error, or `ok`.
    pub(crate) code: String,
    /// A word that must stand in the error's reason: which of the checks it was. Never absent with a code of [`SEVERAL`].
    pub(crate) why: Option<String>,
    /// What is requested in this step, in order: beyond it nothing is.
    pub(crate) requests: Option<Vec<String>>,
    /// Is there a session afterwards?
    pub(crate) session: bool,
    /// Can the sign-in whose response was refused still be finished by the honest response?
    pub(crate) pending: bool,
    /// The scopes that were granted.
    pub(crate) granted: Option<Vec<String>>,
}

/// What the steps come to unless a scenario says otherwise.
struct Default_ {
    step: String,
    requests: Option<Vec<String>>,
    session: bool,
    pending: bool,
}

/// Codes that more than one check gives: there the reason says which it was.
const SEVERAL: &[&str] = &[
    "authorization_failed",
    "discovery_failed",
    "dpop_failed",
    "id_token_invalid",
    "invalid_callback",
    "invalid_token_response",
    "issuer_mismatch",
    "jwks_failed",
    "not_mine",
    "scope_missing",
    "server_error",
    "state_mismatch",
    "user_mismatch",
];

const MEMBERS: &[&str] = &[
    "name", "shows", "at", "do", "from", "times", "and", "options", "key", "again", "step", "code", "why",
    "requests", "session", "pending", "granted", "browser",
];

pub(crate) fn file(name: &str) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/hostile").join(name);
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{name}: {error}"));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// The texts of an array.
pub(crate) fn texts(value: &Value) -> Vec<String> {
    let list = value.as_array().map(Vec::as_slice).unwrap_or_default();
    list.iter().map(|text| text.as_str().expect("a text").to_owned()).collect()
}

/// Every scenario of the file.
pub(crate) fn all() -> Vec<Scenario> {
    let file = file("scenarios.json");
    let groups = file["scenarios"].as_object().expect("groups");
    let read = |(group, list): (&String, &Value)| {
        let list = list.as_array().expect("an array").clone();
        let (group, file) = (group.clone(), file.clone());
        list.into_iter().map(move |scenario| read(&scenario, &group, &file))
    };
    groups.iter().flat_map(read).collect()
}

fn read(given: &Value, group: &str, file: &Value) -> Scenario {
    let name = given["name"].as_str().expect("a name").to_owned();
    for member in given.as_object().expect("an object").keys() {
        assert!(MEMBERS.contains(&member.as_str()), "{name}: {member} is no member of a scenario");
    }
    let mut changes = vec![change(given, &name, file)];
    let more = given["and"].as_array().map(Vec::as_slice).unwrap_or_default();
    changes.extend(more.iter().map(|more| change(more, &name, file)));
    let usual = usual(&file["messages"][&changes[0].at]);
    let text = |member: &str| given[member].as_str().map(str::to_owned);
    let flag = |member: &str, usual: bool| given[member].as_bool().unwrap_or(usual);
    let code = text("code").unwrap_or_else(|| "ok".to_owned());
    let went_well = code == "ok";
    let why = text("why");
    assert!(why.is_some() || !SEVERAL.contains(&code.as_str()), "{name}: {code}, and why?");
    Scenario {
        group: group.to_owned(),
        shows: texts(&given["shows"]),
        options: options(&given["options"], file),
        key: text("key").unwrap_or_else(|| "ES256".to_owned()),
        again: flag("again", false),
        why,
        requests: given.get("requests").map(texts).or(usual.requests.filter(|_| !went_well)),
        session: flag("session", usual.session && !went_well),
        pending: flag("pending", usual.pending && !went_well),
        granted: given.get("granted").map(texts),
        step: text("step").unwrap_or(usual.step),
        name,
        changes,
        code,
    }
}

fn usual(message: &Value) -> Default_ {
    Default_ {
        step: message["step"].as_str().expect("a step").to_owned(),
        requests: message.get("requests").map(texts),
        session: message["session"].as_bool().unwrap_or(false),
        pending: message["pending"].as_bool().unwrap_or(false),
    }
}

fn change(given: &Value, name: &str, file: &Value) -> Change {
    let at = given["at"].as_str().unwrap_or_else(|| panic!("{name} says not where"));
    let (at, part) = at.split_once('/').unwrap_or((at, "body"));
    assert!(file["messages"].get(at).is_some(), "{name}: there is no message {at}");
    Change {
        at: at.to_owned(),
        part: part.to_owned(),
        mutation: given["do"].clone(),
        from: given["from"].as_u64().unwrap_or(1),
        times: given["times"].as_u64().unwrap_or(u64::MAX),
    }
}

/// Options by the name of a set, or as they are.
fn options(given: &Value, file: &Value) -> Value {
    match given {
        Value::String(name) => {
            file["options"].get(name).unwrap_or_else(|| panic!("no options {name}")).clone()
        }
        Value::Null => Value::Object(Default::default()),
        given => given.clone(),
    }
}
