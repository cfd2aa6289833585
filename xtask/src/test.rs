//! Runs suites, goes on after one has failed, and sums up.

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Command, ExitCode, Stdio};
use std::time::Instant;

use anyhow::{Context, Result, bail};

use crate::counts::{self, Counts};
use crate::process::describe;
use crate::suites::{self, BUILD, Suite, Work};
use crate::{build, project, setup};

/// One line of the summary.
struct Line {
    name: &'static str,
    counts: Counts,
    seconds: f64,
}

/// `cargo xtask check`: what needs neither a browser nor a build.
pub(crate) fn quick() -> Result<ExitCode> {
    Ok(run(suites::all().into_iter().filter(|suite| suite.quick)))
}

/// `cargo xtask test`: everything.
pub(crate) fn all() -> Result<ExitCode> {
    Ok(run(suites::all()))
}

/// `cargo xtask test NAME…`: these suites, and before them the build where one needs it.
pub(crate) fn named(names: &[&str]) -> Result<ExitCode> {
    let suites = suites::all();
    if let Some(unknown) = names.iter().find(|name| suites.iter().all(|suite| suite.name != **name)) {
        let known: Vec<&str> = suites.iter().map(|suite| suite.name).collect();
        bail!("there is no suite `{unknown}`; the suites are {}", known.join(", "));
    }
    let chosen: Vec<Suite> = suites.into_iter().filter(|suite| names.contains(&suite.name)).collect();
    if chosen.iter().any(|suite| suite.needs_build) && !names.contains(&BUILD) {
        build::package()?;
    }
    Ok(run(chosen))
}

fn run(suites: impl IntoIterator<Item = Suite>) -> ExitCode {
    let mut lines: Vec<Line> = Vec::new();
    let mut figures = Vec::new();
    for suite in suites {
        println!("\n── {} ──", suite.name);
        let start = Instant::now();
        let build_failed = lines.iter().any(|line| line.name == BUILD && line.counts.failed > 0);
        let result = if suite.needs_build && build_failed {
            Err(anyhow::anyhow!("not run, as the build failed"))
        } else {
            run_work(&suite, &mut figures)
        };
        let counts = result.unwrap_or_else(|error| {
            println!("{} failed: {error:#}", suite.name);
            Counts { passed: 0, failed: 1 }
        });
        lines.push(Line { name: suite.name, counts, seconds: start.elapsed().as_secs_f64() });
    }
    summarise(&lines, &figures)
}

fn run_work(suite: &Suite, figures: &mut Vec<String>) -> Result<Counts> {
    match suite.work {
        Work::Step(step) => step().map(|()| Counts { passed: 1, failed: 0 }),
        Work::Rust(command) => run_rust(&mut command()?, figures),
        Work::Node(folder) => run_node(suite.name, folder, ("CHROMIUM", setup::chromium()?), figures),
        Work::Firefox(folder) => match setup::firefox()? {
            Some(program) => run_node(suite.name, folder, ("FIREFOX", program), figures),
            None => {
                println!("not run: there is no Firefox, and no apt to install it by");
                Ok(Counts::default())
            }
        },
    }
}

/// Passes the output on as it comes, and counts by the result line of each test binary.
fn run_rust(command: &mut Command, figures: &mut Vec<String>) -> Result<Counts> {
    let started = command.stdout(Stdio::piped()).spawn();
    let mut child = started.with_context(|| format!("`{}` could not be started", describe(command)))?;
    let mut counts = Counts::default();
    for line in BufReader::new(child.stdout.take().context("no output")?).lines() {
        let line = line?;
        if let Some(result) = counts::of_libtest_line(&line) {
            counts += result;
            // A binary without tests says nothing that is worth a line.
            if result == Counts::default() {
                continue;
            }
        }
        figures.extend(counts::figure(&line).map(str::to_owned));
        if !line.is_empty() && line != "running 0 tests" {
            println!("{line}");
        }
    }
    Ok(counts.judged(child.wait()?.success()))
}

fn run_node(name: &str, folder: &str, browser: (&str, PathBuf), figures: &mut Vec<String>) -> Result<Counts> {
    let files = &suites::node_tests(folder)?;
    let tap = project::scratch()?.join(format!("{name}.tap"));
    // A reporter that never started must not leave an earlier run's numbers.
    std::fs::write(&tap, "")?;
    let mut command = suites::node_command(files, &tap, browser);
    let status =
        command.status().with_context(|| format!("`{}` could not be started", describe(&command)))?;
    let tap = std::fs::read_to_string(&tap)?;
    figures.extend(tap.lines().filter_map(counts::figure).map(str::to_owned));
    Ok(counts::of_tap(&tap, files).judged(status.success()))
}

fn summarise(lines: &[Line], figures: &[String]) -> ExitCode {
    let mut total = Counts::default();
    println!();
    for figure in figures {
        println!("{figure}");
    }
    println!("\n{:<14}{:>8}{:>8}{:>10}", "suite", "passed", "failed", "seconds");
    for Line { name, counts, seconds } in lines {
        println!("{name:<14}{:>8}{:>8}{seconds:>10.1}", counts.passed, counts.failed);
        total += *counts;
    }
    println!("{} passed, {} failed", total.passed, total.failed);
    if total.failed > 0 { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}
