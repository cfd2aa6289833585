//! The JSON corpus of Nicolas Seriot (`tests/vectors/json-parsing`): `y_` is JSON, `n_` is none, `i_` is left to
//! the implementation.

#![cfg(not(target_arch = "wasm32"))]

use serde_json::Value;
use std::fs;
use std::io::Write;
use std::path::Path;
use wardkey::protocol::json;

/// Documented deviations: two readers that choose differently are an attack.
const REFUSED: [&str; 2] = ["y_object_duplicated_key.json", "y_object_duplicated_key_and_value.json"];

#[test]
fn json_parsing_corpus() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/json-parsing/test_parsing");
    let mut counts = [0; 3];
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        let name = path.file_name().expect("a name").to_string_lossy().into_owned();
        let octets = fs::read(&path).expect("a file");
        let parsed = json::parse(&octets);
        match name.as_bytes()[0] {
            b'y' if REFUSED.contains(&name.as_str()) => assert!(parsed.is_none(), "{name} was accepted"),
            b'y' => {
                let parsed = parsed.unwrap_or_else(|| panic!("{name} was refused"));
                let again: Value =
                    serde_json::from_str(&json::write(&parsed)).expect("what is written is JSON");
                let theirs: Value = serde_json::from_slice(&octets).expect("JSON");
                // Minus zero is zero to us, who do not calculate.
                assert_eq!(again.to_string(), theirs.to_string().replace("-0.0", "0"), "{name}");
                counts[0] += 1;
            }
            b'n' => {
                assert!(parsed.is_none(), "{name} was accepted");
                counts[1] += 1;
            }
            _ => counts[2] += 1,
        }
    }
    let [accepted, refused, either] = counts;
    // Not by `println!`, which is captured.
    writeln!(
        std::io::stdout(),
        "vectors, JSON: {accepted} accepted, {refused} refused, {either} where either is right; {REFUSED:?} refused"
    )
    .expect("an output");
    assert_eq!(counts, [93, 188, 35]);
}

#[test]
fn json_nests_64_deep_and_no_deeper() {
    let nested = |depth: usize| ["[".repeat(depth), "]".repeat(depth)].concat();
    assert!(json::parse(nested(64).as_bytes()).is_some());
    assert!(json::parse(nested(65).as_bytes()).is_none());
    let objects = |depth: usize| [r#"{"a":"#.repeat(depth), "1".to_owned(), "}".repeat(depth)].concat();
    assert!(json::parse(objects(64).as_bytes()).is_some());
    assert!(json::parse(objects(65).as_bytes()).is_none());
}
