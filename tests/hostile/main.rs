//! The hostile server: honest behaviour but for one mutation, chosen by the first segment of the issuer's path. What
//! each of its scenarios reproduces and must come to stands in `scenarios.json`, and there only; a scenario that is
//! refused for another reason than that fails. `tests/browser/hostile.test.mjs` runs a part of them in a browser.
//!
//! After each run: nothing more was requested, no token is stored, the sign-in whose response was refused can still be
//! finished where nothing was sent, another pending sign-in finishes, and so does a new one in the same instance.

#![cfg(not(target_arch = "wasm32"))]

#[allow(dead_code, unused_imports)] // The flows use the rest.
#[path = "../common/mod.rs"]
mod common;

mod keys;
mod mutation;
mod rows;
mod run;
mod scenario;
mod server;

use scenario::Scenario;
use std::io::Write;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;

/// Runs the scenarios of a group, all of them whatever happens, and says how many there are.
fn run_group(group: &str) {
    let scenarios: Vec<Rc<Scenario>> =
        scenario::all().into_iter().filter(|scenario| scenario.group == group).map(Rc::new).collect();
    assert!(!scenarios.is_empty(), "the group {group} is empty");
    let mut failed = Vec::new();
    for scenario in &scenarios {
        let wrong = catch_unwind(AssertUnwindSafe(|| run::run(scenario)))
            .unwrap_or_else(|panic| vec![format!("panicked: {}", message(&*panic))]);
        failed.extend(wrong.iter().map(|wrong| format!("{}: {wrong}", scenario.name)));
    }
    assert!(failed.is_empty(), "{} scenarios:\n{}", scenarios.len(), failed.join("\n"));
    say(&format!("hostile {group}: {} scenarios", scenarios.len()));
}

/// A line of the output also where the test passes: `println!` is seen of those that fail only.
fn say(line: &str) {
    writeln!(std::io::stdout(), "{line}").expect("an output");
}

fn message(panic: &(dyn std::any::Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("?")
}

macro_rules! groups {
    ($($group:ident)*) => {
        const GROUPS: &[&str] = &[$(stringify!($group),)*];
        $(#[test]
        fn $group() {
            run_group(stringify!($group));
        })*
    };
}

groups! {
    discovery jwks authorization_response signed_response token_response id_token_claims id_token_form refresh
    resource userinfo dpop pushed_request revocation logout
}
