//! `WWW-Authenticate` (RFC 9110 11.6.1).

use crate::{load, say};
use serde_json::{Value, json};
use wardkey::protocol::challenge::{self, Challenge, LONGEST, PARAMETERS, find, parse};

/// Challenges as the vectors write them.
fn written(challenges: &[Challenge]) -> Value {
    let params = |challenge: &Challenge| -> serde_json::Map<String, Value> {
        challenge.params.iter().map(|(name, value)| (name.clone(), json!(value))).collect()
    };
    challenges.iter().map(|one| json!({ "scheme": one.scheme, "params": params(one) })).collect()
}

fn read(header: &str) -> Option<Value> {
    parse(header).map(|challenges| written(&challenges))
}

/// What the client does about them is in `tests/flows/challenges.rs`.
#[test]
fn hostile_challenges() {
    let file = load("hostile/www_authenticate.json");
    let mut checked = 0;
    for case in file["cases"].as_array().expect("cases") {
        let (id, header) = (&case["id"], case["h"].as_str().expect("a header"));
        if let Some(out) = case.get("out") {
            assert_eq!(read(header).as_ref(), Some(out), "{id}");
            checked += 1;
        }
    }
    say(&format!("vectors, challenges: {checked} read as they must be"));
    assert_eq!(checked, 6);
}

#[test]
fn the_examples_of_the_standards() {
    // RFC 9110 11.6.1.
    let example = r#"Basic realm="simple", Newauth realm="apps", type=1, title="Login to \"apps\"""#;
    assert_eq!(
        read(example),
        Some(json!([
            { "scheme": "basic", "params": { "realm": "simple" } },
            { "scheme": "newauth", "params": { "realm": "apps", "type": "1", "title": "Login to \"apps\"" } },
        ]))
    );
    // RFC 6750 3, RFC 9449 7.1 and 9, RFC 9470 3: line breaks are the documents'.
    let expired =
        r#"Bearer realm="example", error="invalid_token", error_description="The access token expired""#;
    assert_eq!(find(expired, "bearer").expect("a challenge").error(), Some("invalid_token"));
    let signed = r#"DPoP error="invalid_token", error_description="Invalid DPoP key binding", algs="ES256""#;
    assert_eq!(find(signed, "DPoP").expect("a challenge").get("algs"), Some("ES256"));
    let nonce =
        r#"DPoP error="use_dpop_nonce", error_description="Resource server requires nonce in DPoP proof""#;
    assert_eq!(find(nonce, "dpop").expect("a challenge").error(), Some("use_dpop_nonce"));
    let older = r#"Bearer error="insufficient_user_authentication", error_description="More recent authentication is required", max_age="5""#;
    let older = find(older, "Bearer").expect("a challenge");
    assert_eq!((older.max_age(), older.acr_values(), older.is_step_up()), (Some(5), None, true));
    let class = r#"Bearer error="insufficient_user_authentication", error_description="A different authentication level is required", acr_values="myACR""#;
    let class = find(class, "Bearer").expect("a challenge");
    assert_eq!((class.max_age(), class.acr_values(), class.is_step_up()), (None, Some("myACR"), true));
}

