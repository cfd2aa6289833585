//! The option `policies`: what each changes, and that nothing changes without it.

use crate::common::page::configure;
use crate::common::urls::{fields, parameter, parameters, with};
use crate::common::{CALLBACK, CLIENT_ID, Page, World, assert_error, code_of};
use serde_json::{Value, json};
use wardkey::client::{Farewell, Which};

const BYE: &str = "https://app.example/bye";
const RENAMED: [(&str, &str); 5] = [
    ("AccessToken", "access_token"),
    ("TokenType", "token_type"),
    ("ExpiresIn", "expires_in"),
    ("refreshToken", "refresh_token"),
    ("Scope", "scope"),
];

/// A page of plain OAuth with these policies, and refresh tokens.
fn page(world: &World, policies: Value) -> Page {
    page_with(world, policies, json!({}))
}

fn page_with(world: &World, policies: Value, members: Value) -> Page {
    let mut options = World::options();
    options.as_object_mut().expect("an object").remove("issuer");
    let own =
        json!({ "policies": policies, "metadata": world.server.metadata(), "scope": "notes offline_access" });
    let options = crate::common::world::with(crate::common::world::with(options, own), members);
    Page::open(&world.browser, &options)
}

fn response_to(world: &World, page: &Page) -> String {
    world.server.authorize(&page.begin(&json!({})).expect("a request").url)
}

fn signed_in(world: &World, policies: &Value) -> Page {
    let page = page(world, policies.clone());
    let callback = response_to(world, &page);
    page.handle(&callback).unwrap_or_else(|error| panic!("{error}"));
    page
}

#[track_caller]
fn refused(policies: Value, option: &str) {
    let options = crate::common::world::with(World::options(), json!({ "policies": policies.clone() }));
    let error = configure(&options).expect_err("it was accepted");
    assert_eq!((error.code().name(), error.option()), ("invalid_configuration", Some(option)), "{policies}");
}

#[test]
fn malformed_policies_are_refused() {
    for (name, values) in [
        ("scopeGrammar", json!(["", "entra", true])),
        (
            "scopeOrigin",
            json!([
                1,
                "",
                "api.example",
                "http://api.example",
                "https://api.example/",
                "https://api.example?x"
            ]),
        ),
        ("omitClientId", json!([1, "true"])),
        ("plainRedirectUri", json!([1])),
        ("signOutReturnParameter", json!(["", 1])),
        (
            "expectResponse",
            json!(["domain", { "domain": "x" }, { "domain": [] }, { "domain": [1] },
            { "state": ["x"] }, { "code": ["x"] }, { "iss": ["x"] }]),
        ),
        (
            "tokenResponseNames",
            json!(["x", { "a": 1 }, { "a": "b" }, { "a": "" }, { "refresh_token": "access_token" },
            { "id_token": "id_token" }]),
        ),
        ("omit_client_id", json!([true])),
    ] {
        for value in values.as_array().expect("values") {
            refused(json!({ name: value }), name);
        }
    }
    let all = json!({ "scopeGrammar": "laserfiche", "scopeOrigin": "https://api.example", "omitClientId": true, "plainRedirectUri": true, "expectResponse": {},
        "signOutReturnParameter": "wreply", "tokenResponseNames": { "ExpiresIn": "expires_in" } });
    assert!(configure(&crate::common::world::with(World::options(), json!({ "policies": all }))).is_ok());
}

#[test]
fn omit_client_id_sends_it_nowhere() {
    for par in ["off", "required"] {
        // The server refuses every request with another `client_id` than none.
        let world = World::of_client("");
        let page = page_with(&world, json!({ "omitClientId": true }), json!({ "par": par }));
        let request = page.begin(&json!({})).expect("a request");
        assert_eq!(parameter(&request.url, "state").is_some(), par == "off");
        page.handle(&world.server.authorize(&request.url)).expect("a session");
        page.token(&json!({ "forceRefresh": true })).expect("another token");
        page.revoke(Which::RefreshToken).expect("revoked");
        let Farewell::Server(farewell) = page.sign_out(&json!({})).expect("signed out") else {
            panic!("not left")
        };
        let posted = world.browser.sent().into_iter().filter_map(|sent| sent.form);
        let posted: Vec<_> = posted.map(|form| fields(&form)).collect();
        assert_eq!(posted.len(), if par == "off" { 3 } else { 4 }, "push, code, refresh, revocation");
        for parameters in posted.into_iter().chain([parameters(&request.url), parameters(&farewell)]) {
            assert!(parameters.iter().all(|(name, _)| name != "client_id"), "{parameters:?}");
        }
        assert_eq!(world.server.complaints(), [""; 0]);
    }
}

