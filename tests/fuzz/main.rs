//! The seeds of the fuzzers (`fuzz/corpus/<target>/`), judged natively. A seed's name says what becomes of it:
//! `accepted-…` or `refused-…`.

#![cfg(not(target_arch = "wasm32"))]

mod targets;

use serde_json::Value;
use std::collections::BTreeSet;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use targets::{TARGETS, judge};

/// A line of the output also where the test passes: `println!` is seen of those that fail only.
macro_rules! say {
    ($($words:tt)*) => { writeln!(std::io::stdout(), $($words)*).expect("an output") };
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn names(folder: &Path) -> BTreeSet<String> {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let name = |path: PathBuf| path.file_stem().expect("a name").to_string_lossy().into_owned();
    entries.map(|entry| name(entry.expect("an entry").path())).collect()
}

/// The seeds of a target, by name.
fn seeds(target: &str) -> Vec<(String, Vec<u8>)> {
    let folder = root().join("fuzz/corpus").join(target);
    let read = |name: String| (name.clone(), fs::read(folder.join(name)).expect("a file"));
    names(&folder).into_iter().map(read).collect()
}

#[test]
fn every_seed_is_judged_as_its_name_says() {
    for (target, judge) in TARGETS {
        let mut counts = [0; 2];
        for (name, seed) in seeds(target) {
            let accepted = judge(&seed);
            let expected = name.starts_with("accepted-");
            assert!(expected || name.starts_with("refused-"), "{target}/{name} says neither");
            assert_eq!(accepted, expected, "{target}/{name}");
            counts[usize::from(accepted)] += 1;
        }
        let [refused, accepted] = counts;
        say!("fuzz {target}: {accepted} seeds accepted, {refused} refused");
        assert!(accepted > 0 && refused > 0, "{target} has no seed of one kind");
    }
}

/// What a fuzzer tries first: a seed cut short, and each octet left out or another.
#[test]
fn what_is_near_a_seed_holds_too() {
    const OTHERS: &[u8] = b"\0 \"%&.0A{\\\xff";
    for (target, judge) in TARGETS {
        let mut count = 0;
        for (_, seed) in seeds(target) {
            // A few places of each, spread over it: this is no fuzzer.
            for position in (0..seed.len()).step_by(seed.len() / 24 + 1) {
                judge(&seed[..position]);
                judge(&[&seed[..position], &seed[position + 1..]].concat());
                let other = OTHERS[position % OTHERS.len()];
                judge(&[&seed[..position], &[other], &seed[position + 1..]].concat());
                count += 3;
            }
        }
        say!("fuzz {target}: {count} neighbours of seeds hold");
        assert!(count > 300, "{target} has hardly a seed");
    }
}

#[test]
fn every_target_has_a_fuzzer_and_a_corpus() {
    let targets: BTreeSet<String> = TARGETS.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(names(&root().join("fuzz/targets")), targets);
    let manifest = fs::read_to_string(root().join("fuzz/Cargo.toml")).expect("a manifest");
    for target in &targets {
        let fuzzer = fs::read_to_string(root().join("fuzz/targets").join([target, ".rs"].concat()));
        assert!(
            fuzzer.expect("a fuzzer").contains(&format!("judge(\"{target}\"")),
            "{target} fuzzes another"
        );
        assert!(manifest.contains(&format!("name = \"{target}\"")), "{target} is not built");
    }
    let mut corpora = names(&root().join("fuzz/corpus"));
    assert!(corpora.remove("README"), "the corpus says where it is from");
    assert_eq!(corpora, targets);
}

fn vectors(file: &str) -> Value {
    let text = fs::read(root().join("tests/vectors/hostile").join(file)).expect("a file");
    serde_json::from_slice(&text).expect("JSON")
}

/// The hostile vectors are seeds as well; what becomes of them is tested where they belong.
#[test]
fn the_properties_hold_for_the_vectors_too() {
    let mut counts = Vec::new();
    for (file, target, member) in [
        ("id_tokens.json", "jwt", "token"),
        ("metadata.json", "metadata", "doc"),
        ("www_authenticate.json", "challenge", "h"),
    ] {
        let cases = vectors(file);
        let cases = cases["cases"].as_array().expect("cases");
        let texts: Vec<&str> = cases.iter().filter_map(|case| case[member].as_str()).collect();
        assert!(texts.len() > 10, "{file} has hardly a case");
        for text in &texts {
            judge(target, text.as_bytes());
        }
        counts.push((file, texts.len()));
    }
    let folder = root().join("tests/vectors/json-parsing/test_parsing");
    let files = fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path());
    let texts: Vec<Vec<u8>> = files.map(|path| fs::read(path).expect("a file")).collect();
    for text in &texts {
        judge("json", text);
    }
    counts.push(("json-parsing", texts.len()));
    say!("fuzz: the vectors hold: {counts:?}");
}
