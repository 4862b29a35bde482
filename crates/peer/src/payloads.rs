//! The payloads this peer holds, and those it is still after.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Bound,
    sync::{Arc, atomic::AtomicU64},
    time::Duration,
};

use althing_ordering::{Inbox, Outbox, PeerKey, To, Watched};
use althing_state::{Batch, Direction, Space, Store, StoreError, prefix_end};
use althing_storage::{PayloadError, Payloads};
use althing_types::{StreamId, blake3_digest};
use bytes::Bytes;
use commonware_runtime::{Clock, Metrics, Spawner};
use commonware_utils::sync::Mutex;

use crate::{
    cache::Cache,
    core::{Core, Counters},
    keeper, rows,
    verify::blocking,
    wire::{Fetch, WANTED_MAX},
};

/// How often a payload that nobody has sent yet is asked for again.
const ASK_INTERVAL: Duration = Duration::from_millis(150);
/// Most payloads that are asked for at a time; more wait their turn.
const ASKED_MAX: usize = 4 * WANTED_MAX;
/// Notes of missing payloads that are read together.
const NOTES_READ: usize = 4096;
/// Most payloads remembered as missing; a peer that lags further finds the rest by its index.
const WANTED_TOTAL_MAX: usize = 1 << 20;

/// Most payloads of others remembered in case they come late; further ones that do stay until the next start.
const OTHERS_MAX: usize = 65_536;

/// The payload store with a list of what is missing from it.
#[derive(Debug)]
pub(crate) struct PayloadBook {
    store: Arc<Payloads>,
    /// Where it is noted what is missing, what refers to what, and what was erased.
    index: Arc<dyn Store>,
    /// Of final batches.
    wanted: Mutex<BTreeSet<[u8; 32]>>,
    /// Of proposed blocks whose check waits for them, and how many such checks there are.
    needed: Mutex<BTreeMap<[u8; 32], usize>>,
    /// Fetched for a check and not on disk yet: nothing is written that a block may not hold.
    arrived: Mutex<BTreeMap<[u8; 32], Bytes>>,
    /// Where the last round of questions ended, so that all are asked for in turn: for checks, and
    /// for final batches.
    asked: Mutex<([u8; 32], [u8; 32])>,
    /// Fetched from holders for somebody who asked.
    cache: Mutex<Cache>,
    /// Of whom payloads are to be asked first: their holders.
    hints: Mutex<BTreeMap<PeerKey, BTreeSet<[u8; 32]>>>,
    /// Kept here though others are to keep them, with those of them who said that they do.
    surplus: Mutex<BTreeMap<[u8; 32], BTreeSet<PeerKey>>>,
    /// Others' to keep and not here when that was looked at. A check of a block that was final before it ended
    /// may still bring them.
    others: Mutex<BTreeSet<[u8; 32]>>,
    /// Where the last look at these ended.
    last_surplus: Mutex<[u8; 32]>,
    /// Counts changes of the first three, and hints.
    changes: Watched<u64>,
}

impl PayloadBook {
    /// The book of a peer that starts: `index` holds notes of what was missing when it stopped.
    pub(crate) fn open(store: Arc<Payloads>, index: Arc<dyn Store>) -> Result<Self, StoreError> {
        let wanted = still_missing(&store, &*index)?;
        Ok(Self::new(store, index, wanted))
    }

    fn new(store: Arc<Payloads>, index: Arc<dyn Store>, wanted: BTreeSet<[u8; 32]>) -> Self {
        Self {
            store,
            index,
            wanted: Mutex::new(wanted),
            needed: Mutex::new(BTreeMap::new()),
            asked: Mutex::default(),
            arrived: Mutex::new(BTreeMap::new()),
            cache: Mutex::default(),
            hints: Mutex::default(),
            surplus: Mutex::default(),
            others: Mutex::default(),
            last_surplus: Mutex::default(),
            changes: Watched::new(0),
        }
    }

    pub(crate) const fn store(&self) -> &Arc<Payloads> {
        &self.store
    }

    /// How many payloads of final batches are missing.
    pub(crate) fn missing(&self) -> usize {
        self.wanted.lock().len()
    }

    /// Puts payloads on disk; returns when they are there to stay.
    pub(crate) fn keep(&self, payloads: Vec<([u8; 32], Bytes)>) -> Result<(), PayloadError> {
        self.store.put_all(&payloads)?;
        let mut wanted = self.wanted.lock();
        let mut others = self.others.lock();
        for (digest, _) in &payloads {
            wanted.remove(digest);
            if others.remove(digest) {
                self.surplus.lock().entry(*digest).or_default();
            }
        }
        Ok(())
    }

    /// How many payloads are kept here until those who are to keep them say that they do.
    pub(crate) fn surplus(&self) -> usize {
        self.surplus.lock().len()
    }

