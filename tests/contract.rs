//! Lists that stand twice, in Rust and in TypeScript, are the same list.

#![cfg(not(target_arch = "wasm32"))]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::Command;
use wardkey::protocol::authorize::{AUTHORIZATION_PARAMS, SIGN_IN_OPTIONS};
use wardkey::protocol::callback;
use wardkey::protocol::config::{AUTH_OPTIONS, Config};
use wardkey::protocol::error::{Code, Phase};
use wardkey::protocol::hash::base64url;
use wardkey::protocol::id_token::ID_TOKEN_POLICY;
use wardkey::protocol::json;
use wardkey::protocol::jwt::Algorithm;
use wardkey::protocol::logout::SIGN_OUT_OPTIONS;
use wardkey::protocol::policies::POLICIES;
use wardkey::protocol::shape::{Kind, Member};
use wardkey::protocol::target::API_TARGET;

/// A line of the output also where the test passes: `println!` is seen of those that fail only.
fn say(line: &str) {
    writeln!(std::io::stdout(), "{line}").expect("an output");
}

fn source(file: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{file}: {error}"))
}

/// The text between two others, of which the first is there once.
fn between<'a>(text: &'a str, start: &str, end: &str) -> &'a str {
    let mut parts = text.split(start);
    parts.next();
    let rest = parts.next().unwrap_or_else(|| panic!("{start} is not there"));
    assert!(parts.next().is_none(), "{start} is there twice");
    rest.split_once(end).unwrap_or_else(|| panic!("{end} does not follow {start}")).0
}

/// The texts in double quotes.
fn quoted(text: &str) -> Vec<&str> {
    text.split('"').skip(1).step_by(2).collect()
}

#[test]
fn error_codes_have_the_same_numbers_and_names() {
    let errors = source("pkg/src/codes.ts");
    let table = between(&errors, "const ERRORS = {", "} as const");
    let names: Vec<&str> =
        table.lines().filter_map(|line| line.trim().split_once(':')).map(|(name, _)| name).collect();
    let ours: Vec<&str> = Code::ALL.iter().map(|code| code.name()).collect();
    assert_eq!(names, ours);
    for (number, code) in Code::ALL.iter().enumerate() {
        assert_eq!(*code as usize, number, "{}", code.name());
    }
}

/// A phase that is not here does not compile.
fn phase_name(phase: Phase) -> &'static str {
    match phase {
        Phase::Configuration => "configuration",
        Phase::Discovery => "discovery",
        Phase::Authorize => "authorize",
        Phase::Callback => "callback",
        Phase::Token => "token",
        Phase::Refresh => "refresh",
        Phase::UserInfo => "userinfo",
        Phase::Fetch => "fetch",
        Phase::Storage => "storage",
        Phase::SignOut => "sign_out",
    }
}

#[test]
fn phases_have_the_same_numbers_and_names() {
    use Phase::*;
    let mut ours =
        [Configuration, Discovery, Authorize, Callback, Token, Refresh, UserInfo, Fetch, Storage, SignOut];
    ours.sort_by_key(|phase| *phase as u8);
    let errors = source("pkg/src/codes.ts");
    let names = quoted(between(&errors, "const PHASES = [", "] as const"));
    assert_eq!(names, ours.map(phase_name));
    assert!(ours.iter().enumerate().all(|(number, phase)| *phase as usize == number));
}

/// The members of an interface: by name, whether it is required, and the rest of its line and those below.
fn interface(name: &str) -> BTreeMap<String, (bool, String)> {
    let types = source("pkg/src/types.ts");
    let start =
        types.find(&format!("export interface {name}")).unwrap_or_else(|| panic!("no interface {name}"));
    let body = types[start..].split_once("{\n").expect("a body").1.split_once("\n}\n").expect("an end").0;
    let mut members: BTreeMap<String, (bool, String)> = BTreeMap::new();
    let mut last = String::new();
    for line in body.lines().filter(|line| !line.trim().starts_with(['/', '*'])) {
        let member = line
            .strip_prefix("  ")
            .filter(|rest| rest.starts_with(|first: char| first.is_ascii_alphabetic()));
        if let Some((name, kind)) = member.and_then(|member| member.split_once(':')) {
            last = name.trim_end_matches('?').to_owned();
            members.insert(last.clone(), (!name.ends_with('?'), kind.to_owned()));
        } else if let Some((_, kind)) = members.get_mut(&last) {
            kind.push_str(line);
        }
    }
    members
}

