use althing_client::model::{Cursor, Event, EventRecord, Hex};
use althing_peer::query::{EventAt, EventPlace};
use althing_types::{self as types, EntityId, Refusal, ServiceId, StreamId, ThingId};

use super::{
    governance::mechanism_from,
    onboarding::{text, thing_report, voucher_hex},
};
use crate::service::Service;

pub(crate) const fn cursor(place: EventPlace) -> Cursor {
    Cursor { height: place.height, index: place.position, event: place.event }
}

pub(crate) const fn place(cursor: Cursor) -> EventPlace {
    EventPlace { height: cursor.height, position: cursor.index, event: cursor.event }
}

impl Service {
    pub(crate) fn event_record(&self, at: &EventAt) -> EventRecord {
        EventRecord {
            cursor: cursor(at.place),
            height: at.place.height,
            time: at.time_ms.into(),
            transaction: Hex(at.transaction),
            event: self.event(&at.event),
        }
    }

    pub(crate) fn event(&self, event: &types::Event) -> Event {
        match event {
            types::Event::EntityRegistered { entity, owner } => {
                Event::EntityRegistered { entity: self.did(entity), owner: self.did(owner) }
            }
            types::Event::KeyRotated { entity, version } => {
                Event::KeyRotated { entity: self.did(entity), version: *version }
            }
            types::Event::EntityRevoked { entity } => {
                Event::EntityRevoked { entity: self.did(entity) }
            }
            types::Event::ThingRegistered { thing, owner } => {
                Event::ThingRegistered { thing: self.thing_did(thing), owner: self.did(owner) }
            }
            types::Event::ThingUpdated { thing, version } => {
                Event::ThingUpdated { thing: self.thing_did(thing), version: *version }
            }
            types::Event::ThingRetired { thing } => {
                Event::ThingRetired { thing: self.thing_did(thing) }
            }
            types::Event::Bound { thing, gateway, until_height } => Event::Bound {
                thing: self.thing_did(thing),
                gateway: self.did(gateway),
                until_height: *until_height,
            },
            types::Event::Unbound { thing, gateway } => {
                Event::Unbound { thing: self.thing_did(thing), gateway: self.did(gateway) }
            }
            types::Event::BatchAccepted { thing, stream, leaf, first_seq, count } => {
                Event::BatchAccepted {
                    thing: self.thing_did(thing),
                    stream: Hex(*stream),
                    leaf: *leaf,
                    first_seq: *first_seq,
                    count: *count,
                }
            }
            types::Event::GapOpened { stream, first_seq, count } => {
                Event::GapOpened { stream: Hex(*stream), first_seq: *first_seq, count: *count }
            }
            types::Event::GapFilled { stream, first_seq, count } => {
                Event::GapFilled { stream: Hex(*stream), first_seq: *first_seq, count: *count }
            }
            types::Event::GapSealed { stream, first_seq, count } => {
                Event::GapSealed { stream: Hex(*stream), first_seq: *first_seq, count: *count }
            }
            types::Event::Recorded { sender, kind, notify, link } => Event::Recorded {
                sender: self.did(sender),
                kind: kind.clone(),
                notify: notify.iter().map(|entity| self.did(entity)).collect(),
                link: link.map(Hex),
            },
            types::Event::ApprovalPolicySet { entity } => {
                Event::ApprovalPolicySet { entity: self.did(entity) }
            }
            types::Event::ApprovalPending { pending, approvals, threshold } => {
                Event::ApprovalPending {
                    pending: Hex(*pending),
                    approvals: *approvals,
                    threshold: *threshold,
                }
            }
            types::Event::ApprovalGranted { pending } => {
                Event::ApprovalGranted { pending: Hex(*pending) }
            }
            types::Event::ApprovalEnded { pending, code } => {
                Event::ApprovalEnded { pending: Hex(*pending), code: code_text(*code) }
            }
            types::Event::Proposed { proposal, proposer } => {
                Event::Proposed { proposal: Hex(*proposal), proposer: self.did(proposer) }
            }
            types::Event::Voted { proposal, organisation, accept, votes, needed } => Event::Voted {
                proposal: Hex(*proposal),
                organisation: self.did(organisation),
                accept: *accept,
                votes: *votes,
                needed: *needed,
            },
            types::Event::Trigger(event) => self.trigger_event(event),
            types::Event::Service(event) => self.service_event(event),
            types::Event::Token(event) => self.token_event(event),
            types::Event::Link(event) => self.link_event(event),
            types::Event::Stream(event) => self.stream_event(event),
            types::Event::VoucherIssued { voucher, maker, owner, count } => Event::VoucherIssued {
                voucher: voucher_hex(voucher),
                maker: self.did(maker),
                owner: self.did(owner),
                count: *count,
            },
            types::Event::VoucherRevoked { voucher } => {
                Event::VoucherRevoked { voucher: voucher_hex(voucher) }
            }
            types::Event::DeviceJoined { voucher, device, thing } => Event::DeviceJoined {
                voucher: voucher_hex(voucher),
                device: self.did(device),
                thing: self.thing_did(thing),
            },
            types::Event::CommandQueued { command, thing, sender, until_ms } => {
                Event::CommandQueued {
                    command: Hex(*command),
                    thing: self.thing_did(thing),
                    sender: self.did(sender),
                    until: (*until_ms).into(),
                }
            }
            types::Event::CommandChanged { command, thing, sender, state, result } => {
                Event::CommandChanged {
                    command: Hex(*command),
                    thing: self.thing_did(thing),
                    sender: self.did(sender),
                    state: state.name().to_owned(),
                    result: text(result.as_deref()),
                }
            }
            types::Event::ThingOffered { thing, owner, until_height, to } => Event::ThingOffered {
                thing: self.thing_did(thing),
                owner: self.did(owner),
                until_height: *until_height,
                to: to.map(|to| self.did(&to)),
            },
            types::Event::OfferWithdrawn { thing } => {
                Event::OfferWithdrawn { thing: self.thing_did(thing) }
            }
            types::Event::ThingTransferred { thing, from, to } => Event::ThingTransferred {
                thing: self.thing_did(thing),
                from: self.did(from),
                to: self.did(to),
            },
            types::Event::BindingLimited { thing, gateway, limited } => Event::BindingLimited {
                thing: self.thing_did(thing),
                gateway: self.did(gateway),
                limited: *limited,
            },
            types::Event::StatusReported { thing, reporter, status } => Event::StatusReported {
                thing: self.thing_did(thing),
                reporter: self.did(reporter),
                status: thing_report(status),
            },
            types::Event::QuarantineChanged { thing, by, quarantined } => {
                Event::QuarantineChanged {
                    thing: self.thing_did(thing),
                    by: self.did(by),
                    quarantined: *quarantined,
                }
            }
            types::Event::ProposalAccepted { proposal, due_height } => {
                Event::ProposalAccepted { proposal: Hex(*proposal), due_height: *due_height }
            }
            types::Event::ProposalEnacted { proposal } => {
                Event::ProposalEnacted { proposal: Hex(*proposal) }
            }
            types::Event::ProposalEnded { proposal, code } => {
                Event::ProposalEnded { proposal: Hex(*proposal), code: code_text(*code) }
            }
            types::Event::MemberAdded { organisation } => {
                Event::MemberAdded { organisation: self.did(organisation) }
            }
            types::Event::MemberRemoved { organisation } => {
                Event::MemberRemoved { organisation: self.did(organisation) }
            }
            types::Event::ValidatorsChosen { count, quorum } => {
                Event::ValidatorsChosen { count: *count, quorum: *quorum }
            }
            types::Event::ParametersSet => Event::ParametersSet,
            types::Event::VotingRuleSet => Event::VotingRuleSet,
            types::Event::MechanismChosen(said) => Event::MechanismChosen(mechanism_from(said)),
            types::Event::ThingTagged(said) => Event::ThingTagged(self.tagged(said)),
            types::Event::AccessPolicySet { .. }
            | types::Event::AccessPolicyRemoved { .. }
            | types::Event::AccessRequested { .. }
            | types::Event::AccessGranted { .. }
            | types::Event::AccessDenied { .. }
            | types::Event::AccessTimedOut { .. }
            | types::Event::GrantRevoked { .. }
            | types::Event::AccessUsed { .. } => self.access_event(event),
            other => self.contract_event(other),
        }
    }
}

