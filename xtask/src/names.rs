//! Short import and export names, in the `.wasm` and in its glue at once.
//!
//! wasm-bindgen joins the two files by names such as `__wbg_then_e3f7f2d365708be8`, which neither
//! `wasm-opt` nor a minifier may touch: each sees one file only. Here both are at hand. A name that
//! stands in one file alone is refused, as the result could not be instantiated.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result, bail, ensure};
use wasm_encoder::reencode::{Reencode, RoundtripReencoder};
use wasm_encoder::{ExportSection, ImportSection, Module, RawSection};
use wasmparser::{Parser, Payload};

/// The import module of `--target web` glue, and what it becomes.
const IMPORT_MODULE: (&str, &str) = ("./wardkey_bg.js", "w");
/// Stays, for who looks at the size of the linear memory.
const KEPT_EXPORT: &str = "memory";

/// The files after renaming.
pub(crate) struct Shortened {
    pub(crate) wasm: Vec<u8>,
    pub(crate) glue: String,
    pub(crate) types: String,
}

/// Old name → new name. Imports and exports are two name spaces.
#[derive(Default)]
struct Names {
    imports: BTreeMap<String, String>,
    exports: BTreeMap<String, String>,
}

/// Renames every import and every export but `memory`. The glue's own exports, such as the class and
/// the initialiser, keep their names.
pub(crate) fn shorten(wasm: &[u8], glue: &str, types: &str) -> Result<Shortened> {
    let names = choose(wasm)?;
    Ok(Shortened {
        wasm: rename_in_wasm(wasm, &names)?,
        glue: rename_in_glue(glue, &names)?,
        types: plain_types(types, &names),
    })
}

/// Whether the glue takes this export from the instance.
pub(crate) fn glue_uses(glue: &str, export: &str) -> bool {
    let access = format!("wasm.{export}");
    glue.match_indices(&access).any(|(start, _)| !glue[start + access.len()..].starts_with(is_identifier))
}

/// Numbers the names in the order of the `.wasm`, so that the same input gives the same output.
fn choose(wasm: &[u8]) -> Result<Names> {
    let mut names = Names::default();
    for payload in Parser::new(0).parse_all(wasm) {
        match payload? {
            Payload::ImportSection(section) => {
                for import in section.into_imports() {
                    let import = import?;
                    ensure!(import.module == IMPORT_MODULE.0, "unexpected import module `{}`", import.module);
                    let short = short_name(names.imports.len());
                    let former = names.imports.insert(import.name.to_owned(), short);
                    ensure!(former.is_none(), "the .wasm imports `{}` twice", import.name);
                }
            }
            Payload::ExportSection(section) => {
                for export in section {
                    let name = export?.name;
                    if name != KEPT_EXPORT {
                        let short = short_name(names.exports.len());
                        names.exports.insert(name.to_owned(), short);
                    }
                }
            }
            _ => {}
        }
    }
    Ok(names)
}

/// a, b, … z, aa, ab, …
fn short_name(index: usize) -> String {
    let letter = char::from(b'a' + (index % 26) as u8);
    match index / 26 {
        0 => letter.to_string(),
        rest => short_name(rest - 1) + &letter.to_string(),
    }
}

/// Writes the import and the export section anew and copies every other section byte for byte.
fn rename_in_wasm(wasm: &[u8], names: &Names) -> Result<Vec<u8>> {
    let mut module = Module::new();
    let mut types = RoundtripReencoder;
    for payload in Parser::new(0).parse_all(wasm) {
        match payload? {
            Payload::ImportSection(section) => {
                let mut imports = ImportSection::new();
                for import in section.into_imports() {
                    let import = import?;
                    let name = names.imports.get(import.name).context("an import without a new name")?;
                    imports.import(IMPORT_MODULE.1, name, types.entity_type(import.ty)?);
                }
                module.section(&imports);
            }
            Payload::ExportSection(section) => {
                let mut exports = ExportSection::new();
                for export in section {
                    let export = export?;
                    let name = names.exports.get(export.name).map_or(export.name, String::as_str);
                    exports.export(name, types.export_kind(export.kind)?, export.index);
                }
                module.section(&exports);
            }
            payload => {
                if let Some((id, range)) = payload.as_section() {
                    module.section(&RawSection { id, data: &wasm[range] });
                }
            }
        }
    }
    Ok(module.finish())
}