/// The interface has the members of the table and those of the page, each required or not as in the table.
#[track_caller]
fn same(name: &str, mut theirs: BTreeMap<String, (bool, String)>, table: &[Member], page_only: &[&str]) {
    for member in page_only {
        let (required, _) = theirs.remove(*member).unwrap_or_else(|| panic!("{name} has no {member}"));
        assert!(!required, "{name}.{member} stays in the page: nobody can require it");
    }
    let required: Vec<_> = theirs.iter().map(|(name, (required, _))| (name.as_str(), *required)).collect();
    let mut ours: Vec<_> = table.iter().map(|member| (member.name, member.required)).collect();
    ours.sort_unstable();
    assert_eq!(required, ours, "{name}");
    for member in table {
        if let Kind::Word(words) = member.kind {
            assert_eq!(quoted(&theirs[member.name].1), words, "{name}.{}", member.name);
        }
    }
}

#[test]
fn options_have_the_same_names() {
    same(
        "AuthOptions",
        interface("AuthOptions"),
        AUTH_OPTIONS,
        &["logger", "wasm", "workerUrl", "exposeAccessToken"],
    );
    same("AuthorizationParams", interface("AuthorizationParams"), AUTHORIZATION_PARAMS, &[]);
    same("IdTokenPolicy", interface("IdTokenPolicy"), ID_TOKEN_POLICY, &[]);
    same("ServerPolicies", interface("ServerPolicies"), POLICIES, &[]);
    same("SignOutOptions", interface("SignOutOptions"), SIGN_OUT_OPTIONS, &[]);
    let mut sign_in = interface("SignInOptions");
    assert!(
        source("pkg/src/types.ts")
            .contains("interface SignInOptions<T = unknown> extends AuthorizationParams {")
    );
    sign_in.extend(interface("AuthorizationParams"));
    same("SignInOptions", sign_in, SIGN_IN_OPTIONS, &["signal"]);
}

#[test]
fn api_targets_have_the_same_names() {
    same("ApiPlace", interface("ApiPlace"), API_TARGET, &[]);
}

#[test]
fn algorithms_have_the_same_names() {
    let policy = interface("IdTokenPolicy");
    let names = quoted(&policy["algorithms"].1);
    let known = names.iter().filter_map(|name| Algorithm::from_name(name)).count();
    assert_eq!(known, names.len(), "{names:?}");
    let jwt = source("src/protocol/jwt.rs");
    let table = between(&jwt, "algorithms! {\n", "\n}");
    assert_eq!(names, quoted(&table.lines().filter(|line| !line.contains("//")).collect::<String>()));
}

#[test]
fn what_makes_a_url_a_response_is_the_same() {
    let rust = source("src/protocol/callback.rs");
    let typescript = source("pkg/src/callback.ts");
    let ours = quoted(between(&rust, "const MARKS: &[&str] = &[", "]"));
    let theirs = quoted(between(&typescript, "const MARKS = [", "]"));
    assert_eq!(ours, theirs);
    assert!(!ours.is_empty());
}

