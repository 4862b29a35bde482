//! Rules that every file keeps.

use super::sources::{files, read, shown, with_extension};

/// Longest source file, lines.
const LINES_MAX: usize = 700;

#[test]
fn no_source_file_is_longer_than_a_reader_bears() {
    let mut long = Vec::new();
    for extension in ["rs", "ts", "svelte", "py"] {
        for path in with_extension(&files(), extension) {
            let lines = read(&path).lines().count();
            if lines > LINES_MAX {
                long.push(format!("{}: {lines} lines", shown(&path)));
            }
        }
    }
    assert!(long.is_empty(), "more than {LINES_MAX} lines:\n{}", long.join("\n"));
}

#[test]
fn no_file_speaks_of_one_machine() {
    // In two parts, so that this file does not contain what it looks for.
    let banned = [
        concat!("/wo", "rk/"),
        concat!("/ro", "ot/"),
        concat!("/tmp/", "althing"),
        concat!("/tmp/", "t/"),
        concat!("/ho", "me/"),
    ];
    let mut found = Vec::new();
    for extension in ["rs", "md", "toml", "json", "sh", "yml", "yaml", "ts", "py"] {
        for path in with_extension(&files(), extension) {
            for (index, line) in read(&path).lines().enumerate() {
                if banned.iter().any(|word| line.contains(word)) {
                    found.push(format!("{}:{}: {line}", shown(&path), index + 1));
                }
            }
        }
    }
    assert!(found.is_empty(), "absolute paths of a machine:\n{}", found.join("\n"));
}

#[test]
fn no_test_is_left_out_and_no_work_is_left_for_later() {
    let banned =
        [concat!("#[ig", "nore"), concat!("TO", "DO"), concat!("FIX", "ME"), concat!("XX", "X:")];
    let mut found = Vec::new();
    for path in with_extension(&files(), "rs") {
        for (index, line) in read(&path).lines().enumerate() {
            if banned.iter().any(|word| line.contains(word)) {
                found.push(format!("{}:{}: {}", shown(&path), index + 1, line.trim()));
            }
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn the_licence_is_here() {
    let text = read(&xtask::root().join("LICENSE"));
    assert!(text.contains("Apache License") && text.contains("Version 2.0"));
}
