//! Writing and building contracts.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

use althing_contract::{Outline, inspect, price};
use althing_types::{CodeId, limits::CODE_PART_BYTES_MAX};
use anyhow::Context as _;
use clap::Args;
use serde::Deserialize;
use serde_json::json;

use super::code::read_module;
use crate::{
    output::{Output as Terminal, fields},
    report::{NextStep as _, failed},
};

const TARGET: &str = "wasm32-unknown-unknown";

/// What a new contract begins with: a guard that watches a property of a thing, and the library it
/// uses, so that nothing but crates.io is needed.
const FILES: &[(&str, &str)] = &[
    ("src/lib.rs", include_str!("../../../../../contracts/guard/src/lib.rs")),
    ("contract-std/src/lib.rs", include_str!("../../../../../contracts/contract-std/src/lib.rs")),
    ("contract-std/Cargo.toml", CONTRACT_STD),
    (".cargo/config.toml", CARGO_CONFIG),
    (".gitignore", "/target\n"),
];

const CONTRACT_STD: &str = r#"[package]
name = "althing-contract-std"
description = "Give contracts typed access to the ledger"
version = "0.1.0"
edition = "2024"
license = "Apache-2.0"
publish = false

[dependencies]
cosmwasm-std = "3"
serde = { version = "1", default-features = false, features = ["derive"] }
"#;

/// From Rust 1.96 on the linker must be told that the ledger provides what is not defined.
const CARGO_CONFIG: &str = r#"[target.wasm32-unknown-unknown]
rustflags = ["-C", "link-arg=--allow-undefined"]
"#;

fn manifest(name: &str) -> String {
    format!(
        r#"[package]
name = "{name}"
version = "0.1.0"
edition = "2024"
publish = false

[workspace]
members = ["contract-std"]

[lib]
crate-type = ["cdylib", "rlib"]

[dependencies]
althing-contract-std = {{ path = "contract-std" }}
cosmwasm-std = "3"
serde = {{ version = "1", default-features = false, features = ["derive"] }}

[profile.release]
opt-level = "s"
lto = true
codegen-units = 1
panic = "abort"
strip = true
overflow-checks = true
"#
    )
}

#[derive(Debug, Args)]
pub(crate) struct New {
    /// Folder to make; its last part is the contract's name.
    folder: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct Build {
    /// Folder of the contract.
    #[arg(default_value = ".")]
    folder: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct Test {
    /// Folder of the contract.
    #[arg(default_value = ".")]
    folder: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct Check {
    /// The WebAssembly module.
    module: PathBuf,
}

impl New {
    pub(super) fn run(self, output: Terminal) -> anyhow::Result<()> {
        let name = self.folder.file_name().map(|name| name.to_string_lossy().into_owned());
        let fits = |name: &String| {
            name.starts_with(|c: char| c.is_ascii_lowercase())
                && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
        };
        let Some(name) = name.filter(fits) else {
            return Err(failed(
                "the name of a contract begins with a-z and has a-z, 0-9 and - only".to_owned(),
                "althing contract new my-contract",
            ));
        };
        fs::create_dir(&self.folder)
            .with_context(|| format!("cannot make the folder {}", self.folder.display()))
            .next_step(|| "name a folder that does not exist, in one that does".to_owned())?;
        write(&self.folder, "Cargo.toml", &manifest(&name))?;
        for (path, text) in FILES {
            write(&self.folder, path, text)?;
        }
        let folder = self.folder.display().to_string();
        output.show(&json!({ "folder": folder, "name": name }), || {
            format!("made {folder}; next: althing contract test {folder}")
        })
    }
}

fn write(folder: &Path, path: &str, text: &str) -> anyhow::Result<()> {
    let path = folder.join(path);
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent).with_context(|| format!("cannot make {}", parent.display()))?;
    }
    fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))
}

/// Runs cargo on the contract of a folder.
fn cargo(folder: &Path, arguments: &[&str], with: impl Fn(&mut Command)) -> anyhow::Result<Output> {
    if !folder.join("Cargo.toml").is_file() {
        return Err(failed(
            format!("there is no contract in {}", folder.display()),
            "althing contract new my-contract makes one",
        ));
    }
    let mut command = Command::new("cargo");
    command.args(arguments).current_dir(folder).stdin(Stdio::null()).stderr(Stdio::inherit());
    with(&mut command);
    let done = command
        .output()
        .context("cannot start cargo")
        .next_step(|| "install Rust from https://rustup.rs".to_owned())?;
    if done.status.success() {
        return Ok(done);
    }
    Err(failed(
        format!("cargo {} failed in {}", arguments.join(" "), folder.display()),
        "its output above says why",
    ))
}

