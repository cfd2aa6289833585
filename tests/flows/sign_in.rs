//! The whole way, as it goes when nobody does wrong.

use crate::common::server::SUBJECT;
use crate::common::sign::SigningKey;
use crate::common::{CALLBACK, CLIENT_ID, World, assert_error, urls};
use serde_json::json;
use wardkey::client::State;
use wardkey::protocol::authorize::SignIn;
use wardkey::protocol::http::Cache;

#[test]
fn a_person_signs_in() {
    let world = World::new();
    let (page, result) = world.sign_in();
    assert_eq!(world.server.complaints(), [""; 0]);
    assert_eq!(result.user.as_ref().map(|user| user.subject.as_str()), Some(SUBJECT));
    assert_eq!(*result.granted, ["openid", "profile"]);
    assert!(result.missing.is_empty());
    assert!(page.access_token().expect("a token").starts_with("access-"));
    assert_eq!(page.events(), ["loading", "authenticated", &format!("signed in: {SUBJECT}")]);
    assert_eq!(world.browser.verified(), 1, "the signature was not looked at once");
    let State::Authenticated { user, expires_at, granted, requested, stale, .. } = page.client.state() else {
        panic!("nobody is signed in");
    };
    assert!(!stale);
    assert_eq!(user, result.user);
    assert_eq!(granted, requested);
    let hour = world.browser.executor().now() + 3_600_000;
    assert!((hour - 100..=hour).contains(&expires_at.expect("the server said it")));
    world.assert_nothing_kept();
}

#[test]
fn plain_oauth_has_no_nonce_and_no_user() {
    let world = World::new();
    let page = world.plain_oauth();
    let url = page.authorize_url(&json!({}));
    assert_eq!(urls::parameter(&url, "nonce"), None);
    assert_eq!(urls::parameter(&url, "scope").as_deref(), Some("notes"));
    let callback = world.server.authorize(&url);
    let page = world.plain_oauth();
    let result = page.handle(&callback).expect("a session");
    assert!(result.user.is_none());
    assert_eq!(world.browser.paths(), ["/tenant/token"], "metadata given by hand is never fetched");
    assert_eq!(page.events(), ["loading", "authenticated", "signed in: somebody"]);
    assert_eq!(world.server.complaints(), [""; 0]);
}

#[test]
fn an_id_token_that_nobody_asked_for_names_nobody() {
    let world = World::new();
    world.server.change_tokens(|tokens| tokens["id_token"] = "eyJhbGciOiJub25lIn0.e30.".into());
    let callback = world.server.authorize(&world.plain_oauth().authorize_url(&json!({})));
    let result = world.plain_oauth().handle(&callback).expect("a session");
    assert!(result.user.is_none());
}

#[test]
fn an_id_token_of_each_kind_of_key_is_accepted() {
    for algorithm in ["ES256", "ES384", "EdDSA"] {
        let world = World::new();
        world.server.rotate(SigningKey::new(algorithm, "other"), true);
        let (_, result) = world.sign_in();
        assert!(result.user.is_some(), "{algorithm}");
    }
}

#[test]
fn the_page_of_the_response_sends_the_token_request_and_nothing_else() {
    let world = World::new();
    let callback = world.respond();
    assert_eq!(world.browser.paths(), ["/tenant/.well-known/openid-configuration", "/tenant/jwks"]);
    assert!(world.browser.sent().iter().all(|sent| sent.cache == Cache::Default));
    world.browser.forget_requests();
    world.page().handle(&callback).expect("a session");
    let sent = world.browser.sent();
    assert_eq!(world.browser.paths(), ["/tenant/token"]);
    assert_eq!(sent[0].cache, Cache::NoStore);
}

#[test]
fn without_an_http_cache_keys_are_fetched_beside_the_token_request() {
    let world = World::new();
    let callback = world.respond();
    world.browser.empty_http_cache();
    world.browser.forget_requests();
    world.page().handle(&callback).expect("a session");
    let expected = ["/tenant/.well-known/openid-configuration", "/tenant/token", "/tenant/jwks"];
    assert_eq!(world.browser.paths(), expected);
    let reuse = world.browser.sent().iter().filter(|sent| sent.cache == Cache::Reuse).count();
    assert_eq!(reuse, 2, "the page of the response takes what the HTTP cache has");
}

#[test]
fn prepare_asks_once_however_often_it_is_called() {
    let world = World::new();
    let page = world.page();
    let calls: Vec<_> = (0..5)
        .map(|_| {
            let client = page.client.clone();
            world.browser.start(async move { client.prepare(&SignIn::default()).await })
        })
        .collect();
    world.browser.advance(1_000);
    assert!(calls.iter().all(|call| call.take().expect("done").is_ok()));
    page.prepare().expect("prepared");
    assert_eq!(world.browser.paths(), ["/tenant/.well-known/openid-configuration", "/tenant/jwks"]);
}

