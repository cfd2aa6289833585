//! The TypeScript side: type checks, declarations, bundles.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use serde_json::json;

use crate::process::{node_tool, run};
use crate::{gates, project};

/// The entries of the package, by the names of their files.
const ENTRIES: [&str; 4] = ["index", "inline", "worker", "providers"];

/// What is shipped: the entries, the script of the worker, and what the page's part of the vault loads only where there is
/// no such worker. Each is one file.
const FILES: [&str; 6] = ["index", "inline", "worker", "providers", "vault", "away"];

/// Members of our own objects that no other code sees: neither apps, nor the browser, nor the other end of a port. They get
/// short names, the same ones in every file, as parts that are loaded later work on the same objects.
const INTERNAL: [&str; 31] = [
    "announce",
    "ask",
    "attach",
    "attempt",
    "calls",
    "canBeSilent",
    "client",
    "emit",
    "events",
    "failed",
    "followed",
    "greeted",
    "guarded",
    "hasEnded",
    "hasLocks",
    "hear",
    "isAnswered",
    "isVisible",
    "isVisiting",
    "leave",
    "life",
    "names",
    "regain",
    "restored",
    "run",
    "sight",
    "startFollowing",
    "unseen",
    "wake",
    "wayBack",
    "whose",
];

/// Writes the `.d.ts` files and the bundled entries to `pkg/dist`, and the engine beside them.
pub(crate) fn build() -> Result<()> {
    let dist = project::dist();
    if dist.exists() {
        std::fs::remove_dir_all(&dist)?;
    }
    std::fs::create_dir_all(&dist)?;
    declarations(&dist)?;
    check_internal(&dist)?;
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

/// An internal name is none of the public types, nor of what the browser or the language has; and no text of ours, by
/// which a member could be asked for.
fn check_internal(dist: &Path) -> Result<()> {
    let mut files = project::files(dist, &["ts"])?;
    // The compiler is one package for each platform, with its libraries.
    for package in std::fs::read_dir(project::root().join("node_modules/@typescript"))? {
        let libraries = package?.path().join("lib");
        if libraries.is_dir() {
            files.extend(project::files(&libraries, &["ts"])?);
        }
    }
    ensure!(
        files.iter().any(|file| file.ends_with("lib.dom.d.ts")),
        "TypeScript's lib.dom.d.ts is not there"
    );
    for file in files {
        let text = std::fs::read_to_string(&file)?;
        if let Some(name) = text.lines().filter_map(member).find(|name| INTERNAL.contains(name)) {
            bail!(
                "{}: `{name}` is the name of a member, and in INTERNAL of xtask/src/web.rs",
                file.display()
            );
        }
    }
    for file in project::files(&project::root().join("pkg/src"), &["ts"])? {
        let text = std::fs::read_to_string(&file)?;
        if let Some(name) = INTERNAL.iter().find(|name| text.contains(&format!("\"{name}\""))) {
            bail!("{}: \"{name}\" is a text, and in INTERNAL of xtask/src/web.rs", file.display());
        }
    }
    Ok(())
}

/// The name of the member that a line of a declaration is about.
fn member(line: &str) -> Option<&str> {
    let mut rest = line.strip_prefix(' ')?.trim_start();
    for modifier in ["readonly ", "static ", "get ", "set "] {
        rest = rest.strip_prefix(modifier).unwrap_or(rest);
    }
    let (name, after) = rest.split_at(rest.find(|c: char| !(c.is_alphanumeric() || c == '_'))?);
    after.starts_with(['?', ':', '(', '<']).then_some(name)
}

/// Writes which short name each internal one gets. Left to itself, esbuild chooses for each file anew.
fn short_members() -> Result<PathBuf> {
    let short = ('a'..='z').chain('A'..='Z').map(String::from);
    let names: serde_json::Map<_, _> =
        INTERNAL.map(str::to_owned).into_iter().zip(short.map(Into::into)).collect();
    ensure!(names.len() == INTERNAL.len(), "more internal names than letters");
    let file = project::scratch()?.join("members.json");
    std::fs::write(&file, serde_json::to_string(&names)?)?;
    Ok(file)
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
        .arg(format!("--mangle-props=^({})$", INTERNAL.join("|")))
        .arg(format!("--mangle-cache={}", short_members()?.display()))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_of_declarations_are_found() {
        let lines = [
            "  readonly isolation: \"page\";",
            "    static abort(reason?: any): X;",
            "  on<K>(a: K): void;",
            "  a?: b;",
        ];
        assert_eq!(lines.map(member), ["isolation", "abort", "on", "a"].map(Some));
        let none = ["interface A {", "   * way: a comment", "  }", "export declare class A {"];
        assert_eq!(none.map(member), [None; 4]);
    }
}
