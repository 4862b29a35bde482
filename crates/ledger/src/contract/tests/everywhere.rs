//! What must be the same on every processor, pinned: run these tests on another one by `cargo xtask arm64`.

use althing_types::{Digest, Wire as _, blake3_digest};
use serde_json::json;

use super::{
    others::{CW20, MUCH, did},
    *,
};

/// Digest of the state, and of what each call told and cost.
const PINNED: &str = "ee5076ec54fbf8d9a37b2388316ba9edb9ecc7ccbcb77555814d766f632150f7";

/// Numbers whose bits processors may make differently: not-a-numbers of every origin, what is too small
/// or too large, and what is rounded.
const NUMBERS: &[&str] = &[
    "(f64.div (f64.const 0) (f64.const -0))",
    "(f64.sub (f64.const inf) (f64.const inf))",
    "(f64.sqrt (f64.const -2))",
    "(f64.mul (f64.const inf) (f64.const 0))",
    "(f64.add (f64.reinterpret_i64 (i64.const 0xfff1234567890abc)) (f64.const 1))",
    "(f64.min (f64.const nan) (f64.const 1))",
    "(f64.max (f64.const -0) (f64.const 0))",
    "(f64.promote_f32 (f32.reinterpret_i32 (i32.const 0xffa12345)))",
    "(f64.promote_f32 (f32.demote_f64 (f64.const 1e-320)))",
    "(f64.promote_f32 (f32.div (f32.const 1) (f32.const 3)))",
    "(f64.div (f64.const 1) (f64.const 3))",
    "(f64.sqrt (f64.const 2))",
    "(f64.nearest (f64.const 2.5))",
    "(f64.copysign (f64.const nan) (f64.const -1))",
    "(f64.convert_i64_u (i64.const -1))",
    "(f64.mul (f64.const 1e308) (f64.const 10))",
    "(f64.mul (f64.const 5e-324) (f64.const 0.5))",
];

/// Instructions that end a contract, or whose result has to be defined.
const DEEDS: &[&str] = &[
    "(drop (i32.div_s (i32.const 0x80000000) (i32.const -1)))",
    "(drop (i64.rem_u (i64.const 1) (i64.const 0)))",
    "(drop (i32.trunc_f64_s (f64.const nan)))",
    "(drop (i32.trunc_f32_u (f32.const -1)))",
    "(drop (i32.load (i32.const -4)))",
    "(i32.store (i32.const 768) (i32.shl (i32.const 3) (i32.const 33)))",
    "(i32.store (i32.const 768) (i32.rotl (i32.const 0x12345678) (i32.const 40)))",
    "(i32.store (i32.const 768) (i32.clz (i32.const 0)))",
    "(i32.store (i32.const 768) (i32.rem_s (i32.const 0x80000000) (i32.const -1)))",
    "(i32.store (i32.const 768) (memory.grow (i32.const 1)))",
    "(i32.store (i32.const 768) (memory.grow (i32.const 100000)))",
    "(loop $l (br $l))",
];

#[test]
fn what_contracts_leave_and_cost_is_the_same_on_every_processor() {
    let mut ledger = Ledger::new();
    let mut told = Vec::new();
    let mut tell = |result: Result<Receipt, Refusal>| match result {
        Ok(receipt) => told.extend(receipt.to_wire()),
        Err(refusal) => told.extend(refusal.number().to_be_bytes()),
    };
    let numbers = NUMBERS.iter().map(|number| {
        // The upper bytes, in which sign, exponent and the kind of a not-a-number are.
        let bits = format!("(i64.shr_u (i64.reinterpret_f64 {number}) (i64.const 24))");
        format!("(i64.store (i32.const 768) {bits})")
    });
    let deeds = DEEDS.iter().map(|deed| (*deed).to_owned());
    for (number, deed) in numbers.chain(deeds).enumerate() {
        let name = number.to_string();
        let id = ledger.made(&name, &[("execute", &format!("{deed} {WRITES}"))]);
        tell(ledger.call(id));
    }
    let (a, b) = (ledger.a, ledger.b);
    let balances = json!([{ "address": did(&a), "amount": "1000" }]);
    let first =
        json!({ "name": "Token", "symbol": "TOK", "decimals": 2, "initial_balances": balances });
    let token = ledger.begin(CW20, "token", &first);
    let pay = json!({ "transfer": { "recipient": did(&b), "amount": "7" } }).to_string();
    for gas_limit in [MUCH, 1_000, 50_000, 100_000, 150_000, 200_000] {
        let message = pay.clone().into_bytes();
        let call = Action::Execute { contract: token, message, gas_limit, funds: None };
        tell(ledger.world.act(a, call));
    }
    for (key, value) in ledger.contracts_state() {
        told.extend(key);
        told.extend(value);
    }
    assert_eq!(Digest(blake3_digest(&told)).to_string(), PINNED);
}
