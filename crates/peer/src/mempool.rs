//! Transactions that wait to be included: bounded, and fair between senders.
//!
//! Pure: no clock, no I/O. The rim checks a transaction, then [`Mempool::insert`]s it; a proposer
//! [`Mempool::pick`]s; a final block's transactions are [`Mempool::remove`]d.

use std::{
    collections::{BTreeMap, HashMap, HashSet, VecDeque},
    sync::Arc,
};

use althing_ledger::Basis;
use althing_types::{EntityId, Refusal, Transaction, TxId};
use bytes::Bytes;

/// A transaction whose form, signatures and payloads have been checked.
#[derive(Debug, Clone)]
pub struct Checked {
    /// The transaction.
    pub transaction: Transaction,
    /// The payloads of its batches, in order.
    pub payloads: Vec<Bytes>,
    /// What it was checked against. A validator uses the outcome only where the state whose root the
    /// block states says the same.
    pub basis: Basis,
    /// Whether its signatures were not checked here: another validator's word was taken. It counts only
    /// as long as that one's word does.
    pub is_vouched: bool,
}

impl Checked {
    /// What it occupies, bytes.
    #[must_use]
    pub fn len(&self) -> usize {
        self.transaction.wire().len() + self.payloads.iter().map(Bytes::len).sum::<usize>()
    }

    /// Never: a transaction has bytes.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        false
    }

    /// Whether an entity is among its signers.
    #[must_use]
    pub fn is_signed_by(&self, entity: &EntityId) -> bool {
        self.transaction.signatures().iter().any(|signed| signed.signer == *entity)
    }
}

/// Longest payloads of a block together, bytes: what a validator holds and writes before it votes.
pub(crate) const BLOCK_PAYLOADS_BYTES_MAX: usize = 16 * 1024 * 1024;

/// Bounds of a mempool.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Most transactions.
    pub transactions_max: usize,
    /// Most transactions of one sender.
    pub per_sender_max: usize,
    /// Most bytes of one sender, payloads included; a single transaction may have more.
    pub per_sender_bytes_max: usize,
    /// Most bytes, payloads included.
    pub bytes_max: usize,
}

/// The waiting transactions of one peer.
#[derive(Debug)]
pub struct Mempool {
    limits: Limits,
    bytes: usize,
    // Looked up a dozen times for each transaction, and so by hash. Whatever is walked must be walked
    // alike in every run of a seed: nothing follows from the order of these entries.
    entries: HashMap<TxId, Entry>,
    senders: BTreeMap<EntityId, Waiting>,
    expiries: BTreeMap<u64, HashSet<TxId>>,
    /// The sender after which the next block begins, so that none is always first.
    turn: Option<EntityId>,
    payloads: BTreeMap<[u8; 32], Bytes>,
}

/// What waits of one sender.
#[derive(Debug, Default)]
struct Waiting {
    /// In the order it came.
    queue: VecDeque<TxId>,
    /// Payloads included.
    bytes: usize,
}

#[derive(Debug)]
struct Entry {
    checked: Arc<Checked>,
    /// When a client of this peer, which is therefore answerable for spreading it, brought it; milliseconds
    /// since 1970.
    came_ms: Option<u64>,
}

