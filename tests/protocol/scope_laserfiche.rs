//! Scopes of Laserfiche: their grammar, what was granted of what was asked for, and which requests they allow.

use crate::load;
use wardkey::protocol::providers::laserfiche::{GRAMMAR, Scope};
use wardkey::protocol::scope::parse;

/// The regional API; `{…}` of the description filled in.
const CLOUD: &str = "https://api.laserfiche.com";

fn list(scopes: &str) -> Vec<String> {
    parse(scopes).expect("scopes")
}

fn permits(granted: &str, method: &str, path: &str) -> Option<bool> {
    GRAMMAR.permits(&list(granted), method, &[CLOUD, path].concat())
}

#[track_caller]
fn assert_permits(granted: &str, operations: &[(&str, &str)], expected: Option<bool>) {
    for (method, path) in operations {
        assert_eq!(permits(granted, method, path), expected, "{granted}: {method} {path}");
    }
}

#[test]
fn every_operation_of_the_api_v2_needs_what_its_description_says() {
    let operations = load("laserfiche/v2_scopes.json");
    let (mut stated, mut unknown) = (0, 0);
    for operation in operations.as_array().expect("a list") {
        let [method, path, scope] = [0, 1, 2].map(|at| operation[at].as_str().expect("a text"));
        let path = ["/repository", &path.replace("{repositoryId}", "r-1").replace(['{', '}'], "")].concat();
        let held = ["repository.Read", "repository.Write", "table.ReadWrite"];
        let permitted = held.map(|granted| permits(granted, method, &path));
        if scope.is_empty() {
            assert!(!permitted.contains(&Some(false)), "nothing says so: {method} {path}");
            unknown += usize::from(permitted.contains(&None));
            continue;
        }
        let expected = if scope == "None" { "" } else { scope };
        let is_enough = held.map(|granted| Some(expected.is_empty() || granted == expected));
        assert_eq!(permitted, is_enough, "{method} {path}");
        let least = GRAMMAR.ask(Vec::new(), method, &[CLOUD, &path].concat(), false);
        assert_eq!(least, list(expected), "{method} {path}");
        stated += 1;
    }
    assert_eq!((stated, unknown), (140, 10), "the list has lost rows");
}

/// Not permitted, and not known to be refused; what is held does not seem to do.
#[track_caller]
fn assert_guessed(granted: &str, operations: &[(&str, &str)]) {
    assert_permits(granted, operations, None);
    for (method, path) in operations {
        assert!(!GRAMMAR.covers(&list(granted), method, &[CLOUD, path].concat()), "{method} {path}");
    }
}

#[test]
fn a_right_that_is_only_inferred_refuses_nothing() {
    let writing = [
        ("PUT", "/repository/v1/Repositories/r-1/ServerSession/Refresh"),
        ("POST", "/repository/v1/Repositories/r-1/Entries/1/Export"),
        ("DELETE", "/LFRepositoryAPI/v1/Repositories/r-1/Entries/1"),
        ("PUT", "/repository/v3/Repositories/r-1/Entries/1"),
        ("POST", "/repository/v2/Repositories/r-1/Tasks/StartTestTaskAsync"),
        ("PATCH", "/repository/v2/Repositories/r-1/Entries/1/RecordsManagement/Properties"),
    ];
    assert_guessed("repository.Read", &writing);
    assert_permits("repository.Write", &writing, Some(true));
    let reading = [
        ("GET", "/repository/v1/Repositories"),
        ("POST", "/repository/v1/Repositories/r-1/SimpleSearches"),
        ("GET", "/repository/v2/Repositories/r-1/Entries/1/RecordSeries/Properties"),
    ];
    assert_guessed("repository.Write", &reading);
    assert_guessed("project/Global", &reading);
    assert_permits("repository.Read", &reading, Some(true));
    assert_guessed("table.Read project/A", &[("POST", "/odata4/table/$batch")]);
    let query = [("POST", "/odata4/table/MyTable/$query")];
    assert_permits("table.Read project/A", &query, Some(true));
    assert_guessed("table.Write project/A", &query);
}

