//! A contract is begun, tested and built by the command line.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use serde_json::Value;
use tempfile::TempDir;

use crate::support::{althing, error_text, must, must_fail};

const TARGET: &str = "wasm32-unknown-unknown";

/// The contracts of this code, whose dependencies are those of a new one: with their lock file and target
/// folder nothing is compiled here that was not compiled for them.
fn contracts() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../contracts").canonicalize().unwrap()
}

fn with_target(arguments: &[&str]) -> Output {
    let mut command = althing(arguments);
    command.env("CARGO_TARGET_DIR", contracts().join("target")).output().unwrap()
}

fn has_target() -> bool {
    let asked = ["--print", "target-libdir", "--target", TARGET];
    let found = Command::new("rustc").args(asked).output().unwrap();
    found.status.success() && Path::new(String::from_utf8_lossy(&found.stdout).trim()).is_dir()
}

#[test]
fn a_contract_is_begun_tested_and_built() {
    let folder = TempDir::new().unwrap();
    let watch = folder.path().join("my-watch");
    let named = watch.to_str().unwrap();
    let wrong = folder.path().join("My Watch");
    let told = must_fail(&["contract", "new", wrong.to_str().unwrap()]);
    assert!(told.contains("a-z, 0-9 and -"), "{told}");
    must(&["contract", "new", named]);
    let told = must_fail(&["contract", "new", named]);
    assert!(told.contains("that does not exist"), "{told}");
    fs::copy(contracts().join("Cargo.lock"), watch.join("Cargo.lock")).unwrap();

    let tested = with_target(&["contract", "test", named]);
    assert!(tested.status.success(), "{}", error_text(&tested));

    let source = watch.join("src/lib.rs");
    let text = fs::read_to_string(&source).unwrap();
    // What the tutorial has the reader do.
    assert!(text.contains("value > guard.limit"));
    fs::write(&source, text.replace("value > guard.limit", "value >= guard.limit")).unwrap();
    let tested = with_target(&["contract", "test", named]);
    assert!(!tested.status.success(), "a wrong contract passes its tests");
    fs::write(&source, text).unwrap();

    let built = with_target(&["contract", "build", named, "--json"]);
    if !has_target() {
        let told = error_text(&built);
        assert!(!built.status.success() && told.contains("rustup target add"), "{told}");
        return;
    }
    assert!(built.status.success(), "{}", error_text(&built));
    let outline: Value = serde_json::from_slice(&built.stdout).unwrap();
    let module = outline["path"].as_str().unwrap();
    assert!(module.ends_with("my_watch.wasm"), "{module}");
    let checked: Value =
        serde_json::from_str(&must(&["contract", "check", module, "--json"])).unwrap();
    assert_eq!(checked["code"], outline["code"]);
}
