//! `WWW-Authenticate`: what is written by the grammar is read back, and whatever comes is survived.

use proptest::prelude::*;
use wardkey::protocol::challenge::{Challenge, LONGEST, PARAMETERS, find, parse};

/// What challenges are made of.
const PIECES: &[&str] = &[
    "Bearer",
    "dPoP",
    "error",
    "max_age",
    "acr_values",
    "invalid_token",
    "insufficient_user_authentication",
    "abc==",
    "=",
    "=",
    ",",
    ",",
    " ",
    " ",
    "\t",
    "\"",
    "\"",
    "\\",
    "\\\"",
    "5",
    "-5",
    "é",
    "\u{0}",
    "\u{7f}",
    "/",
    ";",
    "Bearer a=b",
    ", DPoP a=b",
    ",error=x",
    ",max_age=-5",
    ",max_age=\"0\"",
    ",max_age=99999999999",
];

/// Text that looks like challenges, whole and broken.
fn challenge_like() -> impl Strategy<Value = String> {
    prop::collection::vec(prop::sample::select(PIECES), 0..24).prop_map(|pieces| pieces.concat())
}

fn any_header() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        challenge_like(),
        challenge_like().prop_map(|rest| ["Bearer error=", &rest].concat())
    ]
}

/// How a challenge is spelt where the grammar leaves it open.
#[derive(Clone, Debug)]
struct Spelling {
    upper: bool,
    quoted: bool,
    escaped: bool,
    space: String,
}

fn any_spelling() -> impl Strategy<Value = Spelling> {
    (any::<bool>(), any::<bool>(), any::<bool>(), "[ \t]{0,2}")
        .prop_map(|(upper, quoted, escaped, space)| Spelling { upper, quoted, escaped, space })
}

fn any_challenge() -> impl Strategy<Value = Challenge> {
    // `\PC` has letters beyond ASCII, quotes, commas, backslashes and spaces.
    let params = prop::collection::btree_map("[a-z!#$%&'*+.^_`|~0-9-]{1,8}", "\\PC{0,12}", 0..5);
    ("[a-z0-9-]{1,8}", params)
        .prop_map(|(scheme, params)| Challenge { scheme, params: params.into_iter().collect() })
}

fn write(challenges: &[Challenge], spelling: &Spelling) -> String {
    let Spelling { upper, quoted, escaped, space } = spelling;
    let name = |text: &str| if *upper { text.to_ascii_uppercase() } else { text.to_owned() };
    let value = |text: &str| {
        let is_token = !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric());
        if is_token && !quoted {
            return text.to_owned();
        }
        let escape = |character: char| {
            let must = character == '"' || character == '\\';
            if must || *escaped { vec!['\\', character] } else { vec![character] }
        };
        format!("\"{}\"", text.chars().flat_map(escape).collect::<String>())
    };
    let one = |challenge: &Challenge| {
        let params: Vec<String> = challenge
            .params
            .iter()
            .map(|(key, text)| format!("{}{space}={space}{}", name(key), value(text)))
            .collect();
        format!("{} {space}{}", name(&challenge.scheme), params.join(&format!("{space},{space}")))
    };
    challenges.iter().map(one).collect::<Vec<_>>().join(&format!("{space},{space}"))
}

proptest! {
    #![proptest_config(crate::config())]

    #[test]
    fn challenges_come_back_as_they_were_written(
        challenges in prop::collection::vec(any_challenge(), 0..4), spelling in any_spelling(),
    ) {
        let header = write(&challenges, &spelling);
        prop_assert_eq!(parse(&header), Some(challenges), "{}", header);
    }

    #[test]
    fn any_text_is_no_challenge_or_a_sound_one(header in any_header()) {
        for challenge in parse(&header).unwrap_or_default() {
            prop_assert!(!challenge.scheme.is_empty() && challenge.params.len() <= PARAMETERS);
            prop_assert!(!challenge.scheme.bytes().any(|b| b.is_ascii_uppercase() || b.is_ascii_whitespace()));
            prop_assert!(challenge.max_age().is_none_or(|seconds| (0..1 << 31).contains(&seconds)));
            for (position, (name, value)) in challenge.params.iter().enumerate() {
                prop_assert!(!challenge.params[..position].iter().any(|(other, _)| other == name), "{} twice", name);
                prop_assert!(!value.bytes().any(|b| b != b'\t' && b.is_ascii_control()));
            }
            prop_assert!(find(&header, &challenge.scheme).is_some());
        }
    }

    /// Nothing is read that is not there: all that is kept fits into the header.
    #[test]
    fn what_is_read_is_no_longer_than_the_header(header in any_header()) {
        let length = |one: &Challenge| one.scheme.len() + one.params.iter().map(|(name, value)| name.len() + value.len()).sum::<usize>();
        prop_assert!(parse(&header).unwrap_or_default().iter().map(length).sum::<usize>() <= header.len());
    }

    #[test]
    fn beyond_the_bound_nothing_is_read(piece in "[a-zA-Z=, \"\\\\]{1,8}", more in 0_usize..100_000) {
        let header: String = piece.chars().cycle().take(LONGEST + 1 + more).collect();
        prop_assert_eq!(parse(&header), None);
    }
}
