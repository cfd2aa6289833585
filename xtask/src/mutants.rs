//! `cargo xtask mutants`: how many faults in `src/protocol` would no test notice?
//!
//! cargo-mutants makes one small fault after the other and runs the native tests (`.cargo/mutants.toml` says which).
//! What survives must be explained in `tests/mutants.md`, and be rare.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::process::{cargo, command, describe, find_on_path, output, run as run_command};
use crate::project;

const VERSION: &str = "27.1.0";
/// What is mutated where the arguments do not say.
const FILES: &str = "src/protocol/**/*.rs";
const EXPLANATIONS: &str = "tests/mutants.md";
/// Per cent of the viable mutants that may survive.
const LIMIT: f64 = 3.0;

/// A mutant by what it changes, so that it is known again after lines were added before it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Mutant {
    file: String,
    change: String,
    /// The line of the source that it changes, without indentation.
    line: String,
}

/// What became of the mutants.
#[derive(Debug, Default)]
struct Outcomes {
    caught: Vec<Mutant>,
    missed: Vec<Mutant>,
    timeouts: usize,
    unviable: usize,
}

/// Runs cargo-mutants with these arguments, over all of the protocol layer where they name no file, and judges.
pub(crate) fn run(arguments: &[&str]) -> Result<ExitCode> {
    let whole = arguments.is_empty();
    let explained = explanations(&std::fs::read_to_string(project::root().join(EXPLANATIONS))?)?;
    let folder = project::scratch()?;
    let mut mutants = command(tool()?);
    mutants.arg("mutants").arg("--output").arg(&folder).args(arguments);
    if !arguments.iter().any(|argument| argument.starts_with("--file") || argument.starts_with("-f")) {
        mutants.args(["--file", FILES]);
    }
    mutants.env("CARGO_TARGET_DIR", project::root().join("target/mutants"));
    let status =
        mutants.status().with_context(|| format!("`{}` could not be started", describe(&mutants)))?;
    // 2: some were missed; 3: some ran out of time.
    if !matches!(status.code(), Some(0 | 2 | 3)) {
        bail!("`{}` failed ({status})", describe(&mutants));
    }
    let report = std::fs::read_to_string(folder.join("mutants.out/outcomes.json"))?;
    judge(&outcomes(&serde_json::from_str(&report)?)?, &explained, whole)
}

/// cargo-mutants of our version: the one on the `PATH`, or one that is installed below `target`.
fn tool() -> Result<PathBuf> {
    let folder = project::root().join("target/tools");
    let own = folder.join("bin").join(format!("cargo-mutants{}", std::env::consts::EXE_SUFFIX));
    let wanted = format!("cargo-mutants {VERSION}");
    for tool in find_on_path("cargo-mutants").into_iter().chain(own.is_file().then(|| own.clone())) {
        if output(command(&tool).args(["mutants", "--version"])).is_ok_and(|version| version.trim() == wanted)
        {
            return Ok(tool);
        }
    }
    let mut install = cargo();
    install
        .args(["install", "cargo-mutants", "--locked", "--force", "--version", VERSION, "--root"])
        .arg(&folder);
    run_command(&mut install)?;
    Ok(own)
}

fn outcomes(report: &Value) -> Result<Outcomes> {
    let mut outcomes = Outcomes::default();
    for outcome in report["outcomes"].as_array().context("no outcomes")? {
        let mutant = &outcome["scenario"]["Mutant"];
        match outcome["summary"].as_str() {
            Some("CaughtMutant") => outcomes.caught.push(identify(mutant, project::root())?),
            Some("MissedMutant") => outcomes.missed.push(identify(mutant, project::root())?),
            Some("Timeout") => outcomes.timeouts += 1,
            Some("Unviable") => outcomes.unviable += 1,
            _ if mutant.is_null() => {} // The sources as they are.
            other => bail!("an outcome that is not known: {other:?}"),
        }
    }
    Ok(outcomes)
}

/// A name is like `src/protocol/text.rs:47:20: replace < with <= in integer`.
fn identify(mutant: &Value, root: &Path) -> Result<Mutant> {
    let name = mutant["name"].as_str().context("a mutant without a name")?;
    let mut parts = name.splitn(4, ':');
    let (file, line) =
        (parts.next().unwrap_or_default(), parts.next().and_then(|line| line.parse::<usize>().ok()));
    let source = std::fs::read_to_string(root.join(file))?;
    let line =
        line.and_then(|line| source.lines().nth(line - 1)).with_context(|| format!("{name} is nowhere"))?;
    let change = parts.nth(1).context("a mutant that changes nothing")?.trim();
    Ok(Mutant { file: file.to_owned(), change: change.to_owned(), line: line.trim().to_owned() })
}

