//! A breach of the layer rule is caught, by the machine that each kind of breach meets.
//!
//! Each test copies the real sources, sees that the check passes, breaks the rule in the copy, and
//! sees that it fails for that reason.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

const LIFTED: &str = "#[allow(dead_code, unused_imports, missing_docs)]";

#[test]
fn a_path_that_points_up_fails_the_layer_check() {
    let copy = Copy::new("layers");
    let check = || copy.run(Command::new(env!("CARGO_BIN_EXE_xtask")).arg("layers").arg(&copy.root));
    assert_passes(&check());
    copy.append("src/protocol/mod.rs", &format!("{LIFTED}\nmod breach {{ use crate::client; }}"));
    assert_fails_with(&check(), "`client` in layer `protocol`");
}

#[test]
fn a_web_crate_in_the_protocol_fails_the_native_build() {
    let copy = Copy::new("web-crate");
    let check = || copy.run(copy.cargo().args(["check", "--frozen", "--lib"]));
    assert_passes(&check());
    copy.append("src/protocol/mod.rs", &format!("{LIFTED}\nfn breach() -> f64 {{ js_sys::Date::now() }}"));
    assert_fails_with(&check(), "`js_sys`");
}

#[test]
fn the_system_clock_in_the_client_fails_clippy() {
    let copy = Copy::new("clock");
    let check = || copy.run(copy.cargo().args(["clippy", "--frozen", "--lib", "--", "-D", "warnings"]));
    assert_passes(&check());
    let breach = "fn breach() { let _ = std::time::SystemTime::now(); }";
    copy.append("src/client/mod.rs", &format!("{LIFTED}\n{breach}"));
    assert_fails_with(&check(), "disallowed method `std::time::SystemTime::now`");
}

/// A copy of what cargo and the checks read, below the target folder.
struct Copy {
    root: PathBuf,
}

impl Copy {
    fn new(name: &str) -> Self {
        // At run time: a target folder that checkouts share may hold a test compiled for another one.
        let driver = PathBuf::from(std::env::var_os("CARGO_MANIFEST_DIR").expect("cargo says where this is"));
        let checkout = driver.parent().expect("xtask lies in the checkout");
        let root = Path::new(env!("CARGO_TARGET_TMPDIR")).join("violations").join(name);
        if root.exists() {
            fs::remove_dir_all(&root).expect("an old copy can be removed");
        }
        for part in ["Cargo.toml", "Cargo.lock", "clippy.toml", "src", "xtask/Cargo.toml", "xtask/src"] {
            copy(&checkout.join(part), &root.join(part));
        }
        Self { root }
    }

    /// The same cargo, with a target folder that all copies share.
    fn cargo(&self) -> Command {
        let mut cargo = Command::new(env!("CARGO"));
        cargo.env("CARGO_TARGET_DIR", Path::new(env!("CARGO_TARGET_TMPDIR")).join("violations-target"));
        cargo
    }

    fn run(&self, command: &mut Command) -> Output {
        command.current_dir(&self.root).output().expect("it starts")
    }

    fn append(&self, file: &str, text: &str) {
        let file = self.root.join(file);
        let before = fs::read_to_string(&file).expect("the file is there");
        fs::write(file, format!("{before}\n{text}\n")).expect("the copy can be written");
    }
}

fn copy(from: &Path, to: &Path) {
    if from.is_dir() {
        for entry in fs::read_dir(from).expect("a folder") {
            let name = entry.expect("an entry").file_name();
            copy(&from.join(&name), &to.join(&name));
        }
    } else {
        fs::create_dir_all(to.parent().expect("a parent")).expect("a folder for it");
        fs::copy(from, to).unwrap_or_else(|error| panic!("{}: {error}", from.display()));
    }
}

fn assert_passes(output: &Output) {
    assert!(output.status.success(), "the unbroken copy failed:\n{}", text(output));
}

fn assert_fails_with(output: &Output, reason: &str) {
    assert!(!output.status.success(), "the breach was not noticed");
    assert!(text(output).contains(reason), "it failed for another reason:\n{}", text(output));
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}
