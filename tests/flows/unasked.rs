//! What a client does without being asked, and what it leaves: a network that is gone, a page that nobody sees, a
//! sleep that a whole fleet wakes from.

use crate::common::{Page, World};
use crate::refresh::{lasting, pass};
use serde_json::{Value, json};
use std::cell::RefCell;
use std::rc::Rc;

const HOUR: i64 = 3_600_000;
const DAY: i64 = 24 * HOUR;

fn look(page: &Page) {
    page.run(|client| async move { client.look().await });
}

/// What a page does that is opened where the tabs share a session.
fn reload(world: &World, options: &Value) -> Page {
    let page = world.page_with(options.clone());
    page.run(|client| async move { client.restore().await });
    page.events();
    page
}

/// When the token endpoint is asked, from now on.
fn note_times(world: &World) -> Rc<RefCell<Vec<i64>>> {
    let times = Rc::new(RefCell::new(Vec::new()));
    let (noted, executor) = (Rc::clone(&times), Rc::clone(world.browser.executor()));
    world.server.at("/token", move |honest| {
        noted.borrow_mut().push(executor.now());
        honest()
    });
    times
}

#[test]
fn sec_051_without_a_network_nothing_is_tried_until_there_is_one_and_then_at_once() {
    let world = World::new();
    let page = lasting(&world, json!({}));
    world.browser.offline.set(true);
    world.browser.advance(DAY);
    assert_eq!(world.browser.count("/token"), 1, "tried over and over without a network");
    assert_eq!(page.events(), ["authenticated", "deferred: offline"]);
    assert_eq!(world.browser.executor().waiting(), 0, "a timer for nothing");
    look(&page);
    assert_eq!(world.browser.count("/token"), 1, "there is no network yet");
    world.browser.offline.set(false);
    let now = world.browser.executor().now();
    look(&page);
    assert_eq!(page.events(), ["authenticated", "refreshed"]);
    assert!(!page.is_stale() && world.browser.executor().now() < now + 100, "at once");
    world.browser.advance(HOUR);
    assert_eq!(world.browser.count("/token"), 3, "the next one comes by a timer again");
    assert_eq!(world.browser.executor().waiting(), 1, "one session, one timer");
}

#[test]
fn sec_051_a_call_finds_by_itself_that_there_is_a_network_again() {
    let world = World::new();
    let page = lasting(&world, json!({ "refresh": { "auto": false } }));
    world.browser.offline.set(true);
    pass(&world, HOUR);
    for _ in 0..20 {
        assert!(page.access_token().is_err());
    }
    assert_eq!(world.browser.sent().len(), 1, "a storm");
    world.browser.offline.set(false);
    page.access_token().expect("a token");
    assert_eq!(world.browser.count("/token"), 1);
}

#[test]
fn sec_051_what_never_left_the_device_makes_no_wait_for_the_server_longer() {
    let world = World::new();
    let page = lasting(&world, json!({ "refresh": { "auto": false } }));
    world.browser.offline.set(true);
    pass(&world, HOUR);
    for _ in 0..10 {
        assert!(page.access_token().is_err());
        pass(&world, 10_000);
    }
    world.browser.offline.set(false);
    world.server.at("/token", |_| crate::common::Answer::html(503));
    assert!(page.access_token().is_err());
    world.server.heal();
    pass(&world, 5_001);
    page.access_token().expect("the first wait is the shortest");
}

#[test]
fn a_page_that_nobody_sees_refreshes_when_asked_and_not_before() {
    for storage in ["memory", "sessionStorage", "localStorage"] {
        let world = World::new();
        let page = lasting(&world, json!({ "storage": storage }));
        world.browser.hidden.borrow_mut().insert(0);
        world.browser.advance(DAY);
        assert_eq!(world.browser.count("/token"), 0, "{storage}");
        assert_eq!(world.browser.executor().waiting(), 0, "a timer for nothing");
        look(&page);
        assert_eq!(world.browser.count("/token"), 0, "{storage}");
        page.access_token().expect("who asks has one");
        assert_eq!(world.browser.count("/token"), 1, "{storage}");
        world.browser.advance(DAY);
        assert_eq!(world.browser.count("/token"), 1, "{storage}");
        world.browser.hidden.borrow_mut().clear();
        look(&page);
        assert_eq!(world.browser.count("/token"), 2, "{storage}: seen again, it looks");
        world.browser.advance(HOUR);
        assert_eq!(world.browser.count("/token"), 3, "{storage}: and watches");
    }
}

