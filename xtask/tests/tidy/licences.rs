//! Every library that ships is under a licence that `deny.toml` admits.

use std::process::Command;

use super::sources::read;

#[test]
fn every_dependency_has_an_admitted_licence() {
    let deny: toml::Table = read(&xtask::root().join("deny.toml")).parse().expect("TOML");
    let allowed: Vec<&str> = deny["licenses"]["allow"]
        .as_array()
        .expect("a list of licences")
        .iter()
        .filter_map(toml::Value::as_str)
        .collect();
    let mut refused = Vec::new();
    for package in packages() {
        let licence = package["license"].as_str().unwrap_or("none stated");
        if !admits(licence, &allowed) {
            refused.push(format!("{} {}: {licence}", package["name"], package["version"]));
        }
    }
    assert!(refused.is_empty(), "not in deny.toml:\n{}", refused.join("\n"));
}

/// What Linux builds of the workspace need, as cargo resolved it, from what is downloaded already.
fn packages() -> Vec<serde_json::Value> {
    let target = format!("{}-unknown-linux-gnu", std::env::consts::ARCH);
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--offline", "--filter-platform", &target])
        .current_dir(xtask::root())
        .output()
        .expect("cargo can be started");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let packages = metadata["packages"].as_array().expect("a list of packages");
    let outer = |package: &&serde_json::Value| !package["source"].is_null();
    packages.iter().filter(outer).cloned().collect()
}

/// Whether an SPDX expression can be satisfied: one side of an `OR`, both sides of an `AND`.
fn admits(expression: &str, allowed: &[&str]) -> bool {
    // `/` is how old manifests wrote OR.
    let spaced = expression.replace('/', " OR ").replace('(', " ( ").replace(')', " ) ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let mut rest = &words[..];
    any_of(&mut rest, allowed) && rest.is_empty()
}

fn any_of(words: &mut &[&str], allowed: &[&str]) -> bool {
    let mut holds = all_of(words, allowed);
    while let ["OR", rest @ ..] = words {
        *words = rest;
        holds |= all_of(words, allowed);
    }
    holds
}

fn all_of(words: &mut &[&str], allowed: &[&str]) -> bool {
    let mut holds = one(words, allowed);
    while let ["AND", rest @ ..] = words {
        *words = rest;
        holds &= one(words, allowed);
    }
    holds
}

fn one(words: &mut &[&str], allowed: &[&str]) -> bool {
    match words {
        ["(", rest @ ..] => {
            *words = rest;
            let holds = any_of(words, allowed);
            *words = words.strip_prefix(&[")"]).unwrap_or(words);
            holds
        }
        [licence, "WITH", exception, rest @ ..] => {
            *words = rest;
            allowed.contains(&format!("{licence} WITH {exception}").as_str())
        }
        [licence, rest @ ..] => {
            *words = rest;
            allowed.contains(licence)
        }
        [] => false,
    }
}

#[test]
fn expressions_are_read_as_spdx_means_them() {
    let allowed = ["MIT", "Unicode-3.0", "Apache-2.0 WITH LLVM-exception"];
    for (expression, expected) in [
        ("MIT", true),
        ("GPL-3.0", false),
        ("MIT OR GPL-3.0", true),
        ("GPL-3.0/MIT", true),
        ("(GPL-3.0 OR MIT) AND Unicode-3.0", true),
        ("MIT AND GPL-3.0", false),
        ("Apache-2.0", false),
        ("Apache-2.0 WITH LLVM-exception OR GPL-3.0", true),
        ("", false),
    ] {
        assert_eq!(admits(expression, &allowed), expected, "{expression}");
    }
}
