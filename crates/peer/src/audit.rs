//! Compare what is on disk with what the ledger says must be there.
//!
//! A disk can lose what it held without a word: a file is deleted, a segment cut. What the ledger
//! names and the disk lacks is asked of the other peers, as if it had never come.

use std::sync::Arc;

use althing_state::{Direction, Row, Space, Store, StoreError, prefix_end};
use althing_storage::Payloads;
use althing_types::StreamId;
use commonware_runtime::{Metrics, Spawner};

use crate::{
    core::Core,
    duty,
    rows::{self, Done},
    verify::blocking,
};

/// Leaves that are read together.
const LEAVES_READ: usize = 4096;
/// Most missing payloads that an [`Audit`] names.
const MISSING_LISTED_MAX: usize = 1000;

/// What a peer's disk lacks or contradicts.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Audit {
    /// How many payloads of the ledger's batches are not here.
    pub missing: u64,
    /// Digests of some of them.
    pub listed: Vec<[u8; 32]>,
    /// The first height whose header does not follow from the one before, if there is one.
    pub broken_at: Option<u64>,
}

/// Compares the payloads and headers of a stopped peer with the ledger whose state is at `height`;
/// changes nothing. Payloads that it need not have are left out: those of streams whose owner has only
/// some peers keep them, which a peer that runs sees to.
///
/// # Errors
/// [`StoreError`] if the disk fails or a row is damaged.
pub fn audit(store: &dyn Store, payloads: &Payloads, height: u64) -> Result<Audit, StoreError> {
    let mut audit = Audit { broken_at: first_broken(store, height)?, ..Audit::default() };
    let mut from = Some(Vec::new());
    while let Some(begin) = from {
        let part = leaves(store, &begin)?;
        if part.stream.is_some_and(|stream| !duty::is_everybodys(store, &stream).unwrap_or(true)) {
            from = part.next;
            continue;
        }
        for digest in part.digests.iter().filter(|digest| !payloads.contains(digest)) {
            if rows::is_erased(store, digest)? {
                continue;
            }
            audit.missing += 1;
            if audit.listed.len() < MISSING_LISTED_MAX {
                audit.listed.push(*digest);
            }
        }
        from = part.next;
    }
    Ok(audit)
}

/// Asks others for all payloads that the ledger names and this peer lacks, wherever they went.
pub(crate) async fn repair<E: Metrics + Spawner>(context: E, core: Arc<Core>) {
    let (mut from, mut lost) = (Some(Vec::new()), 0_usize);
    while let Some(begin) = from {
        let shared = Arc::clone(&core);
        let part = blocking(&context, move || want_missing(&shared, &begin)).await;
        from = match part {
            Some(Ok((count, next))) => {
                lost += count;
                next
            }
            // A failing disk shows itself at the next block, which cannot do without it.
            Some(Err(_)) | None => return,
        };
    }
    if lost > 0 {
        tracing::warn!(lost, "payloads are gone from the disk; asking the other peers for them");
    }
}

/// Wants what a part of the leaves names and is not here; how many, and where to go on.
fn want_missing(core: &Core, from: &[u8]) -> Result<(usize, Option<Vec<u8>>), StoreError> {
    let store = &**core.chain.state().store();
    let part = leaves(store, from)?;
    if let Some(stream) = part.stream.filter(|_| !part.digests.is_empty())
        && !duty::is_everybodys(store, &stream)?
    {
        // The keeper sees to these.
        return Ok((0, part.next));
    }
    let lost = part.digests.iter().filter(|digest| core.payloads.want(**digest)).count();
    Ok((lost, part.next))
}

/// Some of the leaves.
struct Leaves {
    /// Whose they are.
    stream: Option<StreamId>,
    /// Digests of their payloads.
    digests: Vec<[u8; 32]>,
    /// Where to go on; none at the end.
    next: Option<Vec<u8>>,
}

/// The leaves of the first stream at or behind a key, passing over the inner nodes.
fn leaves(store: &dyn Store, from: &[u8]) -> Result<Leaves, StoreError> {
    let first = store.scan(Space::Nodes, from, None, Direction::Forward, 1)?;
    let Some((first, _)) = first.first() else {
        return Ok(Leaves { stream: None, digests: Vec::new(), next: None });
    };
    let prefix = rows::leaves(first).ok_or_else(|| StoreError::corrupt(first))?;
    let begin = if from > prefix.as_slice() { from } else { &prefix };
    let end = prefix_end(&prefix);
    let found = store.scan(Space::Nodes, begin, end.as_deref(), Direction::Forward, LEAVES_READ)?;
    let next = match found.last() {
        Some((last, _)) if found.len() == LEAVES_READ => Some([last.as_slice(), &[0]].concat()),
        _ => end,
    };
    let stream = prefix.first_chunk().map(|stream| StreamId(*stream));
    Ok(Leaves { stream, digests: found.iter().map(digest).collect::<Result<_, _>>()?, next })
}

fn digest((key, value): &Row) -> Result<[u8; 32], StoreError> {
    let leaf = rows::decode_leaf(value).ok_or_else(|| StoreError::corrupt(key))?;
    Ok(leaf.payload_digest)
}