/// Renames `name: function…` in the import object and `wasm.name` everywhere.
fn rename_in_glue(glue: &str, names: &Names) -> Result<String> {
    let mut renamed = String::with_capacity(glue.len());
    let mut seen = BTreeSet::new();
    let mut rest = glue;
    while let Some(start) = rest.find(is_identifier) {
        let (before, from_word) = rest.split_at(start);
        let (word, after) =
            from_word.split_at(from_word.find(|c| !is_identifier(c)).unwrap_or(from_word.len()));
        renamed.push_str(before);
        let of_exports = renamed.ends_with("wasm.") && !renamed.ends_with(".wasm.");
        let of_imports = after.starts_with(": function") && word.starts_with("__wb");
        let new = match (of_exports, of_imports) {
            (true, _) if word == KEPT_EXPORT => word,
            (true, _) => names.exports.get(word).with_context(|| missing(word, "glue", ".wasm"))?,
            (_, true) => names.imports.get(word).with_context(|| missing(word, "glue", ".wasm"))?,
            _ => word,
        };
        if of_exports || of_imports {
            seen.insert((of_exports, word));
        }
        renamed.push_str(new);
        rest = after;
    }
    renamed.push_str(rest);
    for (of_exports, table) in [(true, &names.exports), (false, &names.imports)] {
        if let Some(lost) = table.keys().find(|name| !seen.contains(&(of_exports, name.as_str()))) {
            bail!(missing(lost, ".wasm", "glue"));
        }
    }
    rename_import_module(&renamed)
}

fn rename_import_module(glue: &str) -> Result<String> {
    let quoted = format!("\"{}\"", IMPORT_MODULE.0);
    ensure!(
        glue.matches(&quoted).count() == 1,
        "the glue does not name the import module {quoted} exactly once"
    );
    Ok(glue.replace(&quoted, IMPORT_MODULE.1))
}

/// The declarations list the instance's exports for whoever calls past the glue: of these names only
/// `memory` is left. And `Symbol.dispose` would ask everybody for a newer `lib` than browsers have.
fn plain_types(types: &str, names: &Names) -> String {
    let raw = |line: &str| {
        let name = line.trim_start().strip_prefix("readonly ").and_then(|rest| rest.split_once(':'));
        name.is_some_and(|(name, _)| names.exports.contains_key(name)) || line.contains("[Symbol.dispose]")
    };
    types.split_inclusive('\n').filter(|line| !raw(line)).collect()
}

fn is_identifier(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '$')
}

fn missing(name: &str, here: &str, there: &str) -> String {
    format!(
        "`{name}` stands in the {here} but not in the {there}: wasm-bindgen's glue has a form that names.rs does not know"
    )
}

#[cfg(test)]
mod tests {
    use wasm_encoder::{EntityType, ExportKind, FunctionSection, MemorySection, MemoryType, TypeSection};

    use super::*;

    const THEN: &str = "__wbg_then_e3f7f2d365708be8";
    const GLUE: &str = r#"
        const import0 = { __proto__: null, __wbg_then_e3f7f2d365708be8: function(a) { return a.then(wasm.__wbindgen_malloc); } };
        const imports = { "./wardkey_bg.js": import0 };
        export class Engine { free() { wasm.__wbindgen_malloc(wasm.memory); } }
    "#;

