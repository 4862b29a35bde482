//! `docs/conformance.md` has a row for every statement of ITU-T Y.4464 (01/2020), and claims
//! nothing that no test shows.

use std::collections::BTreeMap;

use super::sources::{files, read, with_extension};

/// The id of every row, as the project numbers the statements of the Recommendation.
const IDS: &str = include_str!("conformance_ids.txt");

struct Row {
    id: String,
    level: String,
    status: String,
    test: String,
}

fn rows() -> Vec<Row> {
    let page = read(&xtask::root().join("docs/conformance.md"));
    page.lines()
        .filter(|line| line.starts_with("| REQ-"))
        .map(|line| {
            let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
            assert_eq!(cells.len(), 6, "id, level, statement, status, module, test: {line}");
            let [id, level, _, status, _, test] = cells[..] else { unreachable!("counted") };
            Row { id: id.into(), level: level.into(), status: status.into(), test: test.into() }
        })
        .collect()
}

#[test]
fn every_statement_has_exactly_one_row() {
    let mut count: BTreeMap<String, usize> = BTreeMap::new();
    for row in rows() {
        *count.entry(row.id).or_default() += 1;
    }
    for id in IDS.lines() {
        assert_eq!(count.remove(id), Some(1), "rows for {id}");
    }
    assert!(count.is_empty(), "unknown ids: {count:?}");
}

#[test]
fn a_row_that_claims_something_names_a_test_that_exists() {
    let sources: String =
        with_extension(&files(), "rs").iter().map(|path| read(path)).collect::<Vec<_>>().join("\n");
    for row in rows() {
        let tests: Vec<&str> = row.test.split('`').skip(1).step_by(2).collect();
        assert!(["R", "r", "S", "O", "I"].contains(&row.level.as_str()), "level of {}", row.id);
        match row.status.as_str() {
            "open" => assert!(tests.is_empty(), "{} is open but names a test", row.id),
            "met" | "partly" => assert!(!tests.is_empty(), "{} names no test", row.id),
            other => panic!("{}: status `{other}`", row.id),
        }
        for test in tests {
            let name = test.rsplit("::").next().unwrap_or(test);
            let command = test.starts_with("althing ") || test.starts_with("cargo ");
            let exists = command || sources.contains(&format!("fn {name}("));
            assert!(exists, "{}: there is no test `{test}`", row.id);
        }
    }
}

#[test]
fn the_threat_table_names_tests_that_exist() {
    let page = read(&xtask::root().join("docs/security.md"));
    let sources: String =
        with_extension(&files(), "rs").iter().map(|path| read(path)).collect::<Vec<_>>().join("\n");
    let rows: Vec<&str> = page
        .lines()
        .filter(|line| {
            line.starts_with("| ") && line[2..].starts_with(|c: char| c.is_ascii_digit())
        })
        .collect();
    assert!(rows.len() >= 36, "threats");
    for row in rows {
        let shown_by = row.trim_matches('|').rsplit('|').next().unwrap_or_default().trim();
        let tests: Vec<&str> = shown_by.split('`').skip(1).step_by(2).collect();
        assert!(!tests.is_empty() || shown_by.starts_with("open"), "{row}");
        for test in tests {
            let name = test.rsplit("::").next().unwrap_or(test);
            let command = test.starts_with("althing ") || test.starts_with("cargo ");
            assert!(command || sources.contains(&format!("fn {name}(")), "no test `{test}`");
        }
    }
}
