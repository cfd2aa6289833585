//! Where a sign-in in progress rests: in the tab, in a cookie, or in memory (SEC-126).

use crate::common::{World, assert_error, code_of};
use serde_json::json;
use wardkey::protocol::authorize::{SignIn, Window};

#[test]
fn a_cookie_serves_where_the_response_comes_to_another_tab() {
    let world = World::new();
    let options = json!({ "transactionStorage": "cookie" });
    let url = world.page_with(options.clone()).authorize_url(&json!({}));
    assert!(world.browser.stored().is_empty());
    let cookies = world.browser.cookies.borrow().clone();
    assert_eq!(cookies.len(), 1);
    let callback = world.server.authorize(&url);
    let page = world.page_with(options.clone());
    page.handle(&callback).expect("signed in");
    for text in world.browser.cookies.borrow().values() {
        assert!(!text.contains("pending") && !text.contains("access-") && !text.contains("eyJ"), "{text}");
    }
    assert_error(&world.page_with(options).handle(&callback), "already_completed", &[]);
}

#[test]
fn a_cookie_has_room_for_the_newest_sign_ins() {
    let world = World::new();
    let options = json!({ "transactionStorage": "cookie" });
    let page = world.page_with(options.clone());
    let urls: Vec<String> =
        (0..20).map(|_| page.authorize_url(&json!({ "returnTo": "/a/path/of/some/length" }))).collect();
    let answer =
        |url: &String| code_of(&world.page_with(options.clone()).handle(&world.server.authorize(url)));
    assert_eq!(answer(&urls[19]), "ok");
    assert_eq!(answer(&urls[0]), "transaction_not_found");
}

#[test]
fn what_does_not_fit_is_refused() {
    let world = World::new();
    let page = world.page_with(json!({ "transactionStorage": "cookie" }));
    page.prepare().expect("prepared");
    let refused = page.create_authorize_url(&json!({ "appState": "x".repeat(4_000) }));
    assert_error(&refused, "storage_unavailable", &[]);
}

#[test]
fn in_memory_a_sign_in_is_known_to_its_own_page_alone() {
    let world = World::new();
    let options = json!({ "transactionStorage": "memory" });
    let page = world.page_with(options.clone());
    let callback = world.server.authorize(&page.authorize_url(&json!({})));
    assert!(world.browser.stored().is_empty() && world.browser.cookies.borrow().is_empty());
    assert_error(&world.page_with(options).handle(&callback), "transaction_not_found", &[]);
    page.handle(&callback).expect("signed in");
}

#[test]
fn what_is_in_memory_alone_is_not_left_behind_by_a_redirect() {
    let world = World::new();
    let page = world.page_with(json!({ "transactionStorage": "memory" }));
    let refused = page.begin(&json!({}));
    assert_error(&refused, "invalid_configuration", &[]);
    assert_eq!(refused.expect_err("refused").option(), Some("transactionStorage"));
    let client = page.client.clone();
    let popup = world.browser.run(async move { client.begin(&SignIn::default(), Window::Popup).await });
    assert_eq!(code_of(&popup), "ok", "the page that opens a popup stays");
}

#[test]
fn in_memory_many_tabs_have_room_for_their_sign_ins() {
    let world = World::new();
    let page = world.page_with(json!({ "transactionStorage": "memory" }));
    page.prepare().expect("prepared");
    let begin = |_| page.create_authorize_url(&json!({})).expect("a URL").url;
    let urls: Vec<String> = (0..300).map(begin).collect();
    assert_error(&page.handle(&world.server.authorize(&urls[0])), "transaction_not_found", &[]);
    page.handle(&world.server.authorize(&urls[100])).expect("one of the newest 200");
}
