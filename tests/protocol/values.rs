//! JSON values built and read, and lists of scopes.

use crate::ours;
use serde_json::json;
use wardkey::protocol::json::{self, MEMBERS, Object, Value};
use wardkey::protocol::scope;
use wardkey::protocol::secret::Secret;

#[test]
fn an_object_is_built_member_by_member() {
    let texts = ["a".to_owned(), "b".to_owned()];
    let built = Object::new()
        .text("text", "x")
        .maybe_text("maybe", Some("y"))
        .maybe_text("no", None)
        .maybe_integer("integer", Some(-1))
        .maybe_integer("no", None)
        .texts("texts", &texts)
        .value("value", Value::Bool(true))
        .maybe_value("given", &Value::Integer(0))
        .maybe_value("no", &Value::Null);
    let expected = r#"{"text":"x","maybe":"y","integer":-1,"texts":["a","b"],"value":true,"given":0}"#;
    assert_eq!(json::write(&built.finish()), expected);
    let members = vec![("a".to_owned(), Value::Null)];
    assert_eq!(json::write(&Object::from(members).text("b", "c").finish()), r#"{"a":null,"b":"c"}"#);
}

#[test]
fn members_are_read_by_their_type() {
    let mut value = ours(
        &json!({ "text": "x", "null": null, "yes": true, "no": false, "list": ["a", "b"], "mixed": ["a", 1] }),
    );
    assert_eq!((value.text("text"), value.text("yes"), value.text("none")), (Some("x"), None, None));
    assert_eq!(
        (value.get("null"), value.given("null"), value.given("none")),
        (Some(&Value::Null), None, None)
    );
    assert_eq!(value.given("no"), Some(&Value::Bool(false)));
    assert!(value.is_true("yes") && !value.is_true("no") && !value.is_true("text") && !value.is_true("none"));
    assert_eq!(value.get("list").and_then(Value::texts), Some(vec!["a".to_owned(), "b".to_owned()]));
    assert_eq!(value.get("mixed").and_then(Value::texts), None);
    assert_eq!(value.get("mixed").and_then(Value::as_array).map(<[Value]>::len), Some(2));
    assert_eq!(value.take("text"), Some(Value::from("x")));
    assert_eq!((value.take("text"), value.take("none")), (Some(Value::Null), None), "it was taken out");
    assert_eq!(Value::Null.take("text"), None);
}

#[test]
fn numbers_are_read_as_whole_ones_below() {
    let number = |text: &str| json::parse(text.as_bytes()).expect("JSON").as_integer();
    for (text, integer) in [
        ("0", Some(0)),
        ("-7", Some(-7)),
        ("1.0", Some(1)),
        ("1.999", Some(1)),
        ("-1.0", Some(-1)),
        ("-1.5", Some(-2)),
        ("-0.5", Some(-1)),
        ("-0.0", Some(0)),
        ("9223372036854775807.5", Some(i64::MAX)),
        ("-9223372036854775808.0", Some(i64::MIN)),
        ("-9223372036854775808.5", None),
        ("9223372036854775808", None),
        ("1e3", None),
        ("1.5e3", None),
        ("\"1\"", None),
    ] {
        assert_eq!(number(text), integer, "{text}");
    }
}

#[test]
fn an_object_has_a_bounded_number_of_members() {
    let object = |count: usize| {
        let members: Vec<String> = (0..count).map(|number| format!("\"{number}\":0")).collect();
        ["{", &members.join(","), "}"].concat()
    };
    assert!(json::parse(object(MEMBERS).as_bytes()).is_some());
    assert!(json::parse(object(MEMBERS + 1).as_bytes()).is_none());
}

#[test]
fn a_list_has_each_scope_once() {
    let list = |text: &str| scope::parse(text).map(|scopes| scope::write(&scopes));
    for (text, expected) in [
        ("", Some("")),
        ("  ", Some("")),
        ("a", Some("a")),
        (" b  a b ", Some("b a")),
        ("!#[]~ https://x/y?z", Some("!#[]~ https://x/y?z")),
        ("a\"", None),
        ("a\\", None),
        ("a\u{7f}", None),
        ("a\u{1f}", None),
        ("ä", None),
    ] {
        assert_eq!(list(text).as_deref(), expected, "{text:?}");
    }
    let texts = |text: &str| scope::parse(text).expect("scopes");
    assert_eq!(scope::PLAIN.missing(&texts("a b c"), &texts("c a d")), ["b"]);
    assert_eq!(scope::read(&ours(&json!(["a b", "c", "a"]))), Some(texts("a b c")));
    assert_eq!(scope::read(&ours(&json!(["a", 1]))), None);
    assert_eq!(scope::read(&Value::Null), None);
}

#[test]
fn a_list_of_scopes_is_bounded() {
    let list = |count: usize| (0..count).map(|number| number.to_string()).collect::<Vec<_>>().join(" ");
    assert_eq!(scope::parse(&list(500)).map(|scopes| scopes.len()), Some(500));
    assert_eq!(scope::parse(&list(501)), None);
}

#[test]
fn a_secret_is_told_to_who_asks_and_not_printed() {
    let secret = Secret::new("2YotnFZFEjr1zCsicMWpAA".to_owned());
    assert_eq!(secret.expose(), "2YotnFZFEjr1zCsicMWpAA");
    assert_eq!(format!("{secret:?}"), "Secret");
}
