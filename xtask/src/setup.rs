//! Installs what is missing: the wasm target, npm packages, a browser. Does nothing where all is there.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::{Context, Result, bail, ensure};

use crate::process::{command, find_on_path, output, run};
use crate::project;

const WASM_TARGET: &str = "wasm32-unknown-unknown";

/// The standard library for wasm32, by rustup where rustup is there.
pub(crate) fn wasm_target() -> Result<()> {
    let libraries = output(command("rustc").args(["--print", "target-libdir", "--target", WASM_TARGET]))?;
    if Path::new(libraries.trim()).is_dir() {
        return Ok(());
    }
    if find_on_path("rustup").is_none() {
        bail!("Rust's standard library for {WASM_TARGET} is missing and there is no rustup to install it");
    }
    run(command("rustup").args(["target", "add", WASM_TARGET]))
}

/// The npm packages of the lock file in `folder`, without running any package's install script.
pub(crate) fn npm_packages(folder: &Path) -> Result<()> {
    let lock = folder.join("package-lock.json");
    // npm writes this file last, so it tells whether an installation was finished.
    let installed = folder.join("node_modules/.package-lock.json");
    if is_newer(&installed, &lock)? {
        return Ok(());
    }
    println!("installing npm packages in {}", project::display(folder));
    run(command("npm").current_dir(folder).args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"]))?;
    // npm may keep the times of an older installation; the next start must see that this one is done.
    std::fs::File::options().append(true).open(&installed)?.set_modified(std::time::SystemTime::now())?;
    Ok(())
}

fn is_newer(file: &Path, than: &Path) -> Result<bool> {
    let wanted =
        than.metadata().with_context(|| format!("{} is missing", project::display(than)))?.modified()?;
    Ok(file.metadata().is_ok_and(|metadata| metadata.modified().is_ok_and(|time| time >= wanted)))
}

/// Chromium's program, for tests that drive it directly. `CHROMIUM` overrides where it is.
pub(crate) fn chromium() -> Result<PathBuf> {
    find_or_install("CHROMIUM", &["chromium", "chromium-browser", "google-chrome"])
}

/// The WebDriver server of the same version, for the tests in Rust. `CHROMEDRIVER` overrides where it is.
pub(crate) fn chromedriver() -> Result<PathBuf> {
    find_or_install("CHROMEDRIVER", &["chromedriver"])
}

/// Firefox's program; none where it is missing and there is no apt to install it by. `FIREFOX` overrides where it is.
pub(crate) fn firefox() -> Result<Option<PathBuf>> {
    let found = find_or_apt("FIREFOX", &["firefox-esr", "firefox"], &["firefox-esr"])?;
    ensure!(
        found.is_some() || find_on_path("apt-get").is_none(),
        "firefox is missing: install it (Debian: firefox-esr) or set FIREFOX"
    );
    Ok(found)
}

fn find_or_install(variable: &str, names: &[&str]) -> Result<PathBuf> {
    find_or_apt(variable, names, &["chromium", "chromium-driver"])?.with_context(|| {
        format!(
            "{} is missing: install Chromium and its driver (Debian: chromium, chromium-driver) or set {variable}",
            names[0]
        )
    })
}

fn find_or_apt(variable: &str, names: &[&str], packages: &[&str]) -> Result<Option<PathBuf>> {
    if let Some(path) = std::env::var_os(variable).map(PathBuf::from) {
        ensure!(path.is_file(), "{variable} names {}, which is no file", path.display());
        return Ok(Some(path));
    }
    let find = || names.iter().find_map(|name| find_on_path(name));
    if let Some(path) = find() {
        return Ok(Some(path));
    }
    install_by_apt(packages)?;
    Ok(find())
}

/// Does nothing where there is no apt, or no right to use it without a password.
fn install_by_apt(packages: &[&str]) -> Result<()> {
    let is_root = output(command("id").arg("-u")).is_ok_and(|id| id.trim() == "0");
    let prefix: &[&str] = if is_root { &[] } else { &["sudo", "-n"] };
    if find_on_path("apt-get").is_none() || !(is_root || sudo_needs_no_password()) {
        return Ok(());
    }
    println!("installing {} by apt", packages.join(" and "));
    for arguments in [&["update"][..], &[&["install", "-y", "--no-install-recommends"], packages].concat()] {
        let words = [prefix, &["apt-get", "-q"], arguments].concat();
        let mut apt = command(words[0]);
        run(apt.args(&words[1..]).env("DEBIAN_FRONTEND", "noninteractive").stdout(Stdio::null()))?;
    }
    Ok(())
}

fn sudo_needs_no_password() -> bool {
    let mut sudo = command("sudo");
    sudo.args(["-n", "true"]).stdout(Stdio::null()).stderr(Stdio::null());
    sudo.status().is_ok_and(|status| status.success())
}
