//! The build driver: `cargo xtask <command>`.
//!
//! Everything that it needs beyond rustup and Node is pinned by `Cargo.lock` and `package-lock.json`.

mod bench;
mod build;
mod counts;
mod demo;
mod floats;
mod gates;
mod layers;
mod mutants;
mod names;
mod order;
mod panics;
mod process;
mod project;
mod setup;
mod sizes;
mod source;
mod suites;
mod test;
mod wasm;
mod web;

use std::path::Path;
use std::process::ExitCode;

use anyhow::{Result, bail};

const USAGE: &str = "\
cargo xtask build            build the npm package in pkg/ and print its sizes
cargo xtask check            format, layers, lints, native tests and types: no browser needed
cargo xtask test [SUITE…]    everything, or these suites
cargo xtask demo [ARGS…]     build and start the demo; with --provider NAME on a stand-in for a real system
cargo xtask bench [ARGS…]    build and measure against the peers, in a browser
cargo xtask bench session    what a session costs its page: calls, storms, memory
cargo xtask bench fleet      a fleet of clients after an outage, by a simulated clock
cargo xtask bench vault      what a request through the vault costs
cargo xtask mutants [ARGS…]  how many faults in src/protocol no test notices, by cargo-mutants
cargo xtask layers [FOLDER]  the layer rule alone, for src/ of this folder";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    run(&arguments).unwrap_or_else(|error| {
        eprintln!("error: {error:#}");
        ExitCode::FAILURE
    })
}

fn run(arguments: &[&str]) -> Result<ExitCode> {
    match arguments {
        ["build"] => done(build::run()),
        ["check"] => test::quick(),
        ["test"] => test::all(),
        ["test", names @ ..] => test::named(names),
        ["demo", arguments @ ..] => demo::run(arguments),
        ["bench", arguments @ ..] => bench::run(arguments),
        ["mutants", arguments @ ..] => mutants::run(arguments),
        ["layers"] => done(layers::check(project::root())),
        ["layers", folder] => done(layers::check(Path::new(folder))),
        ["wasm-test-runner", ..] => done(run_wasm_tests(arguments)),
        [] | ["help" | "--help" | "-h"] => {
            println!("{USAGE}");
            Ok(ExitCode::SUCCESS)
        }
        _ => bail!("unknown command or arguments\n{USAGE}"),
    }
}

/// What `.cargo/config.toml` names as the runner of wasm tests; cargo adds the test binary and its arguments.
fn run_wasm_tests(arguments: &[&str]) -> Result<()> {
    wasm_bindgen_cli::wasm_bindgen_test_runner::run_cli_with_args(arguments)
}

fn done(result: Result<()>) -> Result<ExitCode> {
    result.map(|()| ExitCode::SUCCESS)
}
