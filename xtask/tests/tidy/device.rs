//! The device library runs where there is no standard library.

use std::process::Command;

/// Features that bring the standard library or a heap.
const FORBIDDEN: &[&str] = &["std", "alloc"];

/// No dependency of it is built with a feature that needs more than a microcontroller has. This is
/// what can be seen without a compiler for one; `cargo build --target thumbv7em-none-eabihf` shows
/// the rest where that target is installed.
#[test]
fn the_device_library_and_what_it_uses_need_no_standard_library() {
    let output = Command::new(env!("CARGO"))
        .args([
            "tree",
            "--offline",
            "--package",
            "althing-device",
            "--edges",
            "normal,no-proc-macro",
        ])
        .args(["--prefix", "none", "--no-dedupe", "--format", "{p} features={f}"])
        // What the whole workspace together asks for is another matter.
        .env_remove("CARGO_RESOLVER_FEATURE_UNIFICATION")
        .current_dir(xtask::root())
        .output()
        .expect("cargo can be started");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let tree = String::from_utf8(output.stdout).expect("UTF-8");
    let mut seen = 0;
    for line in tree.lines().filter(|line| !line.is_empty()) {
        let (package, features) = line.split_once(" features=").expect("a list of features");
        seen += 1;
        let wrong: Vec<&str> =
            features.split(',').filter(|feature| FORBIDDEN.contains(feature)).collect();
        assert!(wrong.is_empty(), "{package} is built with {wrong:?}");
    }
    assert!(seen > 3, "the tree was read: {tree}");
    let source = super::sources::read(&xtask::root().join("crates/device/src/lib.rs"));
    assert!(source.contains("\n#![no_std]\n") && !source.contains("extern crate alloc"));
}
