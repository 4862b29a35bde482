//! The documents are in step with the folders, the code and each other.

use std::{fs, path::Path};

use super::sources::{crates, files, files_below, read, shipped_lines, shown, with_extension};

/// Longest AGENTS.md, lines: it is read at the start of every task.
const AGENTS_LINES_MAX: usize = 70;

fn root_file(name: &str) -> String {
    read(&xtask::root().join(name))
}

#[test]
fn a_crate_opens_with_its_sentence_and_the_architecture_repeats_it() {
    let architecture = root_file("ARCHITECTURE.md");
    for member in crates() {
        let sentence =
            format!("{}.", member.manifest["package"]["description"].as_str().unwrap_or(""));
        let heads = ["src/lib.rs", "src/main.rs"].map(|file| member.folder.join(file));
        let head = heads.iter().find(|path| path.exists()).expect("a crate has a root");
        let first = read(head).lines().next().unwrap_or_default().to_owned();
        assert_eq!(first, format!("//! {sentence}"), "first line of {}", shown(head));
        let folder = shown(&member.folder);
        let listed = architecture
            .lines()
            .any(|line| line.contains(&format!("`{folder}`")) && line.contains(&sentence));
        assert!(listed, "ARCHITECTURE.md has no line with `{folder}` and: {sentence}");
    }
}

#[test]
fn the_architecture_names_every_folder() {
    let architecture = root_file("ARCHITECTURE.md");
    for entry in fs::read_dir(xtask::root()).expect("the root is a folder").flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let built = name == "target" || name == "demo-data" || name == ".git" || name == ".althing";
        if entry.path().is_dir() && !built {
            assert!(architecture.contains(&format!("`{name}")), "ARCHITECTURE.md lacks `{name}`");
        }
    }
}

#[test]
fn what_agents_read_first_is_short() {
    let lines = root_file("AGENTS.md").lines().count();
    assert!(lines <= AGENTS_LINES_MAX, "AGENTS.md has {lines} lines");
}

#[test]
fn links_lead_somewhere() {
    let mut dead = Vec::new();
    for path in with_extension(&files(), "md") {
        let folder = path.parent().expect("a file lies in a folder");
        for target in links(&read(&path)) {
            let file = target.split('#').next().unwrap_or_default();
            let outside = target.contains("://") || target.starts_with("mailto:");
            if !outside && !file.is_empty() && !folder.join(file).exists() {
                dead.push(format!("{}: {target}", shown(&path)));
            }
        }
    }
    assert!(dead.is_empty(), "dead links:\n{}", dead.join("\n"));
}

/// Targets of `[text](target)`, code blocks left out.
fn links(text: &str) -> Vec<String> {
    let mut code = false;
    let mut found = Vec::new();
    for line in text.lines() {
        code ^= line.trim_start().starts_with("```");
        let parts = line.split("](").skip(1).filter(|_| !code);
        found.extend(parts.filter_map(|rest| Some(rest.split_once(')')?.0.to_owned())));
    }
    found
}

#[test]
fn the_book_lists_every_page() {
    let docs = xtask::root().join("docs");
    let listed: Vec<_> =
        links(&read(&docs.join("SUMMARY.md"))).iter().map(|page| docs.join(page)).collect();
    for page in with_extension(&files_below(&docs), "md") {
        let is_listed = page.ends_with("SUMMARY.md") || listed.contains(&page);
        assert!(is_listed, "docs/SUMMARY.md does not list {}", shown(&page));
    }
}

#[test]
fn a_decision_says_why_and_what_is_bad_about_it() {
    let folder = xtask::root().join("docs/decisions");
    let mut numbers = Vec::new();
    for path in with_extension(&files_below(&folder), "md") {
        let (text, name) = (read(&path), file_name(&path));
        let (number, _) = name.split_once('-').expect("NNNN-title.md");
        assert!(text.starts_with(&format!("# {number}. ")), "{name}: title");
        for part in
            ["\nStatus: ", "\n## Context\n", "\n## Decision\n", "\n## Consequences\n", "**Bad.**"]
        {
            assert!(text.contains(part), "{name} lacks {part:?}");
        }
        numbers.push(number.to_owned());
    }
    let expected: Vec<String> = (1..=numbers.len()).map(|n| format!("{n:04}")).collect();
    assert_eq!(numbers, expected, "decisions are numbered without gap");
}

fn file_name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

#[test]
fn the_glossary_has_every_noun_of_the_types() {
    let glossary = root_file("docs/glossary.md");
    let types = crates().into_iter().find(|member| member.name() == "althing-types");
    let mut missing = Vec::new();
    for path in types.expect("there are types").sources() {
        for (_, line) in shipped_lines(&path) {
            let words: Vec<&str> = line.split([' ', '(', '<', ';', '{']).collect();
            if let ["pub", "struct" | "enum", name, ..] = words[..]
                && !name.ends_with("Error")
                && !glossary.contains(&format!("`{name}`"))
            {
                missing.push(name.to_owned());
            }
        }
    }
    assert!(missing.is_empty(), "docs/glossary.md lacks {missing:?}");
}

#[test]
fn the_list_of_refusals_is_the_codes() {
    let page = root_file("docs/operating/errors.md");
    let wanted = xtask::errors::table();
    assert!(page.contains(&wanted), "make it anew with: cargo xtask docs --bless");
}

#[test]
fn every_library_of_the_workspace_is_explained() {
    let page = root_file("docs/decisions/0015-every-dependency-earns-its-place.md");
    let manifest: toml::Table = root_file("Cargo.toml").parse().expect("a manifest is TOML");
    let libraries = manifest["workspace"]["dependencies"].as_table().expect("a table");
    for library in libraries.keys().filter(|name| !name.starts_with("althing-")) {
        let family = library.starts_with("commonware-") && page.contains("`commonware-*`");
        assert!(family || page.contains(&format!("`{library}`")), "{library} is not explained");
    }
}

/// Y.4464 (clause 8) adds groups of capabilities to the layers of Y.4000; each has a place here.
#[test]
fn the_architecture_extends_y4000() {
    let architecture = root_file("ARCHITECTURE.md");
    let (_, table) = architecture.split_once("## How this extends Y.4000").expect("the section");
    let first_cells: Vec<String> = table
        .lines()
        .filter_map(|line| Some(line.strip_prefix('|')?.split('|').next()?.trim().to_lowercase()))
        .collect();
    for group in [
        "application layer",
        "access control",
        "consensus",
        "crypto",
        "data",
        "peer",
        "contract",
        "storage and computing",
        "p2p",
        "network layer",
        "device layer",
        "management",
        "security capabilities",
    ] {
        assert!(first_cells.iter().any(|cell| cell.contains(group)), "no row for {group}");
    }
}

#[test]
fn every_figure_of_a_peer_is_explained() {
    let page = root_file("docs/operating/watching.md");
    let source = root_file("crates/peer/src/query/status.rs");
    let figures = source.split('"').filter(|text| text.starts_with("althing_"));
    for figure in figures {
        assert!(page.contains(&format!("`{figure}`")), "docs/operating/watching.md lacks {figure}");
    }
}
