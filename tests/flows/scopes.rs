//! Partial grants where it is known what scopes mean (`policies.scopeGrammar`): what is missing, what is not sent, and
//! how more is asked for.

use crate::common::page::call;
use crate::common::urls::{fields, parameter};
use crate::common::{Page, World, assert_error};
use crate::refresh::lasting;
use serde_json::{Value, json};
use wardkey::client::State;

const REPOSITORY: &str = "https://api.example/repository/v2/Repositories";
const ENTRY: &str = "https://api.example/repository/v2/Repositories/r-1/Entries/1";

fn texts(scopes: &str) -> Vec<String> {
    scopes.split(' ').filter(|scope| !scope.is_empty()).map(str::to_owned).collect()
}

/// Options of a client of plain OAuth with a grammar.
fn options(world: &World, grammar: &str, scope: &str) -> Value {
    json!({
        "metadata": world.server.metadata(),
        "scope": scope,
        "api": "https://api.example",
        "policies": { "scopeGrammar": grammar },
    })
}

/// Somebody who was granted this; where it is nothing, the server names nothing.
fn signed_in(world: &World, grammar: &str, asked: &str, granted: Option<&str>) -> Page {
    let named = granted.map_or(Value::Null, Value::from);
    world.server.change_tokens(move |tokens| tokens["scope"] = named.clone());
    let page = world.page_with(options(world, grammar, asked));
    let callback = world.server.authorize(&page.authorize_url(&json!({})));
    page.handle(&callback).unwrap_or_else(|error| panic!("{error}"));
    world.browser.forget_requests();
    page
}

#[test]
fn what_is_missing_is_told_by_meaning() {
    for (asked, granted, missing) in [
        ("openid repository.ReadWrite", "openid repository.Read repository.Write", ""),
        ("openid repository.Read repository.Write", "openid repository.Read", "repository.Write"),
        ("openid repository.ReadWrite", "openid repository.Read", "repository.Write"),
    ] {
        let world = World::new();
        world.server.change_tokens(move |tokens| tokens["scope"] = granted.into());
        let page = world.page_with(options(&world, "laserfiche", asked));
        let callback = world.server.authorize(&page.authorize_url(&json!({})));
        let result = page.handle(&callback).expect("a session");
        assert_eq!(result.missing, texts(missing), "{asked}");
        assert_eq!(page.client.state().missing(), texts(missing), "{asked}");
        let State::Authenticated { granted: told, .. } = page.client.state() else { panic!("signed in") };
        assert_eq!(*told, texts(granted), "as the server says it");
        assert!(page.client.has_scope(&texts("repository.Read")));
        assert_eq!(page.client.has_scope(&texts("repository.ReadWrite")), missing.is_empty());
    }
}

#[test]
fn without_a_grammar_scopes_mean_their_text() {
    let world = World::new();
    world.server.change_tokens(|tokens| tokens["scope"] = "openid repository.Read repository.Write".into());
    let page =
        world.page_with(json!({ "scope": "openid repository.ReadWrite", "api": "https://api.example" }));
    let callback = world.server.authorize(&page.authorize_url(&json!({})));
    assert_eq!(page.handle(&callback).expect("a session").missing, ["repository.ReadWrite"]);
    assert!(!page.client.has_scope(&texts("repository.ReadWrite")));
    assert!(page.client.covers("DELETE", ENTRY));
    let url = page.authorize_url(&json!({ "scope": "table.Read" }));
    assert_eq!(parameter(&url, "scope").as_deref(), Some("openid table.Read"));
    assert!(!page.events().iter().any(|event| event.starts_with("doubtful")));
}

