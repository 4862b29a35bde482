//! The change under way: what a block has done to the state so far, and how to take part of it back.

use std::{collections::BTreeMap, rc::Rc};

use althing_proof::{
    key,
    record::EntityRecord,
    stream::{Leaf, Stored},
};
use althing_state::{Direction, Read, Row, StoreError, Writes, merged};
use althing_types::{
    ActionKind, ApprovalPolicy, ContractId, Digest, EntityId, Event, LedgerId, Members, Parameters,
    Refusal, Regulation, StreamId, TxId,
};
use minicbor::{Decode, Encode};

use crate::{key as own_key, regulation, trigger::Waiting};

/// Most lines kept of what contracts say while somebody tries them out.
const TRACE_LINES_MAX: usize = 256;
/// Most characters kept of one such line.
const TRACE_CHARS_MAX: usize = 1024;

/// Why an action has no effect.
#[derive(Debug)]
pub(crate) enum Stop {
    /// The rules forbid it.
    Refused(Refusal),
    /// The state could not be read; nothing can be said.
    Store(StoreError),
}

impl From<Refusal> for Stop {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<StoreError> for Stop {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// The block, or the block to come, that a transaction is looked at in.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Moment<'a> {
    pub(crate) ledger: LedgerId,
    pub(crate) height: u64,
    pub(crate) time_ms: u64,
    /// Height of the state that signatures and payloads were checked against.
    pub(crate) checked_height: u64,
    pub(crate) parameters: &'a Parameters,
}

/// Who acts, in which transaction.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Actor {
    pub(crate) id: EntityId,
    pub(crate) transaction: TxId,
    /// Position in the block of the transaction whose receipt tells of it: that of the last
    /// approval, if this one waited for approvals.
    pub(crate) position: u32,
}

/// What the actions bring about beside the state. All of it is in order and only ever grows, so
/// taking back is cutting off.
#[derive(Debug, Default)]
pub(crate) struct Effects {
    pub(crate) events: Vec<Event>,
    pub(crate) index: Vec<(Vec<u8>, Option<Vec<u8>>)>,
    /// Whose history the transactions at these positions are in.
    pub(crate) histories: Vec<(EntityId, u32)>,
    pub(crate) leaves: Vec<(StreamId, u64, Leaf)>,
    pub(crate) nodes: Vec<(StreamId, Stored)>,
    pub(crate) descriptions: Vec<(Digest, Vec<u8>)>,
}

/// A point to return to.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Mark {
    undo: usize,
    lengths: [usize; 6],
}

/// A key, and what the block had written there before, if anything.
type Replaced = (Vec<u8>, Option<Option<Vec<u8>>>);

/// What is done about calls of contracts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Calls {
    /// They run.
    Run,
    /// They are looked at and not run.
    LookedAt,
    /// One was not run: what it would have done, and what comes of all that follows, is not known.
    Skipped,
}

/// The state as the block has changed it so far.
pub(crate) struct Transition<'a, R> {
    view: &'a R,
    pub(crate) now: Moment<'a>,
    pub(crate) effects: Effects,
    writes: Writes,
    /// What each write of the present transaction replaced, to take it back.
    undo: Vec<Replaced>,
    /// Entities and policies decoded before: transactions ask for the same few again and again.
    entities: BTreeMap<EntityId, Option<Rc<EntityRecord>>>,
    policies: BTreeMap<(EntityId, ActionKind), Option<Rc<ApprovalPolicy>>>,
    /// The member organisations, once somebody asked.
    members: Option<Rc<Members>>,
    /// The regulations in force, once somebody asked.
    regulations: Option<Rc<[Regulation]>>,
    /// The network's name, once somebody asked for it.
    pub(crate) network: Option<Rc<str>>,
    /// Gas that contracts have used in the block; what is refused has used it too.
    pub(crate) gas_used: u64,
    /// How many rewards the block has paid; what is refused afterwards counts too.
    pub(crate) rewards_paid: u32,
    /// How many signatures of other ledgers the block has checked; what is refused counts too.
    pub(crate) foreign_checks: u32,
    /// How many triggers wait, once somebody asked.
    pub(crate) waiting: Option<Waiting>,
    /// What contracts say while somebody tries them out; none otherwise.
    trace: Option<Vec<String>>,
    calls: Calls,
}

