//! The scopes of Laserfiche ("OAuth 2.0 Scopes for Laserfiche APIs"; the required scopes of the Repository API v2).
//!
//! A scope is a place in an API and the rights to it, `repository/Repositories/r-1/Entries/1.ReadWrite`, or a project.
//! Scopes are case-sensitive; the paths of requests are not.

use crate::protocol::scope::{Grammar, fits, has, is_reading, unescape};
use crate::protocol::text;

/// What scopes mean here.
pub static GRAMMAR: Grammar = Grammar { lacks, allows, is_stated, least, doubt };

/// Any version of the Repository API, with what is below it.
const REPOSITORY: &str = "repository";
/// Tables, with what is below them.
const ODATA: &str = "odata4/table";
/// The tables of the projects that were granted too.
const TABLE: &str = "table";
const COLLECTIONS: &str = "collections";

/// A scope, taken apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope<'a> {
    /// A project by its name, in which `+` stands for a space. It gives no right of its own.
    Project(&'a str),
    /// Rights to a resource and what is below it.
    Access {
        /// An API, or a place in it: `repository`, `odata4/table/MyTable`.
        resource: &'a str,
        /// One or several, each beginning with an upper-case letter: `Read`, `Write`, `All`, `ReadWrite`.
        rights: &'a str,
    },
}

