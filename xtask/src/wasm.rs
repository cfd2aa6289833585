//! From Rust to the shipped `.wasm`: compile, wasm-bindgen, `wasm-opt`, short names.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::{Context, Result};
use wasm_bindgen_cli_support::Bindgen;

use crate::process::{cargo, command, node_tool, output, run};
use crate::{floats, names, order, panics, project};

const TARGET: &str = "wasm32-unknown-unknown";
/// The stem of wasm-bindgen's files.
const NAME: &str = "wardkey";

/// What rustc emits for wasm32 by default. wasm-opt must know, also where a tool before it has
/// dropped the `target_features` section.
const FEATURES: &[&str] = &[
    "--enable-bulk-memory",
    "--enable-bulk-memory-opt",
    "--enable-multivalue",
    "--enable-mutable-globals",
    "--enable-nontrapping-float-to-int",
    "--enable-reference-types",
    "--enable-sign-ext",
];

/// Fills `pkg/generated` with the glue, its types and the engine's final bytes.
pub(crate) fn build() -> Result<()> {
    let mut compiled = std::fs::read(compile()?)?;
    floats::refuse(&compiled)?;
    panics::silence(&mut compiled)?;
    let folder = project::generated();
    if folder.exists() {
        std::fs::remove_dir_all(&folder)?;
    }
    bindgen(compiled, &folder)?;
    let engine = folder.join(format!("{NAME}.wasm"));
    std::fs::rename(folder.join(format!("{NAME}_bg.wasm")), &engine)?;
    optimise(&engine)?;
    shorten_names(&folder)
}

/// Whether the glue's types are there and newer than what they are made of.
pub(crate) fn types_are_fresh() -> Result<bool> {
    let Ok(types) = project::generated().join(format!("{NAME}.d.ts")).metadata() else { return Ok(false) };
    let written = types.modified()?;
    let sources = project::files(&project::root().join("src/bindings"), &["rs"])?;
    Ok(sources
        .iter()
        .all(|file| file.metadata().and_then(|source| source.modified()).is_ok_and(|time| time <= written)))
}

fn bindgen(compiled: Vec<u8>, folder: &Path) -> Result<()> {
    let mut bindgen = Bindgen::new();
    bindgen.input_bytes(NAME, compiled).web(true)?.typescript(true).omit_default_module_path(true);
    bindgen.remove_name_section(true).remove_producers_section(true);
    let mut output = bindgen.generate_output().context("wasm-bindgen failed")?;
    // Exports for a crash handler that this glue does not have would keep their code alive.
    let exports = output.wasm().exports.iter();
    let unused: Vec<_> = exports
        .filter(|export| !names::glue_uses(output.js(), &export.name))
        .map(|export| export.id())
        .collect();
    for export in unused {
        output.wasm_mut().exports.delete(export);
    }
    output.emit(folder).context("wasm-bindgen could not write its files")
}

/// Compiles the library as a `cdylib`. The crate type is given here alone: a second one in
/// `Cargo.toml` would silently turn link-time optimisation off.
fn compile() -> Result<PathBuf> {
    let messages = output(
        cargo()
            .args(["rustc", "--locked", "--release", "--lib", "--crate-type", "cdylib", "--target", TARGET])
            .args(["--package", NAME, "--features", "npm", "--message-format", "json-render-diagnostics"])
            .env("CARGO_ENCODED_RUSTFLAGS", rustc_flags()?.join("\x1f"))
            .stdin(Stdio::null()),
    )?;
    messages
        .lines()
        .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok())
        .filter_map(|message| message["filenames"][0].as_str().map(PathBuf::from))
        .rfind(|file| file.extension().is_some_and(|extension| extension == "wasm"))
        .context("cargo named no .wasm file")
}

/// No path of this machine in the binary (they also cost bytes), and a stack of one wasm page.
fn rustc_flags() -> Result<Vec<String>> {
    let home = std::env::var("CARGO_HOME").or_else(|_| std::env::var("HOME").map(|home| home + "/.cargo"))?;
    let sysroot = output(command("rustc").args(["--print", "sysroot"]))?;
    let mut prefixes = vec![
        (project::root().to_path_buf(), NAME),
        (PathBuf::from(&home), "cargo"),
        (Path::new(sysroot.trim()).join("lib/rustlib/src/rust"), "rust"),
    ];
    // The last match counts. These folders carry the name of the registry that this machine uses.
    for registry in std::fs::read_dir(Path::new(&home).join("registry/src"))? {
        prefixes.push((registry?.path(), "crates"));
    }
    let remap = |(from, to): (PathBuf, &str)| format!("--remap-path-prefix={}={to}", from.display());
    let mut flags: Vec<String> = prefixes.into_iter().map(remap).collect();
    flags.push("-Clink-arg=-zstack-size=65536".into());
    Ok(flags)
}

/// Flattening first lets the size passes see more: about 1 % after brotli. So does, a little, what is known of low
/// addresses: the stack is there, below all data, so that none of them is the base of an object.
fn optimise(file: &Path) -> Result<()> {
    let passes = [
        "--flatten",
        "--rereloop",
        "-Oz",
        "-Oz",
        "--low-memory-unused",
        "--strip-target-features",
        // One data segment with its zeros compresses better than a hundred without.
        "--skip-pass=memory-packing",
        "--coalesce-locals-learning",
        "--reorder-locals",
    ];
    wasm_opt(&passes, file)?;
    std::fs::write(file, order::name_by_likeness(&std::fs::read(file)?)?)?;
    wasm_opt(&["--reorder-functions-by-name", "--optimize-level=2", "--shrink-level=2"], file)
}

fn wasm_opt(passes: &[&str], file: &Path) -> Result<()> {
    run(node_tool("wasm-opt").args(passes).args(FEATURES).arg(file).arg("-o").arg(file))
}

fn shorten_names(folder: &Path) -> Result<()> {
    let file = |ending: &str| folder.join(format!("{NAME}{ending}"));
    let glue = std::fs::read_to_string(file(".js"))?;
    let types = std::fs::read_to_string(file(".d.ts"))?;
    let short = names::shorten(&std::fs::read(file(".wasm"))?, &glue, &types)?;
    std::fs::write(file(".wasm"), short.wasm)?;
    std::fs::write(file(".js"), short.glue)?;
    std::fs::write(file(".d.ts"), short.types)?;
    // It lists the long names, and nobody imports the .wasm as a module.
    Ok(std::fs::remove_file(file("_bg.wasm.d.ts"))?)
}
