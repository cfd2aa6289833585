//! What goes over the wire: raw, gzip and brotli bytes of each shipped file, and their budgets.

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::{Context, Result, bail};

use crate::process::{command, output};
use crate::project;

/// The files of the `.` entry.
const MAIN_ENTRY: [&str; 2] = ["index.js", "wardkey.wasm"];
const TOTAL: &str = "total";

/// Node's own zlib, as it is there anyway: brotli at its best quality, gzip at its usual best.
const MEASURE: &str = r#"
    const { readFileSync } = await import("node:fs");
    const { brotliCompressSync, gzipSync, constants } = await import("node:zlib");
    const sizes = process.argv.slice(1).map((file) => {
        const bytes = readFileSync(file);
        const params = {
            [constants.BROTLI_PARAM_QUALITY]: 11,
            [constants.BROTLI_PARAM_LGWIN]: 22,
            [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length,
        };
        return [bytes.length, gzipSync(bytes, { level: 9 }).length, brotliCompressSync(bytes, { params }).length];
    });
    console.log(JSON.stringify(sizes));
"#;

/// Bytes raw, after gzip and after brotli.
type Sizes = [u64; 3];

/// Prints the table of sizes.
pub(crate) fn print() -> Result<()> {
    let (files, budgets) = (measure()?, budgets()?);
    println!("\n{:<16}{:>9}{:>9}{:>9}{:>9}", "bytes", "raw", "gzip", "brotli", "budget");
    for (name, [raw, gzip, brotli]) in files.iter().chain([&(TOTAL.into(), total(&files))]) {
        let label = if name == TOTAL { "total of `.`" } else { name };
        let budget = budgets.get(name).map_or("none".into(), u64::to_string);
        println!("{label:<16}{raw:>9}{gzip:>9}{brotli:>9}{budget:>9}");
    }
    Ok(())
}

/// Fails if a shipped file, or what the `.` entry loads, is larger than `bench/budget.json` allows.
pub(crate) fn check_budget() -> Result<()> {
    let complaints = compare(&measure()?, &budgets()?);
    if !complaints.is_empty() {
        bail!("{}", complaints.join("\n"));
    }
    Ok(())
}

fn compare(files: &[(String, Sizes)], budgets: &BTreeMap<String, u64>) -> Vec<String> {
    let mut complaints = Vec::new();
    for (name, [_, _, brotli]) in files.iter().chain([&(TOTAL.into(), total(files))]) {
        match budgets.get(name) {
            None => complaints.push(format!("{name} is shipped but has no budget in bench/budget.json")),
            Some(budget) if brotli > budget => complaints.push(format!(
                "{name} has {brotli} brotli bytes, {} over its budget; make it smaller, or say in the commit why \
                 bench/budget.json grows",
                brotli - budget
            )),
            Some(_) => {}
        }
    }
    let gone = |name: &&String| *name != TOTAL && files.iter().all(|(file, _)| file != *name);
    complaints.extend(
        budgets
            .keys()
            .filter(gone)
            .map(|name| format!("bench/budget.json names {name}, which is not shipped")),
    );
    complaints
}

fn total(files: &[(String, Sizes)]) -> Sizes {
    let of_main = files.iter().filter(|(name, _)| MAIN_ENTRY.contains(&name.as_str()));
    of_main.fold([0; 3], |sum, (_, sizes)| std::array::from_fn(|index| sum[index] + sizes[index]))
}

fn measure() -> Result<Vec<(String, Sizes)>> {
    let dist = project::dist();
    let files: Vec<PathBuf> = project::files(&dist, &["js", "wasm"])?;
    let printed =
        output(command("node").args(["--input-type=module", "--eval", MEASURE, "--"]).args(&files))?;
    let sizes: Vec<Sizes> = serde_json::from_str(&printed)?;
    let names = files.iter().map(|file| Ok(file.strip_prefix(&dist)?.display().to_string()));
    Ok(names.collect::<Result<Vec<_>>>()?.into_iter().zip(sizes).collect())
}

fn budgets() -> Result<BTreeMap<String, u64>> {
    let text = std::fs::read_to_string(project::root().join("bench/budget.json"))?;
    serde_json::from_str(&text).context("bench/budget.json must map file names to brotli bytes")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn complaints(budgets: &[(&str, u64)]) -> String {
        let files = [("index.js", 4), ("inline.js", 40), ("wardkey.wasm", 20)];
        let files: Vec<_> =
            files.iter().map(|(name, brotli)| ((*name).to_owned(), [0, 0, *brotli])).collect();
        compare(&files, &budgets.iter().map(|(name, bytes)| ((*name).to_owned(), *bytes)).collect())
            .join("\n")
    }

    #[test]
    fn what_fits_is_accepted() {
        assert_eq!(
            complaints(&[("index.js", 4), ("inline.js", 40), ("wardkey.wasm", 20), ("total", 24)]),
            ""
        );
    }

    #[test]
    fn one_byte_over_is_refused() {
        let one_over = complaints(&[("index.js", 3), ("inline.js", 40), ("wardkey.wasm", 20), ("total", 24)]);
        assert!(one_over.starts_with("index.js has 4 brotli bytes, 1 over"), "{one_over}");
        let total = complaints(&[("index.js", 4), ("inline.js", 40), ("wardkey.wasm", 20), ("total", 23)]);
        assert!(total.starts_with("total has 24 brotli bytes, 1 over"), "{total}");
    }

    #[test]
    fn every_shipped_file_needs_a_budget_and_every_budget_a_file() {
        let none = complaints(&[("index.js", 4), ("wardkey.wasm", 20), ("total", 24), ("old.js", 1)]);
        assert_eq!(none.lines().count(), 2, "{none}");
        assert!(none.contains("inline.js is shipped but has no budget"), "{none}");
        assert!(none.contains("names old.js, which is not shipped"), "{none}");
    }
}
