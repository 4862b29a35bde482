//! What a contract reaches: its storage in the state, addresses of this ledger, questions.

use std::rc::Rc;

use althing_contract::{Broken, Host, Order, Row, limits::ADDRESS_BYTES};
use althing_state::{Direction, Read};
use althing_types::{ContractId, Did, EntityId, Refusal, StreamId, ThingId};
use minicbor::bytes::ByteVec;

use super::query;
use crate::{
    key,
    transition::{Actor, Stop, Transition},
};

/// A contract that runs.
pub(super) struct Guest<'s, 'a, R> {
    state: &'s mut Transition<'a, R>,
    actor: Actor,
    contract: ContractId,
    /// Contracts run so far by the transaction's call.
    pub(super) runs: u32,
    /// How many questions this one is inside of.
    questions: u8,
    /// Why nothing more can be said.
    pub(super) broken: Option<Stop>,
}

impl<'s, 'a, R: Read> Guest<'s, 'a, R> {
    pub(super) fn new(
        state: &'s mut Transition<'a, R>,
        actor: &Actor,
        contract: ContractId,
        runs: u32,
    ) -> Self {
        Self { state, actor: *actor, contract, runs, questions: 0, broken: None }
    }

    /// The same, for a contract that is asked a question from within others.
    pub(super) fn asked(self, questions: u8) -> Self {
        Self { questions, ..self }
    }

    fn broke<T>(&mut self, stop: Stop) -> Result<T, Broken> {
        self.broken = Some(stop);
        Err(Broken)
    }
}

impl<R: Read> Host for Guest<'_, '_, R> {
    fn get(&mut self, key: &[u8]) -> Result<Option<Vec<u8>>, Broken> {
        match self.state.get::<ByteVec>(&key::storage(&self.contract, key)) {
            Ok(value) => Ok(value.map(Into::into)),
            Err(error) => self.broke(error.into()),
        }
    }

    fn set(&mut self, key: &[u8], value: Option<&[u8]>) -> Result<(), Broken> {
        let key = key::storage(&self.contract, key);
        match value {
            Some(value) => self.state.put(key, &ByteVec::from(value.to_vec())),
            None => self.state.remove(key),
        }
        Ok(())
    }

    fn range(
        &mut self,
        from: &[u8],
        to: Option<&[u8]>,
        order: Order,
        limit: usize,
    ) -> Result<(Vec<Row>, usize), Broken> {
        match storage(self.state, &self.contract, from, to, order, limit) {
            Ok(rows) => Ok(rows),
            Err(stop) => self.broke(stop),
        }
    }

    fn address(&self, text: &str) -> Option<[u8; ADDRESS_BYTES]> {
        // Asked before anything runs, so it is known here.
        self.state.known_network().and_then(|network| address(network, text))
    }

    fn address_text(&self, address: &[u8; ADDRESS_BYTES]) -> String {
        let network = self.state.known_network().unwrap_or_default();
        Did::entity(network, &EntityId(*address)).to_string()
    }

    fn query(&mut self, request: &[u8], gas_limit: u64) -> Result<(Option<Vec<u8>>, u64), Broken> {
        let questions = self.questions + 1;
        let mut runs = self.runs;
        // It asks in its own name: what it may read is decided for it, whoever called it.
        let asker = Actor { id: self.contract.actor(), ..self.actor };
        let asked = query::answer(self.state, &asker, request, gas_limit, questions, &mut runs);
        self.runs = runs;
        match asked {
            Ok(answer) => Ok(answer),
            Err(stop) => self.broke(stop),
        }
    }

    fn debug(&mut self, text: &str) {
        self.state.trace(&self.contract, text);
    }
}

/// Rows of a contract's storage, and how many were looked at for them.
pub(super) fn storage<R: Read>(
    state: &Transition<'_, R>,
    contract: &ContractId,
    from: &[u8],
    to: Option<&[u8]>,
    order: Order,
    limit: usize,
) -> Result<(Vec<Row>, usize), Stop> {
    let prefix = key::storage(contract, &[]);
    let end = match to {
        Some(to) => Some(key::storage(contract, to)),
        None => althing_state::prefix_end(&prefix),
    };
    let direction = match order {
        Order::Ascending => Direction::Forward,
        Order::Descending => Direction::Backward,
    };
    let from = key::storage(contract, from);
    let (rows, looked_at) = state.range(&from, end.as_deref(), direction, limit)?;
    let mut own = Vec::with_capacity(rows.len());
    for (key, value) in rows {
        let value: ByteVec = crate::transition::decode_at(&key, &value)?;
        own.push((key[prefix.len()..].to_vec(), value.into()));
    }
    Ok((own, looked_at))
}

fn address(network: &str, text: &str) -> Option<[u8; ADDRESS_BYTES]> {
    let did = Did::parse(text).ok()?;
    (did.network == network).then_some(did.id)
}

/// Addresses are DIDs of the ledger's network; each has one spelling.
impl<R: Read> Transition<'_, R> {
    /// The network's name.
    pub(super) fn network(&mut self) -> Result<Rc<str>, Stop> {
        if let Some(network) = &self.network {
            return Ok(Rc::clone(network));
        }
        let key = althing_proof::key::parameter(crate::context::NETWORK);
        let name: String =
            self.get(&key)?.ok_or_else(|| althing_state::StoreError::corrupt(&key))?;
        let network: Rc<str> = name.into();
        self.network = Some(Rc::clone(&network));
        Ok(network)
    }

    fn known_network(&self) -> Option<&str> {
        self.network.as_deref()
    }

    /// The address of whoever acts.
    pub(super) fn address(&mut self, id: &EntityId) -> Result<String, Stop> {
        Ok(Did::entity(&self.network()?, id).to_string())
    }

    fn id_at(&mut self, text: &str) -> Result<[u8; 32], Stop> {
        let network = self.network()?;
        Ok(address(&network, text).ok_or(Refusal::OutOfBounds)?)
    }

    /// The contract of an address.
    pub(super) fn contract_at(&mut self, text: &str) -> Result<ContractId, Stop> {
        self.id_at(text).map(ContractId)
    }

    /// The entity of an address.
    pub(super) fn entity_at(&mut self, text: &str) -> Result<EntityId, Stop> {
        self.id_at(text).map(EntityId)
    }

    /// The thing of an address.
    pub(super) fn thing_at(&mut self, text: &str) -> Result<ThingId, Stop> {
        self.id_at(text).map(ThingId)
    }

    /// The stream of a property of a thing.
    pub(super) fn stream_at(&mut self, thing: &str, property: &str) -> Result<StreamId, Stop> {
        Ok(StreamId::derive(&self.thing_at(thing)?, property))
    }
}
