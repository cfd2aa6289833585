//! The scopes of Laserfiche ("OAuth 2.0 Scopes for Laserfiche APIs"; the required scopes of the Repository API v2).
//!
//! A scope is an API or a place in it and the rights there, `repository/Repositories/r-1/Entries/1.ReadWrite`, or a
//! project. Scopes are case-sensitive; the paths of requests are not.

use crate::protocol::scope::{Grammar, begins, is_reading};
use crate::protocol::text;

/// What scopes mean here.
pub static GRAMMAR: Grammar = Grammar { lacks, allows, allows_unscoped, least, doubt };

/// What a scope with rights is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Api {
    /// Any version of the Repository API.
    Repository,
    /// The tables of the projects that were granted too.
    Table,
    /// The tables themselves.
    OData,
    /// Collections.
    Collections,
}

/// How scopes begin, and whether a path may follow.
const APIS: &[(&str, Api, bool)] = &[
    ("repository", Api::Repository, true),
    ("odata4/table", Api::OData, true),
    ("table", Api::Table, false),
    ("collections", Api::Collections, false),
];

/// A scope, taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scope<'a> {
    /// A project by its name, in which `+` stands for a space. It gives no right of its own.
    Project(&'a str),
    /// Rights to what is at a path of an API and below it. The path is empty, or begins with a slash.
    Access {
        /// Of this API.
        api: Api,
        /// Empty: all of it.
        path: &'a str,
        /// Each begins with an upper-case letter: `Read`, `Write`, `All`.
        rights: Vec<&'a str>,
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
        let place = |(name, api, has_places): &(&str, Api, bool)| {
            let path = resource.strip_prefix(name)?;
            let fits = path.is_empty() || *has_places && path.starts_with('/') && path.len() > 1;
            fits.then_some((*api, path))
        };
        let (api, path) = APIS.iter().find_map(place)?;
        Some(Scope::Access { api, path, rights: words(rights)? })
    }

    /// The text.
    pub fn write(&self) -> String {
        match self {
            Scope::Project(name) => ["project/", name].concat(),
            Scope::Access { api, path, rights } => {
                let name = APIS.iter().find(|(_, known, _)| known == api).map_or("", |(name, ..)| name);
                [name, path, ".", &rights.concat()].concat()
            }
        }
    }
}

/// rights = 1*( UPPER *LOWER )
fn words(text: &str) -> Option<Vec<&str>> {
    let mut words = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.bytes().next() {
        let small = rest.bytes().skip(1).take_while(u8::is_ascii_lowercase).count();
        let (word, behind) = rest.split_at_checked(small + 1).filter(|_| first.is_ascii_uppercase())?;
        words.push(word);
        rest = behind;
    }
    (!words.is_empty()).then_some(words)
}

fn lacks(scope: &str, granted: &[String]) -> Option<String> {
    if granted.iter().any(|known| known == scope) {
        return None;
    }
    let Some(Scope::Access { api, path, rights }) = Scope::parse(scope) else {
        return Some(scope.to_owned());
    };
    let is_lacking = |right: &&str| !is_held(granted, api, path, right, true);
    let rights: Vec<&str> = rights.into_iter().filter(is_lacking).collect();
    (!rights.is_empty()).then(|| Scope::Access { api, path, rights }.write())
}

fn is_held(granted: &[String], api: Api, path: &str, right: &str, exactly: bool) -> bool {
    granted.iter().filter_map(|scope| Scope::parse(scope)).any(|scope| match scope {
        Scope::Access { api: of, path: root, rights } if rights.contains(&right) => match (of, api) {
            (Api::Table, Api::OData) => has_project(granted),
            (Api::OData, Api::Table) => root.is_empty(),
            _ => of == api && is_below(path, root, api, exactly),
        },
        _ => false,
    })
}

fn has_project(scopes: &[String]) -> bool {
    scopes.iter().any(|scope| matches!(Scope::parse(scope), Some(Scope::Project(_))))
}

/// Is a path at or below another? It ends with a segment; a table has its rows in parentheses.
fn is_below(path: &str, root: &str, api: Api, exactly: bool) -> bool {
    path.split_at_checked(root.len()).is_some_and(|(start, rest)| {
        let is_same = if exactly { start == root } else { start.eq_ignore_ascii_case(root) };
        is_same && (rest.is_empty() || rest.starts_with('/') || api == Api::OData && rest.starts_with('('))
    })
}

/// The right that a method needs, unless [`RIGHTS`] says otherwise.
fn usual_right(method: &str) -> &'static str {
    if is_reading(method) { "Read" } else { "Write" }
}

