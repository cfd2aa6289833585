//! The layer rule: dependencies between the four layers of `src/` point down.
//!
//! A path is judged by where it leads: `crate::…`, `self::…` and `super::…` are resolved from the
//! module in which they stand, also inside `use` groups and inline modules.

use std::path::Path;

use anyhow::{Context, Result, bail};

use crate::project;
use crate::source::{self, Language};

/// Each layer and the module paths that it may name.
const RULES: [(&str, &[&str]); 4] = [
    ("protocol", &["protocol"]),
    ("client", &["client", "protocol"]),
    ("browser", &["browser", "client::platform", "protocol"]),
    ("bindings", &["bindings", "browser", "client", "protocol"]),
];

/// Checks all of `src/` below this folder.
pub(crate) fn check(root: &Path) -> Result<()> {
    let sources = root.join("src");
    let mut complaints = Vec::new();
    for file in project::files(&sources, &["rs"])? {
        let name = file.strip_prefix(root)?.display().to_string();
        let text = std::fs::read_to_string(&file)?;
        complaints.extend(check_file(&name, &text)?);
    }
    if !complaints.is_empty() {
        bail!("{}", complaints.join("\n"));
    }
    Ok(())
}

/// The complaints about one file, whose name starts with `src/`.
fn check_file(name: &str, text: &str) -> Result<Vec<String>> {
    let module = module_of(name)?;
    // The crate root names every layer: that is its duty.
    let Some(layer) = module.first() else { return Ok(Vec::new()) };
    let Some((_, allowed)) = RULES.iter().find(|(rule, _)| rule == layer) else {
        return Ok(vec![format!(
            "{name}: `{layer}` is none of the layers protocol, client, browser, bindings"
        )]);
    };
    let code = source::without_comments_and_literals(text, Language::Rust);
    let mut complaints = Vec::new();
    for path in paths(&code, &module) {
        if !allowed.iter().any(|target| leads_into(&path.segments, target)) {
            complaints.push(format!(
                "{name}:{}: `{}` in layer `{layer}`, which may only use {}",
                source::line_of(&code, path.offset),
                if path.segments.is_empty() { "crate".into() } else { path.segments.join("::") },
                allowed.join(", "),
            ));
        }
    }
    for (offset, _) in code.match_indices("#[path") {
        let line = source::line_of(&code, offset);
        complaints.push(format!(
            "{name}:{line}: `#[path]` would put a file into a layer where nobody looks for it"
        ));
    }
    Ok(complaints)
}

/// `src/client/tokens.rs` → client, tokens.
fn module_of(name: &str) -> Result<Vec<String>> {
    let inner = name.strip_prefix("src/").and_then(|name| name.strip_suffix(".rs"));
    let mut module: Vec<String> =
        inner.context("not a file of src/")?.split('/').map(str::to_owned).collect();
    if module.last().is_some_and(|last| last == "mod") || module == ["lib"] {
        module.pop();
    }
    Ok(module)
}

fn leads_into(segments: &[String], target: &str) -> bool {
    target
        .split("::")
        .enumerate()
        .all(|(index, part)| segments.get(index).is_some_and(|segment| segment == part))
}

/// An absolute path without its `crate`, and where it stands.
struct Found {
    offset: usize,
    segments: Vec<String>,
}

/// A word, `::` or any other character, with its offset.
type Token<'a> = (usize, &'a str);

/// Every path that starts with `crate`, `self` or `super`, resolved to the crate's root.
fn paths(code: &str, file_module: &[String]) -> Vec<Found> {
    let tokens = tokens(code);
    let word = |index: usize| tokens.get(index).map_or("", |token| token.1);
    let mut found = Vec::new();
    // Inline modules around the current token, each with the depth of its braces.
    let (mut inline, mut depth): (Vec<(usize, String)>, usize) = (Vec::new(), 0);
    let mut at = 0;
    while at < tokens.len() {
        match word(at) {
            "{" => depth += 1,
            "}" => {
                inline.retain(|(opened, _)| *opened < depth);
                depth = depth.saturating_sub(1);
            }
            "mod" if word(at + 2) == "{" => inline.push((depth + 1, word(at + 1).to_owned())),
            "crate" | "self" | "super" if is_path(word(at), word(at + 1), word(at.wrapping_sub(1))) => {
                let mut module = file_module.to_vec();
                module.extend(inline.iter().map(|(_, name)| name.clone()));
                at = resolve(&tokens, at, module, &mut found);
                continue;
            }
            _ => {}
        }
        at += 1;
    }
    found
}

/// `self` alone is a value and `pub(crate)` a visibility; `use crate as …` and `use super::…` are paths.
fn is_path(word: &str, next: &str, previous: &str) -> bool {
    next == "::" || (previous == "use" && word != "self") || (next == "as" && word == "crate")
}