impl<'a, R: Read> Transition<'a, R> {
    pub(crate) fn new(view: &'a R, now: Moment<'a>) -> Self {
        Self {
            view,
            now,
            effects: Effects::default(),
            writes: Writes::new(),
            undo: Vec::new(),
            entities: BTreeMap::new(),
            policies: BTreeMap::new(),
            members: None,
            regulations: None,
            network: None,
            gas_used: 0,
            rewards_paid: 0,
            foreign_checks: 0,
            waiting: None,
            trace: None,
            calls: Calls::Run,
        }
    }

    /// For whoever only reads, without a block in mind.
    pub(crate) fn looking(view: &'a R, parameters: &'a Parameters) -> Self {
        let (ledger, height, time_ms, checked_height) = (LedgerId::default(), 0, 0, 0);
        Self::new(view, Moment { ledger, height, time_ms, checked_height, parameters })
    }

    /// The same for whoever only asks whether something is allowed: contracts are not run.
    pub(crate) fn without_calls(self) -> Self {
        Self { calls: Calls::LookedAt, ..self }
    }

    /// Whether a contract that would run now does.
    pub(crate) fn must_skip_call(&mut self) -> bool {
        if self.calls == Calls::LookedAt {
            self.calls = Calls::Skipped;
        }
        self.calls == Calls::Skipped
    }

    /// Whether a contract was not run that would have been.
    pub(crate) fn has_skipped_call(&self) -> bool {
        self.calls == Calls::Skipped
    }

    /// Goes on as if none had been skipped, once all that came after it is taken back.
    pub(crate) fn forget_skipped_call(&mut self) {
        if self.calls == Calls::Skipped {
            self.calls = Calls::LookedAt;
        }
    }

    pub(crate) fn finish(self) -> (Writes, Effects) {
        (self.writes, self.effects)
    }

    /// The record at a key.
    pub(crate) fn get<T: for<'b> Decode<'b, ()>>(
        &self,
        key: &[u8],
    ) -> Result<Option<T>, StoreError> {
        match self.writes.get(key) {
            Some(None) => Ok(None),
            Some(Some(bytes)) => decode_at(key, bytes).map(Some),
            None => match self.view.get(key)? {
                Some(bytes) => decode_at(key, &bytes).map(Some),
                None => Ok(None),
            },
        }
    }

    /// At most `limit` rows with `from <= key < to`, in the direction's order, and how many were
    /// looked at for them.
    pub(crate) fn range(
        &self,
        from: &[u8],
        to: Option<&[u8]>,
        direction: Direction,
        limit: usize,
    ) -> Result<(Vec<Row>, usize), StoreError> {
        merged(&self.writes, self.view, from, to, direction, limit)
    }

    /// From now on keeps what contracts say.
    pub(crate) fn record_trace(&mut self) {
        self.trace = Some(Vec::new());
    }

    pub(crate) fn take_trace(&mut self) -> Vec<String> {
        self.trace.take().unwrap_or_default()
    }

    /// Notes what a contract says, for whoever tries it out: it reaches nothing that peers agree on.
    pub(crate) fn trace(&mut self, contract: &ContractId, text: &str) {
        if let Some(trace) = self.trace.as_mut().filter(|trace| trace.len() < TRACE_LINES_MAX) {
            let text: String = text.chars().take(TRACE_CHARS_MAX).collect();
            trace.push(format!("{contract}: {text}"));
        }
    }

    pub(crate) fn put<T: Encode<()>>(&mut self, key: Vec<u8>, record: &T) {
        self.write(key, Some(encode(record)));
    }

    pub(crate) fn remove(&mut self, key: Vec<u8>) {
        self.write(key, None);
    }

    fn write(&mut self, key: Vec<u8>, value: Option<Vec<u8>>) {
        self.forget(&key);
        let replaced = self.writes.insert(key.clone(), value);
        self.undo.push((key, replaced));
    }

    /// Drops what was decoded before a write to `key`. Such writes are rare, and reading again is
    /// always right.
    fn forget(&mut self, key: &[u8]) {
        match key.first() {
            Some(b'e') => self.entities.clear(),
            Some(b'p') => self.policies.clear(),
            Some(b'r') if key == b"r/w" => self.waiting = None,
            Some(b'c') => (self.members, self.regulations) = (None, None),
            _ => {}
        }
    }

