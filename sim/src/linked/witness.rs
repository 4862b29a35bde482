//! What two ledgers do to each other, held against what either really did, at every block.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use althing_ledger::link::LinkRecord;
use althing_peer::Query;
use althing_types::{
    Digest, Event, LinkEvent, LinkId, LinkStatus, Receipt, TokenEvent, TxId,
    limits::LINKS_OF_OWNER_MAX,
};

use super::side::End;
use crate::Book;

/// What became of the calls of a run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Calls {
    /// Asked.
    pub asked: usize,
    /// Answered, and paid.
    pub settled: usize,
    /// Declined, and not paid.
    pub declined: usize,
    /// Given up, and not paid.
    pub refunded: usize,
}

/// Holds two ledgers against each other.
#[derive(Debug)]
pub(crate) struct Witness {
    books: [Arc<Book>; 2],
    inner: Mutex<Inner>,
}

/// By height of one ledger: what it knew of the other then, a height and its block.
type Heights = BTreeMap<u64, (u64, Digest)>;

#[derive(Debug, Default)]
struct Inner {
    /// The height up to which each ledger has been looked at.
    seen: [u64; 2],
    asked: BTreeMap<TxId, Asked>,
    taken: BTreeMap<TxId, Taken>,
    /// By link of each ledger.
    known: [BTreeMap<LinkId, Heights>; 2],
    /// What a ledger says of the other one that nobody has seen there yet: a peer may crash before it tells.
    claims: BTreeSet<Claim>,
}

/// A call on the ledger that asks.
#[derive(Debug)]
struct Asked {
    patience_ms: u64,
    is_paid: bool,
    ending: Option<Ending>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ending {
    Settled,
    Declined,
    Refunded,
}

/// A call on the ledger that is asked.
#[derive(Debug)]
struct Taken {
    deadline_ms: u64,
    accepted: Option<bool>,
}

/// Something that one ledger says of the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Claim {
    /// A call was asked there.
    Asked(TxId),
    /// A call was answered there, or declined.
    Answered(TxId, bool),
    /// That is its final block of a height.
    Block(End, u64, Digest),
}

/// What is wrong, if anything is.
type Verdict = Result<(), String>;

impl Witness {
    pub(super) fn new(books: [Arc<Book>; 2]) -> Self {
        Self { books, inner: Mutex::default() }
    }

    /// A peer of a ledger has executed something: all that it knows and this does not.
    pub(crate) fn look(&self, end: End, query: &Query) {
        let mut inner = self.lock();
        let looked = inner.blocks(end, query).and_then(|()| inner.links(end, query));
        if let Err(what) = looked.and_then(|()| inner.confirm(&self.books)) {
            self.books[0].complain(what);
        }
    }

    /// Whether a call has ended.
    pub(super) fn has_ended(&self, call: &TxId) -> bool {
        self.lock().asked.get(call).is_some_and(|asked| asked.ending.is_some())
    }

    /// Whether all calls have, and all that either ledger said of the other is so.
    pub(super) fn is_content(&self) -> bool {
        let inner = self.lock();
        inner.claims.is_empty() && inner.asked.values().all(|asked| asked.ending.is_some())
    }

    /// What is not, for whoever looks into a seed.
    pub(super) fn open(&self) -> String {
        let inner = self.lock();
        let open = inner.asked.iter().filter(|(_, asked)| asked.ending.is_none());
        let open: Vec<&TxId> = open.map(|(call, _)| call).collect();
        format!("calls {open:?} are open, nobody has seen {:?}", inner.claims)
    }

    /// Whether a call was answered and paid.
    pub(super) fn is_settled(&self, call: &TxId) -> bool {
        self.lock().asked.get(call).is_some_and(|asked| asked.ending == Some(Ending::Settled))
    }

