//! `cargo xtask build`: the npm package in `pkg/`.

use anyhow::Result;

use crate::{project, setup, sizes, wasm, web};

/// Installs what is missing, then builds and prints the sizes.
pub(crate) fn run() -> Result<()> {
    package()?;
    sizes::print()
}

/// Fills `pkg/generated` and `pkg/dist`.
pub(crate) fn package() -> Result<()> {
    setup::wasm_target()?;
    setup::npm_packages(project::root())?;
    wasm::build()?;
    web::build()
}
