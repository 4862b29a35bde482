//! What this peer does on the ledger in its own name.

use std::{sync::Arc, time::Duration};

use althing_client::Signer;
use althing_peer::Submission;
use althing_types::{Action, Refusal};

use crate::service::Shared;

/// How long an action may take to be final before it is looked at again.
const FINAL_PATIENCE: Duration = Duration::from_secs(30);
/// Blocks from signing to expiry.
const EXPIRY_BLOCKS: u64 = 1_000;

/// The peer's own key as an entity. Its actions wait for one another: two at once would be signed with
/// the same nonce, and one of them refused.
#[derive(Debug)]
pub(crate) struct Own {
    pub(crate) signer: Arc<Signer>,
    turn: tokio::sync::Mutex<()>,
}

/// What became of an action of the peer's own.
#[derive(Debug)]
pub(crate) enum Acted {
    /// It is in a block, with this code.
    Final(u16),
    /// It was not taken.
    Refused(Refusal),
    /// It may become final yet, or this peer is stopping.
    Unknown,
}

impl Own {
    pub(crate) fn new(signer: Arc<Signer>) -> Self {
        Self { signer, turn: tokio::sync::Mutex::default() }
    }

    /// Signs an action, submits it and waits until it is final.
    pub(crate) async fn act(&self, service: &Shared, action: Action) -> Acted {
        let _turn = self.turn.lock().await;
        let entity = self.signer.entity;
        let account = service.read(move |service| Ok(service.query.account(&entity)?)).await;
        let Ok(account) = account else { return Acted::Unknown };
        let expiry = account.height.saturating_add(EXPIRY_BLOCKS);
        let transaction = self.signer.sign(account.next_nonce, expiry, vec![action]);
        let wire = transaction.wire().clone();
        let submission = Submission { transaction: wire, payloads: Vec::new() };
        match service.peer.submit(vec![submission]).await.pop() {
            Some(Ok(_)) => {}
            Some(Err(refusal)) => return Acted::Refused(refusal),
            None => return Acted::Unknown,
        }
        match tokio::time::timeout(FINAL_PATIENCE, service.peer.wait(transaction.id())).await {
            Ok(Some(placed)) => Acted::Final(placed.receipt.code),
            _ => Acted::Unknown,
        }
    }
}
