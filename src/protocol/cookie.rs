//! Cookies that script may set (RFC 6265bis): the text for `document.cookie`, and what it holds.
//!
//! What a browser would drop, or take for something else, is refused here, with its reason: a browser says
//! nothing. The same rules are in `pkg/src/cookie-rules.ts`, and both are held to the same cases.
//!
//! Deliberately absent: `HttpOnly`, which script cannot set (RFC 6265bis 5.7, step 15), and any decoding.

use super::error::{AuthError, Code, Phase};
use super::json::decimal;
use super::text;
use super::url::Url;

/// Octets of name and value together (RFC 6265bis 5.6, step 5).
const LONGEST: usize = 4096;
/// Octets of an attribute's value. A browser ignores a longer one (5.6.1), which widens the cookie.
const LONGEST_ATTRIBUTE: usize = 1024;
/// How far in the future a cookie may end; browsers cut what is above (5.5, 400 days).
const LONGEST_LIFE: i64 = 400 * DAY;
/// The year 1601, before which browsers take no date (5.1.1, step 5).
const FIRST_DATE: i64 = -11_644_473_600;
const DAY: i64 = 86_400;

/// With which requests from other sites a cookie goes (RFC 6265bis 5.6.7).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SameSite {
    /// With none.
    Strict,
    /// With top-level navigations by a safe method.
    Lax,
    /// With every one. The cookie must be `Secure`.
    None,
}

/// What is put before the name (RFC 6265bis 4.1.3). Names that have a prefix already are held to its rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Prefix {
    /// Nothing.
    None,
    /// `__Secure-`: only a secure origin can have set the cookie.
    Secure,
    /// `__Host-`: only this very host can have set it.
    Host,
}

/// The attributes of a cookie. The default is `Path=/; Secure; SameSite=Lax`, until the browser closes.
#[derive(Clone, Copy, Debug)]
pub struct CookieOptions<'a> {
    /// See [`SameSite`].
    pub same_site: SameSite,
    /// Only over TLS. May be false on a loopback origin alone.
    pub secure: bool,
    /// The paths below which the cookie is sent and seen.
    pub path: &'a str,
    /// The domain whose hosts all get the cookie; without one, this host alone.
    pub domain: Option<&'a str>,
    /// Seconds to live, at most 400 days. Counts more than `expires`.
    pub max_age: Option<i64>,
    /// When it ends, in seconds since 1970; at most 400 days ahead.
    pub expires: Option<i64>,
    /// Of its own for each top-level site that embeds the page (CHIPS). The cookie must be `Secure`.
    pub partitioned: bool,
    /// See [`Prefix`].
    pub prefix: Prefix,
}

impl Default for CookieOptions<'_> {
    fn default() -> Self {
        CookieOptions {
            same_site: SameSite::Lax,
            secure: true,
            path: "/",
            domain: None,
            max_age: None,
            expires: None,
            partitioned: false,
            prefix: Prefix::None,
        }
    }
}