impl Mempool {
    /// An empty one.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            bytes: 0,
            entries: HashMap::new(),
            senders: BTreeMap::new(),
            expiries: BTreeMap::new(),
            turn: None,
            payloads: BTreeMap::new(),
        }
    }

    /// Other bounds from now on. What is there stays, also if it is more than they let in.
    pub const fn set_limits(&mut self, limits: Limits) {
        self.limits = limits;
    }

    /// The bounds that hold.
    #[must_use]
    pub const fn limits(&self) -> Limits {
        self.limits
    }

    /// Number of transactions.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether nothing waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Bytes held, payloads included.
    #[must_use]
    pub const fn bytes(&self) -> usize {
        self.bytes
    }

    /// The transaction with this id.
    #[must_use]
    pub fn get(&self, id: &TxId) -> Option<&Arc<Checked>> {
        self.entries.get(id).map(|entry| &entry.checked)
    }

    /// The payload with this BLAKE3 digest, if a waiting transaction brought it.
    #[must_use]
    pub fn payload(&self, digest: &[u8; 32]) -> Option<&Bytes> {
        self.payloads.get(digest)
    }

    /// Whether another transaction of `sender`, of `len` bytes, may come in.
    ///
    /// # Errors
    /// [`Refusal::MempoolFull`] or [`Refusal::SenderQuota`].
    pub fn room(&self, sender: &EntityId, len: usize) -> Result<(), Refusal> {
        if self.entries.len() >= self.limits.transactions_max
            || self.bytes.saturating_add(len) > self.limits.bytes_max
        {
            return Err(Refusal::MempoolFull);
        }
        // By bytes too: a few large transactions fill a pool as well as many small ones.
        match self.senders.get(sender) {
            Some(Waiting { queue, bytes })
                if queue.len() >= self.limits.per_sender_max
                    || bytes.saturating_add(len) > self.limits.per_sender_bytes_max =>
            {
                Err(Refusal::SenderQuota)
            }
            _ => Ok(()),
        }
    }

    /// Takes a checked transaction; one that is there already stays as it is. `came_ms` says when a client of
    /// this peer brought it, if one did: milliseconds since 1970.
    ///
    /// # Errors
    /// As [`Mempool::room`].
    pub fn insert(&mut self, checked: Arc<Checked>, came_ms: Option<u64>) -> Result<(), Refusal> {
        let (id, body) = (checked.transaction.id(), checked.transaction.body());
        if let Some(entry) = self.entries.get_mut(&id) {
            entry.came_ms = entry.came_ms.or(came_ms);
            return Ok(());
        }
        self.room(&body.sender, checked.len())?;
        self.bytes += checked.len();
        let waiting = self.senders.entry(body.sender).or_default();
        waiting.bytes += checked.len();
        waiting.queue.push_back(id);
        self.expiries.entry(body.expiry_height).or_default().insert(id);
        for (batch, payload) in checked.transaction.batches().zip(&checked.payloads) {
            self.payloads.insert(batch.payload_digest, payload.clone());
        }
        self.entries.insert(id, Entry { checked, came_ms });
        Ok(())
    }

    /// Takes out what is final, refused or no longer wanted.
    pub fn remove(&mut self, id: &TxId) -> Option<Arc<Checked>> {
        let Entry { checked, .. } = self.entries.remove(id)?;
        let body = checked.transaction.body();
        self.bytes = self.bytes.saturating_sub(checked.len());
        self.forget_expiry(body.expiry_height, id);
        for batch in checked.transaction.batches() {
            self.payloads.remove(&batch.payload_digest);
        }
        if let Some(waiting) = self.senders.get_mut(&body.sender) {
            waiting.bytes = waiting.bytes.saturating_sub(checked.len());
            // Final transactions leave mostly in the order they came, so this is the front.
            if let Some(position) = waiting.queue.iter().position(|other| other == id) {
                waiting.queue.remove(position);
            }
            if waiting.queue.is_empty() {
                self.senders.remove(&body.sender);
            }
        }
        Some(checked)
    }

    fn forget_expiry(&mut self, height: u64, id: &TxId) {
        if let Some(ids) = self.expiries.get_mut(&height) {
            ids.remove(id);
            if ids.is_empty() {
                self.expiries.remove(&height);
            }
        }
    }

    /// Takes out everything that can no longer be included after `height`; in no certain order.
    pub fn expire(&mut self, height: u64) -> Vec<TxId> {
        let expired: Vec<TxId> =
            self.expiries.range(..=height).flat_map(|(_, ids)| ids.iter().copied()).collect();
        for id in &expired {
            self.remove(id);
        }
        expired
    }

    /// Takes out everything signed by an entity whose keys have changed; it is checked anew if it
    /// comes again.
    pub fn forget_signer(&mut self, entity: &EntityId) {
        let affected: Vec<TxId> = self
            .entries
            .iter()
            .filter(|(_, entry)| entry.checked.is_signed_by(entity))
            .map(|(id, _)| *id)
            .collect();
        for id in affected {
            self.remove(&id);
        }
    }

    /// Chooses the content of a block: one transaction of each sender in turn, each sender's in the
    /// order they came, until nothing more fits.
    #[must_use]
    pub fn pick(
        &mut self,
        exclude: &HashSet<TxId>,
        count_max: usize,
        bytes_max: usize,
    ) -> Vec<Arc<Checked>> {
        let mut picked = Vec::new();
        let (mut bytes, mut payload_bytes) = (0_usize, 0_usize);
        let mut queues = self.queues_from_turn();
        while !queues.is_empty() {
            let before = picked.len();
            for (sender, queue) in &mut queues {
                let Some(checked) = next_of(&self.entries, queue, exclude) else { continue };
                let len = checked.transaction.wire().len() + TRANSACTION_OVERHEAD_BYTES;
                let payloads: usize = checked.payloads.iter().map(Bytes::len).sum();
                if picked.len() >= count_max
                    || bytes + len > bytes_max
                    || payload_bytes + payloads > BLOCK_PAYLOADS_BYTES_MAX
                {
                    self.turn = Some(*sender);
                    return picked;
                }
                bytes += len;
                payload_bytes += payloads;
                picked.push(Arc::clone(checked));
            }
            if picked.len() == before {
                break;
            }
            queues.retain(|(_, queue)| queue.len() > 0);
        }
        picked
    }

    /// Every sender's queue, beginning with the sender whose turn it is.
    fn queues_from_turn(&self) -> Vec<(EntityId, std::collections::vec_deque::Iter<'_, TxId>)> {
        let turn = self.turn.unwrap_or_default();
        self.senders
            .range(turn..)
            .chain(self.senders.range(..turn))
            .map(|(sender, waiting)| (*sender, waiting.queue.iter()))
            .collect()
    }

    /// How many transactions of a sender wait, and the highest nonce among them.
    #[must_use]
    pub fn waiting_of(&self, sender: &EntityId) -> (usize, Option<u64>) {
        let Some(Waiting { queue, .. }) = self.senders.get(sender) else { return (0, None) };
        let nonces = queue.iter().filter_map(|id| self.entries.get(id));
        let highest = nonces.map(|entry| entry.checked.transaction.body().nonce).max();
        (queue.len(), highest)
    }

    /// Whether anything waits that is not in `exclude`.
    #[must_use]
    pub fn has_work(&self, exclude: &HashSet<TxId>) -> bool {
        self.entries.len() > exclude.len() || self.entries.keys().any(|id| !exclude.contains(id))
    }

    /// How many transactions wait that clients of this peer brought.
    #[must_use]
    pub fn local_len(&self) -> usize {
        self.local_came_ms().count()
    }

    /// When those came that clients of this peer brought and that wait, in no certain order.
    pub(crate) fn local_came_ms(&self) -> impl Iterator<Item = u64> {
        self.entries.values().filter_map(|entry| entry.came_ms)
    }

    /// When a client of this peer brought this one, if one did and it waits.
    pub(crate) fn came_ms(&self, id: &TxId) -> Option<u64> {
        self.entries.get(id)?.came_ms
    }

    /// Transactions that clients of this peer brought, for spreading them again; at most `max`.
    #[must_use]
    pub fn local(&self, max: usize) -> Vec<Arc<Checked>> {
        let mut mine: Vec<(&TxId, &Entry)> =
            self.entries.iter().filter(|(_, entry)| entry.came_ms.is_some()).collect();
        // By id, so that no sender is before the others, and alike in every run.
        mine.sort_unstable_by_key(|(id, _)| **id);
        mine.into_iter().take(max).map(|(_, entry)| Arc::clone(&entry.checked)).collect()
    }
}