fn done_at(store: &dyn Store, height: u64) -> Result<Done, StoreError> {
    let key = rows::done(height);
    let value = store.get(Space::Receipts, &key)?;
    let done = value.and_then(|value| minicbor::decode(&value).ok());
    done.ok_or_else(|| StoreError::corrupt(&key))
}

fn first_broken(store: &dyn Store, height: u64) -> Result<Option<u64>, StoreError> {
    let mut parent = done_at(store, 0)?.header.digest();
    for height in 1..=height {
        let header = done_at(store, height)?.header;
        if header.parent != parent {
            return Ok(Some(height));
        }
        parent = header.digest();
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use althing_proof::stream::Leaf;
    use althing_state::{Batch, MemoryStore};
    use althing_storage::MemoryFiles;
    use althing_types::{
        Digest, EntityId, ExecutionResult, Header, LedgerId, StreamId, TxId, Wire as _,
        blake3_digest,
    };
    use bytes::Bytes;

    use super::*;

    fn payload(number: u32) -> ([u8; 32], Bytes) {
        let bytes = Bytes::from(number.to_be_bytes().to_vec());
        (blake3_digest(&bytes), bytes)
    }

    fn leaf(number: u32) -> Leaf {
        Leaf {
            first_seq: number.into(),
            count: 1,
            time_min: 0,
            time_max: 0,
            min: Some(1),
            max: Some(1),
            sum: 1,
            payload_digest: payload(number).0,
            payload_len: 4,
            submitter: EntityId([1; 32]),
            transaction: TxId([2; 32]),
            ledger_time_ms: 5,
            height: 1,
        }
    }

    /// A store with the leaves of `streams` streams, each among inner nodes, and headers to `height`.
    fn store(streams: u8, leaves: u32, height: u64) -> MemoryStore {
        let store = MemoryStore::new();
        let mut batch = Batch::default();
        for stream in (0..streams).map(|stream| StreamId([stream.wrapping_sub(2); 32])) {
            for index in 0..leaves {
                let number = u32::from(stream.0[0]) * 100_000 + index;
                batch.put(Space::Nodes, rows::leaf(&stream, index.into()), leaf(number).to_wire());
                batch.put(Space::Nodes, rows::node(&stream, 0, index.into()), b"no leaf".to_vec());
            }
        }
        let mut parent = Digest::default();
        for height in 0..=height {
            let header = header(height, parent);
            parent = header.digest();
            let (state_root, receipts_root) = (Digest::default(), Digest::default());
            let done = Done { state_root, receipts_root, header, busy_height: 0 };
            let value = minicbor::to_vec(done).unwrap();
            batch.put(Space::Receipts, rows::done(height), value);
        }
        store.commit(batch).unwrap();
        store
    }

    fn header(height: u64, parent: Digest) -> Header {
        let (state_root, receipts_root) = (Digest::default(), Digest::default());
        Header {
            version: 1,
            ledger: LedgerId([1; 32]),
            height,
            parent,
            time_ms: height,
            proposer: [1; 32],
            epoch: 0,
            view: height,
            parent_view: 0,
            validators: Digest::default(),
            next_validators: None,
            transactions: Digest::default(),
            count: 0,
            result: ExecutionResult { height: 0, state_root, receipts_root },
        }
    }

    #[test]
    fn payloads_that_a_disk_lost_are_named() {
        let store = Arc::new(store(5, LEAVES_READ as u32 + 3, 0));
        let payloads =
            Payloads::open(Arc::new(MemoryFiles::new()), Arc::clone(&store) as _).unwrap();
        let held = |number: u32| number % 1000 != 7;
        for stream in [254_u32, 255, 0, 1, 2] {
            let numbers = (0..LEAVES_READ as u32 + 3).map(|index| stream * 100_000 + index);
            let all: Vec<_> = numbers.filter(|number| held(*number)).map(payload).collect();
            payloads.put_all(&all).unwrap();
        }
        let found = audit(&*store, &payloads, 0).unwrap();
        let expected = (0..5).flat_map(|_| 0..LEAVES_READ as u32 + 3).filter(|n| !held(*n)).count();
        assert_eq!(found.missing, expected as u64);
        let lost = payload(200_007).0;
        assert!(found.listed.contains(&lost) && found.listed.len() == expected, "{found:?}");
        assert_eq!(found.broken_at, None);
    }

    #[test]
    fn a_header_that_does_not_follow_is_named() {
        let store = store(0, 0, 9);
        let payloads =
            Payloads::open(Arc::new(MemoryFiles::new()), Arc::new(MemoryStore::new())).unwrap();
        assert_eq!(audit(&store, &payloads, 9).unwrap(), Audit::default());
        assert!(audit(&store, &payloads, 10).is_err());
        let mut done = done_at(&store, 6).unwrap();
        done.header.time_ms += 1;
        let mut batch = Batch::default();
        batch.put(Space::Receipts, rows::done(6), minicbor::to_vec(done).unwrap());
        store.commit(batch).unwrap();
        assert_eq!(audit(&store, &payloads, 9).unwrap().broken_at, Some(7));
    }
}
