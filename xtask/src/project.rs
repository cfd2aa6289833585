//! Where things are in the checkout.

use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use anyhow::Result;

/// The checkout's root folder. Asked at run time: a target folder that several checkouts share may
/// hold a driver that was compiled for another one.
pub(crate) fn root() -> &'static Path {
    static ROOT: LazyLock<PathBuf> = LazyLock::new(|| {
        let driver = std::env::var_os("CARGO_MANIFEST_DIR")
            .map_or_else(|| env!("CARGO_MANIFEST_DIR").into(), PathBuf::from);
        driver.parent().expect("xtask lies in the root folder").to_path_buf()
    });
    &ROOT
}

/// wasm-bindgen's output after `wasm-opt` and renaming: what `pkg/src` imports.
pub(crate) fn generated() -> PathBuf {
    root().join("pkg/generated")
}

/// What is shipped.
pub(crate) fn dist() -> PathBuf {
    root().join("pkg/dist")
}

/// For files that the driver writes for the tools it calls.
pub(crate) fn scratch() -> Result<PathBuf> {
    let folder = root().join("target/xtask");
    std::fs::create_dir_all(&folder)?;
    Ok(folder)
}

/// The path as seen from the root, for messages.
pub(crate) fn display(path: &Path) -> String {
    let inner = path.strip_prefix(root()).unwrap_or(path);
    if inner.as_os_str().is_empty() { ".".into() } else { inner.display().to_string() }
}

/// Every file below `folder` with one of these extensions, sorted; none where there is no such folder.
pub(crate) fn files(folder: &Path, extensions: &[&str]) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    if !folder.is_dir() {
        return Ok(found);
    }
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default();
        if path.is_dir() && name != "node_modules" && name != "dist" {
            found.extend(files(&path, extensions)?);
        } else if path
            .extension()
            .is_some_and(|extension| extensions.iter().any(|wanted| extension == *wanted))
        {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}