impl<'a> Scope<'a> {
    /// Nothing for what is no scope of these.
    pub fn parse(text: &'a str) -> Option<Scope<'a>> {
        // Names of projects, and paths, may have dots.
        if let Some(name) = text.strip_prefix("project/") {
            return (!name.is_empty()).then_some(Scope::Project(name));
        }
        let (resource, rights) = text::cut_last(text, b'.')?;
        let is_place = [REPOSITORY, ODATA].iter().any(|api| is_below(resource, api, true));
        let is_known = resource == TABLE || resource == COLLECTIONS || is_place && !resource.ends_with('/');
        (is_known && !words(rights).is_empty()).then_some(Scope::Access { resource, rights })
    }

    /// The text.
    pub fn write(&self) -> String {
        match self {
            Scope::Project(name) => ["project/", name].concat(),
            Scope::Access { resource, rights } => [resource, ".", rights].concat(),
        }
    }
}

/// The rights of several: rights = 1*( UPPER *LOWER ). None where it is something else.
fn words(rights: &str) -> Vec<&str> {
    let mut words = Vec::new();
    let mut rest = rights;
    while let Some(first) = rest.bytes().next() {
        let small = rest.bytes().skip(1).take_while(u8::is_ascii_lowercase).count();
        let Some((word, behind)) = rest.split_at_checked(small + 1).filter(|_| first.is_ascii_uppercase())
        else {
            return Vec::new();
        };
        words.push(word);
        rest = behind;
    }
    words
}

fn lacks(scope: &str, granted: &[String]) -> Option<String> {
    let Some(Scope::Access { resource, rights }) = Scope::parse(scope) else {
        return (!has(granted, scope)).then(|| scope.to_owned());
    };
    let mut lacking = words(rights);
    let place = unescape(resource);
    lacking.retain(|right| !is_held(granted, &place, right, true));
    (!lacking.is_empty()).then(|| Scope::Access { resource, rights: &lacking.concat() }.write())
}

/// Was a right to a resource granted, to itself or to what it is in? As a scope (`exactly`), or as a request's path, for
/// which a project does too: which tables are in it, only the server knows.
fn is_held(granted: &[String], resource: &str, right: &str, exactly: bool) -> bool {
    granted.iter().any(|scope| match Scope::parse(scope) {
        Some(Scope::Access { resource: root, rights }) if words(rights).contains(&right) => {
            is_below(resource, &unescape(root), exactly)
                || (resource, root) == (TABLE, ODATA)
                || !exactly && root == TABLE && resource.starts_with(ODATA) && has_project(granted)
        }
        _ => false,
    })
}

fn has_project(scopes: &[String]) -> bool {
    scopes.iter().any(|scope| matches!(Scope::parse(scope), Some(Scope::Project(_))))
}

/// Is a resource another, or below it? Below begins with a segment; a table has its rows in parentheses, and their keys
/// are compared exactly.
fn is_below(resource: &str, root: &str, exactly: bool) -> bool {
    resource.split_at_checked(root.len()).is_some_and(|(start, rest)| {
        let key = if exactly { 0 } else { text::head(root, b'(').0.len() };
        let is_same = start.eq_ignore_ascii_case(root) && start.get(key..) == root.get(key..);
        let is_row = || rest.starts_with('(') && root.starts_with(ODATA);
        is_same && (rest.is_empty() || rest.starts_with('/') || is_row())
    })
}

/// Operations whose right is not that of their method, `-` where they need none, and (`?`) those of which it is not
/// stated. Those of v2 are what the description of the Repository API says, those of v1 what their names say.
const RIGHTS: &str = "Read POST /v2/Repositories/*/Entries/*/Export
Read POST /v2/Repositories/*/Entries/*/ExportAsync
Read POST /v2/Repositories/*/Entries/*/Fields/GetDynamicFieldLogicValue
Read POST /v2/Repositories/*/Searches/SearchAsync
Read POST /v2/Repositories/*/SimpleSearches
- GET /v2/Repositories/*/Tasks
- DELETE /v2/Repositories/*/Tasks
? POST /v2/Repositories/*/Tasks/StartTestTaskAsync
? */v2/Repositories/*/Entries/*/RecordsManagement/...
? */v2/Repositories/*/Entries/*/RecordSeries/Properties
Read POST /v1/Repositories/*/Entries/*/*/GetEdocWithAuditReason
Read POST /v1/Repositories/*/Entries/*/Fields/GetDynamicFieldLogicValue
Read POST /v1/Repositories/*/Searches
Read DELETE /v1/Repositories/*/Searches/*
Read POST /v1/Repositories/*/SimpleSearches
- GET /v1/Repositories/*/Tasks/*
- DELETE /v1/Repositories/*/Tasks/*
Read? POST /table/*/$query
? POST /table/$batch";

/// What a request is, in terms of scopes.
struct Operation {
    resource: String,
    /// `-` where none is needed.
    right: &'static str,
    /// Is the right stated, or a guess? Nothing is stated of other versions than v2.
    is_stated: bool,
    /// What a token without any scope may: all of the Repository API v1. A server of one's own does not say.
    without_scopes: Option<bool>,
}

impl Operation {
    /// `/repository/v2/…` and `/odata4/table/…`, or `/LFRepositoryAPI/v2/…` of a server of one's own.
    fn read(method: &str, path: &str) -> Option<Operation> {
        let (_, rest) = text::cut(path.strip_prefix('/')?, b'/')?;
        let (version, below) = text::head(rest, b'/');
        let is_in = |pattern| fits(path, pattern);
        let (api, without_scopes) = if is_in("/odata4/table/...") {
            (ODATA, Some(false))
        } else if !is_version(version) {
            return None;
        } else if is_in("/repository/*/...") {
            (REPOSITORY, Some(is_in("/repository/v1/...")))
        } else if is_in("/LFRepositoryAPI/*/...") {
            (REPOSITORY, None)
        } else {
            return None;
        };
        let operation = [method, " /", rest].concat();
        let special = text::parts(RIGHTS, b'\n').into_iter().find_map(|row| {
            let (right, pattern) = text::cut(row, b' ')?;
            fits(&operation, pattern).then_some(right)
        });
        let (right, doubt) = text::head(special.unwrap_or_default(), b'?');
        let right = match right {
            "" if is_reading(method) => "Read",
            "" => "Write",
            right => right,
        };
        let is_stated = doubt.is_none() && (api == ODATA || version.eq_ignore_ascii_case("v2"));
        let resource = [api, if below.is_some() { "/" } else { "" }, below.unwrap_or_default()].concat();
        Some(Operation { resource, right, is_stated, without_scopes })
    }
}

/// Is a segment `v` and a number?
fn is_version(segment: &str) -> bool {
    let mut octets = segment.bytes();
    matches!(octets.next(), Some(b'v' | b'V'))
        && segment.len() > 1
        && octets.all(|digit| digit.is_ascii_digit())
}

fn allows(granted: &[String], method: &str, path: &str) -> Option<bool> {
    let Operation { resource, right, without_scopes, .. } = Operation::read(method, path)?;
    match granted {
        _ if right == "-" => Some(true),
        [] => without_scopes,
        _ => Some(is_held(granted, &resource, right, false)),
    }
}

fn is_stated(method: &str, path: &str) -> bool {
    Operation::read(method, path).is_some_and(|operation| operation.is_stated)
}

fn least(method: &str, path: &str, granular: bool) -> Option<String> {
    let Operation { resource, right, .. } = Operation::read(method, path)?;
    let resource = match resource.starts_with(ODATA) {
        _ if granular => &resource,
        // Which project it takes besides, only the app can know.
        true => TABLE,
        false => REPOSITORY,
    };
    (right != "-").then(|| Scope::Access { resource, rights: right }.write())
}

fn doubt(asked: &[String]) -> Option<&'static str> {
    let is_useless = asked.iter().any(|scope| scope.starts_with("table.")) && !has_project(asked);
    is_useless.then_some("table scopes reach nothing without a scope for a project")
}