/// What may stand in a query or fragment, of a response to the client with this tag and of anything else.
fn parameters(tag: &str) -> Vec<String> {
    let (ours, iss) = (format!("state={tag}-1"), "iss=https://as.example");
    let claims = |claims: &str| ["e30", &base64url(claims.as_bytes()), "AA"].join(".");
    let state = claims(&format!(r#"{{"state":"{tag}-1"}}"#));
    // The last character leaves bits over, which must be zero.
    let over = |claims: String| {
        let mut payload = base64url(claims.as_bytes());
        payload.pop();
        format!("e30.{payload}R.AA")
    };
    // One octet more or less each, so that the payload ends in every way that base64url can.
    let lengths =
        (0..4).map(|more| claims(&format!(r#"{{ "iss" : "https://as.example"{} }}"#, " ".repeat(more))));
    let tokens = [
        state.clone(),
        state.replacen('.', "", 1),
        [&state, ".x"].concat(),
        [".", state.split('.').nth(1).expect("a payload"), "."].concat(),
        state.replacen('.', ".A", 1),
        state.replacen('.', "\n.", 1),
        state.replacen('.', ". ", 1),
        state.replacen('.', ".=", 1),
        state.replacen('.', ".+", 1),
        format!("{}=", base64url(b"x")),
        claims(&format!(r#"{{"state":"-{tag}"}}"#)),
        claims(r#"{"iss":"https://as.example1"}"#),
        claims(r#"{"iss":"https:\/\/as.example"}"#),
        claims("\"https://as.example\""),
        claims(&format!("\u{e4}\u{1f600}\"{tag}")),
        claims(""),
        over(format!("\"{tag}.")),
        over(format!("\"{tag}..")),
        claims(&format!("\"{tag}?????>>>>>")),
        "x".to_owned(),
        String::new(),
    ];
    let encode = |token: String| token.bytes().map(|octet| format!("%{octet:02x}")).collect::<String>();
    let signed = tokens.into_iter().chain(lengths).map(|token| format!("response={}", encode(token)));
    let plain = [
        format!("code=c&{ours}"),
        format!("code=c&{iss}"),
        format!("error=x&{ours}"),
        format!("id_token=x&{ours}"),
        format!("access_token=x&{iss}"),
        format!("response=&{ours}"),
        format!("code=c&state=x&{ours}"),
        format!("c%6fde=c&st%61te={tag}"),
        format!("?code=c&{ours}"),
        format!("code=c&state=-{tag}"),
        format!("code=%ff&{ours}&x=%4"),
        "code=c&state=x&iss=https://as.example/".to_owned(),
        "code=c&state=x".to_owned(),
        ours,
        iss.to_owned(),
        String::new(),
    ];
    plain.into_iter().chain(signed).collect()
}

/// What `isResponse` of the npm package says of each URL.
fn told_by_the_page(urls: &[String], recipient: serde_json::Value) -> Vec<bool> {
    const SCRIPT: &str = r#"
        import { readFileSync } from "node:fs";
        import { transformSync } from "esbuild";
        const { code } = transformSync(readFileSync("pkg/src/callback.ts", "utf8"), { loader: "ts" });
        const { isResponse } = await import("data:text/javascript," + encodeURIComponent(code));
        const { urls, recipient } = JSON.parse(process.argv[1]);
        console.log(JSON.stringify(urls.map((url) => isResponse(url, recipient))));
    "#;
    let given = serde_json::json!({ "urls": urls, "recipient": recipient }).to_string();
    let node = Command::new("node")
        .args(["--input-type=module", "--eval", SCRIPT, "--", &given])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("node runs");
    assert!(node.status.success(), "{}", String::from_utf8_lossy(&node.stderr));
    serde_json::from_slice(&node.stdout).expect("a list")
}

#[test]
fn engine_and_page_take_the_same_urls_for_responses() {
    let options = serde_json::json!({
        "issuer": "https://as.example", "clientId": "spa", "redirectUri": "https://app.example/cb",
    });
    let config = json::parse(options.to_string().as_bytes()).expect("JSON");
    let config = Config::read(&config).expect("a configuration");
    let mut urls = Vec::new();
    for parameters in parameters(config.tag()) {
        urls.push(format!("https://app.example/cb?{parameters}"));
        urls.push(format!("https://app.example/cb#{parameters}"));
        urls.push(format!("https://app.example/cb?code=c&state=x#{parameters}"));
        urls.push(format!("https://app.example/cb?{parameters}#code=c&state=x"));
        urls.push(format!("https://app.example/other?{parameters}"));
    }
    let recipient = serde_json::json!({
        "redirectUris": ["https://app.example/cb"], "tag": config.tag(), "issuer": "https://as.example",
    });
    let page = told_by_the_page(&urls, recipient);
    let engine = |url: &String| {
        callback::read(url, &config).map_or_else(|error| error.code() != Code::NotMine, |_| true)
    };
    for (url, page) in urls.iter().zip(&page) {
        assert_eq!(engine(url), *page, "{url}");
    }
    let responses = page.iter().filter(|told| **told).count();
    assert_eq!(page.len(), urls.len());
    say(&format!("page and engine: {responses} of {} URLs are responses", urls.len()));
    assert!(responses > 40 && urls.len() - responses > 40, "{responses}: are they still of both kinds?");
}

/// The words in backquotes of the rows of a table.
fn named_in_tables(text: &str) -> Vec<&str> {
    let rows = text.lines().filter(|line| line.starts_with('|'));
    rows.flat_map(|row| row.split('`').skip(1).step_by(2)).collect()
}

/// The rules that a row begins with: `001`, `132–139`, `142, 143`.
fn numbers(row: &str) -> impl Iterator<Item = std::ops::RangeInclusive<u32>> {
    let end = row.find(|c: char| !(c.is_ascii_digit() || matches!(c, '–' | ',' | ' '))).unwrap_or(row.len());
    row[..end].split(',').filter_map(|part| {
        let (first, last) = part.split_once('–').unwrap_or((part, part));
        Some(first.trim().parse().ok()?..=last.trim().parse().ok()?)
    })
}

/// The files of a folder with this ending, and of the folders in it.
fn sources(folder: &str, ending: &str) -> String {
    let mut text = String::new();
    for entry in fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(folder)).expect(folder) {
        let path = entry.expect("an entry").path();
        let name = format!("{folder}/{}", path.file_name().expect("a name").to_string_lossy());
        if path.is_dir() {
            text += &sources(&name, ending);
        } else if name.ends_with(ending) {
            text += &source(&name);
        }
    }
    text
}

/// What a row of the security policy can name as its test.
struct Tests {
    /// Names of Rust functions with an attribute above, as tests have, and of the gates.
    functions: BTreeSet<String>,
    /// The sources of the tests in JavaScript, in which a title stands between quotes of some kind.
    titles: String,
    scenarios: BTreeSet<String>,
}

impl Tests {
    fn read() -> Tests {
        let rust = sources("tests", ".rs");
        let mut lines = rust.lines().map(str::trim).peekable();
        let mut functions = BTreeSet::new();
        while let Some(line) = lines.next() {
            let below = lines.peek().copied().unwrap_or_default();
            let name = below
                .trim_start_matches("async ")
                .strip_prefix("fn ")
                .and_then(|rest| rest.split('(').next());
            if line.starts_with("#[") && line.contains("test") {
                functions.extend(name.map(str::to_owned));
            }
        }
        let gates = source("xtask/src/gates.rs");
        functions.extend(
            gates.split("\nfn ").skip(1).filter_map(|rest| rest.split('(').next()).map(str::to_owned),
        );
        let scenarios = source("tests/hostile/scenarios.json");
        let scenarios = scenarios.split("{ \"name\": \"").skip(1).filter_map(|rest| rest.split('"').next());
        Tests {
            functions,
            titles: sources("tests", ".test.mjs"),
            scenarios: scenarios.map(str::to_owned).collect(),
        }
    }

    fn has_title(&self, title: &str) -> bool {
        let is_literal = |quote| self.titles.contains(&format!("{quote}{title}{quote},"));
        ['"', '`', '\''].into_iter().any(is_literal)
    }
}

/// Is this a rule that the name of a test bears: `sec_010_…`, `sec_102_sec_114_…`, `sec_132_to_139_…`?
fn bears(name: &str, rules: &[std::ops::RangeInclusive<u32>]) -> bool {
    let words: Vec<&str> = name.split('_').collect();
    let number = |place: usize| words.get(place).and_then(|word| word.parse::<u32>().ok());
    (0..words.len()).filter(|place| words[*place] == "sec").any(|place| {
        let Some(first) = number(place + 1) else { return false };
        let last = number(place + 3).filter(|_| words.get(place + 2) == Some(&"to")).unwrap_or(first);
        rules.iter().any(|rule| (first..=last).contains(rule.start()) || rule.contains(&first))
    })
}

/// What stands between pairs of a mark: the odd parts.
fn marked(text: &str, mark: char) -> impl Iterator<Item = &str> {
    text.split(mark).skip(1).step_by(2)
}

#[test]
fn the_security_policy_names_files_and_tests_that_exist() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let (tests, security) = (Tests::read(), source("SECURITY.md"));
    for file in
        named_in_tables(&security).iter().filter(|name| name.contains('/') && !name.starts_with("wardkey/"))
    {
        assert!(root.join(file).is_file(), "no file {file}");
    }
    // Of every table the last column; and of the rules each row, from the first to the last that a client of this
    // kind can keep.
    let rows: Vec<&str> =
        security.lines().filter_map(|line| line.strip_prefix("| ")?.strip_suffix(" |")).collect();
    let mut found = [0; 3];
    for row in &rows {
        let cells: Vec<&str> = row.split(" | ").collect();
        let rules: Vec<_> = numbers(row).collect();
        let shown = cells.last().copied().unwrap_or_default();
        // A text in quotes may hold backquotes.
        let outside: String = shown.split('"').step_by(2).collect::<Vec<_>>().join(" ");
        let mut named = 0;
        for name in marked(&outside, '`').filter(|_| !rules.is_empty()) {
            assert!(!name.contains('/'), "{row}: a whole file shows no single rule");
            assert!(tests.functions.contains(name), "{row}: no test {name}");
            assert!(!name.starts_with("sec_") || bears(name, &rules), "{row}: {name} is of another rule");
            (named, found[0]) = (named + 1, found[0] + 1);
        }
        for title in marked(shown, '"').filter(|title| !title.starts_with('…')) {
            let is_scenario = tests.scenarios.contains(title);
            assert!(is_scenario || tests.has_title(title), "{row}: no test and no scenario {title:?}");
            (named, found[1 + usize::from(is_scenario)]) =
                (named + 1, found[1 + usize::from(is_scenario)] + 1);
        }
        if !rules.is_empty() {
            let applies = !cells[0].contains("does not apply");
            assert_eq!(cells.len(), 3, "{row}");
            assert!(cells.iter().all(|cell| !cell.is_empty()), "{row}: an empty cell");
            assert_eq!(
                (named > 0, cells[1].contains('`')),
                (applies, applies),
                "{row}: nothing keeps or shows it"
            );
        }
    }
    for rule in 1..=145 {
        let is_its = |row: &&&str| numbers(row).any(|range| range.contains(&rule));
        assert_eq!(rows.iter().filter(is_its).count(), 1, "rows of rule {rule:03}");
    }
    let [functions, titles, scenarios] = found;
    say(&format!("SECURITY.md: {functions} Rust tests, {titles} titles and {scenarios} scenarios are named"));
    assert!(functions > 200 && titles > 40 && scenarios > 30, "{found:?}: is the table still there?");
}

#[test]
fn the_readme_of_the_package_has_every_code_and_option() {
    let readme = source("pkg/README.md");
    let named = named_in_tables(&readme);
    for code in Code::ALL {
        assert!(named.contains(&code.name()), "{}", code.name());
    }
    for option in AUTH_OPTIONS {
        assert!(named.contains(&option.name), "{}", option.name);
    }
    for claim in named_in_tables(&source("README.md")).iter().filter(|name| name.contains('/')) {
        assert!(Path::new(env!("CARGO_MANIFEST_DIR")).join(claim).exists(), "README.md names {claim}");
    }
}