#[test]
fn a_request_that_the_server_would_refuse_is_not_sent() {
    let world = World::new();
    let granted = "openid repository/Repositories/r-1/Entries/1.Read table.Read";
    let page = signed_in(&world, "laserfiche", "openid repository.Read table.Read", Some(granted));
    for (method, href) in [
        ("GET", [ENTRY, "0"].concat()),
        ("PUT", [ENTRY, "/Fields"].concat()),
        ("GET", REPOSITORY.to_owned()),
        ("GET", "https://api.example/odata4/table/Accounts".to_owned()),
    ] {
        assert!(!page.client.covers(method, &href), "{method} {href}");
        let outcome = page.send(call(method, &href));
        assert_error(&outcome, "scope_missing", &["access-", "api.example", "Entries", "Accounts"]);
        assert!(!outcome.expect_err("refused").retryable());
    }
    assert_eq!(world.browser.sent().len(), 0);
    for (method, href) in [
        ("GET", [ENTRY, "/Fields?$top=1"].concat()),
        ("POST", [ENTRY, "/Export"].concat()),
        ("GET", [REPOSITORY, "/r-1/Tasks"].concat()),
        ("DELETE", "https://api.example/repository/elsewhere".to_owned()),
    ] {
        assert!(page.client.covers(method, &href), "{method} {href}");
        page.send(call(method, &href)).expect("an answer");
    }
    assert_eq!(world.browser.sent().len(), 4);
    assert!(
        !page.client.covers("GET", &ENTRY.replace("api.example", "attacker.example")),
        "no target covers it"
    );
    page.client.sign_out_local();
    assert!(!page.client.covers("GET", ENTRY), "nobody is signed in");
    assert!(!page.client.has_scope(&[]), "nobody is signed in");
    assert_error(&page.fetch([ENTRY, "0"].concat().as_str()), "not_signed_in", &["access-"]);
}

#[test]
fn a_server_that_names_no_scopes_has_granted_those_that_were_asked_for() {
    let world = World::new();
    let page = signed_in(&world, "laserfiche", "openid repository.Read", None);
    assert!(page.client.state().missing().is_empty());
    assert_error(&page.send(call("DELETE", ENTRY)), "scope_missing", &["access-"]);
    page.fetch(ENTRY).expect("an answer");
}

#[test]
fn without_any_scope_the_first_version_is_open_and_the_second_is_closed() {
    let world = World::new();
    world.server.change_tokens(|tokens| tokens["scope"] = Value::Null);
    let mut options = options(&world, "laserfiche", "");
    options["issuer"] = Value::Null;
    let page = world.page_with(options);
    let url = page.authorize_url(&json!({}));
    assert_eq!(parameter(&url, "scope"), None);
    page.handle(&world.server.authorize(&url)).expect("a session");
    world.browser.forget_requests();
    page.send(call("DELETE", &ENTRY.replace("v2", "v1"))).expect("an answer");
    assert_error(&page.fetch(ENTRY), "scope_missing", &["access-"]);
    page.fetch("https://api.example/LFRepositoryAPI/v2/Repositories").expect("an answer");
    assert_eq!(world.browser.sent().len(), 2);
}

#[test]
fn a_sign_in_for_more_keeps_what_was_granted() {
    let world = World::new();
    let granted = "openid repository.Read repository/Repositories/r-1.ReadWrite project/Test+With+Spaces";
    let page = signed_in(&world, "laserfiche", "openid repository.ReadWrite", Some(granted));
    for (asked, expected) in [
        (
            json!({ "scope": "table.Read" }),
            "openid table.Read repository.Read repository/Repositories/r-1.Write project/Test+With+Spaces",
        ),
        (
            json!({ "scope": ["repository.ReadWrite"] }),
            "openid repository.ReadWrite project/Test+With+Spaces",
        ),
        (json!({}), "openid repository.ReadWrite project/Test+With+Spaces"),
    ] {
        let url = page.authorize_url(&asked);
        assert_eq!(parameter(&url, "scope").as_deref(), Some(expected), "{asked}");
    }
    // What is asked for again is what the response is held against.
    world.server.change_tokens(|tokens| tokens["scope"] = "openid repository.Read table.Read".into());
    let url = page.authorize_url(&json!({ "scope": "table.Read" }));
    let result = page.handle(&world.server.authorize(&url)).expect("a session");
    assert_eq!(result.missing, ["repository/Repositories/r-1.Write", "project/Test+With+Spaces"]);
    page.client.sign_out_local();
    let url = page.authorize_url(&json!({ "scope": "table.Read" }));
    assert_eq!(parameter(&url, "scope").as_deref(), Some("openid table.Read"), "nobody is signed in");
}

