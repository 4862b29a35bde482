//! Measures what gas is worth: nanoseconds for each, of instructions and of each import, on this machine.
//!
//! ```text
//! cargo run --release --package althing-contract --example gas_bench
//! ```
//!
//! One JSON object a line. `times` says how many times cheaper something is than an addition; it must not
//! be ten, or a contract could hold a block up for ten times as long as its gas says. Ends with an error
//! if something is. Storage is a map in memory here: what
//! the state adds, `execute_bench` and `contract_calls` measure.
#![allow(clippy::unwrap_used, reason = "a program that measures may panic")]
#![expect(clippy::disallowed_types, reason = "a benchmark reads the clock; the host does not")]

use std::{fmt::Write as _, time::Instant};

use althing_contract::{Broken, Call, Entry, Host, Machine, Order, Row, run, testing};

const GAS: u64 = 1_000_000_000_000;
/// How much cheaper than instructions anything may be.
const TIMES_MAX: f64 = 10.0;
/// Runs of each, of which the fastest counts: the others tell of other programs.
const RUNS: usize = 5;

#[derive(Debug, Default)]
struct World(testing::Storage);

impl Host for World {
    fn get(&mut self, key: &[u8]) -> Result<Option<Vec<u8>>, Broken> {
        Ok(self.0.get(key).cloned())
    }

    fn set(&mut self, key: &[u8], value: Option<&[u8]>) -> Result<(), Broken> {
        testing::set(&mut self.0, key, value);
        Ok(())
    }

    fn range(
        &mut self,
        from: &[u8],
        to: Option<&[u8]>,
        order: Order,
        limit: usize,
    ) -> Result<(Vec<Row>, usize), Broken> {
        Ok(testing::range(&self.0, from, to, order, limit))
    }

    fn address(&self, text: &str) -> Option<[u8; 32]> {
        text.starts_with("did:").then_some([7; 32])
    }

    fn address_text(&self, _address: &[u8; 32]) -> String {
        "did:althing:network:0707070707070707070707070707070707070707070707070707070707070707"
            .into()
    }

    fn query(&mut self, _request: &[u8], _gas: u64) -> Result<(Option<Vec<u8>>, u64), Broken> {
        Ok((Some(b"{}".to_vec()), 0))
    }
}