/// What a block's encoding adds to each transaction, bytes.
const TRANSACTION_OVERHEAD_BYTES: usize = 5;

fn next_of<'a>(
    entries: &'a HashMap<TxId, Entry>,
    queue: &mut std::collections::vec_deque::Iter<'_, TxId>,
    exclude: &HashSet<TxId>,
) -> Option<&'a Arc<Checked>> {
    let id = queue.find(|id| !exclude.contains(id))?;
    entries.get(id).map(|entry| &entry.checked)
}

#[cfg(test)]
mod tests {
    use super::*;
    use althing_types::{Action, Body, LedgerId, Record, SigningKey, Suite};

    fn checked(sender: u8, nonce: u64, expiry: u64) -> Arc<Checked> {
        let key = SigningKey::from_secret(Suite::Ed25519, [1; 32]).unwrap();
        let record = Record { kind: "test".into(), data: vec![0; 100], notify: vec![], link: None };
        let ledger = LedgerId([9; 32]);
        let sender = EntityId([sender; 32]);
        let body = Body::new(&ledger, sender, nonce, expiry, vec![Action::Record(record)]);
        let transaction = Transaction::sign(&ledger, body, &key, &[]);
        let basis = Basis::default();
        Arc::new(Checked { transaction, payloads: vec![], basis, is_vouched: false })
    }

    fn pool(transactions_max: usize, per_sender_max: usize) -> Mempool {
        let (per_sender_bytes_max, bytes_max) = (1 << 20, 1 << 20);
        Mempool::new(Limits { transactions_max, per_sender_max, per_sender_bytes_max, bytes_max })
    }

    /// A transaction with payloads of so many bytes.
    fn heavy(sender: u8, nonce: u64, bytes: usize) -> Arc<Checked> {
        let checked = Checked::clone(&checked(sender, nonce, 9));
        Arc::new(Checked { payloads: vec![Bytes::from(vec![0; bytes])], ..checked })
    }

