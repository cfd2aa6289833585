//! `cargo xtask bench`: the package side by side with its peers in one run of a browser; `cargo xtask bench session`: what
//! a session costs its page; `cargo xtask bench vault`: a request through the vault beside one without; `cargo xtask bench
//! fleet`: a hundred thousand clients after an outage, natively.

use std::process::ExitCode;

use anyhow::Result;

use crate::process::{cargo, command, replace};
use crate::{build, project, setup};

/// Builds, installs the peers where they take part, then becomes the benchmark.
pub(crate) fn run(arguments: &[&str]) -> Result<ExitCode> {
    if arguments == ["fleet"] {
        return replace(cargo().args(["bench", "--locked", "--bench", "fleet"]));
    }
    build::run()?;
    let (script, arguments) = match arguments {
        ["session", arguments @ ..] => ("bench/session/main.mjs", arguments),
        ["vault", arguments @ ..] => ("bench/vault.mjs", arguments),
        arguments => {
            setup::npm_packages(&project::root().join("bench"))?;
            ("bench/bench.mjs", arguments)
        }
    };
    replace(command("node").arg(script).args(arguments).env("CHROMIUM", setup::chromium()?))
}
