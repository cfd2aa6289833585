//! Which key tokens and codes are bound to (RFC 9449 10, 11.2): SEC-101, SEC-112 and SEC-113.

use super::dpop::{API, options, proved, sign_in, signed_in};
use crate::common::page::value;
use crate::common::proofs::header;
use crate::common::world::with;
use crate::common::{Page, Sent, World, assert_error, code_of, urls};
use serde_json::{Value, json};
use wardkey::protocol::authorize::{SignIn, Window};

/// The URL of a sign-in that is begun for this window.
fn begin(page: &Page, window: Window) -> String {
    let sign_in = SignIn::read(&value(&json!({}))).expect("options");
    page.run(|client| async move { client.begin(&sign_in, window).await }).expect("a request").url
}

/// The key of the last proof.
fn last_key(world: &World) -> Value {
    header(proved(world).last().expect("a proof"))["jwk"].clone()
}

#[test]
fn sec_113_a_code_is_bound_to_a_key_that_will_be_there_for_its_response() {
    for (storage, transactions, window, bound) in [
        ("memory", "sessionStorage", Window::Page, false),
        ("memory", "cookie", Window::Page, false),
        ("memory", "sessionStorage", Window::Popup, true),
        ("memory", "cookie", Window::Frame, true),
        // In the memory of a worker that outlasts the page.
        ("memory", "memory", Window::Page, true),
        ("sessionStorage", "sessionStorage", Window::Page, true),
    ] {
        for par in ["off", "auto"] {
            let world = World::new();
            let page = world.page_with(with(
                options(),
                json!({ "storage": storage, "transactionStorage": transactions, "par": par }),
            ));
            page.client.outlast();
            let url = begin(&page, window);
            let pushed: Option<Sent> =
                world.browser.sent().into_iter().rfind(|sent| sent.url.ends_with("/par"));
            assert_eq!(pushed.is_some(), par == "auto");
            let asked = match &pushed {
                Some(sent) => sent.form.clone().expect("a form").contains("dpop_jkt="),
                None => urls::parameter(&url, "dpop_jkt").is_some(),
            };
            let what = format!("{storage} {transactions} {window:?} {par}");
            assert_eq!(asked, bound, "{what}");
            assert_eq!(pushed.is_some_and(|sent| sent.proof.is_some()), bound && par == "auto", "{what}");
            page.handle(&world.server.authorize(&url)).expect(&what);
            page.fetch(API).expect(&what);
            assert_eq!(world.browser.keys.borrow().len(), 1, "{what}");
            assert_eq!(world.server.complaints(), [""; 0], "{what}");
        }
    }
}

#[test]
fn sec_112_a_sign_in_over_a_session_has_a_key_of_its_own() {
    for window in [Window::Page, Window::Popup] {
        let world = World::new();
        let page = signed_in(&world);
        page.fetch(API).expect("an answer");
        let first = last_key(&world);
        let url = begin(&page, window);
        page.fetch(API).expect("an answer");
        assert_eq!(last_key(&world), first, "nothing has changed so far");
        page.handle(&world.server.authorize(&url)).expect("signed in anew");
        page.fetch(API).expect("an answer");
        assert_ne!(last_key(&world), first, "{window:?}");
        assert_eq!(world.browser.keys.borrow().len(), 2);
        assert_eq!(world.server.complaints(), [""; 0]);
    }
}

#[test]
fn sec_112_a_sign_in_that_fails_leaves_the_session_its_key() {
    let world = World::new();
    let page = signed_in(&world);
    let callback = world.server.authorize(&begin(&page, Window::Popup));
    world.server.change_tokens(|tokens| tokens["id_token"] = json!("x.y.z"));
    assert_eq!(code_of(&page.handle(&callback)), "id_token_invalid");
    page.fetch(API).expect("an answer");
    assert_eq!(world.server.complaints(), [""; 0]);
}

#[test]
fn sec_113_what_is_begun_beside_a_session_outlives_it() {
    let world = World::new();
    let page = signed_in(&world);
    let urls = [begin(&page, Window::Popup), begin(&page, Window::Popup)];
    page.client.sign_out_local();
    for url in urls {
        page.handle(&world.server.authorize(&url)).expect("both are bound to one key");
        page.fetch(API).expect("an answer");
    }
    assert_eq!(world.browser.keys.borrow().len(), 2);
    assert_eq!(world.server.complaints(), [""; 0]);
}

#[test]
fn sec_113_what_is_begun_before_a_session_outlives_its_end() {
    let world = World::new();
    let page = world.page_with(with(options(), json!({ "transactionStorage": "memory" })));
    let [first, second] = [begin(&page, Window::Popup), begin(&page, Window::Popup)];
    page.handle(&world.server.authorize(&first)).expect("a session");
    page.client.sign_out_local();
    page.handle(&world.server.authorize(&second)).expect("it is bound to the key of the session that ended");
    page.fetch(API).expect("an answer");
    assert_eq!(world.server.complaints(), [""; 0]);
}

#[test]
fn sec_101_where_the_browser_lacks_an_algorithm_the_next_will_do() {
    for storage in ["memory", "sessionStorage"] {
        for (algorithms, expected) in
            [(json!(["EdDSA", "ES256"]), "ES256"), (json!(["EdDSA"]), "dpop_failed")]
        {
            let world = World::new();
            world.browser.no_ed25519.set(true);
            let dpop = json!({ "algorithms": algorithms });
            let outcome = sign_in(&world, json!({ "dpop": dpop, "storage": storage })).map(|_| ());
            if expected == "dpop_failed" {
                assert_error(&outcome, expected, &["code-"]);
            } else {
                assert_eq!(code_of(&outcome), "ok");
                assert_eq!(header(&proved(&world)[0])["alg"], expected);
            }
            assert_eq!(world.server.complaints(), [""; 0]);
        }
    }
}
