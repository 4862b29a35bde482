//! A network that has nothing to do, and how soon it does what comes.

use std::{sync::Arc, time::Duration};

use althing_types::{Action, Body, Record, Transaction};
use commonware_runtime::{
    Clock as _, Runner as _, Supervisor as _,
    deterministic::{self, Runner},
};

use crate::{
    Plan,
    owner::{EXPIRY_BLOCKS, NONCE_STEP, settle},
    world::{Parts, World},
};

/// Transactions, one after the other.
const COUNT: u64 = 12;
/// Between two of them, so that all there was to say about the one before has been said.
const PAUSE: Duration = Duration::from_secs(30);
/// Simulated time after which a run is stuck.
const STUCK: Duration = Duration::from_secs(600);

/// Gives an idle network of four transactions one by one, each through another peer than the one before,
/// and tells how long each took to be final there, in simulated time.
///
/// # Errors
/// What was found wrong, in words.
pub fn run_idle(seed: u64) -> Result<Vec<Duration>, String> {
    let parts = Parts::new(Arc::new(Plan::idle(seed)), None);
    let config = deterministic::Config::new().with_seed(seed).with_timeout(Some(STUCK));
    let book = Arc::clone(&parts.book);
    let founding = Arc::clone(&parts.founding);
    let took = Runner::new(config).start(|context| async move {
        let world = World::start(context.child("world"), parts).await;
        world.trouble(&[]).await;
        let ((sender, key), ledger) = (founding.organisation(0), founding.genesis.ledger());
        let mut took = Vec::new();
        for number in 0..COUNT {
            context.sleep(PAUSE).await;
            let make = |height: u64| {
                let record =
                    Record { kind: "idle".into(), data: vec![1], notify: vec![], link: None };
                let (nonce, expiry) = (number * NONCE_STEP, height + EXPIRY_BLOCKS);
                let body = Body::new(&ledger, *sender, nonce, expiry, vec![Action::Record(record)]);
                Transaction::sign(&ledger, body, key, &[])
            };
            let before = context.current();
            let settled = settle(&context, &world.peers, number as usize, make).await;
            settled.map_err(|refusal| format!("refused: {refusal}"))?;
            took.push(context.current().duration_since(before).unwrap_or_default());
        }
        Ok(took)
    });
    book.complaint().map_or(took, Err)
}
