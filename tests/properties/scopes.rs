//! What holds for all scopes and paths, whatever was granted.

use proptest::prelude::*;
use wardkey::protocol::providers::laserfiche::Scope;
use wardkey::protocol::providers::{docspace, laserfiche};
use wardkey::protocol::scope::{Grammar, PLAIN, is_reading, parse, path};

const API: &str = "https://api.example";
const GRAMMARS: [&Grammar; 3] = [&PLAIN, &laserfiche::GRAMMAR, &docspace::GRAMMAR];

/// Scopes of both makers and what looks like such, so that lists have much in common.
fn any_scope() -> impl Strategy<Value = String> {
    let laserfiche = (
        "repository|odata4/table|table|collections|Repository",
        "(/[rR]-[12]){0,2}(/|\\(1\\))?",
        "\\.?",
        "(Read|Write|All|read){0,3}",
    )
        .prop_map(|(api, path, dot, rights)| [api, path, dot, rights].concat());
    prop_oneof![
        4 => laserfiche,
        2 => "(accounts(\\.self)?|files|rooms|\\*):(read|write|other)",
        1 => "project/?(Global|Test\\+With\\+Spaces|v1\\.Read)?",
        1 => "openid|[!#-\\[\\]-~]{1,8}",
    ]
}

fn any_scopes() -> impl Strategy<Value = Vec<String>> {
    prop::collection::vec(any_scope(), 0..8)
}

fn any_method() -> impl Strategy<Value = String> {
    "GET|HEAD|POST|PUT|PATCH|DELETE|get|post|X"
}

/// Paths that the grammars know, for the most part.
fn any_path() -> impl Strategy<Value = String> {
    prop_oneof![
        "/(repository|LFRepositoryAPI)/v[123](/Repositories(/r-[12](/(Entries/1|SimpleSearches|Tasks))?)?)?",
        "/odata4/table(/T(\\('1'\\))?)?",
        "/api/2\\.0/(files(/rooms)?|people(/@self)?|group|keys/@self|settings)(/1)?",
        "(/[a-z0-9%.;()']{0,6}){0,5}",
    ]
}

proptest! {
    #![proptest_config(crate::config())]

    #[test]
    fn what_is_parsed_is_written_as_it_was(text in prop_oneof![any_scope(), any::<String>()]) {
        if let Some(scope) = Scope::parse(&text) {
            prop_assert_eq!(scope.write(), text);
        }
    }

    #[test]
    fn nothing_is_missing_exactly_where_all_is_included(requested in any_scopes(), granted in any_scopes()) {
        for grammar in GRAMMARS {
            let missing = grammar.missing(&requested, &granted);
            let each = requested.iter().all(|scope| grammar.missing(std::slice::from_ref(scope), &granted).is_empty());
            prop_assert_eq!(missing.is_empty(), each);
            prop_assert_eq!(grammar.includes(&granted, &requested), each);
            prop_assert!(grammar.missing(&granted, &granted).is_empty(), "{:?}", granted);
            // What was missing is what was missing: nothing more, and nothing of it was there.
            let all = [granted.clone(), missing.clone()].concat();
            prop_assert!(grammar.includes(&all, &requested), "{:?} and {:?}", granted, missing);
            for scope in &missing {
                prop_assert!(!grammar.includes(&granted, std::slice::from_ref(scope)), "{} of {:?}", scope, granted);
            }
            prop_assert!(parse(&missing.join(" ")).is_some_and(|again| again == missing), "{:?}", missing);
        }
    }

    #[test]
    fn a_sign_in_for_more_asks_for_all_that_there_was(asked in any_scopes(), granted in any_scopes()) {
        for grammar in GRAMMARS {
            let mut union = asked.clone();
            grammar.keep(&mut union, &granted);
            prop_assert!(union.starts_with(&asked));
            prop_assert!(asked.is_empty() || grammar.includes(&union, &granted));
        }
    }

    #[test]
    fn who_has_more_may_more(some in any_scopes(), more in any_scopes(), method in any_method(), place in any_path()) {
        prop_assume!(!some.is_empty());
        let (href, all) = ([API, &place].concat(), [some.clone(), more].concat());
        for grammar in GRAMMARS {
            let before = grammar.permits(&some, &method, &href);
            let now = grammar.permits(&all, &method, &href);
            // Where nobody could say, one of the scopes that came may.
            prop_assert!(before == now || now == Some(true), "{} {}", method, href);
        }
    }

    #[test]
    fn the_least_scopes_do(method in any_method(), place in any_path(), granular in any::<bool>()) {
        let href = [API, &place].concat();
        for grammar in GRAMMARS {
            let asked = grammar.ask(vec!["project/Global".to_owned()], &method, &href, granular);
            let impossible = asked.iter().any(String::is_empty);
            let verdict = grammar.permits(&asked, &method, &href);
            prop_assert!(if impossible { verdict == Some(false) } else { verdict != Some(false) }, "{:?} {}", asked, href);
            prop_assert!(impossible || parse(&asked.join(" ")).is_some_and(|list| list == asked), "{:?}", asked);
            // Asked for again, nothing more is.
            prop_assert_eq!(grammar.ask(asked.clone(), &method, &href, granular), asked);
        }
    }

    #[test]
    fn a_place_covers_no_sibling(at in 1u32..30, other in 1u32..30, below in "(/[A-Za-z0-9%]{0,4}){0,2}", method in any_method()) {
        let scope = [format!("repository/Repositories/r-1/Entries/{at}.Read")];
        let href = format!("{API}/repository/v2/Repositories/r-1/Entries/{other}{below}");
        let verdict = laserfiche::GRAMMAR.permits(&scope, &method, &href);
        prop_assert!(at == other || verdict != Some(true), "{} {}", scope[0], href);
        // What an empty segment means, only the server knows.
        let is_plain = !below.contains("//");
        prop_assert!(at != other || !is_plain || !is_reading(&method) || verdict == Some(true), "{} {}", scope[0], href);
    }

    #[test]
    fn a_path_keeps_its_segments(href in crate::any_text()) {
        let Some(plain) = path(&href) else { return Ok(()) };
        let theirs = match url::Url::parse(&href) {
            // We look at a host's characters; that a number at its end makes it an address, others know, who then go nowhere.
            Err(url::ParseError::InvalidIpv4Address | url::ParseError::InvalidIpv6Address) => return Ok(()),
            theirs => theirs.expect("it is a URL to others"),
        };
        let decode = |text: &str| url::form_urlencoded::parse(text.replace('+', "%2B").replace(['&', '='], "%26").as_bytes())
            .next().map(|(name, _)| name.into_owned()).unwrap_or_default();
        let segments = |path: &str| path.trim_end_matches('/').split('/').map(decode).collect::<Vec<_>>();
        prop_assert_eq!(segments(&plain), segments(theirs.path()), "{}", href);
    }
}
