//! URLs of the page that may be authorization responses. The `url` crate says what browsers make of them.

use super::assert_quotes_nothing;
use url::Url;
use url::form_urlencoded::parse;
use wardkey::protocol::callback::{self, AuthorizationResponse, Mode, RESPONSE_PARAMETERS};
use wardkey::protocol::config::Config;
use wardkey::protocol::json::{Object, Value};
use wardkey::protocol::jwt;

const REDIRECT_URI: &str = "https://app.example/callback";

/// Of a client whose states begin with `Dv_IktD_`.
fn client() -> Config {
    let options = Object::new()
        .text("issuer", "https://as.example")
        .text("clientId", "spa")
        .text("redirectUri", REDIRECT_URI);
    Config::read(&options.finish()).expect("a configuration")
}

pub(super) fn target(input: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(input) else { return false };
    let config = client();
    match callback::read(text, &config) {
        Ok(response) => {
            assert_is_what_stands_there(text, &response, config.tag());
            true
        }
        Err(error) => {
            assert_quotes_nothing(&error);
            false
        }
    }
}

fn assert_is_what_stands_there(text: &str, response: &AuthorizationResponse, tag: &str) {
    let (url, redirect) =
        (Url::parse(text).expect("a URL to others"), Url::parse(REDIRECT_URI).expect("a URL"));
    assert_eq!((url.origin(), url.path()), (redirect.origin(), redirect.path()), "not the redirect URI");
    let in_query = parameters(url.query());
    let in_fragment = parameters(url.fragment());
    let (stands, beside) = match response.mode {
        Mode::Fragment => (in_fragment, in_query),
        _ => (in_query, in_fragment),
    };
    assert!(RESPONSE_PARAMETERS.iter().all(|name| all(&beside, name).is_empty()), "two responses");
    let stands = match &response.signed {
        None => stands,
        Some(token) => {
            assert_eq!(response.mode, Mode::Jwt);
            assert_eq!(all(&stands, "response"), [token.expose()]);
            claims(token.expose())
        }
    };
    assert_eq!(all(&stands, "state"), [response.state.as_str()]);
    assert!(response.state.starts_with(tag));
    assert_eq!(all(&stands, "iss"), Vec::from_iter(response.iss.as_deref()));
    let (code, error) = match &response.outcome {
        Ok(code) => (Some(code.expose()), None),
        Err(error) => (None, Some(error.as_str())),
    };
    assert_eq!((all(&stands, "code"), all(&stands, "error")), (Vec::from_iter(code), Vec::from_iter(error)));
    let others = ["response", "access_token", "id_token"];
    assert!(others.iter().all(|name| all(&stands, name).is_empty()), "of a kind that was not asked for");
}

type Parameters = Vec<(String, String)>;

fn parameters(encoded: Option<&str>) -> Parameters {
    parse(encoded.unwrap_or_default().as_bytes()).into_owned().collect()
}

fn all<'a>(parameters: &'a Parameters, name: &str) -> Vec<&'a str> {
    parameters.iter().filter(|(known, _)| known == name).map(|(_, value)| value.as_str()).collect()
}

/// The texts among the claims of a JWT, whose parsing another target is about.
fn claims(token: &str) -> Parameters {
    let Value::Object(claims) = jwt::parse(token).expect("a JWT").claims else { panic!("no object") };
    claims.iter().filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned()))).collect()
}