    /// The payload, if it is here, or was fetched for somebody. One that the disk damaged is as good as
    /// none, and is asked of others again.
    pub(crate) fn get(&self, digest: &[u8; 32]) -> Result<Option<Bytes>, PayloadError> {
        match self.store.get(digest) {
            Err(error @ PayloadError::Damaged(_)) => {
                tracing::warn!(%error);
                self.store.forget(digest)?;
                self.want(*digest);
                Ok(None)
            }
            Ok(None) => Ok(self.cache.lock().get(digest)),
            read => read,
        }
    }

    /// Fetches a payload that others keep, its holders first, and remembers it for a while; waits as
    /// long as that takes.
    pub(crate) async fn fetch(&self, digest: [u8; 32], holders: &[PeerKey]) {
        {
            let mut hints = self.hints.lock();
            for holder in holders {
                hints.entry(*holder).or_default().insert(digest);
            }
        }
        let payload = self.obtain(&digest).await;
        // Erased while it was on its way: whoever asked is too late.
        if !rows::is_erased(&*self.index, &digest).unwrap_or(true) {
            self.cache.lock().keep(digest, payload);
        }
    }

    /// Whom to ask for what, before others are asked in turn.
    fn take_hints(&self) -> BTreeMap<PeerKey, BTreeSet<[u8; 32]>> {
        let mut hints = std::mem::take(&mut *self.hints.lock());
        let needed = self.needed.lock();
        hints.values_mut().for_each(|digests| digests.retain(|it| needed.contains_key(it)));
        hints
    }

    /// A payload that is others' to keep is not asked for any more.
    pub(crate) fn want_no_more(&self, digest: &[u8; 32]) {
        self.wanted.lock().remove(digest);
        self.is_others(digest);
    }

    /// Remembers that a payload that is not here, or not any more, is others' to keep.
    fn is_others(&self, digest: &[u8; 32]) {
        let mut others = self.others.lock();
        if others.len() < OTHERS_MAX {
            others.insert(*digest);
        }
    }

    /// Notes that a payload is kept here though it is others' to keep; false if there is no room for
    /// more.
    pub(crate) fn is_surplus(&self, digest: [u8; 32], max: usize) -> bool {
        let mut surplus = self.surplus.lock();
        if surplus.len() >= max && !surplus.contains_key(&digest) {
            return false;
        }
        surplus.entry(digest).or_default();
        true
    }

    /// Notes that a payload is this peer's to keep after all, or is gone.
    pub(crate) fn no_surplus(&self, digest: &[u8; 32]) {
        self.surplus.lock().remove(digest);
    }

    /// Some of what is kept though others are to keep it, each time others, with who said they do.
    pub(crate) fn next_surplus(&self, limit: usize) -> Vec<([u8; 32], BTreeSet<PeerKey>)> {
        let (surplus, mut last) = (self.surplus.lock(), self.last_surplus.lock());
        let ranges = after(&last);
        let found = ranges.iter().flat_map(|range| surplus.range(*range));
        let found: Vec<_> =
            found.take(limit).map(|(digest, said)| (*digest, said.clone())).collect();
        *last = found.last().map(|(digest, _)| *digest).unwrap_or_default();
        found
    }

    /// Somebody says which payloads it keeps.
    fn told(&self, peer: PeerKey, digests: &[[u8; 32]]) {
        let mut surplus = self.surplus.lock();
        for digest in digests {
            if let Some(said) = surplus.get_mut(digest) {
                said.insert(peer);
            }
        }
    }

    /// What others said was by seats or placements that are not the present ones.
    pub(crate) fn forget_words(&self) {
        self.surplus.lock().values_mut().for_each(BTreeSet::clear);
    }

    /// Destroys payloads that others keep, or that nobody need keep.
    pub(crate) fn drop_all(&self, digests: &BTreeSet<[u8; 32]>) -> Result<(), PayloadError> {
        self.store.erase(digests)?;
        self.surplus.lock().retain(|digest, _| !digests.contains(digest));
        digests.iter().for_each(|digest| self.is_others(digest));
        Ok(())
    }

    /// Notes that a payload is to be fetched, unless it is here; whether that is news.
    pub(crate) fn want(&self, digest: [u8; 32]) -> bool {
        // If the disk cannot tell, others are asked in vain at worst.
        let is_erased = rows::is_erased(&*self.index, &digest).unwrap_or(false);
        if is_erased || self.store.contains(&digest) {
            return false;
        }
        let mut wanted = self.wanted.lock();
        let is_news = wanted.len() < WANTED_TOTAL_MAX && wanted.insert(digest);
        drop(wanted);
        if is_news {
            self.changed();
        }
        is_news
    }

