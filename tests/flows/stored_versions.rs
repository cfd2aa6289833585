//! Two versions of an app in two tabs: the stored session of a later one is not touched by the one before it (SEC-125).

use crate::common::{Page, World, code_of};
use crate::refresh::lasting;
use serde_json::{Value, json};

fn options() -> Value {
    json!({ "storage": "localStorage", "scope": "openid profile offline_access" })
}

fn stored(world: &World) -> Option<String> {
    world.browser.origin_storage.borrow().values().next().cloned()
}

/// The session goes on in a tab that was loaded after the app was deployed anew, which writes it in its own way.
fn deploy(world: &World) -> String {
    let mut storage = world.browser.origin_storage.borrow_mut();
    let record = storage.values_mut().next().expect("a record");
    let mut later: Value = serde_json::from_str(record).expect("JSON");
    assert_eq!(later["version"], 1);
    later["version"] = json!(2);
    later["sealed"] = later["tokens"].take();
    *record = later.to_string();
    record.clone()
}

fn reload(world: &World) -> Page {
    let page = world.page_with(options());
    page.run(|client| async move { client.restore().await });
    page
}

#[test]
fn sec_125_a_record_of_a_later_version_is_left_alone_and_is_no_session() {
    let world = World::new();
    lasting(&world, options());
    let later = deploy(&world);
    let page = reload(&world);
    assert!(!page.is_signed_in() && page.events().is_empty());
    page.run(|client| async move { client.look().await });
    assert_eq!(stored(&world).as_ref(), Some(&later));
}

#[test]
fn sec_125_a_tab_of_the_earlier_version_lets_the_session_go_and_spends_nothing() {
    for by_call in [true, false] {
        let world = World::new();
        let tab = lasting(&world, options());
        let later = deploy(&world);
        if by_call {
            assert_eq!(code_of(&tab.token(&json!({ "forceRefresh": true }))), "not_signed_in");
        } else {
            tab.run(|client| async move { client.look().await });
        }
        assert!(!tab.is_signed_in());
        assert_eq!(tab.events(), ["anonymous: no reason"]);
        world.browser.advance(86_400_000);
        assert_eq!(world.browser.count("/token"), 0, "the refresh token is the later version's");
        assert_eq!(stored(&world), Some(later));
    }
}

#[test]
fn sec_125_a_sign_in_of_the_earlier_version_stays_in_memory() {
    let world = World::new();
    lasting(&world, options());
    let later = deploy(&world);
    let tab = world.page_with(options());
    let callback = world.server.authorize(&tab.authorize_url(&json!({})));
    tab.handle(&callback).expect("signed in");
    assert!(tab.events().contains(&"not stored: storage_unavailable".to_owned()));
    tab.token(&json!({ "forceRefresh": true })).expect("a token");
    tab.run(|client| async move { client.look().await });
    assert!(tab.is_signed_in());
    assert_eq!(stored(&world).as_ref(), Some(&later));
    tab.events();
    world.server.forget_grants();
    assert_eq!(code_of(&tab.token(&json!({ "forceRefresh": true }))), "session_expired");
    assert_eq!(stored(&world), Some(later), "the end of one is not that of the other");
    let told = ["anonymous: ", "expired: ", "signed out: "].map(|word| [word, "session_expired"].concat());
    assert_eq!(tab.events(), told, "nothing was to be stored");
}

#[test]
fn a_person_who_signs_out_is_signed_out_of_every_version() {
    for is_signed_in in [true, false] {
        let world = World::new();
        let tab = lasting(&world, options());
        let tab = if is_signed_in { tab } else { reload(&world) };
        deploy(&world);
        tab.client.sign_out_local();
        assert_eq!(stored(&world), None);
    }
}
