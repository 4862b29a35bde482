use althing_client::model::{Hex, Page, Past, PendingApproval, Policy};
use althing_peer::query;
use althing_types::{ApprovalPolicy, TxId};

use crate::service::Service;

impl Service {
    pub(crate) fn past(&self, page: query::Page<query::Past>) -> Page<Past> {
        let items = page.items.iter().map(|past| Past {
            height: past.height,
            index: past.position,
            time: past.time_ms.into(),
            receipt: self.receipt(&past.receipt),
        });
        Page { items: items.collect(), next: page.next.map(hex::encode) }
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
