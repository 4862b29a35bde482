//! Organisations that register their gateways and things.

use std::{sync::Arc, time::Duration};

use althing_peer::{Placed, Submission};
use althing_types::{Action, Body, Refusal, Transaction, possession_bytes};
use commonware_runtime::{Clock as _, deterministic::Context};

use crate::{
    Founding,
    founding::DESCRIPTION,
    peers::{Peers, within},
};

/// Blocks after which a transaction that was not included is given up and made anew.
const EXPIRY_BLOCKS: u64 = 40;
/// How long an answer is waited for before another peer is asked.
const PATIENCE: Duration = Duration::from_millis(1500);
/// Nonces between two tries: gateways of one owner share its numbers.
const NONCE_STEP: u64 = 16;

/// Registers a gateway and its thing, and binds the two; goes on until it is done.
pub(crate) async fn register(
    context: Context,
    founding: Arc<Founding>,
    peers: Arc<Peers>,
    index: usize,
) {
    let (owner, key) = founding.organisation(index);
    let account = founding.gateway(index);
    let ledger = founding.genesis.ledger();
    let subject = possession_bytes(&ledger, &account.entity, &account.key.public_key());
    let actions = vec![
        Action::RegisterEntity {
            inception: account.inception.clone(),
            possession: account.key.sign(&subject),
        },
        Action::RegisterThing {
            name: account.name.clone(),
            description: DESCRIPTION.as_bytes().to_vec(),
        },
        Action::Bind { thing: account.thing, gateway: account.entity, until_height: u64::MAX },
    ];
    let mut nonce = index as u64;
    loop {
        let make = |height: u64| {
            let body = Body::new(&ledger, *owner, nonce, height + EXPIRY_BLOCKS, actions.clone());
            Transaction::sign(&ledger, body, key, &[])
        };
        match settle(&context, &peers, index, make).await {
            Ok(placed) if is_done(placed.receipt.code) => return,
            Err(Refusal::AlreadyExists) => return,
            _ => nonce += NONCE_STEP,
        }
    }
}

fn is_done(code: u16) -> bool {
    code == 0 || code == Refusal::AlreadyExists.number()
}

/// Submits one transaction to one peer after the other until it is final or has expired.
async fn settle(
    context: &Context,
    peers: &Peers,
    first: usize,
    make: impl Fn(u64) -> Transaction,
) -> Result<Placed, Refusal> {
    let mut made: Option<Transaction> = None;
    for turn in first.. {
        let Some(peer) = peers.at(turn % peers.count()) else {
            context.sleep(Duration::from_millis(50)).await;
            continue;
        };
        let transaction = made.get_or_insert_with(|| make(peer.height()));
        let id = transaction.id();
        let wire = transaction.wire().clone();
        let submission = Submission { transaction: wire, payloads: Vec::new() };
        let answer = peer.submit(vec![submission]).await.pop();
        if let Some(placed) = peer.placed(&id) {
            return Ok(placed);
        }
        match answer {
            None
            | Some(Ok(_) | Err(Refusal::NotReady | Refusal::MempoolFull | Refusal::NonceReused)) => {
            }
            Some(Err(refusal)) => return Err(refusal),
        }
        if let Some(Some(placed)) = within(context, PATIENCE, peer.wait(id)).await {
            return Ok(placed);
        }
    }
    Err(Refusal::NotReady)
}
