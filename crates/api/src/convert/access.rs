use althing_client::model::{
    Access, AccessPolicy, AccessUse, Action, Asked, Decision, Event, Given, Grant, Hex, PolicyUsed,
    Resource,
};
use althing_ledger::access;
use althing_proof::record::{GrantRecord, PolicyRecord};
use althing_types::{self as types};

use crate::{permit::reason_code, service::Service};

impl Service {
    pub(crate) fn resource(&self, resource: &types::Resource) -> Resource {
        Resource::new(self.network(), resource)
    }

    pub(crate) fn access(&self, access: &types::Access) -> Access {
        Access {
            id: Hex(access.id()),
            owner: self.did(&access.owner),
            grantee: self.did(&access.grantee),
            resource: self.resource(&access.resource),
            right: access.right.name().to_owned(),
            purpose: access.purpose.clone(),
        }
    }

    /// An event of access.
    pub(super) fn access_event(&self, event: &types::Event) -> Event {
        use types::Event as E;
        match event {
            E::AccessPolicySet { owner, resource, version } => Event::AccessPolicySet {
                owner: self.did(owner),
                resource: self.resource(resource),
                version: *version,
            },
            E::AccessPolicyRemoved { owner, resource } => Event::AccessPolicyRemoved {
                owner: self.did(owner),
                resource: self.resource(resource),
            },
            E::AccessRequested { access, asked, answer_until_height } => Event::AccessRequested {
                access: self.access(access),
                asked: self.did(asked),
                answer_until_height: *answer_until_height,
            },
            E::AccessGranted { access, by, count_max, until_height } => Event::AccessGranted {
                access: self.access(access),
                by: self.did(by),
                count_max: *count_max,
                until_height: *until_height,
            },
            E::AccessDenied { access, by } => {
                Event::AccessDenied { access: self.access(access), by: self.did(by) }
            }
            E::AccessTimedOut { access, asked } => {
                Event::AccessTimedOut { access: self.access(access), asked: self.did(asked) }
            }
            E::GrantRevoked { access, by } => {
                Event::GrantRevoked { access: self.access(access), by: self.did(by) }
            }
            E::AccessUsed { access, by, count, used, first_ms, last_ms } => Event::AccessUsed {
                access: self.access(access),
                by: self.did(by),
                count: *count,
                used: *used,
                first: (*first_ms).into(),
                last: (*last_ms).into(),
            },
            _ => unreachable!("the caller sends events of access only"),
        }
    }

    /// An action of access.
    pub(super) fn access_action(&self, action: &types::Action) -> Action {
        use types::Action as A;
        match action {
            A::SetAccessPolicy(policy) => Action::SetAccessPolicy {
                resource: self.resource(&policy.resource),
                mode: policy.mode.name().to_owned(),
                text: policy.text.clone(),
                ask: policy.ask.as_ref().map(|asked| self.did(asked)),
                patience_blocks: policy.patience_blocks,
                grant_blocks_max: policy.grant_blocks_max,
            },
            A::RemoveAccessPolicy { resource } => {
                Action::RemoveAccessPolicy { resource: self.resource(resource) }
            }
            A::RequestAccess(request) => Action::RequestAccess {
                resource: self.resource(&request.resource),
                right: request.right.name().to_owned(),
                purpose: request.purpose.clone(),
                count_max: request.count_max,
                until_height: request.until_height,
            },
            A::AnswerAccess { request, allow } => {
                Action::AnswerAccess { request: Hex(*request), allow: *allow }
            }
            A::RevokeGrant { grant } => Action::RevokeGrant { grant: Hex(*grant) },
            A::UseGrant { grant } => Action::UseGrant { grant: Hex(*grant) },
            A::RecordAccess { uses } => {
                Action::RecordAccess { uses: uses.iter().map(access_use).collect() }
            }
            _ => unreachable!("the caller sends actions of access only"),
        }
    }
}

fn access_use(one: &types::AccessUse) -> AccessUse {
    AccessUse {
        grant: Hex(one.grant),
        count: one.count,
        first: one.first_ms.into(),
        last: one.last_ms.into(),
    }
}

impl Service {
    pub(crate) fn access_policy(
        &self,
        owner: &types::EntityId,
        record: &PolicyRecord,
    ) -> AccessPolicy {
        let policy = &record.policy;
        AccessPolicy {
            owner: self.did(owner),
            resource: self.resource(&policy.resource),
            mode: policy.mode.name().to_owned(),
            text: policy.text.clone(),
            words: self.words(&policy.text),
            ask: policy.ask.as_ref().map(|asked| self.did(asked)),
            patience_blocks: policy.patience_blocks,
            grant_blocks_max: policy.grant_blocks_max,
            version: record.version,
            since_height: record.since_height,
        }
    }

    pub(crate) fn grant(&self, record: &GrantRecord) -> Grant {
        let given = record.given.map(|given| Given {
            by: self.did(&given.by),
            since_height: given.since_height,
            until_height: given.until_height,
            count_max: given.count_max,
            used: given.used,
            revoked: given.revoked,
        });
        let asked = record.asked.map(|asked| Asked {
            entity: self.did(&asked.entity),
            since_height: asked.since_height,
            answer_until_height: asked.answer_until_height,
            until_height: asked.until_height,
            count_max: asked.count_max,
        });
        let status = status(record, self.query.height()).to_owned();
        Grant { access: self.access(&record.access), status, given, asked }
    }

    pub(crate) fn decision(
        &self,
        resource: &types::Resource,
        height: u64,
        decision: &access::Decision,
    ) -> Decision {
        let words = decision.owner.and_then(|owner| self.statement_in_words(&owner, decision));
        Decision {
            allowed: decision.allows(),
            reason: reason_code(decision.reason).to_owned(),
            detail: self.why(decision),
            height,
            resource: self.resource(resource),
            owner: decision.owner.as_ref().map(|owner| self.did(owner)),
            policy: decision.policy.as_ref().map(|used| PolicyUsed {
                resource: self.resource(&used.resource),
                version: used.version,
                mode: used.mode.name().to_owned(),
                statement: used.statement.map(|at| at.saturating_add(1)),
                words,
            }),
            grant: decision.grant.map(Hex),
        }
    }
}

/// Where a request or grant stands at a height, in a word.
fn status(record: &GrantRecord, height: u64) -> &'static str {
    if let Some(given) = &record.given
        && given.holds_at(height)
    {
        return if given.uses_left() == Some(0) { "used_up" } else { "in_force" };
    }
    if let Some(asked) = &record.asked {
        return if height <= asked.answer_until_height { "asked" } else { "timed_out" };
    }
    match &record.given {
        Some(given) if given.revoked.is_some() => "revoked",
        _ => "over",
    }
}
