//! The suites of `cargo xtask check` and `cargo xtask test`: what each one runs.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use serde_json::{Value, json};

use crate::process::{cargo, command, run};
use crate::{build, gates, layers, project, setup, sizes, wasm, web};

const WASM: &str = "wasm32-unknown-unknown";
const DENY_WARNINGS: [&str; 3] = ["--", "-D", "warnings"];

/// A named part of the tests.
pub(crate) struct Suite {
    pub(crate) name: &'static str,
    pub(crate) work: Work,
    /// Part of `cargo xtask check` too, which needs no browser and no build.
    pub(crate) quick: bool,
    /// Tests what `cargo xtask build` makes.
    pub(crate) needs_build: bool,
}

pub(crate) enum Work {
    /// Passes or fails as a whole.
    Step(fn() -> Result<()>),
    /// Rust tests, which report as libtest does.
    Rust(fn() -> Result<Command>),
    /// The `*.test.mjs` files of a folder, run by `node --test`.
    Node(&'static str),
    /// The same in Firefox; not run, and said so, where there is none and no apt to install it by.
    Firefox(&'static str),
}

/// The suite that the ones with `needs_build` wait for.
pub(crate) const BUILD: &str = "build";

/// Every suite whose files exist, in the order in which they run.
pub(crate) fn all() -> Vec<Suite> {
    let quick = |name, work| Suite { name, work, quick: true, needs_build: false };
    let built = |name, work| Suite { name, work, quick: false, needs_build: true };
    let suites = vec![
        quick("format", Work::Step(format)),
        quick("layers", Work::Step(|| layers::check(project::root()))),
        quick("gates", Work::Step(|| gates::check_sources(project::root()))),
        quick("clippy", Work::Step(clippy)),
        quick("clippy-wasm", Work::Step(clippy_wasm)),
        quick("native", Work::Rust(native)),
        Suite { name: BUILD, work: Work::Step(build::run), quick: false, needs_build: false },
        quick("typescript", Work::Step(typescript)),
        built("budget", Work::Step(sizes::check_budget)),
        Suite { name: "wasm", work: Work::Rust(wasm_tests), quick: false, needs_build: false },
        built("providers", Work::Node("tests/providers")),
        built("package", Work::Node("tests/package")),
        built("browser", Work::Node("tests/browser")),
        built("firefox", Work::Firefox("tests/firefox")),
    ];
    suites.into_iter().filter(exists).collect()
}

/// The `*.test.mjs` files of a folder.
pub(crate) fn node_tests(folder: &str) -> Result<Vec<PathBuf>> {
    let files = project::files(&project::root().join(folder), &["mjs"])?;
    Ok(files.into_iter().filter(|file| file.to_string_lossy().ends_with(".test.mjs")).collect())
}

fn exists(suite: &Suite) -> bool {
    match (suite.name, &suite.work) {
        ("wasm", _) => web_tests().is_file(),
        (_, Work::Node(folder) | Work::Firefox(folder)) => {
            node_tests(folder).is_ok_and(|files| !files.is_empty())
        }
        _ => true,
    }
}

fn web_tests() -> PathBuf {
    project::root().join("tests/web.rs")
}

fn format() -> Result<()> {
    run(cargo().args(["fmt", "--all", "--check"])).context("`cargo fmt` would change these files")
}

fn clippy() -> Result<()> {
    run(cargo().args(["clippy", "--quiet", "--locked", "--workspace", "--all-targets"]).args(DENY_WARNINGS))
}

fn clippy_wasm() -> Result<()> {
    setup::wasm_target()?;
    let mut clippy = cargo();
    clippy.args(["clippy", "--quiet", "--locked", "--target", WASM, "--features", "npm"]);
    clippy.arg("--lib");
    if web_tests().is_file() {
        clippy.args(["--test", "web"]);
    }
    run(clippy.args(DENY_WARNINGS))
}

fn native() -> Result<Command> {
    // One test runs the page's own recognition of a response.
    setup::npm_packages(project::root())?;
    let mut tests = cargo();
    tests.args(["test", "--quiet", "--locked", "--workspace", "--no-fail-fast"]);
    Ok(tests)
}

/// The sources import the types that wasm-bindgen writes: without them there is nothing to check against.
fn typescript() -> Result<()> {
    setup::npm_packages(project::root())?;
    if !wasm::types_are_fresh()? {
        wasm::build()?;
    }
    web::check()
}

fn wasm_tests() -> Result<Command> {
    setup::wasm_target()?;
    let file = project::scratch()?.join("webdriver.json");
    std::fs::write(&file, capabilities(&setup::chromium()?)?.to_string())?;
    let mut tests = cargo();
    // cargo would hand `--quiet` on to the runner, which does not know it.
    tests.args(["test", "--locked", "--target", WASM, "--features", "npm", "--test", "web"]);
    tests.env("CHROMEDRIVER", setup::chromedriver()?).env("WASM_BINDGEN_TEST_WEBDRIVER_JSON", file);
    tests.env("WASM_BINDGEN_TEST_TIMEOUT", "120");
    Ok(tests)
}

/// `webdriver.json` with the browser that was found.
fn capabilities(browser: &Path) -> Result<Value> {
    let text = std::fs::read_to_string(project::root().join("webdriver.json"))?;
    let mut capabilities: Value = serde_json::from_str(&text).context("webdriver.json")?;
    capabilities["goog:chromeOptions"]["binary"] = json!(browser);
    Ok(capabilities)
}

/// `node --test` over these files, with a browser: readable output for people, TAP in a file for counting. Two files at a
/// time: each has its own servers and browser, and waits for them most of the time.
pub(crate) fn node_command(files: &[PathBuf], tap: &Path, browser: (&str, PathBuf)) -> Command {
    let mut node = command("node");
    node.args([
        "--test",
        "--test-concurrency=2",
        "--test-reporter=spec",
        "--test-reporter-destination=stdout",
    ]);
    node.arg("--test-reporter=tap").arg(format!("--test-reporter-destination={}", tap.display()));
    node.args(files).env(browser.0, browser.1);
    node
}
