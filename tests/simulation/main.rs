//! Deterministic simulation: several tabs, people who do what they like, servers and networks that fail, clocks that
//! jump, and after each step what must hold. A seed is a whole life of a browser profile, and the same every time:
//!
//! ```sh
//! SEED=4711 cargo test --test simulation             # one seed, with what happens told
//! SEEDS=100000 cargo test --test simulation          # more of them
//! ```

#![cfg(not(target_arch = "wasm32"))]

#[allow(dead_code, unused_imports)] // The flows use the rest.
#[path = "../common/mod.rs"]
mod common;
#[path = "../common/tabs.rs"]
mod tabs;
#[path = "../common/vigil.rs"]
mod vigil;

mod actions;
mod dice;
mod life;

use std::io::Write;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Seeds of an ordinary run.
const SEEDS: u64 = 2_000;

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().unwrap_or_else(|_| panic!("{name} is a number")))
}

/// The steps of a life, or what went wrong in it.
fn outcome(seed: u64, is_told: bool) -> Result<usize, String> {
    let life = || life::live(seed, is_told);
    catch_unwind(AssertUnwindSafe(life)).unwrap_or_else(|_| Err("it panicked".to_owned()))
}

#[test]
fn whatever_happens_a_session_is_kept_or_ended_for_a_reason() {
    let one = number("SEED");
    let seeds = one.map_or(0..number("SEEDS").unwrap_or(SEEDS), |seed| seed..seed + 1);
    let (mut steps, mut failed) = (0, Vec::new());
    for seed in seeds.clone() {
        match outcome(seed, one.is_some()) {
            Ok(taken) => steps += taken,
            Err(wrong) => failed.push(format!("SEED={seed} cargo test --test simulation: {wrong}")),
        }
    }
    let count = seeds.count();
    // Not by `println!`, which is captured: the figures are part of what the tests say.
    let _ = writeln!(std::io::stdout(), "simulation: {count} seeds, {steps} steps");
    let shown = failed.iter().take(20).cloned().collect::<Vec<_>>().join("\n");
    assert!(failed.is_empty(), "{} of {count} seeds failed:\n{shown}", failed.len());
}

#[test]
fn a_seed_is_the_same_every_time() {
    for seed in 0..20 {
        assert_eq!(life::tale(seed), life::tale(seed), "seed {seed}");
    }
}
