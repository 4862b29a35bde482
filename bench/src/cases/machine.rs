//! How fast the machine is, without which no other figure says much.

use std::time::Instant;

use althing_types::{SigningKey, Suite};
use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};

use super::{quantile, round};

/// What the budgets took for granted: a single Ed25519 check on the machine they were set on.
const BUDGETED_US: f64 = 31.0;
const ROUNDS: usize = 200;
const CHECKS: u32 = 50;
/// As a signed transaction of 200 bytes.
const MESSAGE: [u8; 200] = [7; 200];

/// Checks one signature again and again, on one core. The quickest tenth counts: whatever else runs only
/// makes it slower.
pub(crate) fn measure() -> Result<Value> {
    let key = SigningKey::from_secret(Suite::Ed25519, [9; 32]).context("no key")?;
    let (public, signature) = (key.public_key(), key.sign(&MESSAGE));
    let mut took = Vec::with_capacity(ROUNDS);
    for _ in 0..ROUNDS {
        let start = Instant::now();
        for _ in 0..CHECKS {
            ensure!(public.verify(std::hint::black_box(&MESSAGE), &signature), "it does not hold");
        }
        took.push(start.elapsed().as_secs_f64() * 1e6 / f64::from(CHECKS));
    }
    took.sort_by(f64::total_cmp);
    let check_us = quantile(&took, 0.1);
    Ok(json!({
        "bench": "machine",
        "ed25519_check_us": round(check_us),
        "times_as_long": round(check_us / BUDGETED_US),
    }))
}
