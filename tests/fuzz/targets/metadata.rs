//! Metadata documents: what is accepted names our issuer and leads to places that browsers find as we do.

use super::{assert_quotes_nothing, theirs};
use url::{Host, Url};
use wardkey::protocol::json;
use wardkey::protocol::metadata;

const ISSUER: &str = "https://as.example.test/t1";

pub(super) fn target(input: &[u8]) -> bool {
    let Some(document) = json::parse(input) else { return false };
    let by_hand = metadata::read(document.clone(), None, false);
    let metadata = match metadata::read(document, Some(ISSUER), true) {
        Ok(metadata) => metadata,
        Err(error) => {
            assert_quotes_nothing(&error);
            return false;
        }
    };
    assert!(by_hand.is_ok(), "an option more, and it is accepted");
    let Some(theirs) = theirs(input) else { return true };
    assert_eq!(theirs["issuer"], ISSUER);
    let endpoints = [
        ("authorization_endpoint", Some(metadata.authorization_endpoint())),
        ("token_endpoint", Some(metadata.token_endpoint())),
        ("jwks_uri", metadata.jwks_uri()),
        ("end_session_endpoint", metadata.end_session_endpoint()),
    ];
    for (name, endpoint) in endpoints {
        assert_eq!(theirs.get(name).and_then(|value| value.as_str()), endpoint, "{name}");
        if let Some(endpoint) = endpoint {
            assert_leads_where_it_says(endpoint);
        }
    }
    assert!(!metadata.id_token_algorithms().is_empty());
    let methods = theirs["code_challenge_methods_supported"].as_array();
    assert!(methods.is_none_or(|methods| methods.contains(&"S256".into())), "without S256");
    true
}

/// RFC 6749 3.1, 3.2: https, no fragment. Some hosts look right and are none (`as.1`, `xn--a`): no browser goes there.
fn assert_leads_where_it_says(endpoint: &str) {
    let ours = wardkey::protocol::url::Url::parse(endpoint).expect("a URL");
    let Ok(url) = Url::parse(endpoint) else { return };
    assert_eq!((url.scheme(), url.fragment(), url.username(), url.password()), ("https", None, "", None));
    if let Some(Host::Domain(host)) = url.host() {
        let origin = ours.origin.to_ascii_lowercase();
        let (_, authority) = origin.split_once("//").expect("an authority");
        assert_eq!(authority.split(':').next(), Some(host));
    }
}
