use althing_client::model::{Hex, Page, Past, PastEvents, PendingApproval, Policy};
use althing_peer::query;
use althing_types::{ApprovalPolicy, TxId};
use axum::Json;

use super::About;
use crate::service::Service;

/// A page as clients get it.
pub(crate) fn shown<S, T>(page: &query::Page<S>, show: impl FnMut(&S) -> T) -> Json<Page<T>> {
    let next = page.next.as_deref().map(hex::encode);
    Json(Page { items: page.items.iter().map(show).collect(), next })
}

impl Service {
    pub(crate) fn past(&self, past: &query::Past) -> Past {
        Past {
            height: past.height,
            index: past.position,
            time: past.time_ms.into(),
            receipt: self.receipt(&past.receipt),
        }
    }

    /// The same with the events alone that are about what was asked for.
    pub(crate) fn past_events(
        &self,
        past: &query::Past,
        is_asked: impl Fn(About) -> bool,
    ) -> PastEvents {
        let events = past.receipt.events.iter().filter(|event| is_asked(About::of(event)));
        PastEvents {
            height: past.height,
            index: past.position,
            time: past.time_ms.into(),
            transaction: Hex(past.receipt.transaction),
            events: events.map(|event| self.event(event)).collect(),
        }
    }

    pub(crate) fn pending(&self, id: &TxId, pending: &query::Pending) -> PendingApproval {
        let actions = pending.actions.iter().map(|action| self.action(&pending.sender, action));
        PendingApproval {
            transaction: Hex(*id),
            sender: self.did(&pending.sender),
            actions: actions.collect(),
            approvals: pending.approvals.iter().map(|entity| self.did(entity)).collect(),
            since_height: pending.since_height,
            until_height: pending.until_height,
        }
    }

    pub(crate) fn policy(&self, policy: &ApprovalPolicy) -> Policy {
        Policy {
            kind: policy.kind.name().to_owned(),
            threshold: policy.threshold,
            approvers: policy.approvers.iter().map(|entity| self.did(entity)).collect(),
            patience_blocks: policy.patience_blocks,
        }
    }
}