/// The text for `document.cookie`. `origin` is the page's, `now` in seconds since 1970.
///
/// # Errors
///
/// `invalid_cookie` for what browsers, or servers, would drop or misread.
pub fn serialize(
    name: &str,
    value: &str,
    options: &CookieOptions<'_>,
    origin: &str,
    now: i64,
) -> Result<String, AuthError> {
    let name = &prefixed(name, options.prefix)?;
    let (host, secure) = (name.starts_with(HOST), name.starts_with(SECURE));
    hold(&[
        (is_token(name), "the name must be a token, and not begin with $"),
        (host || secure || !is_prefixed(name), "the name has a prefix in another spelling"),
        (!is_of_servers(name), "__Http- cookies must be HttpOnly, which script cannot set"),
        (is_value(value), "the value must be of cookie-octets: no space, comma, semicolon or backslash"),
        (name.len() + value.len() <= LONGEST, "name and value have more than 4096 octets"),
        (
            is_path(options.path),
            "the path must begin with /, and be of at most 1024 octets, none of them a semicolon",
        ),
        (options.domain.is_none_or(is_domain), "the domain must be a host name of two labels or more"),
        (
            options.max_age.is_none_or(|age| (0..=LONGEST_LIFE).contains(&age)),
            "the life must be 0 to 400 days",
        ),
        (
            options.expires.is_none_or(|end| (FIRST_DATE..=now.saturating_add(LONGEST_LIFE)).contains(&end)),
            "the end must be a date, at most 400 days ahead",
        ),
        (options.secure || is_loopback(origin), "only a loopback origin may do without Secure"),
        (options.secure || options.same_site != SameSite::None, "SameSite=None needs Secure"),
        (options.secure || !options.partitioned, "Partitioned needs Secure"),
        (options.secure || !(host || secure), "the name's prefix needs Secure"),
        (
            !host || (options.path == "/" && options.domain.is_none()),
            "__Host- needs the path / and no domain",
        ),
    ])?;
    Ok(write(name, value, options))
}

const HOST: &str = "__Host-";
const SECURE: &str = "__Secure-";

#[inline(never)]
fn hold(rules: &[(bool, &'static str)]) -> Result<(), AuthError> {
    match rules.iter().find(|(holds, _)| !holds) {
        Some((_, reason)) => Err(refused(reason)),
        None => Ok(()),
    }
}

fn refused(reason: &'static str) -> AuthError {
    AuthError::new(Code::InvalidCookie, Phase::Storage, reason)
}

fn prefixed(name: &str, prefix: Prefix) -> Result<String, AuthError> {
    let wanted = match prefix {
        Prefix::None => return Ok(name.to_owned()),
        Prefix::Host => HOST,
        Prefix::Secure => SECURE,
    };
    if name.starts_with(wanted) {
        return Ok(name.to_owned());
    }
    hold(&[
        (!name.is_empty(), "the name must be a token, and not begin with $"),
        (!is_prefixed(name), "the name has another prefix"),
    ])?;
    Ok([wanted, name].concat())
}

/// RFC 9110 5.6.2. Legacy readers (RFC 2965) take `$Version` and the like for attributes.
fn is_token(name: &str) -> bool {
    let legal = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b);
    !name.is_empty() && !name.starts_with('$') && name.bytes().all(legal)
}

fn begins(name: &str, prefix: &str) -> bool {
    name.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix))
}

/// Browsers ignore the case of a prefix (RFC 6265bis 5.4), and servers do not.
fn is_prefixed(name: &str) -> bool {
    begins(name, HOST) || begins(name, SECURE)
}

fn is_of_servers(name: &str) -> bool {
    begins(name, "__Http-") || begins(name, "__Host-Http-")
}

/// cookie-value = *cookie-octet / ( DQUOTE *cookie-octet DQUOTE ) (RFC 6265bis 4.1.1).
fn is_value(value: &str) -> bool {
    let inner = value.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(value);
    inner.bytes().all(|b| b.is_ascii_graphic() && !matches!(b, b'"' | b',' | b';' | b'\\'))
}

/// Absolute, or browsers take the default path instead (5.6.4). A path of a URL has no space, and they trim it.
fn is_path(path: &str) -> bool {
    path.starts_with('/')
        && path.len() <= LONGEST_ATTRIBUTE
        && path.bytes().all(|b| b.is_ascii_graphic() && b != b';')
}

/// A host name (RFC 1034 3.5, RFC 1123 2.1), in ASCII. One label is a public suffix, or the host itself, and a
/// leading dot means nothing; an address has no other hosts.
fn is_domain(domain: &str) -> bool {
    let labels = text::parts(domain, b'.');
    let is_label = |label: &&str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let is_number = |label: &&str| label.bytes().all(|b| b.is_ascii_digit());
    domain.len() <= 253
        && labels.len() > 1
        && labels.iter().all(is_label)
        && labels.last().is_some_and(|last| !is_number(last))
}

