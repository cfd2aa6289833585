//! Sign-out: SEC-117 to SEC-119.

use crate::common::urls::{parameter, parameters, with, without};
use crate::common::{Answer, CLIENT_ID, World, assert_error};
use serde_json::{Value, json};
use wardkey::client::{Farewell, State};
use wardkey::protocol::http::Failure;
use wardkey::protocol::logout::SignOut;

const BYE: &str = "https://app.example/bye";

fn server_url(farewell: Farewell) -> String {
    match farewell {
        Farewell::Server(url) => url,
        other => panic!("not to the server but {other:?}"),
    }
}

/// The way back from the server's sign-out.
fn way_back(url: &str) -> String {
    with(BYE, "state", &parameter(url, "state").expect("it is there"))
}

#[test]
fn sec_117_the_session_here_ends_first_and_whatever_happens() {
    let troubles: [fn(&World); 4] = [
        |world| world.server.at("/.well-known/openid-configuration", |_| Answer::Fail(Failure::Network)),
        |world| world.server.at("/.well-known/openid-configuration", |_| Answer::html(200)),
        |world| world.browser.storage_denied.set(true),
        |world| world.browser.no_random.set(true),
    ];
    for trouble in troubles {
        let world = World::new();
        world.server.change_tokens(|tokens| tokens["expires_in"] = 86_400.into());
        let (page, _) = world.sign_in();
        page.events();
        world.browser.advance(2 * 3_600_000);
        world.browser.empty_http_cache();
        trouble(&world);
        assert!(page.sign_out(&json!({})).is_err());
        assert_eq!(page.client.state(), State::Anonymous { reason: None });
        assert_eq!(page.events(), ["anonymous: no reason", "signed out: no reason"]);
        assert_error(&page.access_token(), "not_signed_in", &["access-"]);
        world.browser.storage_denied.set(false);
        world.assert_nothing_kept();
        world.browser.advance(86_400_000);
        assert_eq!(world.browser.executor().waiting(), 0, "a timer is left");
    }
}

#[test]
fn sec_117_the_session_is_gone_before_anything_is_sent() {
    let world = World::new();
    world.server.change_tokens(|tokens| tokens["expires_in"] = 86_400.into());
    let (page, _) = world.sign_in();
    world.browser.advance(2 * 3_600_000);
    world.browser.empty_http_cache();
    world.browser.forget_requests();
    let client = page.client.clone();
    let leaving = world.browser.start(async move { client.sign_out(&SignOut::default()).await });
    world.browser.executor().settle();
    assert_eq!(world.browser.sent().len(), 1, "discovery is under way");
    assert_eq!(page.client.state(), State::Anonymous { reason: None });
    world.browser.advance(1_000);
    assert!(leaving.take().expect("done").is_ok());
}

#[test]
fn sec_118_the_server_gets_hint_client_return_and_state() {
    let world = World::new();
    let (page, _) = world.sign_in();
    let drawn = world.browser.drawn().len();
    let url = server_url(page.sign_out(&json!({})).expect("signed out"));
    assert!(url.starts_with("https://as.example/tenant/logout?"));
    let all = parameters(&url);
    let names: Vec<&str> = all.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["id_token_hint", "client_id", "post_logout_redirect_uri", "state"]);
    assert_eq!(all[0].1.split('.').count(), 3, "the ID token as it was");
    assert_eq!(all[1].1, CLIENT_ID);
    assert_eq!(all[2].1, BYE);
    let fresh = &world.browser.drawn()[drawn..];
    assert_eq!(fresh.len(), 1);
    assert!(all[3].1.ends_with(&wardkey::protocol::hash::base64url(&fresh[0])) && fresh[0].len() >= 32);
    assert!(world.browser.stored().values().all(|text| !text.contains("eyJ")), "the hint was kept");
}

#[test]
fn sec_118_the_endpoints_own_query_is_kept() {
    let world = World::new();
    world.server.change_metadata(|metadata| {
        metadata["end_session_endpoint"] = "https://as.example/tenant/logout?p=1".into()
    });
    let (page, _) = world.sign_in();
    let url = server_url(page.sign_out(&json!({})).expect("signed out"));
    assert!(url.starts_with("https://as.example/tenant/logout?p=1&id_token_hint="), "{url}");
}

#[test]
fn sec_118_without_a_place_to_return_to_there_is_no_state() {
    let world = World::new();
    let page = world.page_with(json!({ "postLogoutRedirectUri": null }));
    let callback = world.respond();
    page.handle(&callback).expect("a session");
    let url = server_url(page.sign_out(&json!({})).expect("signed out"));
    let names: Vec<String> = parameters(&url).into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["id_token_hint", "client_id"]);
}

#[test]
fn sec_118_who_is_not_signed_in_can_still_be_signed_out_at_the_server() {
    let world = World::new();
    let page = world.page();
    let url = server_url(page.sign_out(&json!({})).expect("signed out"));
    assert_eq!(parameter(&url, "id_token_hint"), None);
    assert_eq!(page.events(), [""; 0], "nobody was signed in");
}

