//! Erasures: this peer destroys what owners erased, and says so on the ledger.

use std::{sync::Arc, time::Duration};

use althing_client::Signer;
use althing_peer::Submission;
use althing_types::{Action, Refusal, StreamId};

use crate::service::Shared;

/// How often new erasures are looked for.
const INTERVAL: Duration = Duration::from_secs(1);
/// How long a receipt may take to be final before it is looked at again.
const FINAL_PATIENCE: Duration = Duration::from_secs(30);
/// Blocks from signing to expiry.
const EXPIRY_BLOCKS: u64 = 1_000;
/// Most receipts that wait to be final; more erasures are carried out once some are.
const WAITING_MAX: usize = 1_024;

/// Carries erasures out for as long as the peer serves, the oldest first. From the first on after a
/// start: a crash may have come between an erasure and what it asks for. Receipts are signed with the
/// peer's own key as an entity; without it, none are.
pub(crate) async fn carry_out(service: Shared, signer: Option<Arc<Signer>>) {
    let mut behind: Option<Vec<u8>> = None;
    let mut waiting: Vec<(StreamId, u32)> = Vec::new();
    loop {
        tokio::time::sleep(INTERVAL).await;
        if waiting.len() < WAITING_MAX {
            let from = behind.clone();
            let found = service.read(move |service| {
                let found = service.query.erasures_behind(from.as_deref())?;
                for (_, stream, number) in &found {
                    let purged = service.query.purge(stream, *number)?;
                    tracing::info!(%stream, number, purged, "erased payloads are destroyed");
                }
                Ok(found)
            });
            match found.await {
                Ok(found) => {
                    behind = found.last().map(|(row, ..)| row.clone()).or(behind);
                    waiting.extend(found.into_iter().map(|(_, stream, number)| (stream, number)));
                }
                Err(_) => tracing::warn!("erased payloads could not be destroyed yet"),
            }
        }
        let Some(signer) = &signer else {
            waiting.clear();
            continue;
        };
        if let Some((stream, erasure)) = waiting.last().copied()
            && is_told(&service, signer, stream, erasure).await
        {
            waiting.pop();
        }
    }
}

/// Whether the ledger has this peer's receipt, or wants none.
async fn is_told(service: &Shared, signer: &Signer, stream: StreamId, erasure: u32) -> bool {
    let entity = signer.entity;
    let known = service.read(move |service| {
        let erasures = service.query.erasures(&stream)?;
        let state = erasures.get(erasure as usize);
        let awaited = state.is_some_and(|state| state.awaited.contains(&entity));
        Ok((awaited, service.query.account(&entity)?))
    });
    let Ok((awaited, account)) = known.await else { return false };
    if !awaited {
        return true;
    }
    let expiry = account.height.saturating_add(EXPIRY_BLOCKS);
    let actions = vec![Action::ConfirmErasure { stream, erasure }];
    let transaction = signer.sign(account.next_nonce, expiry, actions);
    let id = transaction.id();
    let submission = Submission { transaction: transaction.wire().clone(), payloads: Vec::new() };
    match service.peer.submit(vec![submission]).await.pop() {
        Some(Ok(_)) => {}
        Some(Err(refusal)) => {
            tracing::debug!(%refusal, "a purge receipt was not taken");
            return matches!(refusal, Refusal::NoSeat | Refusal::ChangesNothing);
        }
        None => return false,
    }
    let placed = tokio::time::timeout(FINAL_PATIENCE, service.peer.wait(id)).await;
    matches!(placed, Ok(Some(placed)) if placed.receipt.code == 0)
}