fn bytes(hex: &str) -> Vec<u8> {
    (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
}

/// A module whose `execute` does something `times` times. Each of `values` lies behind a region, the
/// first at 1024, the next 16 further; the allocator always gives the region at 512.
fn module(import: &str, values: &[Vec<u8>], code: &str, times: u32) -> Vec<u8> {
    let mut data = String::new();
    let mut place = |region: u32, at: u32, room: u32, value: &[u8]| {
        let words = [at, room, value.len() as u32];
        let head: String = words.iter().flat_map(|word| word.to_le_bytes()).fold(
            String::new(),
            |mut text, byte| {
                let _ = write!(text, "\\{byte:02x}");
                text
            },
        );
        let value: String = value.iter().map(|byte| format!("\\{byte:02x}")).collect();
        let _ = write!(
            data,
            r#"(data (i32.const {region}) "{head}") (data (i32.const {at}) "{value}")"#
        );
    };
    place(16, 256, 22, br#"{"ok":{"messages":[]}}"#);
    place(512, 0x10_0000, 0x8_0000, b"");
    let mut at = 0x1_0000;
    for (index, value) in (0..).zip(values) {
        place(1024 + 16 * index, at, value.len() as u32, value);
        at += (value.len() as u32 + 15) & !15;
    }
    let text = format!(
        r#"(module {import}
          (memory (export "memory") 32 512) {data}
          (func (export "interface_version_8"))
          (func $allocate (export "allocate") (param i32) (result i32) (i32.const 512))
          (func (export "deallocate") (param i32))
          (func $id (param i32) (result i32) (local.get 0))
          (func (export "instantiate") (param i32 i32 i32) (result i32) (i32.const 16))
          (func (export "execute") (param i32 i32 i32) (result i32)
            (local $i i32) (local $x i32) (local $y i64) (local $f f64)
            (local.set $i (i32.const {times}))
            (loop $again
              {code}
              (local.set $i (i32.sub (local.get $i) (i32.const 1)))
              (br_if $again (local.get $i)))
            (i32.const 16)))"#
    );
    wat::parse_str(text).unwrap()
}

/// Nanoseconds and gas of one turn of the loop, without those of entering.
fn turn(import: &str, values: &[Vec<u8>], code: &str, times: u32) -> (f64, f64) {
    let measure = |times: u32| {
        let module = Machine::shared().compile(&module(import, values, code, times)).unwrap();
        let call =
            Call { entry: Entry::Execute, arguments: &[b"{}", b"{}", b"{}"], gas_limit: GAS };
        let mut best = f64::MAX;
        let mut gas = 0;
        for _ in 0..RUNS {
            let mut world = World::default();
            for number in 0..2000_u32 {
                world.0.insert(format!("key{number}").into_bytes(), vec![7; 100]);
            }
            let began = Instant::now();
            let done = run(&module, &mut world, &call);
            best = best.min(began.elapsed().as_secs_f64() * 1e9);
            done.answer.unwrap();
            gas = done.gas_used;
        }
        (best, gas as f64)
    };
    let (few_ns, few_gas) = measure(1);
    let (ns, gas) = measure(times + 1);
    ((ns - few_ns) / f64::from(times), (gas - few_gas) / f64::from(times))
}

/// Instructions: name, and what each turn does, sixteen times over.
const MIXES: &[(&str, &str)] = &[
    ("add", "(local.set $x (i32.add (i32.mul (local.get $x) (i32.const 3)) (local.get $i)))"),
    (
        "divide",
        "(local.set $y (i64.add (i64.div_u (i64.const -1) (i64.add (local.get $y) (i64.const 3))) (i64.const 1)))",
    ),
    (
        "remainder",
        "(local.set $x (i32.rem_s (i32.const 0x7fffffff) (i32.add (local.get $x) (i32.const 7))))",
    ),
    ("float_add", "(local.set $f (f64.add (local.get $f) (f64.const 1.5)))"),
    (
        "float_divide",
        "(local.set $f (f64.div (f64.const 1.5) (f64.add (local.get $f) (f64.const 1.5))))",
    ),
    ("float_root", "(local.set $f (f64.sqrt (local.get $f)))"),
    ("float_nearest", "(local.set $f (f64.nearest (f64.add (local.get $f) (f64.const 1.5))))"),
    (
        "float_min",
        "(local.set $f (f64.min (f64.add (local.get $f) (f64.const 1.5)) (f64.const 7)))",
    ),
    ("float_convert", "(local.set $f (f64.convert_i64_u (i64.trunc_sat_f64_u (local.get $f))))"),
    ("float_single", "(local.set $f (f64.promote_f32 (f32.sqrt (f32.demote_f64 (local.get $f)))))"),
    (
        "load",
        "(local.set $x (i32.load offset=65536 (i32.and (i32.add (local.get $x) (local.get $i)) (i32.const 0xffffc))))",
    ),
    (
        "store",
        "(i64.store offset=65536 (i32.and (i32.mul (local.get $i) (i32.const 4160)) (i32.const 0xffff8)) (local.get $y))",
    ),
    ("call", "(local.set $x (call $id (local.get $i)))"),
    ("copy_64k", "(memory.copy (i32.const 1048576) (i32.const 65536) (i32.const 65536))"),
    ("fill_64k", "(memory.fill (i32.const 1048576) (i32.const 7) (i32.const 65536))"),
];

fn main() {
    let mut addition = 1.0;
    let mut rows = Vec::new();
    for (name, code) in MIXES {
        let (ns, gas) = turn("", &[], &code.repeat(16), 20_000);
        rows.push((*name, ns / 16.0, gas / 16.0));
        if *name == "add" {
            addition = ns / gas;
        }
    }
    // An instance of its own that does nothing.
    let module = Machine::shared().compile(&module("", &[], "", 1)).unwrap();
    let call = Call { entry: Entry::Execute, arguments: &[b"{}", b"{}", b"{}"], gas_limit: GAS };
    let began = Instant::now();
    let mut gas = 0;
    for _ in 0..2000 {
        gas = run(&module, &mut World::default(), &call).gas_used;
    }
    rows.push(("enter", began.elapsed().as_secs_f64() * 1e9 / 2000.0, gas as f64));
    for (name, form, values, arguments, times) in imports() {
        let import = format!(r#"(import "env" "{name}" (func $import {form}))"#);
        let result = if form.contains("result") { "drop" } else { "block" };
        let code = format!("({result} (call $import {arguments}))");
        let (ns, gas) = turn(&import, &values, &code, times);
        rows.push((name, ns, gas));
    }
    let mut cheap = Vec::new();
    for (name, ns, gas) in rows {
        let times = ns / gas / addition;
        println!(
            r#"{{"bench":"gas","what":"{name}","ns":{ns:.1},"gas":{gas:.0},"ns_per_gas":{:.3},"times":{times:.2}}}"#,
            ns / gas
        );
        if times >= TIMES_MAX {
            cheap.push(name);
        }
    }
    assert!(cheap.is_empty(), "{cheap:?} cost {TIMES_MAX} times less gas than their time");
}

type Import = (&'static str, &'static str, Vec<Vec<u8>>, String, u32);

/// Each import with values that make it do all its work: points on the curves, signatures that are
/// well formed and hold or not, which takes the same time.
fn imports() -> Vec<Import> {
    let k1 = bytes("0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798");
    let r1 = bytes("036b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296");
    let ed = bytes("5866666666666666666666666666666666666666666666666666666666666666");
    let g1 = bytes(
        "97f1d3a73197d7942695638c4fa9ac0fc3688c4f9774b905a14e3a3f171bac586c55e83ff97a1aeffb3af00adb22c6bb",
    );
    let g2 = bytes(
        "93e02b6052719f607dacd3a088274f65596bd0d09920b61ab5da61bbdc7f5049334cf11213945d57e5ac7d055d042b7e\
         024aa2b2f08f0a91260805272dc51051c6e47ad4fa403b02b4510b647ae3d1770bac0326a805bbefd48056c8c121bdb8",
    );
    let digest = vec![5; 32];
    let signature = |point: &[u8]| [&point[1..], &[1; 32]].concat();
    let ed_signature = [ed.as_slice(), &[1], &[0; 31]].concat();
    let did =
        b"did:althing:network:0707070707070707070707070707070707070707070707070707070707070707";
    let at = |count: u32| {
        (0..count).map(|index| format!("(i32.const {})", 1024 + 16 * index)).collect::<Vec<_>>()
    };
    let all = |count: u32| at(count).join(" ");
    let (p1, p2, p3, p4) =
        ("(param i32)", "(param i32 i32)", "(param i32 i32 i32)", "(param i32 i32 i32 i32)");
    let with = |parameters: &str, result: &str| -> &'static str {
        format!("{parameters} (result {result})").leak()
    };
    let many = |value: &[u8], count: usize| value.repeat(count);
    let batch = |value: &[u8], count: usize| {
        [value, &(value.len() as u32).to_be_bytes()].concat().repeat(count)
    };
    let key = b"key1000".to_vec();
    vec![
        ("db_read", with(p1, "i32"), vec![key.clone()], all(1), 2000),
        ("db_write", p2, vec![key.clone(), vec![7; 100]], all(2), 2000),
        ("db_remove", p1, vec![b"none".to_vec()], all(1), 2000),
        (
            "db_scan",
            with(p3, "i32"),
            vec![],
            "(i32.const 0) (i32.const 0) (i32.const 1)".into(),
            200,
        ),
        ("addr_validate", with(p1, "i32"), vec![did.to_vec()], all(1), 2000),
        ("addr_canonicalize", with(p2, "i32"), vec![did.to_vec(), vec![0; 32]], all(2), 2000),
        ("addr_humanize", with(p2, "i32"), vec![vec![7; 32], vec![0; 100]], all(2), 2000),
        ("query_chain", with(p1, "i32"), vec![b"{}".to_vec()], all(1), 2000),
        ("debug", p1, vec![vec![b'x'; 100]], all(1), 2000),
        (
            "secp256k1_verify",
            with(p3, "i32"),
            vec![digest.clone(), signature(&k1), k1.clone()],
            all(3),
            100,
        ),
        (
            "secp256k1_recover_pubkey",
            with(p3, "i64"),
            vec![digest.clone(), signature(&k1)],
            all(2) + "(i32.const 0)",
            100,
        ),
        (
            "secp256r1_verify",
            with(p3, "i32"),
            vec![digest.clone(), signature(&r1), r1.clone()],
            all(3),
            100,
        ),
        (
            "secp256r1_recover_pubkey",
            with(p3, "i64"),
            vec![digest, signature(&r1)],
            all(2) + "(i32.const 0)",
            100,
        ),
        (
            "ed25519_verify",
            with(p3, "i32"),
            vec![vec![5; 32], ed_signature.clone(), ed.clone()],
            all(3),
            100,
        ),
        (
            "ed25519_batch_verify",
            with(p3, "i32"),
            vec![batch(&[5; 32], 32), batch(&ed_signature, 32), batch(&ed, 32)],
            all(3),
            10,
        ),
        ("bls12_381_aggregate_g1", with(p2, "i32"), vec![many(&g1, 16), vec![0; 48]], all(2), 20),
        ("bls12_381_aggregate_g2", with(p2, "i32"), vec![many(&g2, 16), vec![0; 96]], all(2), 20),
        (
            "bls12_381_pairing_equality",
            with(p4, "i32"),
            vec![many(&g1, 4), many(&g2, 4), g1, g2],
            all(4),
            10,
        ),
        (
            "bls12_381_hash_to_g1",
            with(p4, "i32"),
            vec![vec![5; 32], b"domain".to_vec(), vec![0; 48]],
            format!("(i32.const 0) {}", all(3)),
            50,
        ),
        (
            "bls12_381_hash_to_g2",
            with(p4, "i32"),
            vec![vec![5; 32], b"domain".to_vec(), vec![0; 96]],
            format!("(i32.const 0) {}", all(3)),
            50,
        ),
    ]
}
