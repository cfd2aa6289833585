//! Which window waits for a response: the page that comes back, the opener of a popup, or the holder of a frame.

use crate::common::page::{Page, value};
use crate::common::{World, code_of, urls};
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
