//! The tests of what peers must agree on, on an emulated processor of another kind.
//!
//! No part of `cargo xtask test`: everything is compiled once more for that processor, and emulation is
//! slow. Formats, roots and gas are pinned in the tests, so that what passes here and there is the same.

use anyhow::{Result, bail};

use crate::shell;

const TARGET: &str = "aarch64-unknown-linux-gnu";
/// What decides alike on every peer, or is read by all.
const PACKAGES: &[&str] = &[
    "althing-types",
    "althing-proof",
    "althing-state",
    "althing-policy",
    "althing-contract",
    "althing-ledger",
    "althing-edge",
];
/// Programs, with what says that they are there, and the line that installs each.
const TOOLS: &[(&str, &str)] = &[
    ("qemu-aarch64 --version", "sudo apt-get install --yes qemu-user"),
    (
        "aarch64-linux-gnu-g++ --version",
        "sudo apt-get install --yes g++-aarch64-linux-gnu libc6-dev-arm64-cross",
    ),
];

/// Builds and runs them.
///
/// # Errors
/// If a tool is missing, with the line that installs it; or if a test fails.
pub fn arm64() -> Result<()> {
    for (probe, install) in TOOLS {
        if !shell::has(probe) {
            bail!("a tool is missing; install it with: {install}");
        }
    }
    let add = format!("rustup target add {TARGET}");
    if !shell::run(&add).ended_well {
        bail!("`{add}` failed");
    }
    let line = line();
    if shell::run(&line).ended_well { Ok(()) } else { bail!("`{line}` failed") }
}

/// Less optimised than what is released, which says nothing else and is compiled sooner.
fn line() -> String {
    let packages: Vec<String> = PACKAGES.iter().map(|name| format!("--package {name}")).collect();
    format!(
        "env CARGO_PROFILE_RELEASE_OPT_LEVEL=1 CC_aarch64_unknown_linux_gnu=aarch64-linux-gnu-gcc \
         CXX_aarch64_unknown_linux_gnu=aarch64-linux-gnu-g++ cargo test --release --target {TARGET} \
         --config target.{TARGET}.linker=\"aarch64-linux-gnu-gcc\" \
         --config target.{TARGET}.runner=[\"qemu-aarch64\",\"-L\",\"/usr/aarch64-linux-gnu\"] \
         --lib --tests --no-fail-fast {}",
        packages.join(" ")
    )
}
