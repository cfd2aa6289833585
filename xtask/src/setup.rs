//! Installs what is missing: the wasm target, npm packages, a browser. Does nothing where all is there.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::{Context, Result, bail};

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
    println!("installing npm packages in {}/", project::display(folder));
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

/// A browser and its driver.
pub(crate) struct Chromium {
    pub(crate) browser: PathBuf,
    pub(crate) driver: PathBuf,
}

/// Finds Chromium and chromedriver; installs Debian's packages where apt can.
pub(crate) fn chromium() -> Result<Chromium> {
    if let Some(found) = find_chromium() {
        return Ok(found);
    }
    let root = output(command("id").arg("-u")).is_ok_and(|id| id.trim() == "0");
    let sudo = !root && sudo_without_password();
    if find_on_path("apt-get").is_some() && (root || sudo) {
        println!("installing chromium and chromium-driver by apt");
        for arguments in
            [&["update"][..], &["install", "-y", "--no-install-recommends", "chromium", "chromium-driver"]]
        {
            let mut apt = if sudo { command("sudo") } else { command("apt-get") };
            if sudo {
                apt.args(["-n", "apt-get"]);
            }
            run(apt
                .arg("-q")
                .args(arguments)
                .env("DEBIAN_FRONTEND", "noninteractive")
                .stdout(Stdio::null()))?;
        }
    }
    find_chromium().context(
        "no browser: install Chromium and chromedriver of the same version (Debian: chromium, chromium-driver), \
         or set CHROMIUM and CHROMEDRIVER to their paths",
    )
}

fn find_chromium() -> Option<Chromium> {
    let pick = |variable: &str, names: &[&str]| match std::env::var_os(variable) {
        Some(path) => Some(PathBuf::from(path)).filter(|path| path.is_file()),
        None => names.iter().find_map(|name| find_on_path(name)),
    };
    Some(Chromium {
        browser: pick("CHROMIUM", &["chromium", "chromium-browser", "google-chrome"])?,
        driver: pick("CHROMEDRIVER", &["chromedriver"])?,
    })
}

fn sudo_without_password() -> bool {
    let quiet =
        |name: &str| command("sudo").args(["-n", name]).stdout(Stdio::null()).stderr(Stdio::null()).status();
    find_on_path("sudo").is_some() && quiet("true").is_ok_and(|status| status.success())
}