/// Operations of the Repository API whose right is not that of their method; without one, they need no scope. Those
/// of v2 are what its description says, those of v1 what its names say.
const RIGHTS: &[(&str, &str, &str)] = &[
    ("POST", "/v2/Repositories/*/Entries/*/Export", "Read"),
    ("POST", "/v2/Repositories/*/Entries/*/ExportAsync", "Read"),
    ("POST", "/v2/Repositories/*/Entries/*/Fields/GetDynamicFieldLogicValue", "Read"),
    ("POST", "/v2/Repositories/*/Searches/SearchAsync", "Read"),
    ("POST", "/v2/Repositories/*/SimpleSearches", "Read"),
    ("GET", "/v2/Repositories/*/Tasks", ""),
    ("DELETE", "/v2/Repositories/*/Tasks", ""),
    ("POST", "/v1/Repositories/*/Entries/*/*/GetEdocWithAuditReason", "Read"),
    ("POST", "/v1/Repositories/*/Entries/*/Fields/GetDynamicFieldLogicValue", "Read"),
    ("POST", "/v1/Repositories/*/Searches", "Read"),
    ("DELETE", "/v1/Repositories/*/Searches/*", "Read"),
    ("POST", "/v1/Repositories/*/SimpleSearches", "Read"),
    ("GET", "/v1/Repositories/*/Tasks/*", ""),
    ("DELETE", "/v1/Repositories/*/Tasks/*", ""),
];

/// What a request is, in terms of scopes.
struct Operation<'a> {
    api: Api,
    path: &'a str,
    right: &'static str,
    /// What a token without any scope may: all of the Repository API v1. A server of one's own does not say.
    without_scopes: Option<bool>,
}

impl<'a> Operation<'a> {
    /// `/repository/v2/…` and `/odata4/table/…`, or `/LFRepositoryAPI/v2/…` of a server of one's own.
    fn read(method: &str, path: &'a str) -> Option<Operation<'a>> {
        let (root, rest) = step(path)?;
        if root.eq_ignore_ascii_case("odata4") {
            let (_, path) = step(rest).filter(|(api, _)| api.eq_ignore_ascii_case("table"))?;
            let right = usual_right(method);
            return Some(Operation { api: Api::OData, path, right, without_scopes: Some(false) });
        }
        let is_cloud = root.eq_ignore_ascii_case("repository");
        let (version, path) =
            step(rest).filter(|_| is_cloud || root.eq_ignore_ascii_case("LFRepositoryAPI"))?;
        let (letter, number) = version.split_at_checked(1)?;
        let is_number = !number.is_empty() && number.bytes().all(|digit| digit.is_ascii_digit());
        if !(letter.eq_ignore_ascii_case("v") && is_number) {
            return None;
        }
        let count = |path: &str| path.bytes().filter(|octet| *octet == b'/').count();
        let is_special = |(of, pattern, _): &&(&str, &str, &str)| {
            method.eq_ignore_ascii_case(of) && begins(rest, pattern) && count(rest) == count(pattern)
        };
        let special = RIGHTS.iter().find(is_special);
        Some(Operation {
            api: Api::Repository,
            path,
            right: special.map_or_else(|| usual_right(method), |(.., right)| right),
            without_scopes: is_cloud.then_some(number == "1"),
        })
    }
}

/// The first segment of a path, and the path behind it.
fn step(path: &str) -> Option<(&str, &str)> {
    let path = path.strip_prefix('/')?;
    let end = path.bytes().position(|octet| octet == b'/').unwrap_or(path.len());
    path.split_at_checked(end)
}

fn allows(granted: &[String], method: &str, path: &str) -> Option<bool> {
    let Operation { api, path, right, .. } = Operation::read(method, path)?;
    Some(right.is_empty() || is_held(granted, api, path, right, false))
}

fn allows_unscoped(method: &str, path: &str) -> Option<bool> {
    let operation = Operation::read(method, path)?;
    if operation.right.is_empty() { Some(true) } else { operation.without_scopes }
}

fn least(method: &str, path: &str, granular: bool) -> Option<String> {
    let Operation { api, path, right, .. } = Operation::read(method, path)?;
    let (api, path) = match api {
        _ if granular => (api, path),
        // Which project it takes besides, only the app can know.
        Api::OData => (Api::Table, ""),
        _ => (api, ""),
    };
    Some(Scope::Access { api, path, rights: vec![right] }.write())
}

fn doubt(asked: &[String]) -> Option<&'static str> {
    let is_table =
        |scope: &String| matches!(Scope::parse(scope), Some(Scope::Access { api: Api::Table, .. }));
    let is_useless = asked.iter().any(is_table) && !has_project(asked);
    is_useless.then_some("table scopes reach nothing without a scope for a project")
}
