//! Clocks that are wrong, are set while the page lives, and machines that sleep: no session is lost to them, no dead
//! token looks alive. What servers see of the time is in `time_proofs`.

use crate::common::world::START;
use crate::common::{Answer, Page, World, assert_error};
use crate::refresh::{lasting, lazy};
use serde_json::json;
use wardkey::client::State;

pub(crate) const MINUTE: i64 = 60_000;
pub(crate) const HOUR: i64 = 60 * MINUTE;
pub(crate) const DAY: i64 = 24 * HOUR;

/// Sets the device's clock ahead of what it shows.
pub(crate) fn turn(world: &World, by: i64) {
    let executor = world.browser.executor();
    executor.set_clock(executor.clock() + by);
}

/// A world whose device is ahead of the servers.
pub(crate) fn world_ahead(by: i64) -> World {
    let world = World::new();
    turn(&world, by);
    world.server.identifies_again.set(true);
    world
}

/// RFC 9110 5.6.7, in the few days that these tests run in.
pub(crate) fn date(milliseconds: i64) -> String {
    // That is when they start on the 21st, a Monday.
    let seconds = (milliseconds - START).div_euclid(1000) + 51_200;
    let (day, second) = (21 + seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    let name = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"][(day - 20).rem_euclid(7) as usize];
    let (hour, minute) = (second / 3600, second / 60 % 60);
    format!("{name}, {day:02} Sep 2026 {hour:02}:{minute:02}:{:02} GMT", second % 60)
}

/// The token endpoint shows its clock: CORS exposes the header.
pub(crate) fn show_date(world: &World, wrong: i64) {
    let executor = std::rc::Rc::clone(world.browser.executor());
    world.server.at("/token", move |honest| honest().with("date", &date(executor.now() + wrong)));
}

/// A signed response that says when it was made.
pub(crate) fn dated_response(world: &World, page: &Page) -> String {
    world.server.change_metadata(|metadata| {
        metadata["authorization_signing_alg_values_supported"] = json!(["ES256"]);
    });
    let honest = world.server.authorize(&page.authorize_url(&json!({})));
    crate::response_modes::changed(world, &honest, |_, claims| {
        claims["iat"] = json!(claims["exp"].as_i64().expect("it") - 600);
    })
}

pub(crate) fn force(page: &Page) -> String {
    let token = page.token(&json!({ "forceRefresh": true })).unwrap_or_else(|error| panic!("{error}"));
    token.token.expose().to_owned()
}

pub(crate) const WRONG: [i64; 9] =
    [0, 3 * MINUTE, -3 * MINUTE, 7 * MINUTE, -7 * MINUTE, DAY, -DAY, DAY + 20 * MINUTE, -DAY - 20 * MINUTE];

#[test]
fn a_clock_that_is_a_day_wrong_prevents_nothing() {
    for by in WRONG {
        for shown in [false, true] {
            println!("{by} {shown}");
            let world = world_ahead(by);
            if shown {
                show_date(&world, 0);
            }
            let page = lasting(&world, json!({}));
            let token = page.token(&json!({})).expect("a token");
            let clock = world.browser.executor().clock();
            assert!((clock + HOUR - 1_000..=clock + HOUR).contains(&token.expires_at.expect("a time")));
            let refreshed = force(&page);
            assert_ne!(refreshed, token.token.expose());
            // The next one comes when it is due by the server's time, which is an hour.
            world.browser.advance(55 * MINUTE);
            assert_eq!(page.access_token().expect("a token"), refreshed);
            world.browser.advance(5 * MINUTE);
            assert_ne!(page.access_token().expect("a token"), refreshed);
            assert!(page.is_signed_in());
            assert_eq!(world.browser.count("/token"), 2);
        }
    }
}

#[test]
fn a_clock_that_is_wrong_by_more_than_a_day_is_no_clock() {
    for by in [26 * HOUR, -26 * HOUR, 400 * DAY] {
        world_ahead(by).assert_sign_in_fails("id_token_invalid");
    }
}

#[test]
fn id_tokens_that_live_shorter_than_the_clock_is_wrong_are_accepted() {
    for by in [2 * MINUTE, 5 * MINUTE, 7 * MINUTE, -2 * MINUTE] {
        let world = world_ahead(by);
        world.server.change_claims(|claims| claims["exp"] = json!(claims["iat"].as_i64().expect("it") + 60));
        force(&lasting(&world, json!({})));
    }
}

#[test]
fn a_signed_response_says_when_it_was_made() {
    for by in WRONG {
        let world = world_ahead(by);
        let page = world.page_with(json!({ "authorizationParams": { "responseMode": "jwt" } }));
        page.handle(&dated_response(&world, &page)).unwrap_or_else(|error| panic!("{by}: {error}"));
    }
}

#[test]
fn a_clock_that_is_set_loses_no_session() {
    for by in WRONG {
        for set in [DAY, -DAY] {
            for identifies in [true, false] {
                println!("{by} {set} {identifies}");
                let world = world_ahead(by);
                world.server.identifies_again.set(identifies);
                let page = lasting(&world, json!({}));
                let first = page.access_token().expect("a token");
                turn(&world, set);
                let second = page.access_token().expect("a token");
                assert_eq!(second == first, set < 0, "renewed too early at most");
                turn(&world, -set);
                page.access_token().expect("a token");
                force(&page);
                let asked = world.browser.count("/token");
                world.browser.advance(50 * MINUTE);
                assert_eq!(world.browser.count("/token"), asked, "a storm");
                world.browser.advance(10 * MINUTE);
                assert_eq!(world.browser.count("/token"), asked + 1);
                assert!(page.is_signed_in() && !page.is_stale());
            }
        }
    }
}

#[test]
fn a_clock_that_is_right_again_is_believed() {
    let world = world_ahead(0);
    let page = lasting(&world, json!({ "refresh": { "auto": false } }));
    for by in [DAY, DAY, -2 * DAY] {
        turn(&world, by);
        // Whoever looks sees the clock.
        page.run(|client| async move { client.look().await });
    }
    force(&page);
    assert!(page.is_signed_in());
}

#[test]
fn a_clock_that_is_set_back_makes_no_dead_token_look_alive() {
    for steps in [1, 4] {
        let world = World::new();
        let page = lazy(&world);
        let first = page.access_token().expect("a token");
        for _ in 0..steps {
            turn(&world, -DAY / steps);
            assert_eq!(page.access_token().expect("a token"), first, "not dead yet");
            world.browser.advance(HOUR / steps);
        }
        assert_ne!(page.access_token().expect("a token"), first);
    }
    let world = World::new();
    let (page, _) = world.sign_in();
    turn(&world, -DAY);
    world.browser.advance(HOUR - 1_000);
    assert!(page.is_signed_in());
    world.browser.advance(2_000);
    assert!(!page.is_signed_in(), "no timer saw its end");
    assert_error(&page.access_token(), "session_expired", &[]);
}

#[test]
fn what_is_stored_looks_no_younger_on_the_next_page() {
    for (minutes, by, same) in [(10, 0, true), (1, -3 * MINUTE, true), (10, -DAY, false), (120, -DAY, false)]
    {
        let world = World::new();
        let options = json!({ "storage": "localStorage", "scope": "openid profile offline_access" });
        let first = lasting(&world, options.clone()).access_token().expect("a token");
        world.browser.executor().sleep_machine(minutes * MINUTE);
        turn(&world, by);
        let page = world.page_with(options);
        page.run(|client| async move { client.restore().await });
        assert!(page.is_signed_in(), "a refresh token does not age");
        assert_eq!(page.access_token().expect("a token") == first, same, "{minutes} {by}");
    }
}

#[test]
fn tabs_that_saw_the_clock_set_back_read_the_same_times() {
    let world = World::new();
    let options = json!({ "storage": "localStorage", "scope": "openid profile offline_access" });
    let first = lasting(&world, options.clone());
    let second = world.page_with(options);
    second.run(|client| async move { client.restore().await });
    turn(&world, -DAY);
    second.access_token().expect("a token");
    let token = force(&first);
    second.run(|client| async move { client.look().await });
    world.browser.forget_requests();
    assert_eq!(second.access_token().expect("a token"), token);
    assert_eq!(world.browser.count("/token"), 0);
}

#[test]
fn the_app_reads_times_by_the_clock_that_it_has() {
    let world = World::new();
    let page = lasting(&world, json!({}));
    turn(&world, -DAY);
    let expires_at = page.token(&json!({})).expect("a token").expires_at.expect("a time");
    let clock = world.browser.executor().clock();
    assert!((clock + HOUR - 10_000..=clock + HOUR).contains(&expires_at));
    let State::Authenticated { expires_at: told, .. } = page.client.state() else { panic!("signed in") };
    assert_eq!(told, Some(expires_at));
}

#[test]
fn after_eight_hours_of_sleep_the_first_call_has_a_new_token() {
    for looks in [true, false] {
        let world = World::new();
        let page = lasting(&world, json!({}));
        let first = page.access_token().expect("a token");
        world.browser.executor().sleep_machine(8 * HOUR);
        if looks {
            page.run(|client| async move { client.look().await });
            assert_eq!(world.browser.count("/token"), 1, "renewed when the page woke");
        }
        page.fetch("https://api.example/v1/notes").expect("an answer");
        let sent = world.browser.sent();
        let positions = ["/token", "/notes"].map(|end| sent.iter().position(|sent| sent.url.ends_with(end)));
        assert!(positions[0].is_some() && positions[0] < positions[1], "the API saw the old token");
        assert_ne!(page.access_token().expect("a token"), first);
        assert_eq!(world.browser.count("/token"), 1);
    }
}

#[test]
fn what_was_put_off_is_tried_again_though_the_clock_is_set_back() {
    for auto in [true, false] {
        let world = World::new();
        let page = lasting(&world, json!({ "refresh": { "auto": auto } }));
        world.server.at("/token", |_| Answer::html(503));
        world.browser.advance(HOUR);
        assert_error(&page.access_token(), "server_error", &[]);
        world.server.heal();
        turn(&world, -DAY);
        world.browser.advance(6 * MINUTE);
        assert_eq!(page.is_stale(), !auto);
        page.access_token().expect("a token");
    }
}

#[test]
fn no_timer_is_too_long_and_none_too_frequent() {
    for (lifetime, by) in [(1, 0), (20, 0), (59, 0), (100 * 86_400, 0), (100 * 86_400, -DAY), (20, -DAY)] {
        let world = World::new();
        world.server.lifetime.set(lifetime);
        let page = lasting(&world, json!({}));
        turn(&world, by);
        world.browser.advance(2 * HOUR);
        assert!(page.is_signed_in());
        let sleeps = world.browser.sleeps();
        assert!(!sleeps.is_empty() && sleeps.iter().all(|sleep| *sleep >= 25_000), "{lifetime}: {sleeps:?}");
        assert!(world.browser.count("/token") <= 2 * 60 * 2, "{lifetime}");
        // Who asks has one in force all the same.
        let clock = world.browser.executor().clock();
        assert!(page.token(&json!({})).expect("a token").expires_at.is_some_and(|at| at > clock));
    }
}
