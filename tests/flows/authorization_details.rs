//! Rich authorization requests (RFC 9396): details are asked for, and what was granted of them is told.

use crate::common::page::value;
use crate::common::urls::parameter;
use crate::common::{World, assert_error};
use crate::refresh::{lasting, pass};
use serde_json::{Value, json};

fn payment(amount: &str) -> Value {
    json!([{ "type": "payment_initiation", "amount": amount, "actions": ["initiate"], "locations": ["https://bank.example/"] }])
}

#[test]
fn what_is_asked_for_is_in_the_request() {
    let world = World::new();
    let page = world.page_with(json!({ "authorizationParams": { "authorizationDetails": payment("1") } }));
    for (options, expected) in [
        (json!({}), payment("1")),
        (json!({ "authorizationDetails": payment("2") }), payment("2")),
        (
            json!({ "authorizationDetails": [{ "type": "a" }, { "type": "b", "x": { "y": [1, null] } }] }),
            json!([{ "type": "a" }, { "type": "b", "x": { "y": [1, null] } }]),
        ),
    ] {
        let url = page.authorize_url(&options);
        let sent: Value =
            serde_json::from_str(&parameter(&url, "authorization_details").expect("details")).expect("JSON");
        assert_eq!(sent, expected);
    }
    assert_eq!(parameter(&world.page().authorize_url(&json!({})), "authorization_details"), None);
}

#[test]
fn what_is_no_list_of_typed_details_is_refused() {
    let world = World::new();
    for details in
        [json!({}), json!("x"), json!([1]), json!([{}]), json!([{ "type": "" }]), json!([{ "type": 1 }])]
    {
        let outcome = world.page().begin(&json!({ "authorizationDetails": details }));
        assert_error(&outcome, "invalid_configuration", &[]);
    }
    let twice = world.page().begin(&json!({ "extra": { "authorization_details": "[]" } }));
    assert_error(&twice, "invalid_configuration", &[]);
}

#[test]
fn what_was_granted_is_in_the_result_and_with_the_token() {
    let world = World::new();
    world.server.change_tokens(|tokens| tokens["authorization_details"] = payment("0.5"));
    let (page, result) = world.sign_in();
    assert_eq!(result.details, value(&payment("0.5")), "less than was asked for");
    assert_eq!(page.token(&json!({})).expect("a token").details, value(&payment("0.5")));
    let world = World::new();
    let (page, result) = world.sign_in();
    assert_eq!(result.details, value(&Value::Null));
    assert_eq!(page.token(&json!({})).expect("a token").details, value(&Value::Null));
}

#[test]
fn each_token_has_its_own() {
    let world = World::new();
    world.server.change_tokens(|tokens| tokens["authorization_details"] = payment("1"));
    let page = lasting(&world, json!({ "refresh": { "auto": false } }));
    world.server.change_tokens(|tokens| tokens["authorization_details"] = payment("2"));
    let other = page.token(&json!({ "resource": "https://bank.example/" })).expect("a token");
    assert_eq!(other.details, value(&payment("2")));
    assert_eq!(page.token(&json!({})).expect("a token").details, value(&payment("1")));
    pass(&world, 3_600_000);
    assert_eq!(page.token(&json!({})).expect("a token").details, value(&payment("2")));
}

#[test]
fn a_server_that_says_nonsense_is_not_believed() {
    for details in [json!({}), json!("x"), json!([1]), json!([{}]), json!([{ "type": 1 }])] {
        let world = World::new();
        world.server.change_tokens(move |tokens| tokens["authorization_details"] = details.clone());
        world.assert_sign_in_fails("invalid_token_response");
    }
}
