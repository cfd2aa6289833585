//! Which window waits for a response: the page that comes back, the opener of a popup, or the holder of a frame.

use crate::common::page::{Page, value};
use crate::common::{World, assert_error, code_of, urls};
use serde_json::json;
use wardkey::protocol::authorize::{SignIn, Window};

fn url(page: &Page, window: Window) -> String {
    page.prepare().expect("prepared");
    let sign_in = SignIn::read(&value(&json!({}))).expect("options");
    page.client.create_authorize_url(&sign_in, window).expect("a URL").url
}

#[test]
fn the_state_says_which_window_waits() {
    let world = World::new();
    let page = world.page();
    let tag = page.client.config().tag().to_owned();
    for (window, sign) in [(Window::Page, "r"), (Window::Popup, "p"), (Window::Frame, "f")] {
        let state = urls::parameter(&url(&page, window), "state").expect("a state");
        assert!(state.starts_with(&[tag.as_str(), sign].concat()), "{state}");
        assert_eq!(state.len(), tag.len() + 1 + 43);
    }
}

#[test]
fn a_frame_may_have_a_redirect_uri_of_its_own() {
    let world = World::new();
    let silent = "https://app.example/silent.html";
    let page = world.page_with(json!({ "silentRedirectUri": silent }));
    assert_eq!(
        urls::parameter(&url(&page, Window::Popup), "redirect_uri").as_deref(),
        Some(crate::common::CALLBACK)
    );
    let framed = url(&page, Window::Frame);
    assert_eq!(urls::parameter(&framed, "redirect_uri").as_deref(), Some(silent));
    let response = world.server.authorize(&framed);
    assert!(response.starts_with(silent));
    // Elsewhere it is not where it was asked for (SEC-026).
    let elsewhere = response.replace("/silent.html", "/callback");
    assert_eq!(code_of(&page.handle(&elsewhere)), "invalid_callback");
    page.handle(&response).expect("signed in");

    let plain = world.page();
    assert_eq!(
        urls::parameter(&url(&plain, Window::Frame), "redirect_uri").as_deref(),
        Some(crate::common::CALLBACK)
    );
}

/// The ways in which a session ends here by somebody's will.
const ENDS: [fn(&Page); 3] = [
    |page| page.client.sign_out_local(),
    |page| page.client.follow(),
    |page| drop(page.sign_out(&json!({})).expect("signed out")),
];

#[test]
fn a_sign_out_ends_a_silent_sign_in_that_is_under_way_though_nobody_is_signed_in() {
    for end in ENDS {
        for storage in ["sessionStorage", "cookie", "memory"] {
            let world = World::new();
            let page = world.page_with(json!({ "transactionStorage": storage }));
            let silent = world.server.authorize(&url(&page, Window::Frame));
            let popup = world.server.authorize(&url(&page, Window::Popup));
            end(&page);
            assert_error(&page.handle(&silent), "transaction_not_found", &[]);
            assert_eq!(world.browser.count("/token"), 0, "{storage}");
            assert!(!page.is_signed_in());
            page.handle(&popup).expect("who finishes a popup wants it");
            page.client.sign_out_local();
            page.handle(&world.server.authorize(&url(&page, Window::Frame))).expect("one begun after it");
        }
    }
}

#[test]
fn a_silent_sign_in_is_not_begun_across_a_sign_out() {
    let pushed = |world: &World| {
        world.server.change_metadata(|metadata| {
            metadata["require_pushed_authorization_requests"] = true.into();
        });
        world.server.at("/par", |honest| honest().late(500));
    };
    let plain =
        |world: &World| world.server.at("/.well-known/openid-configuration", |honest| honest().late(500));
    for slow in [&plain as &dyn Fn(&World), &pushed] {
        for (window, code) in [(Window::Frame, "aborted"), (Window::Popup, "ok")] {
            let world = World::new();
            slow(&world);
            let page = world.page();
            let client = page.client.clone();
            let begun = world.browser.start(async move { client.begin(&SignIn::default(), window).await });
            world.browser.executor().settle();
            assert!(!begun.is_done());
            page.client.sign_out_local();
            world.browser.advance(1_000);
            assert_eq!(code_of(&begun.take().expect("done")), code, "{window:?}");
        }
    }
}