#[test]
fn escapes_are_the_same_in_scopes_and_paths() {
    for place in ["A%26B", "T(%271%27)", "A%20B", "%C3%A9", "A%2FB", "%2526"] {
        let scope = ["odata4/table/", place, ".Read"].concat();
        let path = ["/odata4/table/", place].concat();
        assert_eq!(permits(&scope, "GET", &path), Some(true), "{place}");
    }
    let plain = "odata4/table/A&B.Read";
    assert_permits(plain, &[("GET", "/odata4/table/A%26B")], Some(true));
    assert_permits("odata4/table/A%26B.Read", &[("GET", "/odata4/table/A&B")], Some(true));
    assert_permits("odata4/table/A%26.Read", &[("GET", "/odata4/table/A%2526")], Some(false));
    assert!(GRAMMAR.includes(&list("odata4/table/A%26B.Read"), &list(plain)));
    assert!(GRAMMAR.includes(&list(plain), &list("odata4/table/A%26B.Read")));
}

#[test]
fn a_project_takes_the_place_of_no_table() {
    let mut asked = list("table.Read project/A");
    GRAMMAR.keep(&mut asked, &list("odata4/table/T.Read table.Read"));
    assert_eq!(asked, list("table.Read project/A odata4/table/T.Read"));
}

#[test]
fn the_grammar_has_projects_and_rights_to_places() {
    let access = |resource, rights| Scope::Access { resource, rights };
    let children = "repository/Repositories/r-1/Entries/1/Laserfiche.Repository.Folder/children";
    for (text, scope) in [
        ("repository.Read", access("repository", "Read")),
        ("repository.ReadWrite", access("repository", "ReadWrite")),
        ("repository/Repositories.Read", access("repository/Repositories", "Read")),
        (&[children, ".Read"].concat(), access(children, "Read")),
        ("table.Write", access("table", "Write")),
        ("odata4/table.Read", access("odata4/table", "Read")),
        ("odata4/table/MyTable('1').WriteRead", access("odata4/table/MyTable('1')", "WriteRead")),
        ("collections.All", access("collections", "All")),
        ("project/Global", Scope::Project("Global")),
        ("project/Test+With+Spaces", Scope::Project("Test+With+Spaces")),
        ("project/v1.Read", Scope::Project("v1.Read")),
    ] {
        assert_eq!(Scope::parse(text), Some(scope), "{text}");
        assert_eq!(scope.write(), text);
    }
    for text in [
        "",
        ".",
        ".Read",
        "Read",
        "repository",
        "repository.",
        "repository.read",
        "repository.readWrite",
        "repository.ReadX1",
        "Repository.Read",
        "repository/.Read",
        "repositoryX.Read",
        "table/MyTable.Read",
        "tables.Read",
        "collections/1.All",
        "odata4.Read",
        "odata4/tables.Read",
        "project",
        "project/",
        "project.Read",
        "openid",
        "repository.Read.",
        "repository Read",
    ] {
        assert_eq!(Scope::parse(text), None, "{text}");
    }
}

