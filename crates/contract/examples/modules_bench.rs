//! Measures what modules take of memory while they are kept, and how long they take to compile.
//!
//! ```text
//! cargo run --release --package althing-contract --example modules_bench
//! ```
//!
//! One JSON object. Compiles a token that others wrote a hundred times, each time as another module, and
//! lets a machine keep them all: `beyond_mb` is what the process has grown by, without the machine code
//! itself. What the compiler has not given back is in it, as it is in a peer.
#![allow(clippy::unwrap_used, reason = "a program that measures may panic")]
#![expect(clippy::disallowed_types, reason = "a benchmark reads the clock; the host does not")]

use std::{convert::Infallible, fs, time::Instant};

use althing_contract::Machine;
use althing_types::CodeId;

const TOKEN: &[u8] = include_bytes!("../../../testdata/contracts/cw20_base.wasm");
const MODULES: u8 = 100;

/// What is resident of this process, bytes.
fn resident() -> usize {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<usize>().unwrap() * 1024
}

/// Keeps the token as a module of this number: a section of its own makes another module of it.
fn keep(machine: &Machine, number: u8) {
    let code = [TOKEN, &[0, 3, 1, b'n', number]].concat();
    let load = || Ok::<_, Infallible>(code.clone());
    let kept = machine.module(&CodeId::of(&code), load, |reason| panic!("refused: {reason}"));
    assert!(kept.is_ok());
}

fn main() {
    let machine = Machine::new();
    // The engine itself, and what the compiler keeps for good, is not of the modules.
    keep(&machine, 0);
    let (_, code_before) = machine.kept();
    let before = resident();
    let began = Instant::now();
    (1..=MODULES).for_each(|number| keep(&machine, number));
    let took_ms = began.elapsed().as_secs_f64() * 1e3;
    let (count, code) = machine.kept();
    assert_eq!(count, usize::from(MODULES) + 1, "all are kept");
    let code = code - code_before;
    let grown = resident().saturating_sub(before);
    let mega = |bytes: usize| (bytes as f64 / 1e4).round() / 100.0;
    println!(
        r#"{{"bench":"modules","count":{MODULES},"module_bytes":{},"code_mb":{},"grown_mb":{},"beyond_mb":{},"compile_ms":{:.1}}}"#,
        TOKEN.len(),
        mega(code),
        mega(grown),
        mega(grown.saturating_sub(code)),
        took_ms / f64::from(MODULES),
    );
}
