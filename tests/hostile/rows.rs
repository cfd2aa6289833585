//! Every row of `rows.json`, and every rule SEC-017 to SEC-123, is shown by a scenario, shown by another test, or explained.

use crate::say;
use crate::scenario::{self, file, texts};
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// The members of an object of texts.
fn pairs(rows: &Value, name: &str) -> Vec<(String, String)> {
    let members = rows[name].as_object().unwrap_or_else(|| panic!("{name} is no object"));
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    members.iter().map(|(row, value)| (row.clone(), text(value))).collect()
}

/// What a test of an advisory has in its name: the identifiers, or the product or word where it has none but a year.
fn marks(advisory: &str) -> impl Iterator<Item = String> {
    advisory.split(", ").map(|part| {
        let (words, last) = part.rsplit_once(' ').unwrap_or((part, part));
        spelt(if last.starts_with("20") { words } else { last })
    })
}

/// As names are compared: letters and digits.
fn spelt(name: &str) -> String {
    name.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase()
}

/// The tests of these folders, as one text.
fn tests() -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    let mut all = String::new();
    for folder in ["flows", "protocol", "package", "browser"] {
        for entry in fs::read_dir(root.join(folder)).expect(folder) {
            all += &fs::read_to_string(entry.expect("an entry").path()).unwrap_or_default();
        }
    }
    all
}

#[test]
fn every_row_is_shown_or_explained() {
    let rows = file("rows.json");
    let rules = (17..=123).map(|number| format!("SEC-{number:03}"));
    let mut expected: BTreeSet<String> = rules.collect();
    expected.extend(texts(&rows["conformance"]).into_iter().chain(texts(&rows["advisories"])));
    let scenarios = scenario::all();
    let shown: BTreeSet<String> = scenarios.iter().flat_map(|scenario| scenario.shows.clone()).collect();
    let names: BTreeSet<&str> = scenarios.iter().map(|scenario| scenario.name.as_str()).collect();
    assert_eq!(names.len(), scenarios.len(), "a name stands twice");
    for scenario in &scenarios {
        assert!(!scenario.shows.is_empty(), "{} shows nothing", scenario.name);
    }
    // Rules before SEC-017 are about the request; some scenarios show them too.
    let is_unknown = |row: &&String| !expected.contains(*row) && !row.starts_with("SEC-0");
    assert_eq!(shown.iter().filter(is_unknown).collect::<Vec<_>>(), [""; 0], "rows that nobody knows");

    let tests = tests();
    let mut explained = BTreeSet::new();
    for (row, text) in pairs(&rows, "elsewhere") {
        assert!(tests.contains(&text), "{row}: no test is called {text}");
        explained.insert(row);
    }
    for list in ["inapplicable", "open"] {
        for (row, why) in pairs(&rows, list) {
            say(&format!("{list}: {row}: {why}"));
            explained.insert(row);
        }
    }
    for row in &explained {
        assert!(expected.contains(row), "{row} is no row");
        assert!(!shown.contains(row), "{row} is shown by a scenario");
    }
    let missing = expected.iter().filter(|row| !shown.contains(*row) && !explained.contains(*row));
    assert_eq!(missing.collect::<Vec<_>>(), [""; 0], "rows without a scenario or a reason");
    say(&format!(
        "hostile: {} scenarios, {} rows shown, {} explained",
        scenarios.len(),
        shown.len(),
        explained.len()
    ));
}

#[test]
fn every_advisory_stands_in_the_name_of_a_test() {
    let rows = file("rows.json");
    let elsewhere = pairs(&rows, "elsewhere");
    let inapplicable: BTreeSet<String> =
        pairs(&rows, "inapplicable").into_iter().map(|(row, _)| row).collect();
    let scenarios = scenario::all();
    let mut checked = 0;
    for advisory in texts(&rows["advisories"]).iter().filter(|row| !inapplicable.contains(*row)) {
        let shown = scenarios.iter().filter(|scenario| scenario.shows.contains(advisory));
        let told = elsewhere.iter().filter(|(row, _)| row == advisory).map(|(_, test)| test);
        let names: Vec<String> =
            shown.map(|scenario| &scenario.name).chain(told).map(|name| spelt(name)).collect();
        for mark in marks(advisory) {
            assert!(names.iter().any(|name| name.contains(&mark)), "{advisory}: no {mark} in {names:?}");
            checked += 1;
        }
    }
    assert!(checked > 35, "{checked} names");
}

#[test]
fn every_group_of_the_file_is_run() {
    let groups: BTreeSet<String> = scenario::all().into_iter().map(|scenario| scenario.group).collect();
    assert_eq!(groups, crate::GROUPS.iter().map(|group| (*group).to_owned()).collect());
}