/// [`Url`] has plain http on loopback only.
fn is_loopback(origin: &str) -> bool {
    let rest = origin.strip_prefix("https:").or(origin.strip_prefix("http:"));
    rest.is_some_and(|rest| Url::parse(&["http:", rest].concat()).is_some())
}

fn write(name: &str, value: &str, options: &CookieOptions<'_>) -> String {
    let mut cookie = [name, "=", value, "; Path=", options.path].concat();
    let mut add = |texts: &[&str]| texts.iter().for_each(|text| cookie.push_str(text));
    if let Some(domain) = options.domain {
        add(&["; Domain=", domain]);
    }
    if let Some(age) = options.max_age {
        add(&["; Max-Age=", &decimal(age)]);
    }
    if let Some(end) = options.expires {
        add(&["; Expires=", &imf_fixdate(end)]);
    }
    if options.secure {
        add(&["; Secure"]);
    }
    add(&match options.same_site {
        SameSite::Strict => ["; SameSite=Strict"],
        SameSite::Lax => ["; SameSite=Lax"],
        SameSite::None => ["; SameSite=None"],
    });
    if options.partitioned {
        add(&["; Partitioned"]);
    }
    cookie
}

/// RFC 9110 5.6.7, as in `Sun, 06 Nov 1994 08:49:37 GMT`.
fn imf_fixdate(time: i64) -> String {
    const NAMES: &str = "ThuFriSatSunMonTueWedJanFebMarAprMayJunJulAugSepOctNovDec";
    let three =
        |index: i64| usize::try_from(index * 3).ok().and_then(|at| NAMES.get(at..at + 3)).unwrap_or("");
    let two = |number: i64| [if number < 10 { "0" } else { "" }, &decimal(number)].concat();
    let (days, second) = (time.div_euclid(DAY), time.rem_euclid(DAY));
    let (year, month, day) = date(days);
    let clock = [&two(second / 3600), ":", &two(second / 60 % 60), ":", &two(second % 60), " GMT"].concat();
    [three(days.rem_euclid(7)), ", ", &two(day), " ", three(6 + month), " ", &decimal(year), " ", &clock]
        .concat()
}

/// Year, month (1 to 12) and day of the Gregorian calendar, from the days since 1970. A year is counted from March
/// on, so that the leap day is its last, and 400 of them have 146,097 days.
fn date(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468; // since 1 March of the year 0
    let (era, of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let shifted = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    (year + era * 400 + i64::from(month <= 2), month, day)
}

/// The cookies of a `Cookie` header or `document.cookie`, in their order: nothing is decoded, trimmed beyond space
/// and tab, or left out because of its name. Cookies without a name are; there is nothing to ask for them by.
pub fn parse(header: &str) -> Vec<(&str, &str)> {
    let pair = |part| {
        let (name, value) = text::cut(part, b'=')?;
        Some((trim(name), trim(value))).filter(|(name, _)| !name.is_empty())
    };
    text::parts(header, b';').into_iter().filter_map(pair).collect()
}

/// The value of the cookie with this name.
///
/// # Errors
///
/// `invalid_cookie` where there are several: their order means nothing (RFC 6265bis 4.2.2), and a sibling domain
/// may have set one of them.
pub fn get<'a>(header: &'a str, name: &str) -> Result<Option<&'a str>, AuthError> {
    let mut values = parse(header).into_iter().filter(|(known, _)| *known == name).map(|(_, value)| value);
    let value = values.next();
    hold(&[(values.next().is_none(), "several cookies have this name")])?;
    Ok(value)
}

/// Without the white space of RFC 6265bis (space and tab) around it. What Unicode calls space is part of a name.
fn trim(text: &str) -> &str {
    let white = |b: &u8| matches!(b, b' ' | b'\t');
    let start = text.bytes().take_while(white).count();
    let end = text.len() - text.bytes().rev().take_while(white).count();
    text.get(start..end).unwrap_or_default()
}
