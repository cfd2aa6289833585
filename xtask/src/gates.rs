//! What must not stand anywhere in the sources, nor in what is shipped.
//!
//! An SDK that holds tokens does not log to the console, does not post to any origin, does not turn
//! text into code or HTML, and takes its randomness from the system.

use std::path::Path;

use anyhow::{Result, bail};

use crate::project;
use crate::source::{self, Language};

/// Forbidden text, as a call or a path would be written, and why.
type Gate = (&'static str, &'static str);

const TYPESCRIPT: &[Gate] = &[
    ("console.", "tokens and claims end up in consoles; use the `logger` option"),
    ("eval(", "text must not become code; a strict CSP forbids it"),
    ("new Function", "text must not become code; a strict CSP forbids it"),
    ("innerHTML", "text must not become HTML; Trusted Types forbid it"),
    ("outerHTML", "text must not become HTML; Trusted Types forbid it"),
    ("insertAdjacentHTML", "text must not become HTML; Trusted Types forbid it"),
    ("document.write", "text must not become HTML; Trusted Types forbid it"),
    ("Math.random", "it can be predicted; use crypto.getRandomValues"),
];

const RUST: &[Gate] = &[
    ("console::", "tokens and claims end up in consoles; emit a log event"),
    ("js_sys::eval", "text must not become code; a strict CSP forbids it"),
    ("Function::new_", "text must not become code; a strict CSP forbids it"),
    ("set_inner_html", "text must not become HTML; Trusted Types forbid it"),
    ("set_outer_html", "text must not become HTML; Trusted Types forbid it"),
    ("insert_adjacent_html", "text must not become HTML; Trusted Types forbid it"),
    ("Math::random", "it can be predicted; use the platform's random bytes"),
];

/// The lints that keep clock, window and randomness out, and the groups that hold them.
const LINTS: [&str; 5] =
    ["clippy::disallowed_methods", "clippy::disallowed_types", "clippy::style", "clippy::all", "warnings"];
/// The one place that lifts them, for the whole layer.
const LIFTED_IN: &str = "src/browser/mod.rs";

/// Checks `src/` and `pkg/src/` below this folder.
pub(crate) fn check_sources(root: &Path) -> Result<()> {
    let mut complaints = check_folder(root, "src", "rs", Language::Rust)?;
    complaints.extend(check_folder(root, "pkg/src", "ts", Language::TypeScript)?);
    report(&complaints)
}

/// Checks the bundles, which also hold the glue that wasm-bindgen wrote.
pub(crate) fn check_shipped() -> Result<()> {
    report(&check_folder(project::root(), "pkg/dist", "js", Language::TypeScript)?)
}

fn report(complaints: &[String]) -> Result<()> {
    if !complaints.is_empty() {
        bail!("{}", complaints.join("\n"));
    }
    Ok(())
}

fn check_folder(root: &Path, folder: &str, extension: &str, language: Language) -> Result<Vec<String>> {
    let mut complaints = Vec::new();
    for file in project::files(&root.join(folder), &[extension])? {
        let name = file.strip_prefix(root)?.display().to_string();
        complaints.extend(check_file(&name, &std::fs::read_to_string(&file)?, language));
    }
    Ok(complaints)
}

fn check_file(name: &str, text: &str, language: Language) -> Vec<String> {
    let code = source::without_comments(text, language);
    let gates = if language == Language::Rust { RUST } else { TYPESCRIPT };
    let mut found: Vec<(usize, String)> = Vec::new();
    for (forbidden, reason) in gates {
        found.extend(
            words(&code, forbidden).map(|offset| (offset, format!("`{forbidden}` is forbidden: {reason}"))),
        );
    }
    let any_origin = |offset: &usize| posts_to_any_origin(&code[*offset..]);
    for offset in words(&code, "postMessage(").chain(words(&code, "post_message")).filter(any_origin) {
        found.push((offset, "a message to `*` reaches any origin: name the origin".into()));
    }
    if language == Language::Rust && name != LIFTED_IN {
        found.extend(lifted_lints(&code));
    }
    found.sort();
    found
        .into_iter()
        .map(|(offset, complaint)| format!("{name}:{}: {complaint}", source::line_of(&code, offset)))
        .collect()
}

