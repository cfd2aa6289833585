//! Pushed authorization requests (RFC 9126): SEC-115, SEC-116.

use crate::common::page::value;
use crate::common::urls::{fields, parameters};
use crate::common::{Answer, CLIENT_ID, Page, World, assert_error, code_of};
use serde_json::{Value, json};
use wardkey::protocol::http::{Cache, Failure};

fn page(world: &World, par: &str) -> Page {
    world.page_with(json!({ "par": par }))
}

/// The server takes pushed requests only.
fn insist(world: &World) {
    world.server.change_metadata(|metadata| metadata["require_pushed_authorization_requests"] = true.into());
}

fn cannot(world: &World) {
    world.server.change_metadata(|metadata| metadata["pushed_authorization_request_endpoint"] = Value::Null);
}

fn names(url: &str) -> Vec<String> {
    parameters(url).into_iter().map(|(name, _)| name).collect()
}

fn is_pushed(url: &str) -> bool {
    names(url) == ["client_id", "request_uri"]
}

#[test]
fn sec_116_the_url_has_client_and_request_uri_and_nothing_else() {
    let world = World::new();
    let page = page(&world, "auto");
    let options = json!({ "loginHint": "ann@example.com", "extra": { "x": "1" } });
    let request = page.begin(&options).expect("a request");
    assert!(is_pushed(&request.url), "{}", request.url);
    assert_eq!(parameters(&request.url)[0].1, CLIENT_ID);
    let sent = world.browser.sent().into_iter().find(|sent| sent.url.ends_with("/par")).expect("a push");
    assert_eq!((sent.method.as_str(), sent.cache, sent.url.contains('?')), ("POST", Cache::NoStore, false));
    let pushed = fields(&sent.form.expect("a form"));
    let get = |name: &str| pushed.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str());
    assert_eq!(
        (get("state"), get("login_hint"), get("x")),
        (Some(&*request.state), Some("ann@example.com"), Some("1"))
    );
    for name in [
        "response_type",
        "client_id",
        "redirect_uri",
        "scope",
        "nonce",
        "code_challenge",
        "code_challenge_method",
    ] {
        assert!(get(name).is_some(), "{name}");
    }
    assert!(get("request_uri").is_none());
    let result = page.handle(&world.server.authorize(&request.url)).expect("a session");
    assert!(result.user.is_some());
    assert_eq!(world.server.complaints(), [""; 0]);
}

#[test]
fn what_is_pushed_is_what_would_have_been_in_the_url() {
    let world = World::new();
    let options =
        json!({ "prompt": "login", "maxAge": 60, "resource": ["https://a.example/", "https://b.example/"] });
    page(&world, "required").begin(&options).expect("a request");
    let sent = world.browser.sent().into_iter().find(|sent| sent.url.ends_with("/par")).expect("a push");
    let other = World::new();
    let plain = page(&other, "off").authorize_url(&options);
    assert_eq!(fields(&sent.form.expect("a form")), parameters(&plain));
}

#[test]
fn the_option_and_the_server_decide_together() {
    type Case = (Option<&'static str>, fn(&World), Result<bool, &'static str>);
    let cases: [Case; 12] = [
        (None, |_| {}, Ok(false)),
        (None, insist, Ok(true)),
        (None, cannot, Ok(false)),
        (Some("auto"), |_| {}, Ok(true)),
        (Some("auto"), insist, Ok(true)),
        (Some("auto"), cannot, Ok(false)),
        (Some("required"), |_| {}, Ok(true)),
        (Some("required"), insist, Ok(true)),
        (Some("required"), cannot, Err("invalid_configuration")),
        (Some("off"), |_| {}, Ok(false)),
        (Some("off"), insist, Err("invalid_configuration")),
        (Some("off"), cannot, Ok(false)),
    ];
    for (par, arrange, expected) in cases {
        let world = World::new();
        arrange(&world);
        let page = world.page_with(par.map_or(json!({}), |par| json!({ "par": par })));
        let begun = page.begin(&json!({}));
        assert_eq!(
            begun.as_ref().map(|request| is_pushed(&request.url)).map_err(|error| error.code().name()),
            expected,
            "{par:?}"
        );
        assert_eq!(world.browser.count("/par"), usize::from(expected == Ok(true)), "{par:?}");
        assert_eq!(code_of(&page.prepare()), expected.err().unwrap_or("ok"));
        let made = page.create_authorize_url(&json!({})).map(|request| is_pushed(&request.url));
        assert_eq!(made.map_err(|error| error.code().name()), expected, "{par:?}");
        assert_eq!(
            begun.err().and_then(|error| error.option().map(str::to_owned)),
            expected.err().map(|_| "par".to_owned())
        );
    }
}

