//! The TypeScript side: type checks, declarations, bundles.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde_json::json;

use crate::process::{node_tool, run};
use crate::{gates, project};

/// The entries of the package, by the names of their files.
const ENTRIES: [&str; 4] = ["index", "inline", "worker", "providers"];

/// What is shipped: the entries, the script of the worker, and what the page's part of the vault loads only where there is
/// no such worker. Each is one file.
const FILES: [&str; 6] = ["index", "inline", "worker", "providers", "vault", "away"];

/// Writes the `.d.ts` files and the bundled entries to `pkg/dist`, and the engine beside them.
pub(crate) fn build() -> Result<()> {
    let dist = project::dist();
    if dist.exists() {
        std::fs::remove_dir_all(&dist)?;
    }
    std::fs::create_dir_all(&dist)?;
    declarations(&dist)?;
    bundle(&dist)?;
    std::fs::copy(project::generated().join("wardkey.wasm"), dist.join("wardkey.wasm"))?;
    gates::check_shipped()?;
    copy_licences()
}

/// Checks what people write against `pkg/src`, without emitting anything.
pub(crate) fn check() -> Result<()> {
    let mut files = Vec::new();
    for folder in ["pkg/src", "tests/types", "www"] {
        files.extend(project::files(&project::root().join(folder), &["ts"])?);
    }
    // By their package names, as users write them; straight to the sources, so that nothing stale is checked.
    let source = |file: &str| vec![project::root().join("pkg/src").join(file)];
    let paths = json!({
        "wardkey": source("index.ts"),
        "wardkey/inline": source("inline.ts"),
        "wardkey/worker": source("worker.ts"),
        "wardkey/providers": source("providers.ts"),
    });
    tsc("check", &files, json!({ "noEmit": true, "paths": paths }))
}

fn declarations(dist: &Path) -> Result<()> {
    let source = project::root().join("pkg/src");
    let options =
        json!({ "declaration": true, "emitDeclarationOnly": true, "rootDir": source, "outDir": dist });
    tsc("declarations", &project::files(&source, &["ts"])?, options)?;
    drop_internal_declarations(dist)
}

/// Leaves only the declarations that the entries lead to: the modules behind them are no public types.
fn drop_internal_declarations(dist: &Path) -> Result<()> {
    let mut public: BTreeSet<PathBuf> =
        ENTRIES.iter().map(|entry| dist.join(format!("{entry}.d.ts"))).collect();
    let mut unread: Vec<PathBuf> = public.iter().cloned().collect();
    while let Some(file) = unread.pop() {
        let text = std::fs::read_to_string(&file)?;
        for (path, _) in text.split("\"./").skip(1).filter_map(|rest| rest.split_once(".js\"")) {
            let imported = dist.join(format!("{path}.d.ts"));
            if public.insert(imported.clone()) {
                unread.push(imported);
            }
        }
    }
    for file in project::files(dist, &["ts"])?.iter().filter(|file| !public.contains(*file)) {
        std::fs::remove_file(file)?;
    }
    for folder in std::fs::read_dir(dist)? {
        let folder = folder?.path();
        // Fails where there is something in it.
        let _ = folder.is_dir().then(|| std::fs::remove_dir(folder));
    }
    Ok(())
}

/// Runs the TypeScript compiler on these files with the options of the root's `tsconfig.json` and these.
fn tsc(name: &str, files: &[PathBuf], options: serde_json::Value) -> Result<()> {
    let file = project::scratch()?.join(format!("tsconfig.{name}.json"));
    let base = project::root().join("tsconfig.json");
    let config = json!({ "extends": base, "files": files, "compilerOptions": options });
    std::fs::write(&file, serde_json::to_string_pretty(&config)?)?;
    run(node_tool("tsc").arg("--project").arg(&file)).context("TypeScript found errors")
}

/// One minified ES module a file. `console` calls are those of wasm-bindgen's glue: our sources have none.
fn bundle(dist: &Path) -> Result<()> {
    let entries = FILES.map(|file| project::root().join(format!("pkg/src/{file}.ts")));
    let manifest = std::fs::read_to_string(project::root().join("pkg/package.json"))?;
    let manifest: serde_json::Value = serde_json::from_str(&manifest).context("pkg/package.json")?;
    run(node_tool("esbuild")
        .args(entries)
        .arg("--external:./away.js")
        .arg(format!("--define:VERSION={}", manifest["version"]))
        .arg(format!("--outdir={}", dist.display()))
        .args(["--bundle", "--minify", "--format=esm", "--target=es2022", "--drop:console"])
        .args(["--loader:.wasm=binary", "--legal-comments=none", "--log-level=warning"]))?;
    FILES.iter().try_for_each(|file| shorten(&dist.join(format!("{file}.js"))))
}

/// Takes 3 % more off: esbuild looks at one statement at a time, terser at what all of them do. It is not told that getters
/// are pure: those of a window of another origin throw, and the code goes by that.
fn shorten(file: &Path) -> Result<()> {
    run(node_tool("terser")
        .arg(file)
        .args(["--module", "--ecma", "2022", "--mangle"])
        .args(["--compress", "passes=3,unsafe_arrows,keep_fargs=false"])
        .arg("--output")
        .arg(file))
}

/// npm packs only what lies in the package's own folder.
fn copy_licences() -> Result<()> {
    for file in std::fs::read_dir(project::root())? {
        let file = file?;
        if file.file_name().to_string_lossy().starts_with("LICENSE") {
            std::fs::copy(file.path(), project::root().join("pkg").join(file.file_name()))?;
        }
    }
    Ok(())
}
