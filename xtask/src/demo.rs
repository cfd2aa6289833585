//! `cargo xtask demo`: the demo page, an authorization server and a protected API, on this machine; or with
//! `--provider NAME` the page and a stand-in for a real system.

use std::process::ExitCode;

use anyhow::Result;

use crate::build;
use crate::process::{command, replace};

/// Builds, then becomes the demo's server, which prints its address.
pub(crate) fn run(arguments: &[&str]) -> Result<ExitCode> {
    build::package()?;
    replace(command("node").arg("www/server/demo.mjs").args(arguments))
}