    /// An entity as it is now.
    pub(crate) fn entity(&mut self, id: &EntityId) -> Result<Option<Rc<EntityRecord>>, StoreError> {
        if let Some(known) = self.entities.get(id) {
            return Ok(known.clone());
        }
        let record = self.get(&key::entity(id))?.map(Rc::new);
        self.entities.insert(*id, record.clone());
        Ok(record)
    }

    /// An approval policy as it is now.
    pub(crate) fn policy(
        &mut self,
        id: &EntityId,
        kind: ActionKind,
    ) -> Result<Option<Rc<ApprovalPolicy>>, StoreError> {
        if let Some(known) = self.policies.get(&(*id, kind)) {
            return Ok(known.clone());
        }
        let policy = self.get(&key::policy(id, kind))?.map(Rc::new);
        self.policies.insert((*id, kind), policy.clone());
        Ok(policy)
    }

    /// The member organisations as they are now.
    pub(crate) fn members(&mut self) -> Result<Rc<Members>, StoreError> {
        if let Some(known) = &self.members {
            return Ok(Rc::clone(known));
        }
        let key = own_key::members();
        let members = Rc::new(self.get(&key)?.ok_or_else(|| StoreError::corrupt(&key))?);
        self.members = Some(Rc::clone(&members));
        Ok(members)
    }

    /// The regulations that are in force now, ascending by id.
    pub(crate) fn regulations(&mut self) -> Result<Rc<[Regulation]>, StoreError> {
        if let Some(known) = &self.regulations {
            return Ok(Rc::clone(known));
        }
        let regulations: Rc<[Regulation]> = regulation::load(self)?.into();
        self.regulations = Some(Rc::clone(&regulations));
        Ok(regulations)
    }

    pub(crate) fn emit(&mut self, event: Event) {
        self.effects.events.push(event);
    }

    /// Adds a row to the index; no value takes it out.
    pub(crate) fn row(&mut self, key: Vec<u8>, value: Option<Vec<u8>>) {
        self.effects.index.push((key, value));
    }

    pub(crate) fn mark(&self) -> Mark {
        let effects = &self.effects;
        Mark {
            undo: self.undo.len(),
            lengths: [
                effects.events.len(),
                effects.index.len(),
                effects.histories.len(),
                effects.leaves.len(),
                effects.nodes.len(),
                effects.descriptions.len(),
            ],
        }
    }

    /// Takes back all that happened since the mark.
    pub(crate) fn roll_back(&mut self, mark: Mark) {
        for (key, replaced) in self.undo.split_off(mark.undo).into_iter().rev() {
            self.forget(&key);
            match replaced {
                Some(value) => self.writes.insert(key, value),
                None => self.writes.remove(&key),
            };
        }
        let [events, index, histories, leaves, nodes, descriptions] = mark.lengths;
        self.effects.events.truncate(events);
        self.effects.index.truncate(index);
        self.effects.histories.truncate(histories);
        self.effects.leaves.truncate(leaves);
        self.effects.nodes.truncate(nodes);
        self.effects.descriptions.truncate(descriptions);
    }

    /// Makes what happened so far part of the block: it is not taken back any more.
    pub(crate) fn keep(&mut self) {
        self.undo.clear();
    }
}

/// Reads a record that the ledger wrote itself. It was in bounds and canonical then, so neither is
/// checked again; checking the points of keys would cost more than all else.
pub(crate) fn decode_at<T: for<'b> Decode<'b, ()>>(
    key: &[u8],
    bytes: &[u8],
) -> Result<T, StoreError> {
    minicbor::decode(bytes).map_err(|_| StoreError::corrupt(key))
}

/// Reads a record of the state that must be there.
pub(crate) fn expect<T: for<'b> Decode<'b, ()>>(
    view: &impl Read,
    key: &[u8],
) -> Result<T, StoreError> {
    let bytes = view.get(key)?.ok_or_else(|| StoreError::corrupt(key))?;
    decode_at(key, &bytes)
}

pub(crate) fn encode<T: Encode<()>>(record: &T) -> Vec<u8> {
    let mut out = Vec::with_capacity(96);
    match minicbor::encode(record, &mut out) {
        Ok(()) => out,
        Err(_) => unreachable!("encoding into a Vec has no error"),
    }
}