#[test]
fn without_an_endpoint_the_app_stays_or_goes_where_it_wants() {
    let world = World::new();
    world.server.change_metadata(|metadata| {
        metadata.as_object_mut().expect("an object").remove("end_session_endpoint");
    });
    let farewell = |options: Value| {
        let (page, _) = world.sign_in();
        let farewell = page.sign_out(&options).expect("signed out");
        assert!(!page.is_signed_in());
        farewell
    };
    assert_eq!(farewell(json!({})), Farewell::Stay);
    assert_eq!(farewell(json!({ "returnTo": "/home" })), Farewell::Here("/home".to_owned()));
}

#[test]
fn the_way_back_gives_the_path_once() {
    let world = World::new();
    let (page, _) = world.sign_in();
    let url = server_url(page.sign_out(&json!({ "returnTo": "/home" })).expect("signed out"));
    let page = world.page();
    let back = way_back(&url);
    let path = page.client.handle_sign_out_callback(&back);
    assert_eq!(path.expect("ours").as_deref(), Some("/home"));
    assert_error(&page.client.handle_sign_out_callback(&back), "state_mismatch", &[]);
    assert_eq!(page.client.state(), State::Anonymous { reason: None });
}

#[test]
fn sec_119_a_foreign_state_or_none_signs_nobody_in_or_out() {
    let world = World::new();
    let (page, _) = world.sign_in();
    let url = server_url(page.sign_out(&json!({ "returnTo": "/home" })).expect("signed out"));
    let honest = way_back(&url);
    let state = parameter(&honest, "state").expect("it is there");
    let sent = world.browser.sent().len();
    for hostile in [
        without(&honest, "state"),
        with(&honest, "state", ""),
        with(&honest, "state", "another"),
        with(&honest, "state", &state[1..]),
        format!("{honest}&state={state}"),
        format!("{BYE}?state"),
        with(&honest, "state", &(state.clone() + "x")),
    ] {
        let page = world.page();
        assert_error(&page.client.handle_sign_out_callback(&hostile), "state_mismatch", &[&state]);
        assert_eq!(page.client.state(), State::Anonymous { reason: None });
        assert_eq!(page.events(), [""; 0]);
    }
    for other in [
        "https://app.example/",
        "https://evil.example/bye?state=x",
        "https://app.example/bye?code=1&state=x",
        "",
        "x",
    ] {
        assert_error(&world.page().client.handle_sign_out_callback(other), "not_mine", &[]);
    }
    assert_eq!(world.browser.sent().len(), sent);
    assert!(world.page().client.handle_sign_out_callback(&honest).is_ok(), "the honest way back still works");
}

#[test]
fn sec_119_the_states_of_sign_in_and_sign_out_are_not_exchanged() {
    let world = World::new();
    let callback = world.respond();
    let (page, _) = world.sign_in();
    let url = server_url(page.sign_out(&json!({})).expect("signed out"));
    let sign_in_state = parameter(&callback, "state").expect("it is there");
    let sign_out_state = parameter(&url, "state").expect("it is there");
    let crossed = with(BYE, "state", &sign_in_state);
    assert_error(&world.page().client.handle_sign_out_callback(&crossed), "state_mismatch", &[]);
    let crossed = with(&callback, "state", &sign_out_state);
    assert_error(&world.page().handle(&crossed), "transaction_not_found", &[]);
    assert!(world.page().client.handle_sign_out_callback(&way_back(&url)).is_ok());
    world.page().handle(&callback).expect("a session");
}

#[test]
fn a_sign_out_in_progress_expires() {
    let world = World::new();
    let (page, _) = world.sign_in();
    let url = server_url(page.sign_out(&json!({})).expect("signed out"));
    world.browser.advance(11 * 60_000);
    assert_error(&world.page().client.handle_sign_out_callback(&way_back(&url)), "state_mismatch", &[]);
}

#[test]
fn sec_117_a_sign_out_wins_over_a_sign_in_that_is_under_way() {
    let world = World::new();
    let callback = world.respond();
    let page = world.page();
    let client = page.client.clone();
    let handling = world.browser.start(async move { client.handle_callback(&callback).await });
    world.browser.executor().settle();
    page.client.sign_out_local();
    world.browser.advance(1_000);
    world.assert_nothing_kept();
    let result = handling.take().expect("done");
    assert_error(&result, "aborted", &[]);
    assert!(!page.is_signed_in());
    assert!(!page.events().iter().any(|event| event.starts_with("signed in")));
}

#[test]
fn local_sign_out_asks_nobody() {
    let world = World::new();
    let (page, _) = world.sign_in();
    page.events();
    let sent = world.browser.sent().len();
    page.client.sign_out_local();
    page.client.sign_out_local();
    assert_eq!(page.events(), ["anonymous: no reason", "signed out: no reason"], "it is told once");
    assert_eq!(world.browser.sent().len(), sent);
}
