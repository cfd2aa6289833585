//! `cargo xtask bench`: the package side by side with its peers in one run of a browser; `cargo xtask bench vault`: a
//! request through the vault beside one without; `cargo xtask bench fleet`: a hundred thousand clients after an outage,
//! natively.

use std::process::ExitCode;

use anyhow::Result;

use crate::process::{cargo, command, replace};
use crate::{build, project, setup};

/// Builds, installs the peers, then becomes the benchmark.
pub(crate) fn run(arguments: &[&str]) -> Result<ExitCode> {
    if arguments == ["fleet"] {
        return replace(cargo().args(["bench", "--locked", "--bench", "fleet"]));
    }
    build::run()?;
    if let ["vault", arguments @ ..] = arguments {
        let mut bench = command("node");
        return replace(bench.arg("bench/vault.mjs").args(arguments).env("CHROMIUM", setup::chromium()?));
    }
    setup::npm_packages(&project::root().join("bench"))?;
    replace(command("node").arg("bench/bench.mjs").args(arguments).env("CHROMIUM", setup::chromium()?))
}