/// Reads the list: a heading for each file, and an item for each mutant, with the reason on indented lines below it.
fn explanations(text: &str) -> Result<BTreeMap<Mutant, usize>> {
    let mut explained = BTreeMap::new();
    let mut file = String::new();
    let mut lines = text.lines().peekable();
    while let Some(text) = lines.next() {
        if let Some(heading) = text.strip_prefix("## ") {
            file = heading.trim().to_owned();
        }
        let Some(item) = text.strip_prefix("- `") else { continue };
        let (change, line) = item
            .strip_suffix('`')
            .and_then(|item| item.split_once("` at `"))
            .with_context(|| format!("{EXPLANATIONS}: not like - `change` at `line`: {text}"))?;
        let reason = lines.peek().is_some_and(|next| next.starts_with("  ") && !next.trim().is_empty());
        if !reason {
            bail!("{EXPLANATIONS}: without a reason: {text}");
        }
        let mutant = Mutant { file: file.clone(), change: change.to_owned(), line: line.to_owned() };
        *explained.entry(mutant).or_insert(0) += 1;
    }
    Ok(explained)
}

/// Prints the figure and what is wrong with it. An explanation that nothing needs is wrong as well; of mutants that
/// were not tried this time nothing is known.
fn judge(outcomes: &Outcomes, explained: &BTreeMap<Mutant, usize>, whole: bool) -> Result<ExitCode> {
    let mut unused = explained.clone();
    let mut unexplained = Vec::new();
    for mutant in &outcomes.missed {
        match unused.get_mut(mutant).filter(|left| **left > 0) {
            Some(left) => *left -= 1,
            None => unexplained.push(mutant),
        }
    }
    let tried = |mutant: &Mutant| whole || outcomes.caught.contains(mutant);
    let unused: Vec<&Mutant> = unused
        .iter()
        .filter(|(mutant, left)| **left > 0 && tried(mutant))
        .map(|(mutant, _)| mutant)
        .collect();
    for (title, list) in
        [("survives, and is not explained", &unexplained), ("is explained, and does not survive", &unused)]
    {
        for Mutant { file, change, line } in list {
            println!("{title}:\n  {file}: `{change}` at `{line}`");
        }
    }
    let (caught, missed, timeouts) = (outcomes.caught.len(), outcomes.missed.len(), outcomes.timeouts);
    let viable = caught + missed + timeouts;
    let share = 100.0 * missed as f64 / viable.max(1) as f64;
    println!(
        "mutants: {caught} caught, {missed} missed ({} of them explained), {timeouts} timed out, {} unviable: \
         {share:.1} % of {viable} viable ones survive, {LIMIT} % may",
        missed - unexplained.len(),
        outcomes.unviable,
    );
    let good = viable > 0 && share <= LIMIT && unexplained.is_empty() && unused.is_empty();
    Ok(if good { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIST: &str = "# Survivors\n\n## src/a.rs\n\n- `replace < with <= in f` at `if a < b {`\n  Both are the same.\n\
                        \n## src/b.rs\n\n- `replace g with 0` at `x`\n  Nobody asks.\n";

    fn mutant(file: &str, change: &str, line: &str) -> Mutant {
        Mutant { file: file.into(), change: change.into(), line: line.into() }
    }

    fn survivor() -> Mutant {
        mutant("src/a.rs", "replace < with <= in f", "if a < b {")
    }

    fn outcomes(caught: usize, missed: &[Mutant]) -> Outcomes {
        let caught = vec![mutant("src/c.rs", "replace h with 1", "y"); caught];
        Outcomes { caught, missed: missed.to_vec(), ..Outcomes::default() }
    }

    fn passes(outcomes: &Outcomes, whole: bool) -> bool {
        judge(outcomes, &explanations(LIST).unwrap(), whole).unwrap() == ExitCode::SUCCESS
    }

    #[test]
    fn the_list_is_read_and_has_reasons() {
        let explained = explanations(LIST).unwrap();
        assert_eq!(explained.len(), 2);
        assert_eq!(explained[&survivor()], 1);
        assert!(explanations("## a\n- `b` at `c`\n\nd").unwrap_err().to_string().contains("reason"));
        assert!(explanations("## a\n- `b`\n  c").unwrap_err().to_string().contains("not like"));
    }

    #[test]
    fn a_mutant_is_known_by_its_line() {
        let name = "src/main.rs:1:5: replace x::y -> Option<u8> with None";
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let found = identify(&serde_json::json!({ "name": name }), root).unwrap();
        let line = "//! The build driver: `cargo xtask <command>`.";
        assert_eq!(found, mutant("src/main.rs", "replace x::y -> Option<u8> with None", line));
    }

    #[test]
    fn survivors_must_be_explained_and_few() {
        assert!(passes(&outcomes(99, &[survivor()]), false));
        assert!(!passes(&outcomes(99, &[mutant("src/a.rs", "another", "if a < b {")]), false));
        assert!(!passes(&outcomes(99, &[survivor(), survivor()]), false), "one explanation, two survivors");
        assert!(!passes(&outcomes(10, &[survivor()]), false), "more than the limit");
        assert!(!passes(&outcomes(0, &[]), false), "nothing was tried");
    }

    #[test]
    fn explanations_must_be_needed() {
        assert!(passes(&outcomes(9, &[]), false), "they were not tried");
        assert!(!passes(&outcomes(99, &[survivor()]), true), "one of the two does not survive");
        let mut caught = outcomes(9, &[]);
        caught.caught.push(survivor());
        assert!(!passes(&caught, false));
    }
}