#[test]
fn granted_and_asked_for_are_compared_by_what_they_mean() {
    for (requested, granted, missing) in [
        ("repository.ReadWrite", "repository.Read repository.Write", ""),
        ("repository.ReadWrite", "repository.WriteRead", ""),
        ("repository.Read repository.Write", "repository.ReadWrite", ""),
        ("repository.Read repository.Write", "repository.Read", "repository.Write"),
        ("repository.ReadWrite", "repository.Read", "repository.Write"),
        ("repository.ReadWrite", "", "repository.ReadWrite"),
        ("repository.ReadWrite repository.Write", "", "repository.ReadWrite"),
        ("repository.Write repository.ReadWrite", "", "repository.Write repository.Read"),
        // Neither right has the other in it.
        ("repository.Read", "repository.Write", "repository.Read"),
        ("repository/Repositories/r-1.ReadWrite", "repository.Read", "repository/Repositories/r-1.Write"),
        ("repository/Repositories/r-1/Entries/1.Read", "repository/Repositories/r-1.Read", ""),
        (
            "repository/Repositories/r-1/Entries/10.Read",
            "repository/Repositories/r-1/Entries/1.Read",
            "repository/Repositories/r-1/Entries/10.Read",
        ),
        ("repository.Read", "repository/Repositories/r-1.Read", "repository.Read"),
        // Scopes are case-sensitive.
        (
            "repository/Repositories/r-1.Read",
            "repository/Repositories/R-1.Read",
            "repository/Repositories/r-1.Read",
        ),
        ("table.Read", "repository.Read", "table.Read"),
        ("table.Read", "odata4/table.Read", ""),
        ("table.Read", "odata4/table/MyTable.Read", "table.Read"),
        ("odata4/table/MyTable('1').Read", "odata4/table/MyTable.Read", ""),
        ("odata4/table/MyTables.Read", "odata4/table/MyTable.Read", "odata4/table/MyTables.Read"),
        // The table may be of another project.
        ("odata4/table/MyTable.Read", "table.Read project/Global", "odata4/table/MyTable.Read"),
        ("odata4/table/MyTable.Read", "table.Read", "odata4/table/MyTable.Read"),
        ("project/A project/B", "project/B", "project/A"),
        ("collections.All", "collections.Read", "collections.All"),
        ("openid repository.Read invalidScope", "repository.Read", "openid invalidScope"),
    ] {
        assert_eq!(
            GRAMMAR.missing(&list(requested), &list(granted)),
            list(missing),
            "{requested} | {granted}"
        );
        assert_eq!(
            GRAMMAR.includes(&list(granted), &list(requested)),
            missing.is_empty(),
            "{requested} | {granted}"
        );
    }
}

const ENTRY: &str = "repository/Repositories/r-1/Entries/1.Read";

#[test]
fn a_place_is_covered_with_what_is_below_it() {
    assert_permits(
        ENTRY,
        &[
            ("GET", "/repository/v1/Repositories/r-1/Entries/1"),
            ("GET", "/repository/v2/Repositories/r-1/Entries/1"),
            ("HEAD", "/repository/v2/Repositories/r-1/Entries/1/"),
            ("GET", "/repository/v1/Repositories/r-1/Entries/1/fields"),
            ("GET", "/repository/v1/Repositories/r-1/Entries/1/Laserfiche.Repository.Folder/children?x=1#y"),
            ("get", "/repository/v3/Repositories/r-1/Entries/1/Fields"),
            // Routes have no case, and these escapes are none.
            ("GET", "/Repository/V2/repositories/R-1/entries/1"),
            ("GET", "/repository/v2/Repositories/r%2D1/%45ntries/1"),
            ("GET", "/LFRepositoryAPI/v2/Repositories/r-1/Entries/1"),
            ("GET", "/lfrepositoryapi/v1/Repositories/r-1/Entries/1/fields"),
            ("POST", "/repository/v2/Repositories/r-1/Entries/1/Export"),
        ],
        Some(true),
    );
}

#[test]
fn a_place_is_not_covered_with_what_is_beside_it() {
    assert_permits(
        ENTRY,
        &[
            ("GET", "/repository/v2/Repositories"),
            ("GET", "/repository/v2/Repositories/r-1/Entries"),
            ("GET", "/repository/v2/Repositories/r-1/Entries/10"),
            ("GET", "/repository/v2/Repositories/r-10/Entries/1"),
            ("GET", "/repository/v2/Repositories/r-1/Entries/1%2F"),
            ("GET", "/repository/v2/Repositories/r-1/Entries/1%2Ffields"),
            ("GET", "/repository/v2/Repositories/r-1/Entries/1%5Cfields"),
            ("GET", "/repository/v2/Repositories/r-1/Entries/1%252Ffields"),
            ("GET", "/repository/v2/Repositories/r-1/Entries/1%00"),
            ("GET", "/repository/v2/Repositories/r-1/Entries/1;x"),
            ("GET", "/repository/v2/Repositories/r-1/Entries/1(1)"),
            ("PUT", "/repository/v2/Repositories/r-1/Entries/1"),
            ("PATCH", "/repository/v2/Repositories/r-1/Entries/1"),
            ("GET", "/odata4/table"),
        ],
        Some(false),
    );
    assert_guessed(
        ENTRY,
        &[
            ("GET", "/repository/v1/Repositories/r-1/Entries/10"),
            ("PUT", "/repository/v1/Repositories/r-1/Entries/1"),
            // The import of a document of this name.
            ("POST", "/repository/v1/Repositories/r-1/Entries/1/Export"),
        ],
    );
    // Servers do not agree on empty segments.
    let empty =
        ["//repository/v2/Repositories", "/repository/v2/Repositories//r-1", "/repository/v2/Repositories//"];
    for path in empty {
        assert_eq!(permits("table.Read", "GET", path), None, "{path}");
        assert!(GRAMMAR.covers(&list("table.Read"), "GET", &[CLOUD, path].concat()), "{path}");
    }
    // What browsers would go to from there is another URL, which they give.
    for path in
        ["/Entries/1/../2", "/Entries/1/%2e%2E/2", "/Entries/1\\..\\2", "/Entries/1\t", "/Entries/./1"]
    {
        let path = ["/repository/v2/Repositories/r-1", path].concat();
        assert_eq!(permits(ENTRY, "GET", &path), None, "{path}");
    }
}

