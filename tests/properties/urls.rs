//! URLs and paths: nothing is accepted that browsers understand in another way.

use crate::any_text;
use proptest::prelude::*;
use wardkey::protocol::json::Value;
use wardkey::protocol::target::Target;
use wardkey::protocol::url::{Url, is_local_path};

proptest! {
    #![proptest_config(crate::config())]

    #[test]
    fn a_local_path_stays_on_its_origin(path in any_text()) {
        if is_local_path(&path) {
            let base = url::Url::parse("https://app.example").expect("a URL");
            let resolved = base.join(&path).expect("a path can be resolved");
            prop_assert_eq!(resolved.origin(), base.origin());
            prop_assert!(resolved.path().starts_with('/') && !resolved.path().starts_with("//"), "{}", resolved);
        }
    }

    #[test]
    fn every_plain_path_is_a_local_path(path in "(/[a-z0-9_~-]{1,8}){1,4}(\\?[a-z=&]{0,8})?(#[a-z]{0,8})?") {
        prop_assert!(is_local_path(&path));
    }

    #[test]
    fn what_is_accepted_is_what_browsers_understand(text in any_text()) {
        if let Some(ours) = Url::parse(&text) {
            let theirs = url::Url::parse(&text);
            prop_assert!(theirs.is_ok(), "{} is no URL to others", text);
            let theirs = theirs.expect("it is one");
            let origin = url::Url::parse(ours.origin).expect("a URL");
            prop_assert_eq!(theirs.origin(), origin.origin());
            prop_assert_eq!(theirs.fragment(), None);
            prop_assert!(theirs.username().is_empty() && theirs.password().is_none());
            let loopback = matches!(theirs.host_str(), Some("127.0.0.1" | "[::1]"))
                || theirs.host_str().is_some_and(|host| host == "localhost" || host.ends_with(".localhost"));
            prop_assert!(theirs.scheme() == "https" || (theirs.scheme() == "http" && loopback), "{}", text);
            prop_assert_eq!(theirs.query(), ours.query);
        }
        if let Some(canonical) = Url::canonical(&text) {
            let theirs = url::Url::parse(&text).expect("a URL");
            prop_assert_eq!(theirs.origin().ascii_serialization(), canonical.origin, "not the browser's spelling");
        }
    }

    #[test]
    fn a_target_covers_its_origin_and_paths_alone(href in any_text(), path in "(/v1)?(/notes)?/?") {
        let base = ["https://api.example", &path].concat();
        let target = Target::read(&Value::from(base.as_str())).expect("a target");
        // As the browser writes it, and as it was typed.
        let normal = url::Url::parse(&href).map(String::from);
        for href in std::iter::once(href).chain(normal) {
            if target.covers(&href) {
                let theirs = url::Url::parse(&href);
                prop_assert!(theirs.is_ok(), "{} is covered and no URL", href);
                let theirs = theirs.expect("it is one");
                prop_assert_eq!(theirs.origin().ascii_serialization(), "https://api.example");
                let prefix = path.trim_end_matches('/');
                let rest = theirs.path().strip_prefix(prefix);
                prop_assert!(rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/')), "{} under {}", href, path);
            }
        }
    }

    #[test]
    fn a_target_covers_plain_paths_below_it(rest in "(/[a-z0-9_~-]{1,8}){0,3}(\\?[a-z=&]{0,8})?") {
        let target = Target::read(&Value::from("https://api.example/v1")).expect("a target");
        let href = ["https://api.example/v1", &rest].concat();
        prop_assert!(target.covers(&href));
    }
}
