//! Organisations that register their gateways and things, and go on describing the things anew.

use std::{sync::Arc, time::Duration};

use althing_peer::{Placed, Submission};
use althing_types::{
    Action, Amount, Body, Placement, Refusal, Sponsorship, StreamPlacement, Transaction,
    possession_bytes,
};
use commonware_runtime::{Clock as _, deterministic::Context};

use crate::{
    Founding, Plan,
    payer::SPONSORED,
    peers::{Peers, within},
};

/// Blocks after which a transaction that was not included is given up and made anew.
pub(crate) const EXPIRY_BLOCKS: u64 = 40;
/// How long an answer is waited for before another peer is asked.
const PATIENCE: Duration = Duration::from_millis(1500);
/// Nonces between two tries: gateways of one owner share its numbers.
pub(crate) const NONCE_STEP: u64 = 16;

/// Peers that keep each payload, where only some do: one may cheat.
pub(crate) const COPIES: u32 = 2;

/// Time between two descriptions of a thing: often enough for a change to be recent at most faults.
const DESCRIPTION_PAUSE: Duration = Duration::from_millis(2000);

/// Registers a gateway and its thing, and binds the two; then describes the thing anew for ever.
pub(crate) async fn run(
    context: Context,
    founding: Arc<Founding>,
    peers: Arc<Peers>,
    plan: Arc<Plan>,
    index: usize,
) {
    let (tempo, placed) = (plan.tempo, plan.placed);
    let nonce = register(&context, &founding, &peers, placed, index).await;
    let pause = tempo.stretch(DESCRIPTION_PAUSE, 10_000);
    describe(&context, &founding, &peers, pause, index, nonce).await;
}

/// Goes on until it is done; gives the next nonce.
async fn register(
    context: &Context,
    founding: &Founding,
    peers: &Peers,
    placed: bool,
    index: usize,
) -> u64 {
    let (owner, key) = founding.organisation(index);
    let account = founding.gateway(index);
    let ledger = founding.genesis.ledger();
    let subject = possession_bytes(&ledger, &account.entity, &account.key.public_key());
    let mut actions = vec![
        Action::RegisterEntity {
            inception: account.inception.clone(),
            possession: account.key.sign(&subject),
        },
        Action::RegisterThing {
            name: account.name.clone(),
            description: account.description.as_bytes().to_vec(),
        },
        Action::Bind { thing: account.thing, gateway: account.entity, until_height: u64::MAX },
    ];
    if founding.genesis.token.is_some() {
        // Gateways have no tokens.
        let bound = Amount::from(SPONSORED);
        actions.push(Action::Sponsor(Sponsorship {
            entity: account.entity,
            per_day: bound,
            total: bound,
            until_height: u64::MAX,
        }));
    }
    if placed {
        let placement = Placement { copies: Some(COPIES), ..Placement::default() };
        actions.extend(account.streams.iter().map(|stream| {
            let (stream, placement) = (*stream, placement.clone());
            Action::PlaceStream(StreamPlacement { stream, placement })
        }));
    }
    let mut nonce = index as u64;
    loop {
        let make = |height: u64| {
            let body = Body::new(&ledger, *owner, nonce, height + EXPIRY_BLOCKS, actions.clone());
            Transaction::sign(&ledger, body, key, &[])
        };
        let settled = settle(context, peers, index, make).await;
        nonce += NONCE_STEP;
        match settled {
            Ok(placed) if is_done(placed.receipt.code) => return nonce,
            Err(Refusal::AlreadyExists) => return nonce,
            _ => {}
        }
    }
}

/// A thing gets a new title now and then: its streams stay, but what validators judge readings by is
/// not the same record as before.
async fn describe(
    context: &Context,
    founding: &Founding,
    peers: &Peers,
    pause: Duration,
    index: usize,
    mut nonce: u64,
) {
    let (owner, key) = founding.organisation(index);
    let (account, ledger) = (founding.gateway(index), founding.genesis.ledger());
    let thing = account.thing;
    let mut replaces = 1;
    loop {
        context.sleep(pause).await;
        let title = format!("Weather station, version {}", replaces + 1);
        let description = account.description.replace("Weather station", &title).into_bytes();
        let action = Action::UpdateThing { thing, replaces, description };
        let make = |height: u64| {
            let expiry = height + EXPIRY_BLOCKS;
            let body = Body::new(&ledger, *owner, nonce, expiry, vec![action.clone()]);
            Transaction::sign(&ledger, body, key, &[])
        };
        let settled = settle(context, peers, index, make).await;
        nonce += NONCE_STEP;
        let code = settled.map_or_else(|refusal| refusal.number(), |placed| placed.receipt.code);
        // Whoever asks for a version that was replaced has replaced it: nobody else may.
        if code == 0 || code == Refusal::VersionConflict.number() {
            replaces += 1;
        }
    }
}

fn is_done(code: u16) -> bool {
    code == 0 || code == Refusal::AlreadyExists.number()
}

/// Submits one transaction to one peer after the other until it is final or has expired.
pub(crate) async fn settle(
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
