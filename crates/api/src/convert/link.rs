use althing_client::model::{
    Action, AskedCall, CallAnswer, CallPayment, Event, Hex, Link, LinkEvent, LinkFork, TakenCall,
};
use althing_peer::query::{CallAt, LinkRecord, TakenAt};
use althing_proof::call::Answered;
use althing_types::{self as types, Digest, EntityId, LinkId};

use crate::service::Service;

fn payment(payment: &types::CallPayment) -> CallPayment {
    CallPayment { payee: Hex(payment.payee), amount: payment.amount.to_string() }
}

fn answer(answer: &Answered) -> CallAnswer {
    CallAnswer {
        accepted: answer.accepted,
        answer: hex::encode(&answer.answer),
        by: Hex(answer.by),
        height: answer.height,
    }
}

impl Service {
    pub(crate) fn link(&self, record: &LinkRecord) -> Link {
        let anchor = &record.anchor;
        Link {
            id: Hex(record.id()),
            owner: self.did(&record.owner),
            ledger: Hex(anchor.ledger),
            network: record.network.clone(),
            status: record.status.name().to_owned(),
            height: anchor.height,
            block: Hex(anchor.block),
            epoch: anchor.epoch,
            time: anchor.time_ms.into(),
            validators: anchor.validators.validators.len() as u64,
            validators_epoch: anchor.validators.epoch,
            registered_height: record.registered_height,
            advanced_height: record.advanced_height,
            advanced: record.advanced_ms.into(),
            open_calls: record.open,
            fork: record.fork.map(|fork| LinkFork {
                height: fork.height,
                first: Hex(fork.first),
                second: Hex(fork.second),
            }),
        }
    }

    pub(crate) fn asked_call(&self, (id, record): &CallAt) -> AskedCall {
        let call = &record.call;
        let outcome = record.outcome.as_ref();
        let state = match outcome.map(|outcome| outcome.answer.as_ref()) {
            None => "asked",
            Some(None) => "refunded",
            Some(Some(answer)) if answer.accepted => "settled",
            Some(Some(_)) => "declined",
        };
        AskedCall {
            id: Hex(*id),
            caller: self.did(&record.caller),
            link: Hex(LinkId::derive(&record.owner, &call.ledger)),
            ledger: Hex(call.ledger),
            service: Hex(call.service),
            deadline: call.deadline_ms.into(),
            refund: call.patience_ms().saturating_add(1).into(),
            request: hex::encode(&call.request),
            payment: call.payment.as_ref().map(payment),
            state: state.to_owned(),
            asked_height: record.asked_height,
            asked: record.asked_ms.into(),
            ended_height: outcome.map(|outcome| outcome.height),
            answer: outcome.and_then(|outcome| outcome.answer.as_ref()).map(answer),
        }
    }

    pub(crate) fn taken_call(&self, (id, record): &TakenAt) -> TakenCall {
        let call = &record.call;
        let state = match &record.answer {
            None => "taken",
            Some(answer) if answer.accepted => "answered",
            Some(_) => "declined",
        };
        TakenCall {
            ledger: Hex(record.ledger),
            id: Hex(*id),
            caller: Hex(record.caller),
            service: Hex(call.service),
            provider: self.did(&record.provider),
            deadline: call.deadline_ms.into(),
            refund: call.patience_ms().saturating_add(1).into(),
            request: hex::encode(&call.request),
            payment: call.payment.as_ref().map(payment),
            state: state.to_owned(),
            taken_height: record.taken_height,
            taken: record.taken_ms.into(),
            answer: record.answer.as_ref().map(answer),
        }
    }

    /// An action between ledgers.
    pub(super) fn link_action(&self, sender: &EntityId, action: &types::Action) -> Action {
        use types::Action as A;
        let digest = |bytes: &[u8]| Hex(Digest(types::hash("", &[bytes])));
        match action {
            A::RegisterLink { genesis } => Action::RegisterLink { genesis_digest: digest(genesis) },
            A::AdvanceLink(told) => {
                Action::AdvanceLink { link: Hex(told.link), proof_digest: digest(&told.proof) }
            }
            A::ReportFork(told) => Action::ReportFork { link: Hex(told.link) },
            A::SetLinkStatus { link, status } => {
                Action::SetLinkStatus { link: Hex(*link), status: status.name().to_owned() }
            }
            A::AskLedger(call) => Action::AskLedger {
                ledger: Hex(call.ledger),
                service: Hex(call.service),
                deadline: call.deadline_ms.into(),
                refund: call.patience_ms().saturating_add(1).into(),
                request: hex::encode(&call.request),
                payment: call.payment.as_ref().map(payment),
            },
            A::TakeCall { proof } => Action::TakeCall { proof_digest: digest(proof) },
            A::AnswerCall(said) => Action::AnswerCall {
                ledger: Hex(said.ledger),
                call: Hex(said.call),
                accepted: said.accepted,
                answer: hex::encode(&said.answer),
            },
            A::SettleCall(told) => {
                Action::SettleCall { call: Hex(told.call), proof_digest: digest(&told.proof) }
            }
            A::RefundCall { call } => Action::RefundCall { call: Hex(*call) },
            // The caller hands over no other.
            other => self.action(sender, other),
        }
    }

    pub(super) fn link_event(&self, event: &types::LinkEvent) -> Event {
        use types::LinkEvent as E;
        let did = |id: &EntityId| self.did(id);
        Event::Links(match event {
            E::Registered { link, owner, ledger } => {
                LinkEvent::Registered { link: Hex(*link), owner: did(owner), ledger: Hex(*ledger) }
            }
            E::Advanced { link, height, epoch } => {
                LinkEvent::Advanced { link: Hex(*link), height: *height, epoch: *epoch }
            }
            E::StatusSet { link, status } => {
                LinkEvent::StatusSet { link: Hex(*link), status: status.name().to_owned() }
            }
            E::Frozen { link, height } => LinkEvent::Frozen { link: Hex(*link), height: *height },
            E::Asked { call, caller, ledger, service, deadline_ms } => LinkEvent::Asked {
                call: Hex(*call),
                caller: did(caller),
                ledger: Hex(*ledger),
                service: Hex(*service),
                deadline: (*deadline_ms).into(),
            },
            E::Taken { ledger, call, service, provider, deadline_ms } => LinkEvent::Taken {
                ledger: Hex(*ledger),
                call: Hex(*call),
                service: Hex(*service),
                provider: did(provider),
                deadline: (*deadline_ms).into(),
            },
            E::Answered { ledger, call, by, accepted } => LinkEvent::Answered {
                ledger: Hex(*ledger),
                call: Hex(*call),
                by: did(by),
                accepted: *accepted,
            },
            E::Settled { call, caller, accepted } => {
                LinkEvent::Settled { call: Hex(*call), caller: did(caller), accepted: *accepted }
            }
            E::Refunded { call, caller } => {
                LinkEvent::Refunded { call: Hex(*call), caller: did(caller) }
            }
        })
    }
}

/// Whom an event is about on this ledger.
pub(super) const fn party(event: &types::LinkEvent) -> Option<EntityId> {
    use types::LinkEvent as E;
    match event {
        E::Registered { owner: one, .. }
        | E::Asked { caller: one, .. }
        | E::Taken { provider: one, .. }
        | E::Answered { by: one, .. }
        | E::Settled { caller: one, .. }
        | E::Refunded { caller: one, .. } => Some(*one),
        E::Advanced { .. } | E::StatusSet { .. } | E::Frozen { .. } => None,
    }
}