#[test]
fn what_posts_and_only_reads_needs_the_right_to_read() {
    let reading = [
        ("POST", "/repository/v2/Repositories/r-1/SimpleSearches"),
        ("POST", "/repository/v2/Repositories/r-1/Searches/SearchAsync"),
        ("POST", "/LFRepositoryAPI/v2/Repositories/r-1/SimpleSearches"),
        ("POST", "/repository/v2/repositories/r-1/simplesearches?orderBy=name"),
    ];
    assert_permits("repository.Read", &reading, Some(true));
    assert_permits("repository.Write", &reading, Some(false));
    let inferred = [
        ("POST", "/repository/v1/Repositories/r-1/SimpleSearches"),
        ("POST", "/repository/v1/Repositories/r-1/Searches"),
        ("DELETE", "/repository/v1/Repositories/r-1/Searches/token"),
        ("POST", "/repository/v1/Repositories/r-1/Entries/1/fields/GetDynamicFieldLogicValue"),
        (
            "POST",
            "/repository/v1/Repositories/r-1/Entries/1/Laserfiche.Repository.Document/GetEdocWithAuditReason",
        ),
    ];
    assert_permits("repository.Read", &inferred, Some(true));
    let writing = [
        ("POST", "/repository/v2/Repositories/r-1/SimpleSearches/1"),
        ("PUT", "/repository/v2/Repositories/r-1/SimpleSearches"),
        ("POST", "/repository/v2/Repositories/r-1/Searches"),
        ("POST", "/repository/v2/SimpleSearches"),
        ("OPTIONS", "/repository/v2/Repositories"),
    ];
    assert_permits("repository.Write", &writing, Some(true));
    assert_permits("repository.Read", &writing, Some(false));
    let free = [
        ("GET", "/repository/v2/Repositories/r-1/Tasks?taskIds=1"),
        ("DELETE", "/repository/v1/Repositories/r-1/Tasks/1"),
    ];
    assert_permits("project/Global", &free, Some(true));
    assert_permits("", &free, Some(true));
}