/// Where the text stands, not counting places where it is the end of a longer word.
fn words<'a>(code: &'a str, text: &'a str) -> impl Iterator<Item = usize> + 'a {
    let in_word = |c: char| c.is_alphanumeric() || matches!(c, '_' | '$');
    code.match_indices(text)
        .map(|(offset, _)| offset)
        .filter(move |offset| !code[..*offset].ends_with(in_word))
}

/// Whether the call that starts here has a lone `*` among its arguments.
fn posts_to_any_origin(call: &str) -> bool {
    let mut depth = 0;
    let end = call.find(|c: char| {
        depth += i32::from(c == '(') - i32::from(c == ')');
        c == ')' && depth == 0
    });
    let arguments = &call[..end.unwrap_or(call.len())];
    ["\"*\"", "'*'", "`*`"].iter().any(|origin| arguments.contains(origin))
}

/// Every attribute outside the browser layer's root that lets a disallowed method pass.
fn lifted_lints(code: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for level in ["allow(", "expect("] {
        for offset in words(code, level) {
            let attribute = &code[offset..];
            let listed = &attribute[..attribute.find(')').unwrap_or(attribute.len())];
            let lints = listed[level.len()..].split(',').map(str::trim);
            found.extend(lints.filter(|lint| LINTS.contains(lint)).map(|lint| {
                (
                    offset,
                    format!(
                        "`{lint}` may be lifted in {LIFTED_IN} only: everything else goes through Platform"
                    ),
                )
            }));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typescript(text: &str) -> String {
        check_file("pkg/src/a.ts", text, Language::TypeScript).join("\n")
    }

    fn rust(name: &str, text: &str) -> String {
        check_file(name, text, Language::Rust).join("\n")
    }

    #[test]
    fn each_gate_is_closed() {
        for (forbidden, _) in TYPESCRIPT {
            let text = format!("const ok = 1;\nx = {forbidden}(y)");
            assert!(typescript(&text).starts_with(&format!("pkg/src/a.ts:2: `{forbidden}`")), "{forbidden}");
        }
        for (forbidden, _) in RUST {
            assert!(
                rust("src/browser/mod.rs", &format!("x({forbidden}y)")).starts_with("src/browser/mod.rs:1: "),
                "{forbidden}"
            );
        }
    }

    #[test]
    fn what_only_looks_like_it_passes() {
        let text = "// console.log(x)\nmedieval(x); consoles.x; port.postMessage(x); w.postMessage(f(x), origin); a * b;";
        assert_eq!(typescript(text), "");
        assert_eq!(rust("src/client/a.rs", "/// eprintln, `Math::random`\nfn evaluate() {}"), "");
    }

    #[test]
    fn messages_to_any_origin_are_refused() {
        for text in [
            "w.postMessage(f(x), \"*\")",
            "w.postMessage({ a: 1 },\n  '*', [port])",
            "w.postMessage(x, { targetOrigin: `*` })",
        ] {
            assert!(typescript(text).contains("any origin"), "{text}");
        }
        assert!(rust("src/browser/window.rs", "w.post_message(&x, \"*\")").contains("any origin"));
        assert_eq!(typescript("w.postMessage(x, origin); y = \"*\";"), "");
    }

    #[test]
    fn clock_window_and_randomness_are_lifted_in_one_place() {
        let lift = "#![allow(clippy::disallowed_methods, clippy::disallowed_types)]";
        assert_eq!(rust("src/browser/mod.rs", lift), "");
        assert_eq!(rust("src/browser/http.rs", lift).lines().count(), 2);
        for lift in [
            "#[allow(clippy::style)]",
            "#[expect(\n  clippy::disallowed_methods,\n  reason = \"\")]",
            "#![allow(warnings)]",
        ] {
            assert!(
                rust("src/client/a.rs", lift).contains("may be lifted in src/browser/mod.rs only"),
                "{lift}"
            );
        }
        assert_eq!(
            rust("src/client/a.rs", "#[allow(clippy::too_many_arguments)] x.expect(warnings_of(y))"),
            ""
        );
    }
}
