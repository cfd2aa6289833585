//! Where an access token may be sent, and which: SEC-089 to SEC-091.

use crate::common::page::{call, value};
use crate::common::{Page, World, assert_error, urls};
use serde_json::{Value, json};
use wardkey::client::Call;
use wardkey::protocol::target::Target;

/// Signed in, with the API at `https://api.example/v1`.
fn signed_in() -> Page {
    World::new().sign_in().0
}

#[test]
fn sec_089_the_token_goes_to_the_api_and_nowhere_else() {
    let page = signed_in();
    for href in [
        "https://api.example/v1",
        "https://api.example/v1/",
        "https://api.example/v1/notes",
        "https://api.example/v1/notes?x=/../..",
        "https://api.example/v1?x",
        "https://api.example/v1#x",
        "https://api.example/v1/a%20b",
    ] {
        let fetched = page.fetch(href).unwrap_or_else(|error| panic!("{href}: {error}"));
        assert_eq!(fetched.answer, r#"{"ok":true}"#, "{href}");
    }
    for href in [
        "https://api.example/",
        "https://api.example/v10",
        "https://api.example/v1x/a",
        "https://api.example/V1",
        "https://api.example/other",
        "http://api.example/v1",
        "https://api.example:8443/v1",
        "https://attacker.example/v1",
        "https://api.example@attacker.example/v1",
        "https://user:pw@api.example/v1",
        "https://api.example.attacker.example/v1",
        "https://xapi.example/v1",
        "https://attacker.example/?https://api.example/v1",
        "https://attacker.example/#https://api.example/v1",
        "//api.example/v1",
        "/v1",
        "v1",
        "",
        "https://api.example\\v1",
        "https:\\\\api.example\\v1",
        "https://api.example/v1/../admin",
        "https://api.example/v1/%2e%2e/admin",
        "https://api.example/v1/.%2E/admin",
        "https://api.example/v1/..%2fadmin",
        "https://api.example/v1/%2E%2E%2Fadmin",
        "https://api.example/v1/..%5cadmin",
        "https://api.example/v1/x/..%2F..%2Fadmin",
        "blob:https://api.example/v1",
        "data:text/plain,https://api.example/v1",
        "javascript:https://api.example/v1",
        "wss://api.example/v1",
        "file:///v1",
        " https://api.example/v1",
        "https://api.example/v1\n",
        "https://api.example:443@attacker.example/v1",
    ] {
        assert_error(&page.fetch(href), "origin_not_allowed", &["access-"]);
    }
}

/// There, hosts were compared after a decoding in which `xn--api-` was `api`.
#[test]
fn idna_rustsec_2024_0421_another_spelling_is_another_host() {
    let page = signed_in();
    for host in
        ["xn--api-.example", "XN--API-.example", "api.xn--example-", "api.example.", "\u{ff41}pi.example"]
    {
        assert_error(&page.fetch(&format!("https://{host}/v1")), "origin_not_allowed", &["access-"]);
    }
}

#[test]
fn sec_089_without_api_there_is_nowhere() {
    let world = World::new();
    let callback = world.respond();
    for api in [json!([]), json!(null)] {
        let page = world.page_with(json!({ "api": api }));
        let _ = page.handle(&callback);
        assert_error(&page.fetch("https://api.example/v1"), "origin_not_allowed", &[]);
    }
}

#[test]
fn sec_089_an_origin_covers_all_of_its_paths() {
    let world = World::new();
    let callback = world.respond();
    let page = world.page_with(json!({
        "api": ["https://one.example", { "origin": "https://two.example", "path": "/api/" }, "http://localhost:3000/x"]
    }));
    page.handle(&callback).expect("a session");
    for href in [
        "https://one.example",
        "https://one.example/",
        "https://one.example/any/where",
        "https://two.example/api",
        "https://two.example/api/x",
        "http://localhost:3000/x/y",
    ] {
        assert!(page.fetch(href).is_ok(), "{href}");
    }
    for href in
        ["https://two.example/", "https://two.example/apis", "http://localhost:3001/x", "http://one.example/"]
    {
        assert!(page.fetch(href).is_err(), "{href}");
    }
}

#[test]
fn sec_090_a_request_with_credentials_of_its_own_is_refused() {
    let page = signed_in();
    let own = Call { has_credentials: true, ..call("GET", "https://api.example/v1") };
    assert_error(&page.send(own), "credential_refused", &["access-"]);
    for query in ["access_token=x", "a=1&access_token=x", "access_token", "access%5Ftoken=x"] {
        let href = format!("https://api.example/v1/notes?{query}");
        assert_error(&page.fetch(&href), "credential_refused", &["access-"]);
    }
}

#[test]
fn sec_091_targets_are_https() {
    for api in [
        json!("http://api.example"),
        json!("/v1"),
        json!("api.example"),
        json!("https://api.example/v1?x"),
        json!("https://API.example"),
        json!("https://api.example:443"),
        json!("https://u:p@api.example"),
        json!("https://api.example/a/../b"),
        json!(""),
        json!({ "origin": "https://api.example/v1" }),
        json!({ "origin": "http://api.example" }),
        json!({ "path": "/v1" }),
        json!({ "origin": "https://api.example", "path": "v1" }),
        json!({ "origin": "https://api.example", "path": "/../x" }),
        json!({ "origin": "https://api.example", "path": "/v1?x" }),
        json!(1),
        json!(["https://ok.example", "http://api.example"]),
        json!("*"),
        json!("https://*.example"),
    ] {
        let options = crate::common::world::with(World::options(), json!({ "api": api }));
        assert_error(&crate::common::page::configure(&options), "invalid_configuration", &[]);
    }
}

#[test]
fn nobody_signed_in_means_no_token_and_the_target_is_judged_first() {
    let world = World::new();
    let page = world.page();
    assert_error(&page.fetch("https://api.example/v1"), "not_signed_in", &[]);
    assert_error(&page.fetch("https://attacker.example/"), "origin_not_allowed", &[]);
    let (page, _) = world.sign_in();
    world.browser.advance(3_600_001);
    assert_error(&page.fetch("https://api.example/v1"), "session_expired", &["access-"]);
}

/// A session with a refresh token.
fn signed_in_with(world: &World, api: Value) -> Page {
    let page = world.page_with(json!({ "scope": "openid notes offline_access", "api": api }));
    let callback = world.server.authorize(&page.authorize_url(&json!({})));
    page.handle(&callback).expect("a session");
    world.browser.forget_requests();
    page
}

#[test]
fn a_target_gets_a_token_for_its_resource_and_scope() {
    let world = World::new();
    let resource = "https://notes.example/";
    let notes = json!({ "origin": "https://notes.api.example", "resource": resource, "scope": ["notes"] });
    let page = signed_in_with(&world, json!([notes, "https://api.example/v1"]));
    for _ in 0..2 {
        page.fetch("https://api.example/v1").expect("an answer");
        page.fetch("https://notes.api.example/").expect("an answer");
    }
    assert_eq!(world.browser.count("/token"), 1, "each target keeps its token");
    let sent = world.browser.sent();
    let form = sent.iter().find_map(|sent| sent.form.clone()).expect("a refresh");
    for (name, expected) in [("resource", resource), ("scope", "notes")] {
        let fields = urls::fields(&form);
        let values: Vec<_> =
            fields.iter().filter(|(known, _)| known == name).map(|(_, value)| value).collect();
        assert_eq!(values, [expected], "{name}");
    }
    let tokens = |origin: &str| -> Vec<_> {
        let sent = sent.iter().filter(|sent| sent.url.starts_with(origin));
        sent.filter_map(|sent| sent.authorization.clone()).collect()
    };
    let (own, other) = (tokens("https://api.example"), tokens("https://notes.api.example"));
    assert_eq!((own.len(), other.len()), (2, 2));
    assert!(own[0] == own[1] && other[0] == other[1] && own[0] != other[0]);
    assert_eq!(world.server.complaints(), [""; 0]);
}

#[test]
fn a_target_without_scope_gets_no_token_that_is_for_some() {
    let world = World::new();
    let target = |path: &str, scope: Value| {
        let resource = "https://notes.example/";
        json!({ "origin": "https://notes.api.example", "path": path, "resource": resource, "scope": scope })
    };
    let page = signed_in_with(&world, json!([target("/some", json!(["notes"])), target("/all", json!([]))]));
    for _ in 0..2 {
        page.fetch("https://notes.api.example/some").expect("an answer");
        page.fetch("https://notes.api.example/all").expect("an answer");
    }
    let forms = world.browser.sent().into_iter().filter_map(|sent| sent.form);
    let scoped: Vec<bool> =
        forms.map(|form| urls::fields(&form).iter().any(|(name, _)| name == "scope")).collect();
    assert_eq!(scoped, [true, false]);
}

#[test]
fn a_target_whose_scope_was_not_granted_gets_no_request() {
    let world = World::new();
    let page = signed_in_with(
        &world,
        json!([
            { "origin": "https://api.example", "path": "/v1/files", "scope": ["notes", "files"] },
            { "origin": "https://files.api.example", "resource": "https://files.example/", "scope": ["files"] },
            { "origin": "https://api.example", "path": "/v1/notes", "scope": ["notes"] },
            "https://api.example/v1"
        ]),
    );
    for href in ["https://api.example/v1/files/1", "https://files.api.example/"] {
        assert_error(&page.fetch(href), "scope_missing", &["access-", "files"]);
    }
    assert_eq!(world.browser.sent().len(), 0);
    for href in ["https://api.example/v1/notes", "https://api.example/v1/file"] {
        page.fetch(href).expect("an answer");
    }
    assert_eq!(world.browser.count("/token"), 0);
}

#[test]
fn sec_089_a_fetch_with_targets_of_its_own_has_no_others() {
    let world = World::new();
    let page = signed_in_with(&world, json!("https://api.example/v1"));
    let own = Target::read_all(Some(&value(&json!("https://api.example/v2")))).expect("targets");
    let fetch = |href: &str, targets: &[Target]| {
        let (call, targets) = (call("GET", href), targets.to_vec());
        page.run(|client| async move { client.fetch(&call, Some(&targets)).await })
    };
    fetch("https://api.example/v2/x", &own).expect("an answer");
    assert_error(&fetch("https://api.example/v1", &own), "origin_not_allowed", &["access-"]);
    assert_error(&fetch("https://api.example/v1", &[]), "origin_not_allowed", &["access-"]);
    assert_eq!(world.browser.sent().len(), 1);
}

#[test]
fn a_url_is_covered_where_its_target_is_and_its_scopes_were_granted() {
    let world = World::new();
    let api = json!(["https://api.example/v1", { "origin": "https://api.example", "path": "/admin", "scope": ["admin"] }]);
    let callback = world.respond();
    let page = world.page_with(json!({ "api": api }));
    assert!(!page.client.covers("GET", "https://api.example/v1/notes"), "nobody is signed in");
    page.handle(&callback).expect("signed in");
    assert!(page.client.covers("GET", "https://api.example/v1/notes"));
    assert!(!page.client.covers("GET", "https://api.example/admin"));
    assert!(!page.client.covers("GET", "https://attacker.example/v1"));
}
