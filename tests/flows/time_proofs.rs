//! The time that proofs of possession have: the servers' own (RFC 9449 11.1), whatever the device's clock shows.

use crate::common::proofs::claims;
use crate::common::world::{START, with};
use crate::common::{Answer, World, assert_error};
use crate::dpop::{API, options, proved, sign_in, signed_in};
use crate::time::{DAY, HOUR, MINUTE, WRONG, date, dated_response, force, show_date, turn, world_ahead};
use serde_json::json;

/// Seconds between the newest proof and the servers' clock.
#[track_caller]
fn error_of_newest_proof(world: &World) -> i64 {
    let proof = proved(world).pop().expect("a proof");
    claims(&proof)["iat"].as_i64().expect("seconds") - world.browser.executor().now() / 1000
}

#[test]
fn an_iat_five_minutes_early_moves_no_right_clock() {
    for by in WRONG {
        let world = world_ahead(by);
        world.server.change_claims(|claims| {
            for name in ["iat", "nbf"] {
                claims[name] = json!(claims["exp"].as_i64().expect("it") - 900);
            }
        });
        *world.server.nonce.borrow_mut() = Some("n-1".to_owned());
        let page = signed_in(&world);
        force(&page);
        *world.server.nonce.borrow_mut() = None;
        // A clock that is right stays so, one that may be is left alone, and any other follows the token.
        let expected = match by {
            0 => 0,
            _ if by == -3 * MINUTE => -180,
            _ => -300,
        };
        let error = error_of_newest_proof(&world);
        assert!((expected - 3..=expected + 3).contains(&error), "{by}: {error}");
    }
}

#[test]
fn sec_105_a_servers_date_puts_the_clock_right() {
    for by in WRONG {
        let world = world_ahead(by);
        show_date(&world, 0);
        let page = signed_in(&world);
        let tries = if by.abs() > 5 * MINUTE { 2 } else { 1 };
        assert_eq!(world.browser.count("/token"), tries, "{by}");
        page.fetch(API).expect("an answer");
        assert!(error_of_newest_proof(&world).abs() <= 60);
        force(&page);
        assert_eq!(world.browser.count("/token"), tries + 1, "it is known by now");
        assert_eq!(world.server.complaints().len(), tries - 1);
    }
}

#[test]
fn sec_105_without_a_date_a_wrong_clock_is_named_and_nothing_is_repeated() {
    for by in [DAY, -DAY] {
        let world = world_ahead(by);
        assert_error(&sign_in(&world, json!({})).map(|_| ()), "dpop_failed", &["code-"]);
        assert_eq!(world.browser.count("/token"), 1);
    }
}

#[test]
fn sec_105_a_sign_in_puts_the_clock_right() {
    for by in WRONG {
        let world = world_ahead(by);
        *world.server.nonce.borrow_mut() = Some("n-1".to_owned());
        let page = signed_in(&world);
        // From here on the server goes by its clock.
        *world.server.nonce.borrow_mut() = None;
        page.fetch(API).expect("an answer");
        force(&page);
        let error = error_of_newest_proof(&world);
        assert!((-5..=(by / 1000).clamp(0, 300)).contains(&error), "{by}: {error}");
        assert_eq!(world.server.complaints(), [""; 0], "{by}");
    }
}

#[test]
fn sec_105_proofs_have_the_servers_time_when_the_clock_is_set() {
    for set in [DAY, -DAY, 30 * MINUTE, -30 * MINUTE] {
        for asks_first in [true, false] {
            let world = World::new();
            let page = signed_in(&world);
            turn(&world, set);
            if asks_first {
                force(&page);
            }
            let answer = page.fetch(API).expect("an answer").answer;
            assert!(answer.contains("ok"), "{set} {asks_first}: {answer}");
            assert!(error_of_newest_proof(&world).abs() <= 5);
            // A proof with a time to come is tried once.
            assert_eq!(world.server.complaints().len(), usize::from(set > 0), "{set}");
            // The machine may sleep as well; and the person may set the clock right again.
            world.browser.executor().sleep_machine(8 * HOUR);
            assert!(page.fetch(API).expect("an answer").answer.contains("ok"));
            turn(&world, -set);
            assert!(page.fetch(API).expect("an answer").answer.contains("ok"));
            assert!(error_of_newest_proof(&world).abs() <= 60);
        }
    }
}

