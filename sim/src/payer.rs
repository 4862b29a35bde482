//! Organisations that pay each other, and lock tokens and let them go, while all else goes on.

use std::{sync::Arc, time::Duration};

use althing_types::{Action, Amount, Body, Escrow, Event, TokenEvent, Transaction, Transfer, TxId};
use commonware_runtime::{Clock as _, deterministic::Context};
use rand_chacha::{
    ChaCha20Rng,
    rand_core::{RngCore as _, SeedableRng as _},
};

use crate::{
    Founding, Tempo,
    owner::{EXPIRY_BLOCKS, NONCE_STEP, settle},
    peers::Peers,
};

/// What each organisation of a simulated network begins with.
pub(crate) const EACH: u64 = 1_000_000_000;
/// What a transaction costs.
pub(crate) const FEE: u64 = 7;
/// Most that gateways may cost their owners: more than they send.
pub(crate) const SPONSORED: u64 = EACH / 2;
/// Nonces of payers lie between those of owners and of the council, and go on as fast as owners'.
const FIRST_NONCE: u64 = 14;
/// Time between two payments.
const PAUSE: Duration = Duration::from_millis(2000);
/// Blocks for which tokens are locked: some are released in time, others given back after it.
const LOCKED_BLOCKS: u64 = 12;

/// Pays for ever, now and then more than there is.
pub(crate) async fn run(
    context: Context,
    founding: Arc<Founding>,
    peers: Arc<Peers>,
    tempo: Tempo,
    seed: u64,
    index: usize,
) {
    let mut dice = ChaCha20Rng::seed_from_u64(seed ^ index as u64);
    let (sender, key) = founding.organisation(index);
    let ledger = founding.genesis.ledger();
    let (mut nonce, mut locked) = (FIRST_NONCE, None::<TxId>);
    loop {
        context.sleep(tempo.stretch(PAUSE, 10_000)).await;
        let others = founding.genesis.organisations.len();
        let (to, _) = founding.organisation(index + 1 + dice.next_u32() as usize % others);
        let amount = Amount::from(1 + dice.next_u64() % (2 * EACH / 3));
        let choice = dice.next_u32() % 3;
        let action = |height: u64| match (locked, choice) {
            (Some(escrow), 0) => Action::ReleaseEscrow { escrow },
            (Some(escrow), _) => Action::RefundEscrow { escrow },
            (None, 0) => Action::OpenEscrow(Escrow {
                payee: *to,
                amount,
                until_height: height + LOCKED_BLOCKS,
                arbiter: None,
                memo: String::new(),
            }),
            (None, _) => Action::Transfer(Transfer { to: *to, amount, memo: String::new() }),
        };
        let make = |height: u64| {
            let actions = vec![action(height)];
            let body = Body::new(&ledger, *sender, nonce, height + EXPIRY_BLOCKS, actions);
            Transaction::sign(&ledger, body, key, &[])
        };
        let settled = settle(&context, &peers, index, make).await;
        nonce += NONCE_STEP;
        let Some(receipt) = settled.ok().map(|placed| placed.receipt).filter(|it| it.code == 0)
        else {
            continue;
        };
        let opened = |event: &Event| matches!(event, Event::Token(TokenEvent::EscrowOpened { .. }));
        let opened = receipt.events.iter().any(opened);
        locked = opened.then_some(receipt.transaction);
    }
}
