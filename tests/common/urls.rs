//! Taking URLs apart and putting them together, with the `url` crate: another reader than the one under test.

use url::Url;

fn parse(text: &str) -> Url {
    Url::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

/// The parameters of the query, in order.
pub(crate) fn parameters(url: &str) -> Vec<(String, String)> {
    parse(url).query_pairs().map(|(name, value)| (name.into_owned(), value.into_owned())).collect()
}

/// The one parameter with this name.
pub(crate) fn parameter(url: &str, name: &str) -> Option<String> {
    let mut found = parameters(url).into_iter().filter(|(known, _)| known == name).map(|(_, value)| value);
    let first = found.next();
    assert!(found.next().is_none(), "{name} comes twice in {url}");
    first
}

/// The fields of a form body.
pub(crate) fn fields(body: &str) -> Vec<(String, String)> {
    url::form_urlencoded::parse(body.as_bytes()).into_owned().collect()
}

fn build(url: &str, pairs: &[(String, String)]) -> String {
    let mut built = parse(url);
    built.set_query(None);
    if !pairs.is_empty() {
        built.query_pairs_mut().extend_pairs(pairs);
    }
    built.into()
}

/// With this value for a parameter, where it stood or at the end.
pub(crate) fn with(url: &str, name: &str, value: &str) -> String {
    let mut pairs = parameters(url);
    match pairs.iter_mut().find(|(known, _)| known == name) {
        Some(pair) => pair.1 = value.to_owned(),
        None => pairs.push((name.to_owned(), value.to_owned())),
    }
    build(url, &pairs)
}

pub(crate) fn without(url: &str, name: &str) -> String {
    let pairs: Vec<_> = parameters(url).into_iter().filter(|(known, _)| known != name).collect();
    build(url, &pairs)
}

/// With text behind the query as it stands, not encoded.
pub(crate) fn and(url: &str, raw: &str) -> String {
    format!("{url}&{raw}")
}