#[test]
fn tables_need_a_project_too_or_a_scope_of_their_own() {
    let table = [
        ("GET", "/odata4/table/MyTable('1')"),
        ("GET", "/odata4/table"),
        ("get", "/OData4/Table/MyTable?$top=1"),
    ];
    assert_permits("table.Read project/Global", &table, Some(true));
    assert_permits("table.ReadWrite project/Test+With+Spaces", &table, Some(true));
    assert_permits("odata4/table.Read", &table, Some(true));
    assert_permits("table.Read", &table, Some(false));
    assert_permits("project/Global", &table, Some(false));
    assert_permits("table.Write project/Global", &table, Some(false));
    assert_permits("", &table, Some(false));
    let replace = [("POST", "/odata4/table/MyTable/ReplaceAllRowsAsync")];
    assert_permits("table.Write project/Global", &replace, Some(true));
    assert_permits("odata4/table/MyTable.Write", &replace, Some(true));
    assert_permits("odata4/table/MyTable.Read", &replace, Some(false));
    let row = "odata4/table/MyTable('1').Read";
    assert_permits(row, &[table[0], ("GET", "/odata4/table/MyTable(%271%27)")], Some(true));
    assert_permits(
        row,
        &[table[1], table[2], ("GET", "/odata4/table/MyTable('10')"), ("GET", "/odata4/table/MyTable('1')x")],
        Some(false),
    );
    // The names of tables have no case, the keys of their rows do.
    let row = "odata4/table/MyTable('a').Read";
    assert_permits(row, &[("GET", "/OData4/table/mytable('a')")], Some(true));
    assert_permits(row, &[("GET", "/odata4/table/MyTable('A')")], Some(false));
    assert!((GRAMMAR.doubt)(&list("table.Read")).is_some());
    assert!((GRAMMAR.doubt)(&list("repository.Read table.ReadWrite")).is_some());
    for fine in ["", "repository.Read", "table.Read project/Global", "odata4/table/MyTable.Read"] {
        assert_eq!((GRAMMAR.doubt)(&list(fine)), None, "{fine}");
    }
}

#[test]
fn a_token_without_scopes_may_do_all_of_v1_and_nothing_of_v2() {
    assert_permits(
        "",
        &[("GET", "/repository/v1/Repositories"), ("DELETE", "/repository/v1/Repositories/r-1/Entries/1")],
        Some(true),
    );
    assert_permits("", &[("GET", "/repository/v2/Repositories")], Some(false));
    assert_guessed("", &[("GET", "/repository/v10/Repositories")]);
    // A server of one's own does not say; nor is anything said of these.
    assert_permits(
        "",
        &[("GET", "/LFRepositoryAPI/v2/Repositories"), ("GET", "/LFRepositoryAPI/v1/Repositories")],
        None,
    );
    for scopes in ["", "repository.ReadWrite", "openid"] {
        assert_permits(
            scopes,
            &[
                ("GET", ""),
                ("GET", "/"),
                ("GET", "/repository"),
                ("GET", "/repository/Repositories"),
                ("GET", "/repository/v/Repositories"),
                ("GET", "/repository/w2/Repositories"),
                ("GET", "/repository/v-2/Repositories"),
                ("GET", "/repository/v2a/Repositories"),
                ("GET", "/repositoryx/v2/Repositories"),
                ("GET", "/x/repository/v2/Repositories"),
                ("GET", "/odata4"),
                ("GET", "/odata4/general/Tasks(1)"),
                ("GET", "/odata4/tables"),
            ],
            None,
        );
    }
    // With any scope, it is the scopes that count.
    assert_guessed("project/Global", &[("GET", "/repository/v1/Repositories")]);
}

#[test]
fn the_least_scopes_are_for_the_api_or_for_the_place() {
    let least = |granular: bool, operations: &[(&str, &str)]| {
        let mut asked = Vec::new();
        for (method, path) in operations {
            asked = GRAMMAR.ask(asked, method, &[CLOUD, path].concat(), granular);
        }
        asked
    };
    let operations = [
        ("GET", "/repository/v2/Repositories/r-1/Entries/1/Fields?a#b"),
        ("POST", "/repository/v2/Repositories/r-1/SimpleSearches"),
        ("GET", "/repository/v2/Repositories/r-1/Tasks"),
        ("GET", "/repository/v2/Repositories/r-1/Entries/1"),
        ("DELETE", "/repository/v1/Repositories/r-1/Entries/2/"),
        ("GET", "/odata4/table/MyTable('1')"),
        ("GET", "/odata4/table/MyTable%28'1'%29"),
        ("GET", "/unknown"),
    ];
    assert_eq!(least(false, &operations), list("repository.Read repository.Write table.Read"));
    let granular = "repository/Repositories/r-1/SimpleSearches.Read repository/Repositories/r-1/Entries/1.Read \
                    repository/Repositories/r-1/Entries/2.Write odata4/table/MyTable('1').Read";
    assert_eq!(least(true, &operations), list(granular));
}
