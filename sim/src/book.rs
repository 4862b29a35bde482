use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Mutex, MutexGuard, PoisonError},
};

use althing_ledger::token::Audit;
use althing_peer::{Executed, query::QueryError};
use althing_types::{Amount, Digest, Event, Header, StreamId, TxId, blake3_digest, receipts_root};

/// What all peers did and what sensors were told, held against each other as it happens.
#[derive(Debug, Default)]
pub struct Book {
    inner: Mutex<Inner>,
}

/// What a sensor knows of a reading that it published.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Told {
    /// Nothing: the gateway went down before it answered, or has not answered yet.
    Nothing,
    /// That the reading is safe.
    Safe,
    /// That nothing was taken.
    Refused,
}

/// By stream and value, what sensors were told of the readings that they published.
pub type Readings = BTreeMap<StreamId, BTreeMap<i64, Told>>;

#[derive(Debug, Default)]
struct Inner {
    blocks: BTreeMap<u64, (Digest, Digest, Digest)>,
    headers: BTreeMap<u64, Header>,
    /// Where each transaction took effect.
    effects: BTreeMap<TxId, u64>,
    /// Highest height each peer has executed since it last started.
    executed: BTreeMap<usize, u64>,
    readings: Readings,
    safe: u64,
    given_up: BTreeMap<StreamId, BTreeSet<u64>>,
    /// All tokens there are: nobody makes or destroys any.
    tokens: Option<Amount>,
    /// How often tokens moved, fees aside.
    payments: u64,
    /// A digest of all that was entered, in order.
    trace: [u8; 32],
    complaint: Option<String>,
}

impl Book {
    /// A peer executed a block: it must be the block, with the result, that the others executed.
    pub fn executed(&self, peer: usize, executed: &Executed) {
        let (height, digest) = (executed.block.height(), executed.block.digest());
        let mut inner = self.lock();
        inner.headers.insert(height, executed.block.header().clone());
        inner.note(&[b"executed", &[peer as u8], &height.to_be_bytes(), &executed.state_root.0]);
        let entry = (digest, executed.state_root, receipts_root(&executed.receipts));
        if !inner.blocks.contains_key(&height) {
            let events = executed.receipts.iter().flat_map(|receipt| &receipt.events);
            inner.payments +=
                events.filter(|event| matches!(event, Event::Token(_))).count() as u64;
        }
        let first = *inner.blocks.entry(height).or_insert(entry);
        if first.0 != digest {
            inner.complain(format!("two blocks at height {height}: peer {peer} has another one"));
        } else if first != entry {
            inner.complain(format!(
                "peer {peer} computed another result at height {height}: {entry:?}, others {first:?}"
            ));
        }
        let before = inner.executed.insert(peer, height);
        if before.is_some_and(|before| before >= height) {
            inner.complain(format!("peer {peer} executed height {height} again"));
        }
        for receipt in executed.receipts.iter().filter(|receipt| receipt.code == 0) {
            let id = receipt.transaction;
            let before = *inner.effects.entry(id).or_insert(height);
            if before != height {
                inner.complain(format!("{id} took effect at heights {before} and {height}"));
            }
        }
    }

    /// The block at a height, if a peer executed it.
    #[must_use]
    pub fn block(&self, height: u64) -> Option<Digest> {
        self.lock().blocks.get(&height).map(|(block, ..)| *block)
    }

    /// How often tokens moved, fees aside.
    #[must_use]
    pub fn payments(&self) -> u64 {
        self.lock().payments
    }

    /// A peer counted all tokens again after a block: none may be lost or come from nowhere.
    pub fn counted(&self, peer: usize, audit: Result<Audit, QueryError>) {
        let audit = match audit {
            Ok(audit) if audit.holds() => audit,
            other => return self.complain(format!("peer {peer} counts other tokens: {other:?}")),
        };
        let mut inner = self.lock();
        let total = audit.stated.total;
        let first = *inner.tokens.get_or_insert(total);
        if first != total {
            inner.complain(format!("peer {peer} has {total} tokens, there were {first}"));
        }
    }