    fn picked(pool: &mut Mempool, count: usize) -> Vec<(u8, u64)> {
        let chosen = pool.pick(&HashSet::new(), count, usize::MAX);
        let of = |c: &Arc<Checked>| (c.transaction.body().sender.0[0], c.transaction.body().nonce);
        chosen.iter().map(of).collect()
    }

    #[test]
    fn a_flood_by_one_sender_does_not_displace_the_others() {
        let mut pool = pool(100, 50);
        for nonce in 0..50 {
            pool.insert(checked(1, nonce, 9), None).unwrap();
        }
        assert_eq!(pool.insert(checked(1, 50, 9), None), Err(Refusal::SenderQuota));
        pool.insert(checked(2, 0, 9), None).unwrap();
        pool.insert(checked(3, 0, 9), None).unwrap();
        assert_eq!(picked(&mut pool, 5), [(1, 0), (2, 0), (3, 0), (1, 1), (1, 2)]);
    }

    /// The quota counted transactions alone: sixteen of 4 MiB by one sender left no room.
    #[test]
    fn large_transactions_by_one_sender_leave_room_for_the_others() {
        const SHARE: usize = 16_000;
        let mut pool = Mempool::new(Limits {
            transactions_max: 100,
            per_sender_max: 50,
            per_sender_bytes_max: SHARE,
            bytes_max: 4 * SHARE,
        });
        let taken = (0..50).take_while(|nonce| pool.insert(heavy(1, *nonce, 3000), None).is_ok());
        assert_eq!(taken.count(), 4, "with what is beside the payloads");
        assert_eq!(pool.insert(heavy(1, 9, 3000), None), Err(Refusal::SenderQuota));
        pool.insert(heavy(2, 0, 3000), None).unwrap();
        // One that has more than the share comes in alone.
        pool.insert(heavy(3, 0, SHARE), None).unwrap();
        assert_eq!(pool.insert(checked(3, 1, 9), None), Err(Refusal::SenderQuota));
        pool.remove(&heavy(3, 0, SHARE).transaction.id()).unwrap();
        pool.insert(checked(3, 1, 9), None).unwrap();
        pool.expire(u64::MAX);
        assert_eq!((pool.len(), pool.bytes()), (0, 0));
    }

    #[test]
    fn the_turn_moves_on_so_that_small_blocks_serve_everybody() {
        let mut pool = pool(100, 50);
        for sender in 1..=4 {
            for nonce in 0..2 {
                pool.insert(checked(sender, nonce, 9), None).unwrap();
            }
        }
        let first = picked(&mut pool, 2);
        assert_eq!(first, [(1, 0), (2, 0)]);
        assert_eq!(picked(&mut pool, 2), [(3, 0), (4, 0)]);
    }

    #[test]
    fn bounds_hold_and_room_comes_back() {
        let mut pool = pool(2, 2);
        let (a, b, c) = (checked(1, 0, 5), checked(2, 0, 6), checked(3, 0, 7));
        pool.insert(a.clone(), Some(1)).unwrap();
        pool.insert(a.clone(), None).unwrap();
        pool.insert(b, None).unwrap();
        assert_eq!(pool.insert(c.clone(), None), Err(Refusal::MempoolFull));
        assert_eq!(pool.local(9).len(), 1);
        assert_eq!(pool.expire(5), [a.transaction.id()]);
        pool.insert(c, None).unwrap();
        pool.expire(u64::MAX);
        assert_eq!((pool.len(), pool.bytes(), pool.has_work(&HashSet::new())), (0, 0, false));
    }

    #[test]
    fn other_bounds_hold_from_then_on_and_nothing_that_waits_is_lost() {
        let mut pool = pool(3, 3);
        let fewer = Limits { transactions_max: 1, ..pool.limits() };
        pool.insert(checked(1, 0, 9), None).unwrap();
        pool.insert(checked(2, 0, 9), None).unwrap();
        pool.set_limits(fewer);
        assert_eq!(
            (pool.len(), pool.insert(checked(3, 0, 9), None)),
            (2, Err(Refusal::MempoolFull))
        );
        pool.set_limits(Limits { transactions_max: 3, ..fewer });
        pool.insert(checked(3, 0, 9), None).unwrap();
    }

    #[test]
    fn what_is_under_way_is_not_picked_again() {
        let mut pool = pool(10, 10);
        let a = checked(1, 0, 9);
        pool.insert(a.clone(), None).unwrap();
        let exclude = HashSet::from([a.transaction.id()]);
        assert!(pool.pick(&exclude, 10, usize::MAX).is_empty());
        assert!(!pool.has_work(&exclude));
        pool.insert(checked(1, 1, 9), None).unwrap();
        assert!(pool.has_work(&exclude));
        assert_eq!(pool.pick(&exclude, 10, usize::MAX).len(), 1);
    }
}
