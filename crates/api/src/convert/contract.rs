use althing_client::model::{
    Attribute, Code, Contract, ContractProposal, Event, Hex, RefusalText, StateChange, Trial,
};
use althing_peer::query::{CodeState, ContractState, Tried};
use althing_types::{self as types, Refusal};

use crate::service::Service;

impl Service {
    pub(crate) fn code(&self, CodeState { id, record }: &CodeState) -> Code {
        Code {
            id: Hex(*id),
            number: record.number,
            name: record.meta.name.clone(),
            source: record.meta.source.clone(),
            interfaces: record.meta.interfaces.clone(),
            owner: self.did(&record.owner),
            creator: self.did(&record.creator),
            bytes: record.bytes,
            stored_height: record.stored_height,
            ready: record.ready_ms.into(),
            contracts: record.contracts,
        }
    }

    pub(crate) fn contract(&self, state: &ContractState) -> Contract {
        let ContractState { id, record, interfaces } = state;
        let dids = |ids: &[types::EntityId]| ids.iter().map(|id| self.did(id)).collect();
        Contract {
            id: self.contract_did(id),
            hex: Hex(*id),
            name: record.name.clone(),
            status: record.status.name().to_owned(),
            code: Hex(record.code),
            interfaces: interfaces.clone(),
            creator: self.did(&record.creator),
            admin: record.terms.admin.as_ref().map(|admin| self.did(admin)),
            callers: dids(&record.terms.callers),
            created_height: record.created_height,
            changed_height: record.changed_height,
            proposal: record.proposal.as_ref().map(|proposal| ContractProposal {
                participants: dids(&record.terms.participants),
                threshold: record.terms.threshold,
                accepted: dids(&proposal.accepted),
                declined: dids(&proposal.declined),
                until_height: proposal.until_height,
            }),
        }
    }

    pub(crate) fn trial(&self, tried: &Tried, height: u64) -> Trial {
        let refusal = tried.trial.refusal.map(|(action, refusal)| RefusalText {
            code: refusal.code().to_owned(),
            detail: refusal.to_string(),
            action,
        });
        let changes = tried.trial.writes.iter().map(|(key, value)| StateChange {
            key: hex::encode(key),
            text: key.escape_ascii().to_string(),
            bytes: value.as_ref().map(|value| u32::try_from(value.len()).unwrap_or(u32::MAX)),
        });
        Trial {
            refusal,
            events: tried.trial.events.iter().map(|event| self.event(event)).collect(),
            gas_used: tried.trial.gas_used,
            trace: tried.trial.trace.clone(),
            changes: changes.collect(),
            height,
        }
    }

    /// An event of contracts and their code.
    pub(crate) fn contract_event(&self, event: &types::Event) -> Event {
        match event {
            types::Event::CodeStored { code, owner, bytes } => {
                Event::CodeStored { code: Hex(*code), owner: self.did(owner), bytes: *bytes }
            }
            types::Event::CodeRemoved { code } => Event::CodeRemoved { code: Hex(*code) },
            types::Event::ContractProposed { contract, code, creator, participants, threshold } => {
                Event::ContractProposed {
                    contract: self.contract_did(contract),
                    code: Hex(*code),
                    creator: self.did(creator),
                    participants: participants.iter().map(|id| self.did(id)).collect(),
                    threshold: *threshold,
                }
            }
            types::Event::ContractAccepted { contract, participant, accepted } => {
                Event::ContractAccepted {
                    contract: self.contract_did(contract),
                    participant: self.did(participant),
                    accepted: *accepted,
                }
            }
            types::Event::ContractDropped { contract, code } => Event::ContractDropped {
                contract: self.contract_did(contract),
                code: Refusal::from_number(*code).map_or("unknown", Refusal::code).to_owned(),
            },
            types::Event::ContractInstantiated { contract, code, creator } => {
                Event::ContractInstantiated {
                    contract: self.contract_did(contract),
                    code: Hex(*code),
                    creator: self.did(creator),
                }
            }
            types::Event::ContractCalled { contract, entry, caller, gas_used } => {
                Event::ContractCalled {
                    contract: self.contract_did(contract),
                    entry: entry_name(*entry).to_owned(),
                    caller: self.did(caller),
                    gas_used: *gas_used,
                }
            }
            types::Event::ContractMigrated { contract, code } => {
                Event::ContractMigrated { contract: self.contract_did(contract), code: Hex(*code) }
            }
            types::Event::ContractAdminSet { contract, admin } => Event::ContractAdminSet {
                contract: self.contract_did(contract),
                admin: admin.as_ref().map(|id| self.did(id)),
            },
            types::Event::ContractFrozen(contract) => {
                Event::ContractFrozen { contract: self.contract_did(contract) }
            }
            types::Event::ContractThawed(contract) => {
                Event::ContractThawed { contract: self.contract_did(contract) }
            }
            types::Event::ContractTerminated(contract) => {
                Event::ContractTerminated { contract: self.contract_did(contract) }
            }
            types::Event::ContractEmitted { contract, name, attributes } => {
                Event::ContractEmitted {
                    contract: self.contract_did(contract),
                    name: name.clone(),
                    attributes: attributes.iter().map(attribute).collect(),
                }
            }
            _ => unreachable!("called for events of contracts only"),
        }
    }
}

/// Name of an entry point by its number in events.
const fn entry_name(entry: u8) -> &'static str {
    match entry {
        0 => "instantiate",
        1 => "execute",
        2 => "migrate",
        3 => "reply",
        4 => "sudo",
        _ => "unknown",
    }
}

fn attribute(attribute: &types::Attribute) -> Attribute {
    Attribute { key: attribute.key.clone(), value: attribute.value.clone() }
}