fn code_text(code: u16) -> String {
    Refusal::from_number(code).map_or("unknown", Refusal::code).to_owned()
}

/// What an event is about, for those who want only some.
#[derive(Debug, Default)]
pub(crate) struct About {
    /// Actors, owners and those notified.
    pub(crate) entities: Vec<EntityId>,
    pub(crate) thing: Option<ThingId>,
    pub(crate) stream: Option<StreamId>,
    pub(crate) service: Option<ServiceId>,
}

impl About {
    pub(crate) fn of(event: &types::Event) -> Self {
        use types::Event as E;
        let entities =
            |entities: &[EntityId]| Self { entities: entities.to_vec(), ..Self::default() };
        match event {
            E::EntityRegistered { entity, owner } => entities(&[*entity, *owner]),
            E::KeyRotated { entity, .. }
            | E::EntityRevoked { entity }
            | E::ApprovalPolicySet { entity } => entities(&[*entity]),
            E::ThingRegistered { thing, owner } => {
                Self { thing: Some(*thing), ..entities(&[*owner]) }
            }
            E::ThingUpdated { thing, .. } | E::ThingRetired { thing } => {
                Self { thing: Some(*thing), ..Self::default() }
            }
            E::Bound { thing, gateway, .. } | E::Unbound { thing, gateway } => {
                Self { thing: Some(*thing), ..entities(&[*gateway]) }
            }
            E::BatchAccepted { thing, stream, .. } => {
                Self { thing: Some(*thing), stream: Some(*stream), ..Self::default() }
            }
            E::GapOpened { stream, .. }
            | E::GapFilled { stream, .. }
            | E::GapSealed { stream, .. } => Self { stream: Some(*stream), ..Self::default() },
            E::Recorded { sender, notify, .. } => {
                entities(&[&[*sender], notify.as_slice()].concat())
            }
            E::Stream(event) => Self::of_stream(event),
            E::CodeStored { owner, .. } => entities(&[*owner]),
            E::ContractProposed { contract, creator, participants, .. } => {
                entities(&[&[contract.actor(), *creator], participants.as_slice()].concat())
            }
            E::ContractAccepted { contract, participant, .. } => {
                entities(&[contract.actor(), *participant])
            }
            E::ContractInstantiated { contract, creator, .. } => {
                entities(&[contract.actor(), *creator])
            }
            E::ContractCalled { contract, caller, .. } => entities(&[contract.actor(), *caller]),
            E::ContractDropped { contract, .. }
            | E::ContractMigrated { contract, .. }
            | E::ContractAdminSet { contract, .. }
            | E::ContractFrozen(contract)
            | E::ContractThawed(contract)
            | E::ContractTerminated(contract)
            | E::ContractEmitted { contract, .. } => entities(&[contract.actor()]),
            E::Trigger(
                types::TriggerEvent::Set { owner, .. } | types::TriggerEvent::Ran { owner, .. },
            ) => entities(&[*owner]),
            E::Service(
                types::ServiceEvent::Published { service, provider, .. }
                | types::ServiceEvent::StatusSet { service, provider, .. },
            ) => Self { service: Some(*service), ..entities(&[*provider]) },
            E::Token(event) => entities(&super::token::parties(event)),
            E::Link(event) => Self {
                service: match event {
                    types::LinkEvent::Taken { service, .. } => Some(*service),
                    _ => None,
                },
                ..entities(super::link::party(event).as_slice())
            },
            E::CodeRemoved { .. } | E::Trigger(_) => Self::default(),
            E::ThingOffered { thing, owner, to, .. } => {
                let told: Vec<EntityId> = std::iter::once(*owner).chain(*to).collect();
                Self { thing: Some(*thing), ..entities(&told) }
            }
            E::ThingTagged(said) => Self { thing: Some(said.thing), ..Self::default() },
            E::OfferWithdrawn { thing } => Self { thing: Some(*thing), ..Self::default() },
            E::ThingTransferred { thing, from, to } => {
                Self { thing: Some(*thing), ..entities(&[*from, *to]) }
            }
            E::BindingLimited { thing, gateway: entity, .. }
            | E::StatusReported { thing, reporter: entity, .. }
            | E::DeviceJoined { thing, device: entity, .. }
            | E::CommandQueued { thing, sender: entity, .. }
            | E::CommandChanged { thing, sender: entity, .. }
            | E::QuarantineChanged { thing, by: entity, .. } => {
                Self { thing: Some(*thing), ..entities(&[*entity]) }
            }
            E::VoucherIssued { maker, owner, .. } => entities(&[*maker, *owner]),
            E::VoucherRevoked { .. }
            | E::ApprovalPending { .. }
            | E::ApprovalGranted { .. }
            | E::ApprovalEnded { .. }
            | E::ProposalAccepted { .. }
            | E::ProposalEnacted { .. }
            | E::ProposalEnded { .. }
            | E::ValidatorsChosen { .. }
            | E::ParametersSet
            | E::VotingRuleSet
            | E::MechanismChosen(_) => Self::default(),
            E::Proposed { proposer, .. } => entities(&[*proposer]),
            E::Voted { organisation, .. }
            | E::MemberAdded { organisation }
            | E::MemberRemoved { organisation } => entities(&[*organisation]),
            E::AccessPolicySet { owner, resource, .. }
            | E::AccessPolicyRemoved { owner, resource } => {
                Self { thing: resource.thing(), ..entities(&[*owner]) }
            }
            E::AccessRequested { access, asked: other, .. }
            | E::AccessTimedOut { access, asked: other }
            | E::AccessGranted { access, by: other, .. }
            | E::AccessDenied { access, by: other }
            | E::GrantRevoked { access, by: other }
            | E::AccessUsed { access, by: other, .. } => Self {
                thing: access.resource.thing(),
                ..entities(&[access.owner, access.grantee, *other])
            },
        }
    }
}