impl Test {
    pub(super) fn run(self) -> anyhow::Result<()> {
        let shown = |command: &mut Command| {
            command.stdout(Stdio::inherit());
        };
        cargo(&self.folder, &["test"], shown).map(drop)
    }
}

impl Build {
    pub(super) fn run(self, output: Terminal) -> anyhow::Result<()> {
        has_target()?;
        let arguments = ["build", "--release", "--lib", "--target", TARGET, MESSAGES];
        let flags = rustflags();
        let done = cargo(&self.folder, &arguments, |command| {
            if let Some(flags) = &flags {
                command.env("CARGO_ENCODED_RUSTFLAGS", flags);
            }
        })?;
        let Some(module) = built(&done.stdout) else {
            return Err(failed(
                format!("no module was built in {}", self.folder.display()),
                "crate-type = [\"cdylib\", \"rlib\"] belongs into [lib] of Cargo.toml",
            ));
        };
        report(&module, output)
    }
}

/// Cargo tells what it has made as JSON, and what goes wrong as it always does.
const MESSAGES: &str = "--message-format=json-render-diagnostics";

/// The module of the package that was built: the last one that cargo names, since it comes after all it needs.
fn built(messages: &[u8]) -> Option<PathBuf> {
    #[derive(Deserialize)]
    struct Message {
        #[serde(default)]
        filenames: Vec<PathBuf>,
    }
    let text = String::from_utf8_lossy(messages);
    let made = text.lines().filter_map(|line| serde_json::from_str::<Message>(line).ok());
    let mut files = made.flat_map(|message| message.filenames);
    files.rfind(|path| path.extension().is_some_and(|it| it == "wasm"))
}

/// What makes the module the same wherever it is built by the same compiler: where crates.io's sources lie
/// on this machine would otherwise be in it. None if the user has flags of their own.
fn rustflags() -> Option<String> {
    if ["RUSTFLAGS", "CARGO_ENCODED_RUSTFLAGS"].iter().any(|name| env::var_os(name).is_some()) {
        return None;
    }
    let home = env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = home.or_else(|| Some(env::home_dir()?.join(".cargo")))?;
    let sources = fs::read_dir(home.join("registry/src")).ok()?;
    let mut flags: Vec<String> = sources
        .filter_map(|entry| {
            Some(format!("--remap-path-prefix={}=/crates", entry.ok()?.path().display()))
        })
        .collect();
    flags.sort_unstable();
    flags.extend(["-C".to_owned(), "link-arg=--allow-undefined".to_owned()]);
    // As cargo separates them: a space may be part of a path.
    Some(flags.join("\x1f"))
}

/// Whether the compiler can make modules; if not, what to install.
fn has_target() -> anyhow::Result<()> {
    let found = Command::new("rustc")
        .args(["--print", "target-libdir", "--target", TARGET])
        .output()
        .context("cannot start rustc")
        .next_step(|| "install Rust from https://rustup.rs".to_owned())?;
    let folder = String::from_utf8_lossy(&found.stdout).trim().to_owned();
    if found.status.success() && Path::new(&folder).is_dir() {
        return Ok(());
    }
    Err(failed(
        format!("this Rust cannot compile for {TARGET}"),
        format!("rustup target add {TARGET}"),
    ))
}

impl Check {
    pub(super) fn run(self, output: Terminal) -> anyhow::Result<()> {
        report(&self.module, output)
    }
}

/// Says whether a module may run, and what it is made of.
fn report(path: &Path, output: Terminal) -> anyhow::Result<()> {
    let module = read_module(path)?;
    let outline = inspect(&module).map_err(|reason| {
        failed(
            format!("{} may not run here: {reason}", path.display()),
            "althing contract build builds a contract as it must be",
        )
    })?;
    let code = CodeId::of(&module);
    let parts = module.len().div_ceil(CODE_PART_BYTES_MAX);
    let Outline { entries, capabilities, memory_pages, functions, .. } = &outline;
    let store_gas = price::STORE_BYTE * module.len() as u64;
    let value = json!({
        "code": code.to_string(),
        "path": path.display().to_string(),
        "bytes": module.len(),
        "parts": parts,
        "entries": entries,
        "capabilities": capabilities,
        "memory_pages": memory_pages,
        "functions": functions,
        "store_gas": store_gas,
    });
    output.show(&value, || {
        fields(&[
            ("module", path.display().to_string()),
            ("may run here", "yes".to_owned()),
            ("id", code.to_string()),
            ("bytes", format!("{} in {parts} parts", module.len())),
            ("entry points", entries.join(", ")),
            ("requires", capabilities.join(", ")),
            ("memory", format!("{} KiB", memory_pages * 64)),
            ("functions", functions.to_string()),
            ("gas to store it", store_gas.to_string()),
        ])
    })
}