    pub(super) fn calls(&self) -> Calls {
        let inner = self.lock();
        let count =
            |ending| inner.asked.values().filter(|asked| asked.ending == Some(ending)).count();
        Calls {
            asked: inner.asked.len(),
            settled: count(Ending::Settled),
            declined: count(Ending::Declined),
            refunded: count(Ending::Refunded),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    /// Looks at all blocks that were not looked at yet.
    fn blocks(&mut self, end: End, query: &Query) -> Verdict {
        let failed = |error| format!("{end:?} cannot be read: {error}");
        while self.seen[end as usize] < query.height() {
            let height = self.seen[end as usize] + 1;
            let time_ms = query.block_head(height).map_err(failed)?.header.time_ms;
            for receipt in &query.receipts(height).map_err(failed)? {
                for event in &receipt.events {
                    if let Event::Link(event) = event {
                        self.happened(end, time_ms, event, query)?;
                    }
                }
                self.check_payments(receipt)?;
            }
            self.seen[end as usize] = height;
        }
        Ok(())
    }

    fn happened(&mut self, end: End, time_ms: u64, event: &LinkEvent, query: &Query) -> Verdict {
        match (end, *event) {
            (End::Asks, LinkEvent::Asked { call, .. }) => {
                let (_, record) = query.call(&call).map_err(|error| format!("{call}: {error}"))?;
                let (patience_ms, is_paid) =
                    (record.call.patience_ms(), record.call.payment.is_some());
                self.asked.insert(call, Asked { patience_ms, is_paid, ending: None });
                Ok(())
            }
            (End::Asks, LinkEvent::Settled { call, accepted, .. }) => {
                self.claims.insert(Claim::Answered(call, accepted));
                self.ended(call, if accepted { Ending::Settled } else { Ending::Declined })
            }
            (End::Asks, LinkEvent::Refunded { call, .. }) => {
                match self.asked.get(&call) {
                    Some(asked) if time_ms <= asked.patience_ms => {
                        return Err(format!("{call} was given up before its time was over"));
                    }
                    _ => {}
                }
                self.ended(call, Ending::Refunded)
            }
            (End::Asked, LinkEvent::Taken { call, deadline_ms, .. }) => {
                self.claims.insert(Claim::Asked(call));
                if time_ms > deadline_ms {
                    return Err(format!("{call} was taken after its time"));
                }
                match self.taken.insert(call, Taken { deadline_ms, accepted: None }) {
                    Some(_) => Err(format!("{call} was taken twice")),
                    None => Ok(()),
                }
            }
            (End::Asked, LinkEvent::Answered { call, accepted, .. }) => {
                match self.taken.get_mut(&call) {
                    None => Err(format!("{call} was answered and not taken")),
                    Some(taken) if taken.accepted.is_some() => {
                        Err(format!("{call} was answered twice"))
                    }
                    Some(taken) if time_ms > taken.deadline_ms => {
                        Err(format!("{call} was answered after its time"))
                    }
                    Some(taken) => {
                        taken.accepted = Some(accepted);
                        Ok(())
                    }
                }
            }
            _ => Ok(()),
        }
    }

    fn ended(&mut self, call: TxId, ending: Ending) -> Verdict {
        let asked = self.asked.get_mut(&call).ok_or_else(|| format!("{call} was never asked"))?;
        match asked.ending.replace(ending) {
            Some(before) => Err(format!("{call} was {before:?} and then {ending:?}")),
            None => Ok(()),
        }
    }

    /// What is locked for a call goes to the payee where it is settled, goes back where it is not, and moves in
    /// no other way.
    fn check_payments(&self, receipt: &Receipt) -> Verdict {
        let is_paid = |call: &TxId| self.asked.get(call).is_some_and(|asked| asked.is_paid);
        let due = receipt.events.iter().filter_map(|event| match event {
            Event::Link(LinkEvent::Settled { call, accepted, .. }) => Some((*call, *accepted)),
            Event::Link(LinkEvent::Refunded { call, .. }) => Some((*call, false)),
            _ => None,
        });
        let moved = receipt.events.iter().filter_map(|event| match event {
            Event::Token(TokenEvent::EscrowReleased { escrow, .. }) => Some((*escrow, true)),
            Event::Token(TokenEvent::EscrowRefunded { escrow, .. }) => Some((*escrow, false)),
            _ => None,
        });
        let due: BTreeSet<(TxId, bool)> = due.filter(|(call, _)| is_paid(call)).collect();
        let moved: BTreeSet<(TxId, bool)> = moved.filter(|(call, _)| is_paid(call)).collect();
        if due == moved {
            Ok(())
        } else {
            Err(format!("{}: {moved:?} was paid or given back, not {due:?}", receipt.transaction))
        }
    }

    /// What links know goes up, is of the other ledger, and no link ever sees a fork where there is none.
    fn links(&mut self, end: End, query: &Query) -> Verdict {
        let at = query.height();
        let page = query.ledger_links(None, None, LINKS_OF_OWNER_MAX as usize);
        for record in page.map_err(|error| format!("links of {end:?}: {error}"))?.items {
            self.link(end, at, &record)?;
        }
        Ok(())
    }

    fn link(&mut self, end: End, at: u64, record: &LinkRecord) -> Verdict {
        let link = record.id();
        if record.status == LinkStatus::Frozen {
            return Err(format!("{link} is frozen, and nobody forked: {:?}", record.fork));
        }
        let known = (record.anchor.height, record.anchor.block);
        let history = self.known[end as usize].entry(link).or_default();
        let before = history.range(..=at).next_back().map(|(_, known)| *known);
        let after = history.range(at..).next().map(|(_, known)| *known);
        let in_order = before.is_none_or(|before| before.0 <= known.0)
            && after.is_none_or(|after| after.0 >= known.0);
        if !in_order {
            return Err(format!(
                "{link} went back at height {at}: {before:?}, {known:?}, {after:?}"
            ));
        }
        history.insert(at, known);
        if known.0 > 0 && before != Some(known) {
            self.claims.insert(Claim::Block(end.other(), known.0, known.1));
        }
        Ok(())
    }

    /// Takes back what has come to be seen, and says what turns out to be wrong.
    fn confirm(&mut self, books: &[Arc<Book>; 2]) -> Verdict {
        let Self { asked, taken, claims, .. } = self;
        let mut wrong = None;
        claims.retain(|claim| {
            let holds = match claim {
                Claim::Asked(call) => asked.contains_key(call).then_some(true),
                Claim::Answered(call, accepted) => {
                    let said = taken.get(call).and_then(|taken| taken.accepted);
                    said.map(|said| said == *accepted)
                }
                Claim::Block(end, height, block) => {
                    books[*end as usize].block(*height).map(|found| found == *block)
                }
            };
            if holds == Some(false) {
                wrong =
                    Some(format!("a ledger holds this of the other, which is not so: {claim:?}"));
            }
            holds.is_none()
        });
        wrong.map_or(Ok(()), Err)
    }
}