/// Names the members of every token response as the server of the policy does.
fn rename(world: &World) {
    world.server.change_tokens(|tokens| {
        let members = tokens.as_object_mut().expect("an object");
        for (alias, name) in RENAMED {
            let value = members.remove(name).expect("it is there");
            members.insert(alias.to_owned(), value);
        }
    });
}

#[test]
fn token_response_names_are_read_as_the_standards() {
    let world = World::new();
    rename(&world);
    let names: Value = RENAMED
        .iter()
        .map(|(alias, name)| ((*alias).to_owned(), json!(name)))
        .collect::<serde_json::Map<_, _>>()
        .into();
    let page = signed_in(&world, &json!({ "tokenResponseNames": names }));
    let first = page.token(&json!({})).expect("a token");
    assert_eq!(*first.scopes, ["notes", "offline_access"]);
    assert_eq!(first.expires_at, Some(world.browser.executor().now() + 3_600_000));
    // Its refresh token was found: once, and the next one too.
    for _ in 0..2 {
        page.token(&json!({ "forceRefresh": true })).expect("another token");
    }
    assert_eq!(world.server.complaints(), [""; 0]);
    // Without the policy it is no token response.
    let strict = self::page(&world, json!({}));
    assert_eq!(code_of(&strict.handle(&response_to(&world, &strict))), "invalid_token_response");
}

#[test]
fn the_standards_name_wins_over_another() {
    for (standard, found) in [(json!("genuine"), "genuine"), (json!(null), "")] {
        let world = World::new();
        world.server.change_tokens(move |tokens| {
            tokens["refreshToken"] = "alias".into();
            tokens["refresh_token"] = standard.clone();
        });
        let page = signed_in(&world, &json!({ "tokenResponseNames": { "refreshToken": "refresh_token" } }));
        world.browser.forget_requests();
        assert!(page.token(&json!({ "forceRefresh": true })).is_err());
        let sent = world.browser.sent().into_iter().filter_map(|sent| sent.form);
        let tokens: Vec<_> =
            sent.flat_map(|form| fields(&form)).filter(|(name, _)| name == "refresh_token").collect();
        assert_eq!(tokens.first().map_or("", |(_, value)| value), found);
    }
}

#[test]
fn expect_response_refuses_before_anything_is_asked() {
    let policies =
        json!({ "expectResponse": { "domain": ["laserfiche.com", "laserfiche.ca"], "customerId": ["123"] } });
    let world = World::new();
    let first = page(&world, policies.clone());
    let honest = response_to(&world, &first);
    let bare = with(&honest, "iss", "https://evil.example");
    for hostile in [
        "domain=evil.example",
        "domain=",
        "domain",
        "domain=Laserfiche.com",
        "domain=laserfiche.com.evil.example",
        "domain=laserfiche.com&domain=laserfiche.com",
        "domain=laserfiche.com&d%6fmain=evil.example",
        "domain=laserfiche.com&customerId=124",
        "customerId=123&customerId=",
    ] {
        let (sent, stored) = (world.browser.sent().len(), world.browser.stored());
        let page = page(&world, policies.clone());
        // It comes before `iss`, which is wrong too, and before `error`.
        for url in [&honest, &bare, &honest.replacen("code=", "error=", 1)] {
            assert_error(&page.handle(&format!("{url}&{hostile}")), "invalid_callback", &["evil"]);
        }
        // And behind `state`.
        let unknown = format!("{honest}x&{hostile}").replacen("state=", "state=", 1);
        let unknown = with(&unknown, "state", &(parameter(&honest, "state").expect("it is there") + "x"));
        assert_eq!(code_of(&page.handle(&unknown)), "transaction_not_found", "{unknown}");
        assert_eq!((world.browser.sent().len(), world.browser.stored()), (sent, stored), "{hostile}");
        assert!(!page.is_signed_in());
    }
    page(&world, policies)
        .handle(&format!("{honest}&domain=laserfiche.ca&customerId=123"))
        .expect("a session");
}

