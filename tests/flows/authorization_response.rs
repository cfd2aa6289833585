//! The rules of the authorization response: SEC-017 to SEC-030.

use crate::common::urls::{and, parameter, with, without};
use crate::common::world::START;
use crate::common::{World, assert_error};
use serde_json::json;

/// A hostile response: what it is, how it comes of an honest one, and the code it is refused with.
type Case<'a> = (&'a str, &'a dyn Fn(&str) -> String, &'a str);

/// Each hostile response in a world of its own, where the honest one must still work.
fn refuse(cases: &[Case<'_>]) {
    for (name, hostile, code) in cases {
        let world = World::new();
        let honest = world.respond();
        println!("{name}");
        world.assert_refused_untouched(&hostile(&honest), &honest, code);
    }
}

fn state_of(url: &str) -> String {
    parameter(url, "state").expect("it is there")
}

#[test]
fn sec_017_the_state_is_exactly_that_of_a_pending_sign_in() {
    let flip = |url: &str| {
        let state = state_of(url);
        let (tag, rest) = state.split_at(8);
        let flipped =
            |c: char| if c.is_ascii_lowercase() { c.to_ascii_uppercase() } else { c.to_ascii_lowercase() };
        with(url, "state", &[tag, &rest.chars().map(flipped).collect::<String>()].concat())
    };
    refuse(&[
        ("missing", &|url| without(url, "state"), "state_mismatch"),
        ("empty", &|url| with(url, "state", ""), "state_mismatch"),
        ("proto", &|url| with(url, "state", "__proto__"), "state_mismatch"),
        (
            "other client",
            &|url| with(url, "state", &state_of(url).replace(&state_of(url)[..8], "AAAAAAAA")),
            "state_mismatch",
        ),
        ("prefix", &|url| with(url, "state", &state_of(url)[..20]), "transaction_not_found"),
        ("tag alone", &|url| with(url, "state", &state_of(url)[..8]), "transaction_not_found"),
        ("longer", &|url| with(url, "state", &(state_of(url) + "A")), "transaction_not_found"),
        ("NUL", &|url| with(url, "state", &(state_of(url) + "\0")), "transaction_not_found"),
        ("case", &flip, "transaction_not_found"),
    ]);
}

#[test]
fn sec_017_what_is_not_ours_is_left_alone() {
    refuse(&[
        ("no state, no iss", &|url| without(&without(url, "state"), "iss"), "not_mine"),
        ("foreign", &|_| "https://app.example/callback?code=x&state=y".to_owned(), "not_mine"),
        ("a search page", &|_| "https://app.example/callback?q=code".to_owned(), "not_mine"),
        ("no parameters", &|_| "https://app.example/callback".to_owned(), "not_mine"),
        ("no URL", &|_| "code=x&state=y".to_owned(), "not_mine"),
        ("no code, no error", &|url| without(url, "code"), "not_mine"),
    ]);
}

#[test]
fn sec_018_a_consumed_response_is_refused() {
    let world = World::new();
    let callback = world.respond();
    let other = world.respond();
    world.page().handle(&callback).expect("a session");
    let sent = world.browser.sent().len();
    let page = world.page();
    assert_error(&page.handle(&callback), "already_completed", &[]);
    assert_eq!(world.browser.sent().len(), sent);
    assert!(!page.is_signed_in());
    page.handle(&other).expect("the other sign-in still finishes");
    world.assert_nothing_kept();
}

#[test]
fn sec_018_the_record_is_gone_before_the_token_request() {
    let world = World::new();
    let callback = world.respond();
    let browser = world.browser.clone();
    world.server.at("/token", move |honest| {
        assert!(browser.stored().values().all(|text| !text.contains("pending")), "it is still there");
        honest()
    });
    world.page().handle(&callback).expect("a session");
}

#[test]
fn sec_019_a_thousand_forged_responses_consume_nothing() {
    let world = World::new();
    let honest = world.respond();
    let page = world.page();
    for number in 0..1_000 {
        let state = [&state_of(&honest)[..8], &format!("{number:043}")].concat();
        assert_error(&page.handle(&with(&honest, "state", &state)), "transaction_not_found", &[]);
    }
    page.handle(&honest).expect("a session");
}

#[test]
fn sec_020_iss_is_the_issuer_letter_by_letter() {
    let cases = [
        "https://as.example/tenant1",
        "https://as.example/tenant/",
        "https://as.example/Tenant",
        "https://AS.example/tenant",
        "https://as.example:443/tenant",
        "https://attacker.example",
        "",
        "http://as.example/tenant",
        "https://as.example/tenant\0",
        " https://as.example/tenant",
    ];
    for iss in cases {
        let world = World::new();
        let honest = world.respond();
        world.assert_refused_untouched(&with(&honest, "iss", iss), &honest, "issuer_mismatch");
        let honest = world.respond();
        let error = with(&with(&without(&honest, "code"), "error", "access_denied"), "iss", iss);
        world.assert_refused_untouched(&error, &honest, "issuer_mismatch");
    }
}

#[test]
fn sec_021_iss_must_be_there_where_it_is_advertised() {
    refuse(&[
        ("code", &|url| without(url, "iss"), "issuer_mismatch"),
        (
            "error",
            &|url| with(&without(&without(url, "iss"), "code"), "error", "access_denied"),
            "issuer_mismatch",
        ),
    ]);
}

#[test]
fn sec_022_an_unadvertised_iss_is_compared_all_the_same() {
    let world = World::new();
    world.server.change_metadata(|metadata| {
        metadata["authorization_response_iss_parameter_supported"] = false.into();
    });
    let honest = world.respond();
    let hostile = with(&honest, "iss", "https://attacker.example");
    world.assert_refused_untouched(&hostile, &honest, "issuer_mismatch");
    let without_iss = without(&world.respond(), "iss");
    world.page().handle(&without_iss).expect("a session");
}

#[test]
fn sec_024_no_parameter_comes_twice() {
    refuse(&[
        ("state", &|url| and(url, "state=x"), "invalid_callback"),
        ("the same state", &|url| and(url, &format!("state={}", state_of(url))), "invalid_callback"),
        ("state, encoded name", &|url| and(url, "%73tate=x"), "invalid_callback"),
        ("code", &|url| and(url, "code=other"), "invalid_callback"),
        ("iss", &|url| and(url, "iss=https://as.example/tenant"), "invalid_callback"),
        ("error", &|url| and(&with(&without(url, "code"), "error", "a"), "error=b"), "invalid_callback"),
        ("code and error", &|url| with(url, "error", "access_denied"), "invalid_callback"),
    ]);
}

#[test]
fn sec_024_unknown_parameters_are_ignored() {
    let world = World::new();
    let callback = and(&and(&world.respond(), "session_state=1"), "__proto__=x&foo&=");
    world.page().handle(&callback).expect("a session");
}

#[test]
fn sec_025_code_and_error_have_their_characters() {
    let error = |url: &str, raw: &str| and(&without(url, "code"), raw);
    refuse(&[
        ("control", &|url| with(url, "code", "a\u{1}"), "invalid_callback"),
        ("line break", &|url| with(url, "code", "a\r\nb"), "invalid_callback"),
        ("delete", &|url| with(url, "code", "a\u{7f}"), "invalid_callback"),
        ("not ASCII", &|url| with(url, "code", "ä"), "invalid_callback"),
        ("empty code", &|url| with(url, "code", ""), "invalid_callback"),
        ("broken escape", &|url| and(url, "x=%zz"), "invalid_callback"),
        ("cut escape", &|url| and(url, "x=%4"), "invalid_callback"),
        ("bare percent", &|url| and(url, "x=%"), "invalid_callback"),
        ("broken UTF-8", &|url| and(url, "x=%ff"), "invalid_callback"),
        ("error with quotes", &|url| error(url, "error=a%22b"), "invalid_callback"),
        ("error with a backslash", &|url| error(url, "error=a%5Cb"), "invalid_callback"),
        ("error not ASCII", &|url| error(url, "error=%C3%A4"), "invalid_callback"),
        ("empty error", &|url| error(url, "error="), "invalid_callback"),
    ]);
}

#[test]
fn sec_026_the_response_comes_where_and_how_it_was_asked_for() {
    let elsewhere = |url: &str, place: &str| url.replace("https://app.example/callback", place);
    let in_fragment = |url: &str| url.replace('?', "#");
    let implicit = |url: &str| format!("https://app.example/callback#access_token=x&state={}", state_of(url));
    refuse(&[
        ("other path", &|url| elsewhere(url, "https://app.example/other"), "not_mine"),
        ("path below", &|url| elsewhere(url, "https://app.example/callback/"), "not_mine"),
        ("path in another case", &|url| elsewhere(url, "https://app.example/Callback"), "not_mine"),
        ("other origin", &|url| elsewhere(url, "https://evil.example/callback"), "not_mine"),
        ("other port", &|url| elsewhere(url, "https://app.example:8443/callback"), "not_mine"),
        ("http", &|url| elsewhere(url, "http://app.example/callback"), "not_mine"),
        ("fragment", &in_fragment, "invalid_callback"),
        ("implicit", &implicit, "invalid_callback"),
        ("token in the query", &|url| and(url, "access_token=x"), "invalid_callback"),
        ("ID token in the front channel", &|url| and(url, "id_token=eyJ"), "invalid_callback"),
        ("query and fragment", &|url| [url, "#code=x"].concat(), "invalid_callback"),
        ("JARM", &|url| with(&without(url, "code"), "response", "eyJ"), "invalid_callback"),
    ]);
}

#[test]
fn a_fragment_that_is_no_response_is_none_of_our_business() {
    let world = World::new();
    let callback = world.respond() + "#chapter-2";
    world.page().handle(&callback).expect("a session");
}

#[test]
fn sec_029_what_the_server_says_of_an_error_is_shown_to_nobody() {
    let world = World::new();
    let url = world.page().authorize_url(&json!({}));
    let honest = world.respond();
    let callback = world.server.refuse(&url, "<img src=x onerror=alert(1)>");
    let callback = with(&callback, "error_description", "<script>alert(1)</script> ada@example.org");
    let callback = with(&callback, "error_uri", "javascript:alert(1)");
    let error = world.page().handle(&callback).expect_err("an error");
    assert_eq!(error.code().name(), "authorization_failed");
    let text = error.to_string();
    assert!(!text.contains('<') && !text.contains("alert") && !text.contains("ada"), "{text}");
    for hostile in ["script", "javascript", "ada@"] {
        assert!(!format!("{error:?}").contains(hostile), "{error:?}");
    }
    let long = world.server.refuse(&world.page().authorize_url(&json!({})), &"e".repeat(10_000));
    let error = world.page().handle(&long).expect_err("an error");
    assert_eq!(error.oauth_error(), None);
    world.page().handle(&honest).expect("a session");
}

#[test]
fn the_servers_no_has_a_name_and_ends_the_sign_in() {
    for (error, code) in [
        ("access_denied", "access_denied"),
        ("login_required", "login_required"),
        ("interaction_required", "interaction_required"),
        ("consent_required", "interaction_required"),
        ("account_selection_required", "interaction_required"),
        ("temporarily_unavailable", "server_error"),
        ("server_error", "server_error"),
        ("invalid_scope", "authorization_failed"),
    ] {
        let world = World::new();
        let honest = world.respond();
        let page = world.page();
        let callback = world.server.refuse(&page.authorize_url(&json!({})), error);
        let sent = world.browser.sent().len();
        let result = page.handle(&callback);
        assert_error(&result, code, &[&state_of(&callback)]);
        assert_eq!(result.expect_err("an error").oauth_error(), Some(error));
        assert_eq!(page.events(), ["loading", &format!("anonymous: {code}")]);
        assert_eq!(world.browser.sent().len(), sent);
        assert_error(&world.page().handle(&callback), "already_completed", &[]);
        world.page().handle(&honest).expect("the other sign-in still finishes");
        world.assert_nothing_kept();
    }
}

#[test]
fn sec_030_a_sign_in_expires_after_ten_minutes() {
    for (minutes, code) in [(9, "ok"), (11, "transaction_not_found")] {
        let world = World::new();
        let callback = world.respond();
        world.browser.advance(minutes * 60_000);
        let result = world.page().handle(&callback);
        assert_eq!(crate::common::code_of(&result), code, "after {minutes} minutes");
    }
    let world = World::new();
    let callback = world.respond();
    world.browser.executor().set_clock(START - 11 * 60_000);
    assert_error(&world.page().handle(&callback), "transaction_not_found", &[]);
    assert_eq!(world.browser.count("/token"), 0);
}

#[test]
fn sec_030_abandoned_sign_ins_are_bounded_and_swept() {
    let world = World::new();
    let page = world.page();
    page.prepare().expect("prepared");
    for _ in 0..1_000 {
        page.create_authorize_url(&json!({ "appState": "x".repeat(100) })).expect("a URL");
    }
    let count = |world: &World| {
        world.browser.stored().values().map(|text| text.matches("pending").count()).sum::<usize>()
    };
    assert!(count(&world) <= 32, "{} are kept", count(&world));
    let newest = world.respond();
    world.page().handle(&newest).expect("the newest is among them");
    world.browser.advance(11 * 60_000);
    world.page().authorize_url(&json!({}));
    assert_eq!(count(&world), 1, "the others have expired");
}
