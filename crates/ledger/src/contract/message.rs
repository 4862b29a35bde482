//! Messages of contracts: to other contracts, and to the ledger.

use althing_state::Read;
use althing_types::{CodeId, ContractId, Refusal, Terms};
use serde::Deserialize;
use serde_json::Value;

use super::{
    Sent,
    bank::{self, Bank, Coin},
    call::{self, Meter},
    deed::{self, Deed},
    life,
    wire::{Binary, wrapped},
};
use crate::{
    key,
    transition::{Actor, Stop, Transition},
};

/// A message of CosmWasm. What is not here the ledger does not offer.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Message {
    Wasm(Wasm),
    Bank(Bank),
    Custom(Deed),
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Wasm {
    Execute {
        contract_addr: String,
        msg: Binary,
        funds: Vec<Coin>,
    },
    Instantiate {
        admin: Option<String>,
        code_id: u64,
        msg: Binary,
        funds: Vec<Coin>,
        label: String,
    },
    Migrate {
        contract_addr: String,
        new_code_id: u64,
        msg: Binary,
    },
    UpdateAdmin {
        contract_addr: String,
        admin: String,
    },
    ClearAdmin {
        contract_addr: String,
    },
}

/// Does a message that a contract sent. Gives the data that comes back.
pub(super) fn send<R: Read>(
    state: &mut Transition<'_, R>,
    actor: &Actor,
    meter: &mut Meter,
    from: &ContractId,
    message: &Value,
    depth: u8,
) -> Result<Option<Vec<u8>>, Stop> {
    let message = Message::deserialize(message).map_err(|_| Refusal::MessageUnsupported)?;
    let (sender, depth) = (from.actor(), depth + 1);
    // What the contract does is done by it, in the transaction that called it.
    let actor = &Actor { id: sender, ..*actor };
    match message {
        Message::Wasm(Wasm::Execute { contract_addr, msg: Binary(message), funds }) => {
            let sent = Sent { message: &message, funds: bank::amount(state, &funds)? };
            let to = state.contract_at(&contract_addr)?;
            let data = call::execute_within(state, actor, meter, &sender, &to, sent, depth)?;
            Ok(wrapped(None, data))
        }
        Message::Wasm(Wasm::Instantiate { admin, code_id, msg: Binary(message), funds, label }) => {
            let sent = Sent { message: &message, funds: bank::amount(state, &funds)? };
            let code = code_numbered(state, code_id)?;
            let admin = admin.map(|admin| state.entity_at(&admin)).transpose()?;
            let terms = Terms { admin, ..Terms::default() };
            if label.is_empty() || label.len() > althing_types::limits::NAME_BYTES_MAX {
                return Err(Refusal::OutOfBounds.into());
            }
            let id = life::create(state, actor, &sender, &code, &label, &terms)?;
            let data = call::begin(state, actor, meter, &id, sent, depth)?;
            let address = state.address(&id.actor())?;
            Ok(wrapped(Some(&address), data))
        }
        Message::Wasm(Wasm::Migrate { contract_addr, new_code_id, msg: Binary(message) }) => {
            let (id, code) =
                (state.contract_at(&contract_addr)?, code_numbered(state, new_code_id)?);
            let data =
                life::migrate_within(state, actor, meter, &sender, &id, &code, &message, depth)?;
            Ok(wrapped(None, data))
        }
        Message::Wasm(Wasm::UpdateAdmin { contract_addr, admin }) => {
            let (id, admin) = (state.contract_at(&contract_addr)?, state.entity_at(&admin)?);
            life::set_admin(state, actor, &sender, &id, Some(admin)).map(|()| None)
        }
        Message::Wasm(Wasm::ClearAdmin { contract_addr }) => {
            let id = state.contract_at(&contract_addr)?;
            life::set_admin(state, actor, &sender, &id, None).map(|()| None)
        }
        Message::Bank(message) => bank::carry_out(state, actor, &message).map(|()| None),
        Message::Custom(custom) => deed::carry_out(state, actor, custom).map(|()| None),
    }
}

fn code_numbered<R: Read>(state: &Transition<'_, R>, number: u64) -> Result<CodeId, Stop> {
    Ok(state.get(&key::code_number(number))?.ok_or(Refusal::UnknownCode)?)
}