#[test]
fn expect_response_asks_nothing_of_what_is_not_there() {
    let policies = json!({ "expectResponse": { "domain": ["laserfiche.com"] } });
    let world = World::new();
    signed_in(&world, &policies);
    // Without the policy, parameters that are not known are ignored (RFC 6749 4.1.2).
    let page = page(&world, json!({}));
    let callback = response_to(&world, &page);
    page.handle(&format!("{callback}&domain=evil.example")).expect("a session");
}

#[test]
fn a_plain_redirect_uri_has_no_query() {
    let open = |name: &str, uri: &str, plain: bool| {
        let members = json!({ name: uri, "policies": { "plainRedirectUri": plain } });
        configure(&crate::common::world::with(World::options(), members)).map(drop)
    };
    for name in ["redirectUri", "silentRedirectUri"] {
        for uri in [CALLBACK.to_owned() + "?a=1", CALLBACK.to_owned() + "?"] {
            assert!(open(name, &uri, false).is_ok());
            let refused = open(name, &uri, true);
            assert_error(&refused, "invalid_configuration", &["a=1"]);
            assert_eq!(refused.expect_err("it is").option(), Some(name));
        }
        assert!(open(name, CALLBACK, true).is_ok());
    }
}

fn farewell(page: &Page, options: Value) -> String {
    match page.sign_out(&options).expect("signed out") {
        Farewell::Server(url) => url,
        other => panic!("not to the server but {other:?}"),
    }
}

#[test]
fn the_sign_out_page_gets_its_one_parameter() {
    let policies = json!({ "signOutReturnParameter": "wreply" });
    for (endpoint, url) in [
        ("https://as.example/sts/?wa=wsignout1.0", "https://as.example/sts/?wa=wsignout1.0"),
        ("https://as.example/sts", "https://as.example/sts"),
    ] {
        let world = World::new();
        world.server.change_metadata(move |metadata| metadata["end_session_endpoint"] = endpoint.into());
        // Signed in with OpenID Connect, so that there would be a hint to give.
        let page = world.page_with(json!({ "policies": policies }));
        page.handle(&world.respond()).expect("a session");
        let separator = if endpoint.contains('?') { '&' } else { '?' };
        assert_eq!(
            farewell(&page, json!({})),
            format!("{url}{separator}wreply=https%3A%2F%2Fapp.example%2Fbye")
        );
        let page = world.page_with(json!({ "policies": policies, "postLogoutRedirectUri": null }));
        assert_eq!(farewell(&page, json!({})), url, "nowhere to return to, nothing to say");
    }
}

#[test]
fn a_return_without_state_is_taken_once_and_in_its_own_tab() {
    let policies = json!({ "policies": { "signOutReturnParameter": "wreply" } });
    let world = World::new();
    let page = world.page_with(policies.clone());
    farewell(&page, json!({ "returnTo": "/old" }));
    farewell(&page, json!({ "returnTo": "/home" }));
    let other = world.other_browser().page_with(policies.clone());
    assert_error(&other.client.handle_sign_out_callback(BYE), "not_mine", &[]);
    let page = world.page_with(policies.clone());
    assert_error(&page.client.handle_sign_out_callback("https://app.example/other"), "not_mine", &[]);
    assert_error(&page.client.handle_sign_out_callback(&format!("{BYE}?code=1&state=x")), "not_mine", &[]);
    let back = page.client.handle_sign_out_callback(BYE);
    assert_eq!(back.expect("ours").as_deref(), Some("/home"));
    // Nor is the way back of a sign-out before that of a later one.
    world.browser.advance(11 * 60_000);
    assert_error(&page.client.handle_sign_out_callback(BYE), "not_mine", &[]);
    assert!(!page.is_signed_in());
    // Who has no such server is known by `state`.
    let strict = world.page();
    farewell(&strict, json!({ "returnTo": "/home" }));
    assert_error(&strict.client.handle_sign_out_callback(BYE), "state_mismatch", &[CLIENT_ID]);
}
