//! Model checking of what tabs do to each other. Nothing is modelled but the world: the clients are those that ship,
//! and every schedule is run with new ones. In a run all that can be otherwise is a choice: which task runs next, which
//! timer fires, when a person does the next thing, whether a request arrives and its answer comes back, whether a tab is
//! closed. All runs are explored that depart from the usual course at most so often, depth first and without chance
//! (delay bounding: Emmi, Qadeer, Rakamarić 2011).
//!
//! A run that goes wrong is printed as its choices, and is run again alone by
//! `SCHEDULE=name:0,0,2,… cargo test --test model`; with the name alone, all runs of a scenario are.

#![cfg(not(target_arch = "wasm32"))]

#[allow(dead_code, unused_imports)] // The flows use the rest.
#[path = "../common/mod.rs"]
mod common;
#[allow(dead_code)] // The simulation uses the rest.
#[path = "../common/tabs.rs"]
mod tabs;
#[allow(dead_code)] // The simulation uses the rest.
#[path = "../common/vigil.rs"]
mod vigil;

mod explorer;
mod scenario;

use explorer::Explorer;
use scenario::{Action::*, Scenario};
use std::io::Write;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;

/// What people do in each tab, in this order; and how often a run departs from the usual course.
const SCENARIOS: &[Scenario] = &[
    Scenario { name: "refresh", tabs: &[&[Token], &[Token]], departures: 3, bound: false },
    Scenario { name: "refresh-3", tabs: &[&[Token], &[Token], &[Token]], departures: 2, bound: false },
    Scenario { name: "forced", tabs: &[&[Force, Token], &[Force]], departures: 2, bound: false },
    Scenario { name: "resources", tabs: &[&[Token, Resource], &[Resource]], departures: 2, bound: false },
    Scenario { name: "sign-out", tabs: &[&[Token], &[SignOut]], departures: 4, bound: false },
    Scenario { name: "sign-out-3", tabs: &[&[Token], &[Token], &[SignOut]], departures: 2, bound: false },
    Scenario {
        name: "sign-outs",
        tabs: &[&[Token, SignOut], &[Force, SignOut]],
        departures: 2,
        bound: false,
    },
    Scenario { name: "revocation", tabs: &[&[Token], &[Revoke]], departures: 2, bound: false },
    Scenario { name: "user-change", tabs: &[&[Force], &[SignOut, SignIn]], departures: 2, bound: false },
    Scenario { name: "user-change-3", tabs: &[&[Token], &[SignIn], &[Token]], departures: 2, bound: false },
    Scenario { name: "reload", tabs: &[&[Token, Open], &[Force]], departures: 2, bound: false },
    Scenario { name: "bound", tabs: &[&[Token, Open], &[Token]], departures: 2, bound: true },
    Scenario { name: "bound-sign-out", tabs: &[&[Token, Open], &[SignOut]], departures: 1, bound: true },
];

/// Runs one schedule.
fn run(scenario: &Scenario, explorer: &Rc<Explorer>) -> Result<(), String> {
    catch_unwind(AssertUnwindSafe(|| scenario.run(explorer)))
        .unwrap_or_else(|_| Err("it panicked".to_owned()))
}

/// `DEPARTURES=1` allows for one more than usual in each.
fn more_departures() -> usize {
    std::env::var("DEPARTURES").map_or(0, |text| text.parse().expect("DEPARTURES is a number"))
}

/// How many schedules there are, and what goes wrong in the first few that go wrong.
fn explore(scenario: &Scenario) -> (usize, Vec<String>) {
    let explorer = Rc::new(Explorer::new(scenario.departures + more_departures()));
    let (mut count, mut failed) = (0, Vec::new());
    loop {
        count += 1;
        if let Err(wrong) = run(scenario, &explorer) {
            failed.push(format!("SCHEDULE={}:{}: {wrong}", scenario.name, explorer.written()));
        }
        if failed.len() == 3 || !explorer.advance() {
            return (count, failed);
        }
    }
}

#[test]
fn no_schedule_spends_a_token_twice_or_loses_a_session_or_keeps_one() {
    let asked = std::env::var("SCHEDULE").unwrap_or_default();
    if let Some((name, choices)) = asked.split_once(':') {
        let scenario = SCENARIOS.iter().find(|scenario| scenario.name == name).expect("a scenario");
        let explorer = Rc::new(Explorer::replay(choices));
        let outcome = run(scenario, &explorer);
        assert!(outcome.is_ok(), "{}", outcome.err().unwrap_or_default());
        return;
    }
    let (mut total, mut failed) = (0, Vec::new());
    for scenario in SCENARIOS.iter().filter(|scenario| asked.is_empty() || scenario.name == asked) {
        let (count, wrong) = explore(scenario);
        // Not by `println!`, which is captured: the figures are part of what the tests say.
        let _ = writeln!(std::io::stdout(), "model {}: {count} schedules explored", scenario.name);
        total += count;
        failed.extend(wrong);
    }
    let _ = writeln!(std::io::stdout(), "model: {total} schedules explored");
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}
