//! The kinds of members, each with what it takes and what it does not.

use crate::ours;
use serde_json::{Value, json};
use wardkey::protocol::shape::{self, Kind, Member, optional, required};

#[track_caller]
fn assert_kind(kind: Kind, fit: &[Value], unfit: &[Value]) {
    let members: &'static [Member] = Box::leak(Box::new([optional("it", kind)]));
    for (values, expected) in [(fit, true), (unfit, false)] {
        for value in values {
            let object = ours(&json!({ "it": value }));
            assert_eq!(shape::check(&object, members).is_ok(), expected, "{kind:?}: {value}");
            assert_eq!(shape::check_options(&object, members).is_ok(), expected, "{kind:?}: {value}");
        }
    }
}

#[test]
fn plain_kinds() {
    assert_kind(Kind::Text, &[json!("a"), json!(" ")], &[json!(""), json!(1), json!(["a"]), json!(true)]);
    assert_kind(
        Kind::Word(&["on", "off"]),
        &[json!("on"), json!("off")],
        &[json!("ON"), json!(""), json!(true)],
    );
    assert_kind(Kind::Flag, &[json!(true), json!(false)], &[json!(0), json!("true")]);
    let fit = [json!(0), json!(i32::MAX)];
    assert_kind(Kind::Number, &fit, &[json!(-1), json!(i64::from(i32::MAX) + 1), json!(1.5), json!("1")]);
    assert_kind(Kind::Object, &[json!({}), json!({ "a": 1 })], &[json!([]), json!("{}")]);
    assert_kind(Kind::Texts, &[json!([]), json!(["a", ""])], &[json!("a"), json!(["a", 1]), json!({})]);
    assert_kind(Kind::Any, &[json!(1), json!({}), json!("")], &[]);
}

#[test]
fn kinds_of_the_standards() {
    let scopes = [json!(""), json!("a b"), json!(["a", "b c"]), json!([])];
    assert_kind(
        Kind::Scope,
        &scopes,
        &[json!("a\"b"), json!("a\\b"), json!("é"), json!("a\tb"), json!([1]), json!(1)],
    );
    let urls =
        [json!("https://a.example"), json!("HTTPS://A.example:443/p?q"), json!("http://localhost:3000/")];
    assert_kind(
        Kind::Url,
        &urls,
        &[json!("http://a.example"), json!("https://a.example/#f"), json!("/p"), json!(1)],
    );
    let redirects = [json!("https://a.example/cb"), json!("https://a.example/cb?tab=1")];
    let unfit = [
        "https://A.example/cb",
        "https://a.example:443/cb",
        "https://a.example/cb?state=1",
        "https://a.example/#",
    ];
    assert_kind(Kind::Redirect, &redirects, &unfit.map(Value::from));
    assert_kind(
        Kind::Path,
        &[json!("/"), json!("/a?b#c")],
        &[json!("a"), json!("//a"), json!("/../a"), json!("/ a"), json!("")],
    );
}

/// RFC 8707 2: an absolute URI without fragment, or several.
#[test]
fn resources() {
    let fit = [
        json!("https://api.example/v1"),
        json!("urn:example:notes"),
        json!("a+b.c-1:x"),
        json!(["https://a.example", "urn:b"]),
    ];
    let unfit = [
        "", ":", "a:", "notes", "/notes", "1urn:x", "u rn:x", "ur_n:x", "urn:x#f", "urn: x", "urn:é", "éa:x",
    ];
    assert_kind(Kind::Resource, &fit, &unfit.map(Value::from));
    assert_kind(
        Kind::Resource,
        &fit,
        &[json!([]), json!(["urn:a", ""]), json!(["urn:a", 1]), json!({}), json!(1)],
    );
}

/// RFC 9396 2: an array of objects, each with a type.
#[test]
fn authorization_details() {
    let fit = [json!([]), json!([{ "type": "payment" }, { "type": "x", "amount": 1 }])];
    assert_kind(
        Kind::Details,
        &fit[1..],
        &[json!({ "type": "x" }), json!([{}]), json!([{ "type": 1 }]), json!(["x"]), json!("[]")],
    );
}

#[test]
fn members_are_there_and_known() {
    const MEMBERS: &[Member] = &[required("a", Kind::Flag), optional("b", Kind::Flag)];
    let check = |value: Value| {
        shape::check(&ours(&value), MEMBERS).map_err(|(name, problem)| [name, problem].join(" "))
    };
    assert_eq!(check(json!({ "a": true })), Ok(()));
    assert_eq!(
        check(json!({ "a": true, "b": null, "c": 1 })),
        Ok(()),
        "null is as absent, others are ignored"
    );
    assert_eq!(check(json!({})), Err("a is missing".to_owned()));
    assert_eq!(check(json!({ "a": null })), Err("a is missing".to_owned()));
    assert_eq!(check(json!({ "a": true, "b": 1 })), Err("b is not true or false".to_owned()));
    assert_eq!(check(json!([])), Err("the argument is not an object".to_owned()));
    let options =
        |value: Value| shape::check_options(&ours(&value), MEMBERS).map_err(|error| error.to_string());
    assert_eq!(options(json!({ "a": true })), Ok(()));
    for name in ["c", "secre", "ke"] {
        let error = options(json!({ "a": true, name: 1 })).expect_err(name);
        assert_eq!(error, format!("invalid_configuration: {name} is not an option"));
    }
    for name in ["client_SECRET", "servicePrincipalKey", "password", "client_assertion_type"] {
        let error = options(json!({ "a": true, name: 1 })).expect_err(name);
        let refusal = format!("credential_refused: {name} is refused: a browser keeps no secret; ");
        assert!(error.starts_with(&refusal), "{error}");
    }
}