    /// Ends the references of batches of a stream to their payloads, and destroys the payloads that no
    /// other batch refers to. How many were here. Doing it again does no harm, and writes nothing.
    pub(crate) fn erase(
        &self,
        stream: &StreamId,
        batches: &[([u8; 32], u64)],
    ) -> Result<usize, PayloadError> {
        let mut notes = Batch::default();
        for (digest, index) in batches {
            let reference = rows::reference(digest, stream, *index);
            if self.index.get(Space::Payloads, &reference)?.is_some() {
                notes.remove(Space::Payloads, reference);
                notes.put(Space::Payloads, rows::erased(digest), Vec::new());
            }
        }
        if !notes.writes.is_empty() {
            self.index.commit(notes)?;
        }
        let mut nobodys = BTreeSet::new();
        for (digest, _) in batches {
            if rows::is_erased(&*self.index, digest)? {
                nobodys.insert(*digest);
            }
        }
        self.wanted.lock().retain(|digest| !nobodys.contains(digest));
        {
            let mut cache = self.cache.lock();
            nobodys.iter().for_each(|digest| cache.remove(digest));
        }
        self.surplus.lock().retain(|digest, _| !nobodys.contains(digest));
        self.store.erase(&nobodys)
    }

    fn changed(&self) {
        self.changes.change(|count| {
            *count = count.wrapping_add(1);
            true
        });
    }

    /// Asks for a payload of a proposed block as long as the need is held.
    pub(crate) fn need(&self, digest: [u8; 32]) -> Need<'_> {
        *self.needed.lock().entry(digest).or_insert(0) += 1;
        self.changed();
        Need { book: self, digest }
    }

    /// The payload, from disk or fetched from others; waits as long as that takes.
    pub(crate) async fn obtain(&self, digest: &[u8; 32]) -> Bytes {
        let _need = self.need(*digest);
        loop {
            let seen = self.changes.get();
            if let Some(payload) = self.arrived.lock().get(digest) {
                return payload.clone();
            }
            if let Ok(Some(payload)) = self.get(digest) {
                return payload;
            }
            self.changes.until(|count| *count != seen).await;
        }
    }

    /// What to ask for next: what a check waits for takes half of the room at least.
    fn next_asked(&self) -> Vec<[u8; 32]> {
        let (needed, wanted) = (self.needed.lock(), self.wanted.lock());
        let (last_needed, last_wanted) = &mut *self.asked.lock();
        let room = ASKED_MAX - wanted.len().min(ASKED_MAX / 2);
        let mut asked: Vec<[u8; 32]> = after(last_needed)
            .iter()
            .flat_map(|range| needed.range(*range).map(|(digest, _)| *digest))
            .filter(|digest| !self.arrived.lock().contains_key(digest))
            .take(room)
            .collect();
        *last_needed = asked.last().copied().unwrap_or_default();
        let rest = ASKED_MAX - asked.len();
        let ranges = after(last_wanted);
        let finals = ranges.iter().flat_map(|range| wanted.range(*range)).take(rest);
        asked.extend(finals);
        *last_wanted = asked.last().copied().unwrap_or_default();
        asked
    }

    /// Those of `payloads` that are of final batches. Those that checks wait for are handed to them.
    fn take_wanted(&self, payloads: Vec<Bytes>) -> Vec<([u8; 32], Bytes)> {
        let named: Vec<([u8; 32], Bytes)> =
            payloads.into_iter().map(|payload| (blake3_digest(&payload), payload)).collect();
        let (needed, wanted) = (self.needed.lock(), self.wanted.lock());
        let for_checks = named.iter().filter(|(digest, _)| needed.contains_key(digest));
        self.arrived.lock().extend(for_checks.cloned());
        drop(needed);
        named.into_iter().filter(|(digest, _)| wanted.contains(digest)).collect()
    }
}

type Bounds = (Bound<[u8; 32]>, Bound<[u8; 32]>);

/// All digests, beginning behind the last one.
fn after(last: &[u8; 32]) -> [Bounds; 2] {
    [(Bound::Excluded(*last), Bound::Unbounded), (Bound::Unbounded, Bound::Included(*last))]
}

/// Keeps a payload asked for while a check waits for it.
#[derive(Debug)]
pub(crate) struct Need<'a> {
    book: &'a PayloadBook,
    digest: [u8; 32],
}

impl Drop for Need<'_> {
    fn drop(&mut self) {
        let mut needed = self.book.needed.lock();
        let others = needed.get(&self.digest).copied().unwrap_or(1) - 1;
        if others > 0 {
            needed.insert(self.digest, others);
        } else {
            needed.remove(&self.digest);
            self.book.arrived.lock().remove(&self.digest);
        }
    }
}