#[test]
fn a_client_that_asks_for_nothing_in_particular_still_does() {
    let world = World::new();
    world.server.change_tokens(|tokens| tokens["scope"] = "openid files:read".into());
    let mut options = options(&world, "docspace", "");
    options["issuer"] = Value::Null;
    let page = world.page_with(options);
    let url = page.authorize_url(&json!({}));
    page.handle(&world.server.authorize(&url)).expect("a session");
    assert_eq!(parameter(&page.authorize_url(&json!({})), "scope"), None);
    // It does not do OpenID Connect, whatever the server has granted.
    let url = page.authorize_url(&json!({ "scope": "files:write" }));
    assert_eq!(parameter(&url, "nonce"), None);
    page.handle(&world.server.authorize(&url)).expect("a session");
}

#[test]
fn a_project_reaches_the_server_as_it_is_written() {
    let world = World::new();
    let scope = "openid table.Read project/Test+With+Spaces";
    let page = world.page_with(options(&world, "laserfiche", scope));
    let url = page.authorize_url(&json!({}));
    // As a form, once decoded; a raw + would be a space by then.
    let query = url.split_once('?').expect("a query").1;
    let sent: Vec<_> = fields(query).into_iter().filter(|(name, _)| name == "scope").collect();
    assert_eq!(sent, [("scope".to_owned(), scope.to_owned())]);
    assert!(query.contains("project%2FTest%2BWith%2BSpaces"), "{query}");
    assert_eq!(page.events(), [""; 0]);
}

#[test]
fn tables_without_a_project_are_warned_of() {
    let world = World::new();
    let page = world.page_with(options(&world, "laserfiche", "openid table.Read"));
    page.authorize_url(&json!({}));
    assert_eq!(page.events(), ["doubtful: table scopes reach nothing without a scope for a project"]);
    page.authorize_url(&json!({ "scope": "table.Read project/Global" }));
    page.authorize_url(&json!({ "scope": "odata4/table/Accounts.Read" }));
    assert_eq!(page.events(), [""; 0]);
}

#[test]
fn a_token_is_asked_for_by_what_scopes_mean() {
    let world = World::new();
    world.server.change_tokens(|tokens| tokens["scope"] = "openid repository.Read repository.Write".into());
    let mut members = options(&world, "laserfiche", "openid offline_access repository.ReadWrite");
    members["resource"] = json!(["https://a.example/", "https://b.example/"]);
    members["refresh"] = json!({ "auto": false });
    let page = lasting(&world, members);
    page.token(&json!({ "scope": "repository.ReadWrite" })).expect("a token");
    assert_error(&page.token(&json!({ "scope": "repository.All" })), "scope_missing", &["access-"]);
    assert_eq!(world.browser.count("/token"), 0);
    for _ in 0..2 {
        let options =
            json!({ "resource": "https://b.example/", "scope": "repository/Repositories/r-1.ReadWrite" });
        page.token(&options).expect("a token");
    }
    assert_eq!(world.browser.count("/token"), 1, "the one at hand does for it");
}

#[test]
fn docspace_is_asked_for_what_its_table_says() {
    let world = World::new();
    let page = signed_in(&world, "docspace", "openid files:read rooms:read", Some("openid files:write"));
    assert_eq!(page.client.state().missing(), ["rooms:read"]);
    page.fetch("https://api.example/api/2.0/files/@my").expect("an answer");
    for href in ["files/rooms", "people/@self", "settings"] {
        let outcome = page.fetch(&["https://api.example/api/2.0/", href].concat());
        assert_error(&outcome, "scope_missing", &["access-", href]);
    }
    assert_eq!(world.browser.sent().len(), 1);
}

