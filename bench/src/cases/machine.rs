//! How fast the machine is, without which no other figure says much.

use std::time::Instant;

use althing_types::{SigningKey, Suite};
use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};

use super::{quantile, round};

/// What the budgets took for granted: on the machine they were set on, a single P-256 check. It was a
/// single Ed25519 check of 31 microseconds by the library of that time; on one machine the one takes 8.0
/// times as long as the other did. Ed25519 itself is no measure any more: newer processors check it by
/// instructions that nothing else here uses.
const BUDGETED_US: f64 = 248.0;
const ROUNDS: usize = 100;
const CHECKS: u32 = 20;
/// As a signed transaction of 200 bytes.
const MESSAGE: [u8; 200] = [7; 200];

/// Checks one signature of each suite again and again, on one core.
pub(crate) fn measure() -> Result<Value> {
    let (ed25519, p256) = (check_us(Suite::Ed25519)?, check_us(Suite::P256)?);
    Ok(json!({
        "bench": "machine",
        "ed25519_check_us": round(ed25519),
        "p256_check_us": round(p256),
        "times_as_long": round(p256 / BUDGETED_US),
    }))
}

/// The quickest tenth counts: whatever else runs only makes it slower.
fn check_us(suite: Suite) -> Result<f64> {
    let key = SigningKey::from_secret(suite, [9; 32]).context("no key")?;
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
    Ok(quantile(&took, 0.1))
}