/// Reads the notes of missing payloads, and removes those that were fetched or erased since.
fn still_missing(payloads: &Payloads, index: &dyn Store) -> Result<BTreeSet<[u8; 32]>, StoreError> {
    let mut missing = BTreeSet::new();
    let mut from = rows::MISSING.to_vec();
    let end = prefix_end(rows::MISSING);
    loop {
        let notes =
            index.scan(Space::Payloads, &from, end.as_deref(), Direction::Forward, NOTES_READ)?;
        let Some((last, _)) = notes.last() else { return Ok(missing) };
        from = [last.as_slice(), &[0]].concat();
        let mut found = Batch::default();
        for (key, _) in notes {
            match key[rows::MISSING.len()..].try_into() {
                Ok(digest) if !payloads.contains(&digest) && !rows::is_erased(index, &digest)? => {
                    missing.insert(digest);
                }
                _ => found.remove(Space::Payloads, key),
            }
        }
        if !found.writes.is_empty() {
            index.commit(found)?;
        }
    }
}

/// Answers other peers' requests and takes their answers.
pub(crate) async fn listen<E: Clock + Metrics + Spawner>(
    context: E,
    core: Arc<Core>,
    mut inbox: Inbox,
    outbox: Outbox,
) {
    while let Some((peer, message)) = inbox.recv().await {
        match Fetch::decode(&message) {
            Ok(Fetch::Want(digests)) => {
                let shared = Arc::clone(&core);
                let found = blocking(&context, move || look_up(&shared, &digests)).await;
                if let Some(payloads) = found.filter(|payloads| !payloads.is_empty()) {
                    let _ = outbox.send(To::One(peer), Fetch::Have(payloads).encode());
                }
            }
            Ok(Fetch::Have(payloads)) => take(&context, &core, payloads).await,
            // Whoever finds no room asks, or is asked, again.
            Ok(Fetch::Ask(item, offset)) => {
                let _ = core.desk.requests.try_send((peer, item, offset));
            }
            Ok(Fetch::Part(part)) => {
                let _ = core.desk.answers.try_send((peer, part));
            }
            Ok(Fetch::Keeps(digests)) => {
                let shared = Arc::clone(&core);
                // If the disk cannot tell, nobody relies on this peer.
                let kept = blocking(&context, move || keeper::kept(&shared, &digests).ok()).await;
                if let Some(kept) = kept.flatten().filter(|kept| !kept.is_empty()) {
                    let _ = outbox.send(To::One(peer), Fetch::Kept(kept).encode());
                }
            }
            Ok(Fetch::Kept(digests)) => core.payloads.told(peer, &digests),
            Err(error) => {
                Counters::add(&core.counters.messages_refused, 1);
                tracing::debug!(peer = %hex::encode(peer), %error, "malformed request");
            }
        }
    }
}

fn look_up(core: &Core, digests: &[[u8; 32]]) -> Vec<Bytes> {
    let find = |digest: &[u8; 32]| {
        let waiting = core.mempool.lock().payload(digest).cloned();
        waiting.or_else(|| core.payloads.get(digest).ok().flatten())
    };
    digests.iter().filter_map(find).collect()
}

async fn take<E: Metrics + Spawner>(context: &E, core: &Arc<Core>, payloads: Vec<Bytes>) {
    let fresh = core.payloads.take_wanted(payloads);
    if !fresh.is_empty() {
        add(&core.counters.payloads_fetched, fresh.len());
        let shared = Arc::clone(core);
        // A failing disk shows itself at the next vote or block, which cannot do without it.
        let _ = blocking(context, move || shared.payloads.keep(fresh)).await;
    }
    core.payloads.changed();
}

fn add(counter: &AtomicU64, value: usize) {
    Counters::add(counter, value);
}

/// Asks for what is missing, a different peer each time.
pub(crate) async fn ask<E: Clock>(context: E, core: Arc<Core>, outbox: Outbox) {
    let mut turn = 0_usize;
    loop {
        let seen = core.payloads.changes.get();
        for (peer, digests) in core.payloads.take_hints() {
            let digests: Vec<[u8; 32]> = digests.into_iter().collect();
            for digests in digests.chunks(WANTED_MAX) {
                let _ = outbox.send(To::One(peer), Fetch::Want(digests.to_vec()).encode());
            }
        }
        let asked = core.payloads.next_asked();
        if asked.is_empty() {
            core.payloads.changes.until(|count| *count != seen).await;
            continue;
        }
        if let Some(peer) = next_peer(&core, turn) {
            for digests in asked.chunks(WANTED_MAX) {
                let _ = outbox.send(To::One(peer), Fetch::Want(digests.to_vec()).encode());
            }
        }
        turn = turn.wrapping_add(1);
        context.sleep(ASK_INTERVAL).await;
    }
}

fn next_peer(core: &Core, turn: usize) -> Option<PeerKey> {
    let mut connected = core.ordering()?.connected();
    connected.sort_unstable();
    let count = connected.len();
    (count > 0).then(|| connected[turn % count])
}
