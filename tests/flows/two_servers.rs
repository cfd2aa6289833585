//! Two authorization servers in one app, and nothing that gets from one to the other: SEC-023.

use crate::common::executor::Executor;
use crate::common::urls::{with, without};
use crate::common::world::{self, START};
use crate::common::{AuthServer, Browser, CLIENT_ID, ISSUER, Page, Sent, World, assert_error};
use serde_json::json;
use std::rc::Rc;

/// Two servers, and a client of each in the same tab.
struct TwoServers {
    browser: Browser,
    a: Rc<AuthServer>,
    b: Rc<AuthServer>,
}

const OTHER_ISSUER: &str = "https://other.example";

impl TwoServers {
    fn new() -> TwoServers {
        let executor = Rc::new(Executor::new(START));
        let a = Rc::new(AuthServer::new(ISSUER, CLIENT_ID, Rc::clone(&executor)));
        let b = Rc::new(AuthServer::new(OTHER_ISSUER, CLIENT_ID, Rc::clone(&executor)));
        let servers = (Rc::clone(&a), Rc::clone(&b));
        let network = move |sent: &Sent| {
            if sent.url.starts_with(OTHER_ISSUER) { servers.1.answer(sent) } else { servers.0.answer(sent) }
        };
        TwoServers { browser: Browser::new(executor, network), a, b }
    }

    fn page_of_a(&self) -> Page {
        Page::open(&self.browser, &World::options())
    }

    fn page_of_b(&self) -> Page {
        Page::open(&self.browser, &world::with(World::options(), json!({ "issuer": OTHER_ISSUER })))
    }
}

#[test]
fn sec_023_a_code_never_gets_to_another_server() {
    let two = TwoServers::new();
    let honest = two.a.authorize(&two.page_of_a().authorize_url(&json!({})));
    two.page_of_b().prepare().expect("prepared");
    let page = two.page_of_b();
    let as_b = with(&honest, "iss", OTHER_ISSUER);
    assert_error(&page.handle(&honest), "not_mine", &[]);
    assert_error(&page.handle(&without(&honest, "iss")), "not_mine", &[]);
    assert_error(&page.handle(&as_b), "state_mismatch", &[]);
    assert_error(&two.page_of_a().handle(&as_b), "issuer_mismatch", &[]);
    assert_eq!(two.browser.count("/token"), 0);
    two.page_of_a().handle(&honest).expect("a session");
    assert!(two.browser.sent().iter().all(|sent| sent.form.is_none() || sent.url.starts_with(ISSUER)));
}

#[test]
fn sec_023_sign_ins_at_two_servers_do_not_meet() {
    let two = TwoServers::new();
    let at_a = two.a.authorize(&two.page_of_a().authorize_url(&json!({})));
    let at_b = two.b.authorize(&two.page_of_b().authorize_url(&json!({})));
    assert_eq!(two.browser.stored().len(), 2, "each client has its own record");
    two.page_of_b().handle(&at_b).expect("a session");
    two.page_of_a().handle(&at_a).expect("a session");
    assert_eq!([two.a.complaints(), two.b.complaints()].concat(), [""; 0]);
}