/// Follows the path or group at `at`, which continues `prefix`; returns the index behind it.
fn resolve(tokens: &[Token], mut at: usize, mut prefix: Vec<String>, found: &mut Vec<Found>) -> usize {
    let word = |index: usize| tokens.get(index).map_or("", |token| token.1);
    let offset = tokens.get(at).map_or(0, |token| token.0);
    loop {
        match word(at) {
            "crate" => prefix.clear(),
            "super" => drop(prefix.pop()),
            "self" => {}
            "{" => {
                at += 1;
                while !matches!(word(at), "}" | "") {
                    at = match word(at) {
                        "," => at + 1,
                        "as" => at + 2,
                        _ => resolve(tokens, at, prefix.clone(), found),
                    };
                }
                return at + 1;
            }
            name => prefix.push(name.to_owned()),
        }
        at += 1;
        if word(at) != "::" || !continues(word(at + 1)) {
            found.push(Found { offset, segments: prefix });
            return if word(at) == "::" { at + 1 } else { at };
        }
        at += 1;
    }
}

/// `::<` opens generic arguments and ends the path; a glob leads to the module itself.
fn continues(next: &str) -> bool {
    next == "{" || next.starts_with(|c: char| c.is_alphabetic() || c == '_')
}

fn tokens(code: &str) -> Vec<Token<'_>> {
    let mut found = Vec::new();
    let mut rest = code;
    while let Some(first) = rest.chars().next() {
        let word = |c: char| c.is_alphanumeric() || c == '_';
        let length = match first {
            _ if word(first) => rest.find(|c| !word(c)).unwrap_or(rest.len()),
            ':' if rest.starts_with("::") => 2,
            _ => first.len_utf8(),
        };
        let (token, after) = rest.split_at(length);
        if !first.is_whitespace() {
            found.push((code.len() - rest.len(), token));
        }
        rest = after;
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn complaints(name: &str, text: &str) -> String {
        check_file(name, text).unwrap().join("\n")
    }

    #[test]
    fn paths_that_point_down_are_accepted() {
        for (name, text) in [
            ("src/protocol/jwt.rs", "use crate::protocol::{error::Error, jwk};\nuse super::form;"),
            (
                "src/client/tokens.rs",
                "use crate::{client::platform, protocol};\nfn f() { crate::protocol::pkce::new() }",
            ),
            (
                "src/browser/http.rs",
                "use crate::client::platform::{self, Platform};\nuse crate::browser::timer;",
            ),
            ("src/bindings/mod.rs", "use crate::{browser::Page as P, client, protocol as rules};"),
            ("src/lib.rs", "pub use crate::client::Session;"),
            ("src/protocol/mod.rs", "mod jwt;\npub(crate) fn f(&self) { self.x(); Self::y() }"),
        ] {
            assert_eq!(complaints(name, text), "", "{name}");
        }
    }

    #[test]
    fn paths_that_point_up_are_refused_with_file_and_line() {
        let found =
            complaints("src/protocol/jwt.rs", "use crate::protocol::jwk;\n\nuse crate::client::Session;");
        assert_eq!(
            found,
            "src/protocol/jwt.rs:3: `client::Session` in layer `protocol`, which may only use protocol"
        );
        for (name, text) in [
            ("src/protocol/a.rs", "fn f() { crate::browser::now() }"),
            ("src/client/a.rs", "use crate::{protocol, browser::{self, timer}};"),
            ("src/browser/a.rs", "use crate::client::tokens;"),
            ("src/browser/a.rs", "use crate::client;"),
            ("src/browser/a.rs", "use crate::bindings::Engine;"),
            ("src/client/a/b.rs", "type A = Vec<crate::bindings::Engine>;"),
        ] {
            assert!(complaints(name, text).starts_with(&format!("{name}:1: ")), "{name}: {text}");
        }
    }

    #[test]
    fn super_is_followed_out_of_the_layer() {
        assert!(complaints("src/protocol/mod.rs", "use super::client;").contains("`client`"));
        assert!(complaints("src/protocol/jwt.rs", "use super::super::client;").contains("`client`"));
        assert!(complaints("src/client/a/b.rs", "use super::super::super::browser;").contains("`browser`"));
        assert!(
            complaints("src/protocol/jwt.rs", "fn f() { self::super::super::client::f() }")
                .contains("`client::f`")
        );
        assert_eq!(
            complaints("src/protocol/jwt.rs", "mod tests { use super::super::jwk; }\nuse super::jwk;"),
            ""
        );
        assert!(
            complaints("src/protocol/jwt.rs", "mod tests { use super::super::super::client; }")
                .contains("`client`")
        );
        assert!(
            complaints("src/protocol/jwt.rs", "mod tests { fn f() {} }\nuse super::super::client;")
                .contains(":2:")
        );
    }

    #[test]
    fn the_crate_root_is_no_way_around() {
        for text in [
            "use crate as ours;",
            "use crate::*;",
            "use crate::Session;",
            "use super::super::*;",
            "use crate::{self as ours};",
        ] {
            assert_ne!(complaints("src/protocol/jwt.rs", text), "", "{text}");
        }
        assert!(
            complaints("src/protocol/mod.rs", "#[path = \"../client/x.rs\"]\nmod x;").contains("#[path]")
        );
        assert!(complaints("src/shared/mod.rs", "").contains("none of the layers"));
    }

    #[test]
    fn comments_and_literals_do_not_count() {
        let text =
            "/// As [`crate::client::Session`].\n// use crate::client;\nconst A: &str = \"crate::client\";";
        assert_eq!(complaints("src/protocol/jwt.rs", text), "");
    }
}
