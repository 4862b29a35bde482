//! The program as one types it.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::process::{Command, Output};

fn run(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_althing-forecast"));
    command.args(arguments).env_remove("ALTHING_KEY").env_remove("ALTHING_GENESIS");
    command.output().unwrap()
}

#[test]
fn what_is_missing_or_wrong_is_said() {
    let id = "0".repeat(64);
    let common = ["--key", "none.json", "--genesis", "none.json", "--contract"];
    for (command, rest, expected) in [
        ("serve", vec![], "--key"),
        ("serve", vec!["x", "--stream", &id], "64 hex digits"),
        ("serve", vec![&id, "--stream", &id], "cannot read the genesis"),
        ("ask", vec![&id], "--service"),
        ("ask", vec![&id, "--entity", &id], "--url"),
    ] {
        let mut arguments = vec![command];
        if !rest.is_empty() {
            arguments.extend(common);
            arguments.extend(rest);
        }
        let output = run(&arguments);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success() && said.contains(expected), "{arguments:?}: {said}");
    }
}