#[test]
fn sec_105_a_signed_response_puts_the_clock_right() {
    for by in [DAY, -DAY] {
        let world = world_ahead(by);
        let page =
            world.page_with(with(options(), json!({ "authorizationParams": { "responseMode": "jwt" } })));
        page.handle(&dated_response(&world, &page)).unwrap_or_else(|error| panic!("{by}: {error}"));
        assert_eq!(world.server.complaints(), [""; 0], "{by}");
    }
}

#[test]
fn sec_105_an_id_token_of_a_refresh_shows_that_it_is_not_earlier() {
    let world = World::new();
    world.server.identifies_again.set(true);
    let members = json!({ "storage": "localStorage" });
    sign_in(&world, members.clone()).expect("a session");
    *world.server.nonce.borrow_mut() = Some("n-1".to_owned());
    turn(&world, -DAY);
    let page = world.page_with(with(options(), members));
    page.run(|client| async move { client.restore().await });
    assert!(page.fetch(API).expect("an answer").answer.contains("ok"));
    assert!(error_of_newest_proof(&world).abs() <= 5);
    // Nor that it is not later: this one is as old as the session.
    let issued = world.browser.executor().now() / 1000;
    world.server.change_claims(move |claims| claims["iat"] = json!(issued));
    world.browser.advance(30 * MINUTE);
    force(&page);
    assert!(page.fetch(API).expect("an answer").answer.contains("ok"));
    assert!(error_of_newest_proof(&world).abs() <= 5);
    assert_eq!(world.server.complaints(), [""; 0]);
}

#[test]
fn sec_105_a_proof_with_a_nonce_shows_nothing_about_the_clock() {
    let world = World::new();
    *world.server.nonce.borrow_mut() = Some("n-1".to_owned());
    let page = signed_in(&world);
    turn(&world, DAY);
    force(&page);
    assert!(page.fetch(API).expect("an answer").answer.contains("ok"));
    assert!(error_of_newest_proof(&world).abs() <= 5);
    assert_eq!(world.server.complaints().len(), 1);
}

#[test]
fn sec_105_proofs_have_the_servers_time_after_a_sleep() {
    let world = World::new();
    let page = signed_in(&world);
    for _ in 0..3 {
        world.browser.executor().sleep_machine(8 * HOUR);
        page.fetch(API).expect("an answer");
        world.browser.executor().sleep_machine(20 * MINUTE);
        page.fetch(API).expect("an answer");
    }
    assert!(error_of_newest_proof(&world).abs() <= 5);
    assert_eq!(world.server.complaints(), [""; 0]);
}

#[test]
fn sec_105_a_refusal_for_another_reason_is_not_answered_with_another_time() {
    let world = World::new();
    let page = signed_in(&world);
    world.browser.forget_requests();
    world.server.at("/token", |_| Answer::new(400, "application/json", r#"{"error":"invalid_dpop_proof"}"#));
    assert_error(&page.token(&json!({ "forceRefresh": true })), "dpop_failed", &[]);
    assert_eq!(world.browser.count("/token"), 1);
    turn(&world, DAY);
    assert!(page.token(&json!({ "forceRefresh": true })).is_err());
    assert_eq!(world.browser.count("/token"), 3, "one more for the other time");
}

#[test]
fn sec_105_an_api_that_takes_no_proof_is_asked_twice() {
    let world = World::new();
    let page = signed_in(&world);
    world
        .server
        .at("/v1", |_| Answer::html(401).with("www-authenticate", "DPoP error=\"invalid_dpop_proof\""));
    page.fetch(API).expect("the answer");
    assert_eq!(world.browser.count("/v1"), 1, "there is one time only");
    turn(&world, 30 * MINUTE);
    page.fetch(API).expect("the answer");
    assert_eq!(world.browser.count("/v1"), 3);
}

#[test]
fn dates_out_of_a_cache_and_dates_that_cannot_be_are_not_believed() {
    let world = World::new();
    for path in ["/.well-known/openid-configuration", "/jwks"] {
        world.server.at(path, |honest| honest().with("date", &date(START - 5 * HOUR)));
    }
    signed_in(&world);
    for wrong in [30 * HOUR, -30 * HOUR] {
        show_date(&world, wrong);
        force(&signed_in(&world));
    }
    assert_eq!(world.server.complaints(), [""; 0]);
}
