//! The contracts that come with this code, as they are committed.
#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test reads files and may panic"
)]

use std::{collections::BTreeMap, fs, path::PathBuf};

use althing_contract::{Machine, inspect};
use althing_types::CodeId;

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../contracts/artifacts")
}

#[test]
fn each_committed_module_runs_here_and_is_the_one_its_sum_names() {
    let sums = fs::read_to_string(folder().join("SHA256SUMS")).unwrap();
    let sums: BTreeMap<&str, &str> = sums
        .lines()
        .filter_map(|line| line.split_once("  "))
        .map(|(sum, name)| (name, sum))
        .collect();
    let mut modules = 0;
    for entry in fs::read_dir(folder()).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "wasm") {
            continue;
        }
        modules += 1;
        let name = path.file_name().unwrap().to_str().unwrap();
        let module = fs::read(&path).unwrap();
        assert_eq!(sums.get(name).copied(), Some(CodeId::of(&module).to_string().as_str()));
        let outline = inspect(&module).unwrap();
        assert!(outline.has("execute") && outline.has("query"), "{name}: {outline:?}");
        // The others are plain CosmWasm contracts, which run on other chains too.
        let wants_more = matches!(name, "guard.wasm" | "metering.wasm");
        let requires = outline.capabilities.iter().any(|each| each == "althing");
        assert_eq!(requires, wants_more, "{name}");
        assert!(Machine::shared().compile(&module).is_ok(), "{name}");
    }
    assert_eq!(modules, sums.len());
}