#[test]
fn who_stops_waiting_for_prepare_does_not_stop_the_others() {
    for cancelled in 0..3 {
        let world = World::new();
        let page = world.page();
        let calls = [(); 3].map(|()| {
            let client = page.client.clone();
            world.browser.start(async move { client.prepare(&SignIn::default()).await })
        });
        world.browser.executor().settle();
        world.browser.executor().cancel(&calls[cancelled]);
        world.browser.advance(1_000);
        for (number, call) in calls.iter().enumerate() {
            assert_eq!(
                call.take().is_some_and(|result| result.is_ok()),
                number != cancelled,
                "{number} of {cancelled}"
            );
        }
    }
}

#[test]
fn before_prepare_there_is_no_url() {
    let world = World::new();
    assert_error(&world.page().create_authorize_url(&json!({})), "not_initialised", &[]);
    assert_eq!(world.browser.writes(), 0);
}

#[test]
fn what_the_app_gives_along_comes_back() {
    let world = World::new();
    let given = json!({ "appState": { "cart": [1, 2.5, null, "ä"] }, "returnTo": "/cart?open=1#top" });
    let callback = world.respond_to(&given);
    let result = world.page().handle(&callback).expect("a session");
    let app_state = result.app_state.as_ref().map(wardkey::protocol::json::write);
    assert_eq!(app_state.as_deref(), Some(r#"{"cart":[1,2.5,null,"ä"]}"#));
    assert_eq!(result.return_to.as_deref(), Some("/cart?open=1#top"));
}

#[test]
fn ten_sign_ins_side_by_side_all_finish() {
    let world = World::new();
    let callbacks: Vec<String> = (0..10).map(|_| world.respond()).collect();
    for callback in callbacks.iter().rev() {
        world.page().handle(callback).expect("a session");
    }
    let page = world.page();
    let callbacks: Vec<String> = (0..10).map(|_| world.respond()).collect();
    let calls: Vec<_> = callbacks
        .into_iter()
        .map(|url| {
            let client = page.client.clone();
            world.browser.start(async move { client.handle_callback(&url).await })
        })
        .collect();
    world.browser.advance(1_000);
    assert!(calls.iter().all(|call| call.take().expect("done").is_ok()));
    assert_eq!(world.browser.count("/token"), 20);
    assert_eq!(world.server.complaints(), [""; 0]);
}

#[test]
fn the_authorization_url_has_these_parameters_and_no_other() {
    let world = World::new();
    let url = world.page().authorize_url(&json!({}));
    assert!(url.starts_with("https://as.example/tenant/authorize?"));
    let parameters = urls::parameters(&url);
    let names: Vec<&str> = parameters.iter().map(|(name, _)| name.as_str()).collect();
    let expected = [
        "response_type",
        "client_id",
        "redirect_uri",
        "scope",
        "state",
        "nonce",
        "code_challenge",
        "code_challenge_method",
    ];
    assert_eq!(names, expected);
    let get = |name| urls::parameter(&url, name).expect("it is there");
    assert_eq!(get("response_type"), "code");
    assert_eq!(get("client_id"), CLIENT_ID);
    assert_eq!(get("redirect_uri"), CALLBACK);
    assert_eq!(get("scope"), "openid profile");
    assert_eq!(get("code_challenge_method"), "S256");
}

#[test]
fn options_become_the_parameters_of_the_standard() {
    let world = World::new();
    let page = world.page_with(json!({
        "authorizationParams": { "prompt": "consent", "uiLocales": "de", "extra": { "audience": "everyone" } }
    }));
    let url = page.authorize_url(&json!({
        "prompt": "login", "acrValues": "urn:mfa", "maxAge": 60, "loginHint": "ada@example.org",
        "display": "page", "claims": { "userinfo": { "email": null } }, "scope": ["openid", "email address"],
        "extra": { "kc_idp_hint": "github" },
    }));
    let get = |name| urls::parameter(&url, name);
    assert_eq!(get("prompt").as_deref(), Some("login"), "the sign-in's word counts, not the client's");
    assert_eq!(get("ui_locales").as_deref(), Some("de"));
    assert_eq!(get("acr_values").as_deref(), Some("urn:mfa"));
    assert_eq!(get("max_age").as_deref(), Some("60"));
    assert_eq!(get("login_hint").as_deref(), Some("ada@example.org"));
    assert_eq!(get("display").as_deref(), Some("page"));
    assert_eq!(get("claims").as_deref(), Some(r#"{"userinfo":{"email":null}}"#));
    assert_eq!(get("scope").as_deref(), Some("openid email address"));
    assert_eq!(get("audience").as_deref(), Some("everyone"));
    assert_eq!(get("kc_idp_hint").as_deref(), Some("github"));
}
