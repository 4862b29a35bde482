//! A contract is begun, tested and built by the command line.

use std::{
    ffi::OsStr,
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

/// The compiler that made the modules which come built.
const COMPILER: &str = "rustc 1.95.0";

/// What is committed is what its source becomes, in whatever folder it is built: whoever doubts a code id on
/// a ledger builds it anew.
#[test]
fn each_contract_that_comes_built_is_what_its_source_becomes() {
    let version = Command::new("rustc").arg("--version").output().unwrap().stdout;
    let version = String::from_utf8_lossy(&version).into_owned();
    if !has_target() || !version.starts_with(COMPILER) {
        eprintln!("not compared: {COMPILER} is needed, with rustup target add {TARGET}");
        return;
    }
    let folder = TempDir::new().unwrap();
    copy(&contracts(), folder.path());
    let sums = fs::read_to_string(contracts().join("artifacts/SHA256SUMS")).unwrap();
    let mut names = Vec::new();
    for line in sums.lines() {
        let (digest, module) = line.split_once("  ").unwrap();
        let name = module.strip_suffix(".wasm").unwrap();
        let source = folder.path().join(name);
        let tested = with_target(&["contract", "test", source.to_str().unwrap()]);
        assert!(tested.status.success(), "{}", error_text(&tested));
        let built = with_target(&["contract", "build", source.to_str().unwrap(), "--json"]);
        assert!(built.status.success(), "{}", error_text(&built));
        let outline: Value = serde_json::from_slice(&built.stdout).unwrap();
        assert_eq!(outline["code"], digest, "{name}");
        names.push(name);
    }
    assert_eq!(names, ["buyer", "guard", "metering", "shop"]);
}

/// Copies sources, without what was built of them.
fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap();
        if path.is_dir() && name != OsStr::new("target") {
            copy(&path, &to.join(name));
        } else if path.is_file() {
            fs::copy(&path, to.join(name)).unwrap();
        }
    }
}
