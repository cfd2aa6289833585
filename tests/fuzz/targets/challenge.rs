//! `WWW-Authenticate`, as one header and as several in one.

use wardkey::protocol::challenge::{self, Challenge, LONGEST, PARAMETERS};

pub(super) fn target(input: &[u8]) -> bool {
    let Ok(header) = std::str::from_utf8(input) else { return false };
    let Some(challenges) = challenge::parse(header) else {
        assert_eq!(challenge::find(header, "DPoP"), None, "no grammar, and a challenge in it");
        return false;
    };
    challenges.iter().for_each(assert_is_one);
    assert_reads_as_written(&challenges);
    assert_can_be_joined(header, &challenges);
    for challenge in &challenges {
        let found = challenge::find(header, &challenge.scheme.to_ascii_uppercase()).expect("it is there");
        assert!(challenges.contains(&found) && found.scheme == challenge.scheme);
        assert!(found.error().is_some() || challenge.error().is_none(), "the error was passed over");
    }
    !challenges.is_empty()
}

fn assert_is_one(challenge: &Challenge) {
    let token = |text: &str| {
        let symbol = |b: u8| b.is_ascii_digit() || b.is_ascii_lowercase() || b"!#$%&'*+-.^_`|~".contains(&b);
        !text.is_empty() && text.bytes().all(symbol)
    };
    assert!(token(&challenge.scheme), "{:?} is no scheme", challenge.scheme);
    assert!(challenge.params.len() <= PARAMETERS);
    for (name, value) in &challenge.params {
        assert!(token(name), "{name:?} is no name");
        assert_eq!(challenge.get(name), Some(value.as_str()), "{name} came twice");
        assert!(!value.contains(['\r', '\n', '\0']), "{name} would break a line");
    }
    assert!(challenge.max_age().is_none_or(|seconds| (0..=i64::from(i32::MAX)).contains(&seconds)));
    assert!(!challenge.is_step_up() || challenge.error() == Some("insufficient_user_authentication"));
}

/// As a server would write it, with every value quoted.
fn written(challenge: &Challenge) -> String {
    let quoted = |value: &str| value.replace('\\', "\\\\").replace('"', "\\\"");
    let parameter = |(name, value): &(String, String)| format!("{name}=\"{}\"", quoted(value));
    let parameters: Vec<String> = challenge.params.iter().map(parameter).collect();
    [challenge.scheme.as_str(), " ", &parameters.join(", ")].concat()
}

fn assert_reads_as_written(challenges: &[Challenge]) {
    let header = challenges.iter().map(written).collect::<Vec<_>>().join(", ");
    if header.len() <= LONGEST {
        assert_eq!(challenge::parse(&header).as_deref(), Some(challenges));
    }
}

/// RFC 9110 5.3: two headers are one with a comma between them.
fn assert_can_be_joined(header: &str, challenges: &[Challenge]) {
    let joined = ["Basic realm=\"here\",", header, ",Basic"].concat();
    if joined.len() <= LONGEST {
        let joined = challenge::parse(&joined).expect("a header by itself, and none with others");
        assert_eq!(&joined[1..joined.len() - 1], challenges);
    }
}