#[test]
fn sec_116_a_pushed_request_is_used_once_and_for_its_options_only() {
    let world = World::new();
    let page = page(&world, "required");
    let options = json!({ "loginHint": "ann" });
    page.prepare_for(&options).expect("prepared");
    assert_error(&page.create_authorize_url(&json!({})), "not_initialised", &[]);
    assert_error(&page.create_authorize_url(&json!({ "loginHint": "bob" })), "not_initialised", &[]);
    let first = page.create_authorize_url(&options).expect("a URL");
    assert!(is_pushed(&first.url));
    assert_error(&page.create_authorize_url(&options), "not_initialised", &[]);
    page.prepare_for(&options).expect("prepared");
    let second = page.create_authorize_url(&options).expect("a URL");
    assert!(second.url != first.url && second.state != first.state);
    assert_eq!(world.browser.count("/par"), 2);
    for request in [second, first] {
        page.handle(&world.server.authorize(&request.url)).expect("both finish");
    }
}

#[test]
fn sec_116_a_pushed_request_expires() {
    let world = World::new();
    let required = page(&world, "required");
    required.prepare().expect("prepared");
    world.browser.advance(59_000);
    assert!(is_pushed(&required.create_authorize_url(&json!({})).expect("a URL").url));
    required.prepare().expect("prepared");
    world.browser.advance(60_000);
    assert_error(&required.create_authorize_url(&json!({})), "not_initialised", &[]);
    let auto = page(&world, "auto");
    auto.prepare().expect("prepared");
    world.browser.advance(60_000);
    let url = auto.create_authorize_url(&json!({})).expect("a URL").url;
    assert!(!is_pushed(&url), "it has to be pushed by nobody's word: {url}");
    assert!(auto.handle(&world.server.authorize(&url)).is_ok());
}

#[test]
fn sec_115_what_is_no_answer_to_a_push_is_refused() {
    let uri = "urn:ietf:params:oauth:request_uri:0";
    let reply = |status, body: Value| Answer::new(status, "application/json", body.to_string());
    for (answer, code) in [
        (Answer::Fail(Failure::Network), "network"),
        (Answer::Fail(Failure::Offline), "offline"),
        (Answer::html(303), "network"),
        (Answer::html(200).late(60_000), "timeout"),
        (Answer::html(429), "rate_limited"),
        (Answer::html(503), "server_error"),
        (reply(200, json!({ "request_uri": uri, "expires_in": 60 })), "server_error"),
        (reply(201, json!({ "request_uri": uri })), "server_error"),
        (reply(201, json!({ "expires_in": 60 })), "server_error"),
        (reply(201, json!([uri])), "server_error"),
        (
            Answer::new(201, "text/html", json!({ "request_uri": uri, "expires_in": 60 }).to_string()),
            "server_error",
        ),
        (reply(400, json!({ "error": "invalid_request", "error_description": uri })), "authorization_failed"),
        (reply(401, json!({ "error": "invalid_client" })), "authorization_failed"),
    ] {
        let world = World::new();
        let page = page(&world, "auto");
        world.server.at("/par", move |_| answer.clone());
        let stored = world.browser.stored();
        assert_error(&page.begin(&json!({})), code, &[uri]);
        assert_error(&page.prepare(), code, &[uri]);
        assert_eq!(world.browser.stored(), stored, "{code}: a request that nobody can answer is kept");
        assert_eq!(world.browser.count("/par"), 2, "{code}");
        world.server.heal();
        let request = page.begin(&json!({})).expect("a request");
        assert!(page.handle(&world.server.authorize(&request.url)).is_ok(), "{code}");
    }
}

#[test]
fn the_servers_word_is_kept() {
    let world = World::new();
    world.server.at("/par", |_| Answer::new(400, "application/json", r#"{"error":"invalid_target"}"#));
    let error = page(&world, "auto").begin(&json!({})).expect_err("an error");
    assert_eq!(
        (error.status(), error.oauth_error(), error.retryable()),
        (Some(400), Some("invalid_target"), false)
    );
}

#[test]
fn the_option_is_one_of_three_words() {
    for par in [json!("on"), json!(true), json!(""), json!(["auto"])] {
        let options = crate::common::world::with(World::options(), json!({ "par": par }));
        let read = wardkey::protocol::config::Config::read(&value(&options));
        assert_error(&read, "invalid_configuration", &[]);
    }
}