    fn module(imports: &[&str], exports: &[&str]) -> Vec<u8> {
        let mut types = TypeSection::new();
        types.ty().function([], []);
        let mut import_section = ImportSection::new();
        for name in imports {
            import_section.import(IMPORT_MODULE.0, name, EntityType::Function(0));
        }
        let memory =
            MemoryType { minimum: 1, maximum: None, memory64: false, shared: false, page_size_log2: None };
        let mut export_section = ExportSection::new();
        export_section.export("memory", ExportKind::Memory, 0);
        for name in exports {
            export_section.export(name, ExportKind::Func, 0);
        }
        let mut module = Module::new();
        module.section(&types).section(&import_section).section(&FunctionSection::new());
        module.section(MemorySection::new().memory(memory)).section(&export_section);
        module.finish()
    }

    /// (module, name) of the imports, then ("", name) of the exports.
    fn names_in(wasm: &[u8]) -> Vec<(String, String)> {
        let mut found = Vec::new();
        for payload in Parser::new(0).parse_all(wasm) {
            match payload.unwrap() {
                Payload::ImportSection(section) => {
                    let imports = section.into_imports().map(Result::unwrap);
                    found.extend(imports.map(|import| (import.module.to_owned(), import.name.to_owned())));
                }
                Payload::ExportSection(section) => {
                    let exports = section.into_iter().map(Result::unwrap);
                    found.extend(exports.map(|export| (String::new(), export.name.to_owned())));
                }
                _ => {}
            }
        }
        found
    }

    fn refusal(imports: &[&str], exports: &[&str], glue: &str) -> String {
        shorten(&module(imports, exports), glue, "").err().expect("refused").to_string()
    }

    #[test]
    fn both_files_get_the_same_short_names() {
        let types = "interface InitOutput {\n  readonly memory: Memory;\n  readonly __wbindgen_malloc: () => number;\n  [Symbol.dispose](): void;\n}";
        let short = shorten(&module(&[THEN], &["__wbindgen_malloc"]), GLUE, types).unwrap();
        let expected = [("w", "a"), ("", "memory"), ("", "a")];
        assert_eq!(
            names_in(&short.wasm),
            expected.map(|(module, name)| (module.to_owned(), name.to_owned()))
        );
        assert!(short.glue.contains("a: function(a) { return a.then(wasm.a); }"), "{}", short.glue);
        assert!(short.glue.contains("{ w: import0 }"), "{}", short.glue);
        assert!(
            short.glue.contains("export class Engine { free() { wasm.a(wasm.memory); } }"),
            "{}",
            short.glue
        );
        assert_eq!(short.types, "interface InitOutput {\n  readonly memory: Memory;\n}");
    }

    #[test]
    fn a_name_of_one_file_alone_is_refused() {
        let (malloc, other) = ("__wbindgen_malloc", "__wbg_other_0123456789abcdef");
        assert!(refusal(&[], &[malloc], GLUE).contains(&missing(THEN, "glue", ".wasm")));
        assert!(refusal(&[THEN], &[], GLUE).contains(&missing(malloc, "glue", ".wasm")));
        assert!(refusal(&[THEN, other], &[malloc], GLUE).contains(&missing(other, ".wasm", "glue")));
        assert!(refusal(&[THEN], &[malloc, "lost"], GLUE).contains(&missing("lost", ".wasm", "glue")));
    }

    #[test]
    fn glue_without_the_import_module_is_refused() {
        let glue = GLUE.replace("./wardkey_bg.js", "./other.js");
        assert!(refusal(&[THEN], &["__wbindgen_malloc"], &glue).contains("import module"));
    }

    #[test]
    fn a_use_is_the_whole_name() {
        assert!(glue_uses(GLUE, "__wbindgen_malloc") && glue_uses(GLUE, "memory"));
        assert!(!glue_uses(GLUE, "__wbindgen_mal") && !glue_uses(GLUE, THEN));
    }

    #[test]
    fn short_names_are_distinct() {
        let names: BTreeSet<String> = (0..2000).map(short_name).collect();
        assert_eq!(names.len(), 2000);
        assert_eq!(
            (short_name(0), short_name(25), short_name(26), short_name(702)),
            ("a".into(), "z".into(), "aa".into(), "aaa".into())
        );
    }
}