#[test]
fn a_hidden_tab_leaves_the_work_to_one_that_is_seen() {
    let world = World::new();
    let options = json!({ "storage": "localStorage", "scope": "openid offline_access" });
    let seen = lasting(&world, options.clone());
    let executor = Rc::clone(world.browser.executor());
    let hidden = executor.as_owner(1, || reload(&world, &options));
    world.browser.hidden.borrow_mut().insert(1);
    world.browser.advance(2 * HOUR);
    assert_eq!(world.browser.count("/token"), 2, "one refresh each time");
    assert_eq!(hidden.events(), [""; 0], "it has done nothing");
    let token = seen.access_token().expect("a token");
    executor.as_owner(1, || look(&hidden));
    assert_eq!(executor.as_owner(1, || hidden.access_token()).expect("a token"), token);
    assert_eq!(world.browser.count("/token"), 2, "what the other has got serves here");
    *world.browser.hidden.borrow_mut() = [0].into();
    executor.as_owner(1, || look(&hidden));
    world.browser.advance(HOUR);
    assert_eq!(world.browser.count("/token"), 3, "the one that is seen now watches, though nothing was due");
}

#[test]
fn a_session_without_a_refresh_token_ends_in_time_where_nobody_sees_it() {
    let world = World::new();
    let (page, _) = world.sign_in();
    world.browser.hidden.borrow_mut().insert(0);
    world.browser.offline.set(true);
    world.browser.advance(HOUR);
    assert!(!page.is_signed_in());
    assert!(page.events().contains(&"expired: session_expired".to_owned()));
}

#[test]
fn a_fleet_that_wakes_at_once_does_not_come_at_once() {
    // By what the page hears of, or by timers that slept along.
    for looks in [true, false] {
        let world = World::new();
        let pages: Vec<Page> = (0..40).map(|_| lasting(&world, json!({}))).collect();
        let times = note_times(&world);
        pass(&world, 8 * HOUR);
        if !looks {
            world.browser.advance(HOUR - 31_000);
            assert_eq!(times.borrow().len(), 0);
        }
        let woken = world.browser.executor().now();
        for page in pages.iter().filter(|_| looks) {
            let client = page.client.clone();
            world.browser.start(async move { client.look().await });
        }
        world.browser.advance(12_000);
        let mut waits: Vec<i64> = times.borrow().iter().map(|at| at - woken).collect();
        waits.sort_unstable();
        assert_eq!(waits.len(), 40, "each once: {waits:?}");
        assert!(waits[39] - waits[0] > 5_000, "they come at once: {waits:?}");
        assert!(waits[39] < 11_100, "it is a matter of seconds: {waits:?}");
        assert!(pages.iter().all(Page::is_signed_in));
    }
}

#[test]
fn who_goes_out_of_sight_before_its_turn_does_not_come() {
    let world = World::new();
    let page = lasting(&world, json!({}));
    pass(&world, 8 * HOUR);
    let client = page.client.clone();
    world.browser.start(async move { client.look().await });
    world.browser.executor().settle();
    world.browser.hidden.borrow_mut().insert(0);
    world.browser.advance(HOUR);
    assert_eq!(world.browser.count("/token"), 0);
}

#[test]
fn a_call_does_not_wait_for_the_fleet() {
    let world = World::new();
    let pages: Vec<Page> = (0..10).map(|_| lasting(&world, json!({}))).collect();
    let times = note_times(&world);
    pass(&world, 8 * HOUR);
    let woken = world.browser.executor().now();
    for page in &pages {
        let client = page.client.clone();
        world.browser.start(async move { client.look().await });
    }
    world.browser.executor().settle();
    for page in &pages {
        page.fetch("https://api.example/v1/notes").expect("an answer");
    }
    assert!(times.borrow().iter().all(|at| *at < woken + 1_000), "{:?}", times.borrow());
    world.browser.advance(60_000);
    assert_eq!(times.borrow().len(), 10, "and one refresh is enough");
}