#[test]
fn the_least_scopes_are_those_of_target_and_grammar() {
    let world = World::new();
    let mut members = options(&world, "docspace", "openid");
    members["api"] = json!([
        { "origin": "https://api.example", "path": "/api/2.0/files", "scope": ["extra", "files:write"] },
        "https://api.example",
    ]);
    let client = world.page_with(members).client;
    let ask = |operations: &[(&str, &str)]| {
        operations.iter().try_fold(Vec::new(), |asked, (method, path)| {
            client.ask(asked, method, &["https://api.example", path].concat(), false)
        })
    };
    let people = ("GET", "/api/2.0/people");
    assert_eq!(ask(&[people]).expect("scopes"), ["accounts:read"]);
    let all = [people, ("GET", "/api/2.0/files/1"), ("GET", "/api/2.0/files/rooms"), ("GET", "/elsewhere")];
    assert_eq!(ask(&all).expect("scopes"), ["accounts:read", "extra", "files:write", "rooms:read"]);
    assert_error(&ask(&[people, ("POST", "/api/2.0/settings")]), "scope_missing", &["settings"]);
    assert_error(&ask(&[("GET", ".attacker.example/")]), "origin_not_allowed", &["attacker"]);
}

#[test]
fn an_own_backend_has_paths_of_its_own() {
    let world = World::new();
    world.server.change_tokens(|tokens| tokens["scope"] = "openid files:read".into());
    let mut members = options(&world, "docspace", "openid files:read");
    members["api"] = json!(["https://api.example", "https://backend.example/api"]);
    members["policies"]["scopeOrigin"] = "https://api.example".into();
    let page = world.page_with(members);
    let callback = world.server.authorize(&page.authorize_url(&json!({})));
    page.handle(&callback).expect("a session");
    let (notes, settings) =
        ("https://backend.example/api/2.0/settings", "https://api.example/api/2.0/settings");
    let ask = |href| page.client.ask(texts("files:read"), "POST", href, false);
    assert!(page.client.covers("GET", notes));
    page.fetch(notes).expect("an answer");
    assert_eq!(ask(notes).expect("scopes"), ["files:read"]);
    assert!(!page.client.covers("GET", settings));
    assert_error(&page.fetch(settings), "scope_missing", &["access-"]);
    assert_error(&ask(settings), "scope_missing", &["settings"]);
}

#[test]
fn a_guess_covers_nothing_and_keeps_nothing_back() {
    let world = World::new();
    let page = signed_in(&world, "laserfiche", "openid repository.Read", None);
    let session = "https://api.example/repository/v1/Repositories/r-1/ServerSession/Refresh";
    assert!(!page.client.covers("PUT", session));
    page.send(call("PUT", session)).expect("an answer");
    assert!(page.client.covers("PUT", &session.replace("r-1", "/r-1")), "nothing is known of it");
}

#[test]
fn strange_scopes_are_a_matter_of_text() {
    let world = World::new();
    let long = ["repository/", &"x".repeat(30_000), ".Read"].concat();
    let strange = format!("openid {long} . .Read repository/.Read project/ !#$%&'()*+,-/:;<=>?@[]^_`{{|}}~");
    let page = signed_in(&world, "laserfiche", &strange, Some(&strange.clone()));
    assert!(page.client.state().missing().is_empty());
    assert_error(&page.fetch(ENTRY), "scope_missing", &["access-"]);
    // A list beyond reason is no list, and a session is not made of it.
    let thousand: String = (0..1000).map(|number| format!("repository/{number}.Read ")).collect();
    world.server.change_tokens(move |tokens| tokens["scope"] = thousand.clone().into());
    world.assert_sign_in_fails("invalid_token_response");
}