    /// The longest time between a block and the next, milliseconds.
    #[must_use]
    pub fn longest_gap_ms(&self) -> u64 {
        let headers: Vec<Header> = self.lock().headers.values().cloned().collect();
        let gaps = headers.windows(2).map(|pair| pair[1].time_ms - pair[0].time_ms);
        gaps.max().unwrap_or(0)
    }

    /// The most views that were given up between a block and the next.
    #[must_use]
    pub fn views_lost(&self) -> u64 {
        let headers: Vec<Header> = self.lock().headers.values().cloned().collect();
        let lost = headers.windows(2).map(|pair| {
            let before = if pair[0].epoch == pair[1].epoch { pair[0].view } else { 0 };
            pair[1].view - before - 1
        });
        lost.max().unwrap_or(0)
    }

    /// A peer starts, possibly with less than it had.
    pub fn started(&self, peer: usize) {
        self.lock().executed.remove(&peer);
    }

    /// A sensor publishes a reading, higher than all before.
    pub fn published(&self, stream: StreamId, value: i64) {
        self.lock().readings.entry(stream).or_default().insert(value, Told::Nothing);
    }

    /// A gateway told a sensor that a reading is safe.
    pub fn acknowledged(&self, stream: StreamId, value: i64) {
        let mut inner = self.lock();
        inner.safe += 1;
        inner.tell(stream, value, Told::Safe);
    }

    /// A gateway told a sensor that nothing was taken.
    pub fn refused(&self, stream: StreamId, value: i64) {
        self.lock().tell(stream, value, Told::Refused);
    }

    /// A gateway learnt that readings are final.
    pub fn finalized(&self, stream: StreamId, first_seq: u64, count: u32) {
        self.lock().note(&[b"final", &stream.0, &first_seq.to_be_bytes(), &count.to_be_bytes()]);
    }

    /// A gateway gave up these numbers, for newer readings. After a crash that came before this was
    /// on disk it has them again.
    pub fn given_up(&self, stream: StreamId, first_seq: u64, count: u32) {
        let mut inner = self.lock();
        inner.note(&[b"given up", &stream.0, &first_seq.to_be_bytes(), &count.to_be_bytes()]);
        let numbers = first_seq..first_seq.saturating_add(count.into());
        inner.given_up.entry(stream).or_default().extend(numbers);
    }

    /// Whether a gateway ever gave up this number.
    #[must_use]
    pub fn was_given_up(&self, stream: &StreamId, seq: u64) -> bool {
        self.lock().given_up.get(stream).is_some_and(|numbers| numbers.contains(&seq))
    }

    /// What sensors were told of their readings.
    #[must_use]
    pub fn readings(&self) -> Readings {
        self.lock().readings.clone()
    }

    /// How many readings sensors were told are safe.
    #[must_use]
    pub fn safe(&self) -> u64 {
        self.lock().safe
    }

    /// A digest of all that was entered, in order.
    #[must_use]
    pub fn trace(&self) -> [u8; 32] {
        self.lock().trace
    }

    /// Something is wrong; the first thing found stays.
    pub fn complain(&self, what: String) {
        self.lock().complain(what);
    }

    /// What was found wrong first.
    #[must_use]
    pub fn complaint(&self) -> Option<String> {
        self.lock().complaint.clone()
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn tell(&mut self, stream: StreamId, value: i64, told: Told) {
        self.note(&[b"told", &stream.0, &value.to_be_bytes(), &[u8::from(told == Told::Safe)]]);
        let before = self.readings.entry(stream).or_default().insert(value, told);
        if before != Some(Told::Nothing) {
            self.complain(format!("{value} of {stream} was answered twice: {before:?}, {told:?}"));
        }
    }

    fn note(&mut self, parts: &[&[u8]]) {
        let entry = [&self.trace[..], &parts.concat()].concat();
        self.trace = blake3_digest(&entry);
    }

    fn complain(&mut self, what: String) {
        self.complaint.get_or_insert(what);
    }
}
