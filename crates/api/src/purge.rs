//! Erasures: this peer destroys what owners erased, and says so on the ledger.

use std::{
    collections::VecDeque,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use althing_types::{Action, Refusal, StreamId};

use crate::{
    own::{Acted, Own},
    reader::now_ms,
    service::Shared,
};

/// How often new erasures are looked for.
const INTERVAL: Duration = Duration::from_secs(1);
/// Most receipts that wait to be final; more erasures are carried out once some are.
const WAITING_MAX: usize = 1_024;

/// Since when erasures wait to be carried out here, or to be confirmed on the ledger.
#[derive(Debug, Default)]
pub(crate) struct Withheld {
    /// Milliseconds since 1970; 0 while none wait.
    since_ms: AtomicU64,
}

impl Withheld {
    /// Notes whether some wait now.
    fn note(&self, some: bool, now_ms: u64) {
        let since_ms = self.since_ms.load(Ordering::Relaxed);
        let noted = if some && since_ms > 0 { since_ms } else { u64::from(some) * now_ms };
        self.since_ms.store(noted, Ordering::Relaxed);
    }

    /// For how long some have waited, milliseconds; none if none wait.
    pub(crate) fn for_ms(&self, now_ms: u64) -> Option<u64> {
        let since_ms = self.since_ms.load(Ordering::Relaxed);
        (since_ms > 0).then(|| now_ms.saturating_sub(since_ms))
    }
}

/// Carries erasures out for as long as the peer serves, the oldest first. From the first on after a
/// start: a crash may have come between an erasure and what it asks for. Receipts are signed with the
/// peer's own key as an entity; without it, none are.
pub(crate) async fn carry_out(service: Shared, own: Option<Arc<Own>>) {
    let mut behind: Option<Vec<u8>> = None;
    let mut waiting: VecDeque<(StreamId, u32)> = VecDeque::new();
    let mut failed = false;
    loop {
        service.withheld.note(failed || !waiting.is_empty(), now_ms());
        tokio::time::sleep(INTERVAL).await;
        if waiting.len() < WAITING_MAX {
            let from = behind.clone();
            let found = service.read(move |service| {
                let found = service.query.erasures_behind(from.as_deref())?;
                for (_, stream, number) in &found {
                    let purged = service.query.purge(stream, *number)?;
                    if purged > 0 {
                        tracing::info!(%stream, number, purged, "erased payloads are destroyed");
                    }
                }
                Ok(found)
            });
            let found = found.await;
            let is_news = !failed;
            failed = found.is_err();
            match found {
                Ok(found) => {
                    behind = found.last().map(|(row, ..)| row.clone()).or(behind);
                    waiting.extend(found.into_iter().map(|(_, stream, number)| (stream, number)));
                }
                // Looked at each second, and as long as history is fetched: told once.
                Err(_) if is_news => tracing::warn!("erased payloads could not be destroyed yet"),
                Err(_) => {}
            }
        }
        let Some(own) = &own else {
            waiting.clear();
            continue;
        };
        // All of them in turn: one that is not taken yet must not keep the others back.
        for _ in 0..waiting.len() {
            let Some((stream, erasure)) = waiting.pop_front() else { break };
            if !is_told(&service, own, stream, erasure).await {
                waiting.push_back((stream, erasure));
                break;
            }
        }
    }
}

/// Whether the ledger has this peer's receipt, or wants none.
async fn is_told(service: &Shared, own: &Own, stream: StreamId, erasure: u32) -> bool {
    let entity = own.signer.entity;
    let awaited = service.read(move |service| {
        let erasures = service.query.erasures(&stream)?;
        let state = erasures.get(erasure as usize);
        Ok(state.is_some_and(|state| state.awaited.contains(&entity)))
    });
    match awaited.await {
        Ok(true) => {}
        Ok(false) => return true,
        Err(_) => return false,
    }
    match own.act(service, Action::ConfirmErasure { stream, erasure }).await {
        Acted::Final(code) => code == 0,
        Acted::Refused(refusal) => {
            tracing::debug!(%refusal, "a purge receipt was not taken");
            matches!(refusal, Refusal::NoSeat | Refusal::ChangesNothing)
        }
        Acted::Unknown => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn erasures_are_withheld_from_the_first_that_waits_until_none_does() {
        let withheld = Withheld::default();
        for (some, now_ms, expected) in [
            (false, 5, None),
            (true, 10, Some(0)),
            (true, 70, Some(60)),
            (false, 80, None),
            (true, 90, Some(0)),
        ] {
            withheld.note(some, now_ms);
            assert_eq!(withheld.for_ms(now_ms), expected, "{now_ms}");
        }
    }
}