#[test]
fn spellings_of_one_challenge() {
    let plain = read(r#"Bearer error="invalid_token", scope="a b""#);
    assert!(plain.is_some());
    for header in [
        r#"bEARER ERROR="invalid_token", Scope="a b""#,
        r#"Bearer error=invalid_token,scope="a b""#,
        "Bearer   error = \"invalid_token\"\t,\tscope\t=\t\"a b\"",
        r#", ,Bearer error="invalid_token", ,, scope="a b" , "#,
        r#"Bearer , error="invalid_token", scope="a b""#,
        r#"Bearer error="\i\n\valid_token", scope="a\ b""#,
    ] {
        assert_eq!(read(header), plain, "{header}");
    }
}

#[test]
fn a_comma_separates_challenges_and_parameters() {
    let schemes = |header: &str| -> Vec<(String, usize)> {
        let challenges = parse(header).unwrap_or_else(|| panic!("{header}"));
        challenges.into_iter().map(|one| (one.scheme, one.params.len())).collect()
    };
    let expected = |list: &[(&str, usize)]| -> Vec<(String, usize)> {
        list.iter().map(|(scheme, count)| ((*scheme).to_owned(), *count)).collect()
    };
    for (header, challenges) in [
        ("", &[][..]),
        ("Bearer", &[("bearer", 0)]),
        ("Bearer ", &[("bearer", 0)]),
        ("Bearer,DPoP", &[("bearer", 0), ("dpop", 0)]),
        ("Bearer, DPoP a=b", &[("bearer", 0), ("dpop", 1)]),
        ("Bearer a=b, DPoP", &[("bearer", 1), ("dpop", 0)]),
        ("Bearer a=b, c=d, DPoP a=b, c=d", &[("bearer", 2), ("dpop", 2)]),
        ("Negotiate abc==, Bearer a=b", &[("negotiate", 0), ("bearer", 1)]),
        ("Negotiate a= , Bearer", &[("negotiate", 0), ("bearer", 0)]),
        ("Negotiate ab/+c.~_-", &[("negotiate", 0)]),
        ("Bearer error=", &[("bearer", 0)]),
        ("Bearer a=\"b, DPoP c=d, \\\", e=f\", g=h", &[("bearer", 2)]),
    ] {
        assert_eq!(schemes(header), expected(challenges), "{header}");
    }
}

#[test]
fn what_is_not_of_the_grammar_says_nothing() {
    for header in [
        "=",
        "a=b",
        "error=\"invalid_token\"",
        "Bearer=x",
        "Bearer error=,a=b",
        "Bearer error=\"invalid_token",
        "Bearer error=\"invalid_token\\",
        "Bearer error=\"invalid_token\"x",
        "Bearer error=\"invalid_token\" scope=\"a\"",
        "Bearer error=\"invalid_token\", error=\"use_dpop_nonce\"",
        "Bearer error=\"invalid_token\", ERROR=\"invalid_token\"",
        "Bearer error=in valid",
        "Bearer error='invalid token'",
        "Bearer error=invalid(token)",
        "Bearer error==x",
        "Bearer\"error\"",
        "Bearer a=b; c=d",
        "Bearer a=b, =c",
        "Bearer a=b, c=",
        "Bearer a=b, c= , d=e",
        "Bearer a=b, \"c\"",
        "Bearer/abc",
        "Bear/er a=b",
        "Negotiate abc== def",
        "Negotiate abc==, a=b",
        "Negotiate ==",
        "Bearer error=\"a\nb\"",
        "Bearer error=\"a\\\u{0}b\"",
        "Bearer error=\"a\u{7f}b\"",
        "Bearer\nerror=\"a\"",
        "Bearér error=\"a\"",
    ] {
        assert_eq!(parse(header), None, "{header:?}");
        // One broken element silences the whole: what another reader makes of it is not known.
        assert_eq!(parse(&[header, ", DPoP error=\"invalid_token\""].concat()), None, "{header:?}");
    }
    for header in
        ["DPoP error=\"invalid_token\", Bearer a=b c", "DPoP error=\"invalid_token\", Bearer realm=\"x"]
    {
        assert_eq!(find(header, "DPoP"), None, "{header}");
    }
}

#[test]
fn text_beyond_ascii_is_kept() {
    let header = "Bearer error_description=\"abgelaufen:\t\u{fc}\\\u{e4}\", error=\"invalid_token\"";
    let challenge = find(header, "Bearer").expect("a challenge");
    assert_eq!(challenge.get("error_description"), Some("abgelaufen:\t\u{fc}\u{e4}"));
}

#[test]
fn length_and_parameters_are_bounded() {
    let with = |count: usize| -> String {
        let params: Vec<String> = (0..count).map(|number| format!("p{number}=x")).collect();
        ["Bearer ", &params.join(",")].concat()
    };
    assert_eq!(parse(&with(PARAMETERS)).map(|challenges| challenges[0].params.len()), Some(PARAMETERS));
    assert_eq!(parse(&with(PARAMETERS + 1)), None);
    // The bound is of each challenge.
    assert!(parse(&[with(PARAMETERS), with(PARAMETERS)].join(", ")).is_some());
    let of_length = |length: usize| ["Bearer a=\"", &"x".repeat(length - 11), "\""].concat();
    assert!(parse(&of_length(LONGEST)).is_some());
    assert_eq!(parse(&of_length(LONGEST + 1)), None);
}

#[test]
fn of_several_challenges_of_a_scheme_the_one_with_an_error_speaks() {
    let header =
        r#"Bearer, Bearer realm="x", Bearer error="invalid_token", Bearer error="insufficient_scope""#;
    assert_eq!(find(header, "Bearer").expect("a challenge").error(), Some("invalid_token"));
    let first = find(r#"Bearer realm="x", Bearer realm="y""#, "Bearer").expect("a challenge");
    assert_eq!((first.get("realm"), first.error()), (Some("x"), None));
    assert_eq!(find(header, "DPoP"), None);
    assert_eq!(find("DPoPX error=x, XDPoP error=y", "DPoP"), None);
}

#[test]
fn a_step_up_says_what_it_asks_for() {
    let with = |attributes: &str| {
        let header = ["Bearer error=\"insufficient_user_authentication\"", attributes].concat();
        challenge::find(&header, "Bearer").expect("a challenge")
    };
    for (attributes, max_age) in [
        (", max_age=0", Some(0)),
        (", max_age=\"2147483647\"", Some(2_147_483_647)),
        (", max_age=2147483648", None),
        (", max_age=18446744073709551616", None),
        (", max_age=\"-5\"", None),
        (", max_age=\"-0\"", None),
        (", max_age=\"+5\"", None),
        (", max_age=\"5.0\"", None),
        (", max_age=\" 5\"", None),
        (", max_age=\"\"", None),
        (", max_age=five", None),
        ("", None),
    ] {
        let challenge = with(attributes);
        assert_eq!(
            (challenge.max_age(), challenge.is_step_up()),
            (max_age, max_age.is_some()),
            "{attributes}"
        );
        // A class to ask for remains one.
        let both = with(&[attributes, ", acr_values=\"gold silver\""].concat());
        assert_eq!((both.max_age(), both.acr_values()), (max_age, Some("gold silver")), "{attributes}");
        assert!(both.is_step_up(), "{attributes}");
    }
    assert_eq!(with(", acr_values=\" \"").acr_values(), None);
    assert!(!with(", acr_values=\" \"").is_step_up());
    assert!(!find("Bearer error=\"invalid_token\", max_age=5", "Bearer").expect("a challenge").is_step_up());
    let scope = find("Bearer error=\"insufficient_scope\", scope=\"a b\"", "Bearer").expect("a challenge");
    assert_eq!((scope.scope(), scope.is_step_up()), (Some("a b"), false));
}

#[test]
fn what_servers_send_fits() {
    let header = format!("Bearer error=\"invalid_token\", error_description=\"{}\"", "x".repeat(16_000));
    assert!(find(&header, "Bearer").is_some());
    assert!(find(&format!("{header}{}", " ".repeat(400)), "Bearer").is_none());
}
