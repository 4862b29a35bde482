//! Offences: this peer shows the ledger who voted twice, where that costs stake.

use std::{sync::Arc, time::Duration};

use althing_types::{Action, Refusal};

use crate::{
    own::{Acted, Own},
    service::Shared,
};

/// How often new evidence is looked for.
const INTERVAL: Duration = Duration::from_secs(1);

/// Reports what this peer has seen since its start, the oldest first, for as long as it serves; signed
/// with its own key as an entity. Peers that see the same report it too: the ledger takes the first.
pub(crate) async fn report(service: Shared, own: Arc<Own>) {
    if service.peer.genesis().parameters.stake.is_none() {
        return;
    }
    let mut reported = 0;
    loop {
        tokio::time::sleep(INTERVAL).await;
        for evidence in service.peer.evidence().into_iter().skip(reported) {
            match own.act(&service, Action::ReportDoubleVote(evidence.votes)).await {
                Acted::Final(0) => {
                    tracing::info!(fault = %evidence.fault, "a double vote was paid for")
                }
                Acted::Final(_) => {}
                Acted::Refused(refusal) if is_settled(refusal) => {}
                Acted::Refused(_) | Acted::Unknown => break,
            }
            reported += 1;
        }
    }
}

/// Whether there is nothing left to report.
const fn is_settled(refusal: Refusal) -> bool {
    matches!(refusal, Refusal::OffenceKnown | Refusal::NoStake)
}
