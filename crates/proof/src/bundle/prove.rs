//! Make the claims of a bundle from what a peer keeps.

use alloc::vec::Vec;

use althing_types::{
    Block, Digest, EntityId, Header, Reading, Receipt, SealedPayload, StreamId, TriggerId, Wire,
    merkle,
};

use crate::{
    aggregate,
    archive::{Archive, ProveError},
    bundle::{
        AggregateProof, BindingProof, Claim, DeviceProof, EarlierKey, RangeProof, ReadingClaim,
        ReadingProof, ReceiptProof, RunProof, StateProof, Stated, StreamProof, SubmitterProof,
        TransactionProof,
    },
    certificate::Finalized,
    interval::Interval,
    key,
    opening::{PARTS_MAX, Payloads, open_payload},
    range,
    record::{EntityRecord, KeyRecord},
    stream::{Leaf, LeafPath, Stored, StreamHead},
};

impl<T: Wire> Stated<T> {
    /// Looks up a record that must be there; `what` names it in the error.
    ///
    /// # Errors
    /// [`ProveError::NotInState`].
    pub fn prove<A: Archive>(
        archive: &A,
        raw_key: &[u8],
        what: &'static str,
    ) -> Result<Self, ProveError> {
        let missing = ProveError::NotInState(what);
        let value = archive.value(raw_key).ok_or(missing)?;
        // As the ledger wrote it: what is in the state was checked before, and checking a key is dear.
        let record = minicbor::decode(&value).map_err(|_| missing)?;
        Ok(Self { record, path: archive.path(raw_key).ok_or(missing)? })
    }
}

impl StreamProof {
    /// Looks up a stream and its thing.
    ///
    /// # Errors
    /// [`ProveError::NotInState`].
    pub fn prove<A: Archive>(archive: &A, stream: &StreamId) -> Result<Self, ProveError> {
        let head: Stated<StreamHead> = Stated::prove(archive, &key::stream(stream), "stream")?;
        let thing = Stated::prove(archive, &key::thing(&head.record.thing), "thing")?;
        Ok(Self { thing, head })
    }
}

impl Claim {
    /// Claims the reading with number `seq` of a stream; of a confidential one, that it exists, as a
    /// range of one.
    ///
    /// # Errors
    /// [`ProveError`] if there is none or the archive lacks a part.
    pub fn reading<A: Archive>(
        archive: &A,
        stream: &StreamId,
        seq: u64,
    ) -> Result<Self, ProveError> {
        let proof = StreamProof::prove(archive, stream)?;
        let head = &proof.head.record;
        let missing = ProveError::NoReading(seq);
        let (index, leaf) = leaf_of(archive, head, seq)?;
        let payload = archive.payload(&leaf.payload_digest);
        let payload = payload.ok_or(ProveError::Payload { leaf: index })?;
        if SealedPayload::is_form_of(&payload) {
            // Nobody here can say what it reads: the claim is that it exists, sealed.
            return Self::range(
                archive,
                stream,
                Interval::Seq { first: seq, last: seq },
                Payloads::Needed,
            );
        }
        let readings = open_payload(head, &leaf, &payload).map_err(|_| missing)?.readings;
        let holds = |(number, _): &(u64, &Reading)| *number == seq;
        let (_, reading) = leaf.numbered(&readings).find(holds).ok_or(missing)?;
        let reading = ReadingClaim::new(seq, reading);
        let path = LeafPath::collect(&head.peaks, index, |level, index| {
            archive.node(stream, level, index)
        })
        .ok_or(ProveError::Node { level: 0, index })?;
        let submitter = SubmitterProof::prove(archive, &proof, &leaf)?;
        let device = DeviceProof::prove(archive, &proof, &leaf, &payload);
        let stream = proof;
        let proof = ReadingProof { reading, stream, leaf, path, payload, submitter, device };
        Ok(Self::Reading(proof.into()))
    }

    /// Claims the readings of an interval.
    ///
    /// # Errors
    /// [`ProveError`] if the archive lacks a part or the answer would be too large.
    pub fn range<A: Archive>(
        archive: &A,
        stream: &StreamId,
        interval: Interval,
        payloads: Payloads,
    ) -> Result<Self, ProveError> {
        let stream = StreamProof::prove(archive, stream)?;
        let opening = range::prove(archive, &stream.head.record, &interval, payloads)?;
        Ok(Self::Range(RangeProof { interval, stream, opening }.into()))
    }

    /// Claims what the readings of an interval amount to.
    ///
    /// # Errors
    /// [`ProveError`] if the archive lacks a part or the answer would be too large.
    pub fn aggregate<A: Archive>(
        archive: &A,
        stream: &StreamId,
        interval: Interval,
    ) -> Result<Self, ProveError> {
        let stream = StreamProof::prove(archive, stream)?;
        let opening = aggregate::prove(archive, &stream.head.record, &interval)?;
        Ok(Self::Aggregate(AggregateProof { interval, stream, opening }.into()))
    }

    /// Claims what the state holds at a raw key, or that it holds nothing there.
    ///
    /// # Errors
    /// [`ProveError::NotInState`] if the archive has no path.
    pub fn state<A: Archive>(archive: &A, raw_key: Vec<u8>) -> Result<Self, ProveError> {
        let path = archive.path(&raw_key).ok_or(ProveError::NotInState("path"))?;
        let value = archive.value(&raw_key);
        Ok(Self::State(StateProof { key: raw_key, value, path }.into()))
    }

    /// Claims that the transaction at `index` is in a block and, if results are given, what became
    /// of it: the block's receipts, the receipts roots of all heights that a later block states
    /// (those after its parent's `result.height`, up to its own), and that block. `None` if there is
    /// no such transaction or receipt, or the later block does not state it by these roots.
    #[must_use]
    pub fn transaction(block: &Block, index: u32, results: Option<Results<'_>>) -> Option<Self> {
        let position = usize::try_from(index).ok()?;
        let ids: Vec<[u8; 32]> = block.ids().iter().map(|id| id.0).collect();
        let path = merkle::path(&ids, position)?;
        let transaction = block.transactions().get(position)?.to_vec();
        let receipt = match results {
            None => None,
            Some(results) => Some(ReceiptProof::prove(block.header(), position, results)?),
        };
        Some(Self::Transaction(TransactionProof { transaction, index, path, receipt }.into()))
    }

    /// Claims that a trigger ran in a block, with what came of it; results as for
    /// [`transaction`](Self::transaction). `None` if it did not run there, or the later block does not
    /// state it.
    #[must_use]
    pub fn run(header: &Header, trigger: TriggerId, results: Results<'_>) -> Option<Self> {
        let id = trigger.run(header.height);
        let runs = usize::try_from(header.count).ok()?;
        let mut receipts = results.0.iter().enumerate().skip(runs);
        let (position, _) = receipts.find(|(_, receipt)| receipt.transaction == id)?;
        let receipt = ReceiptProof::prove(header, position, results)?;
        let index = u32::try_from(position).ok()?;
        Some(Self::Run(RunProof { trigger, index, receipt }.into()))
    }
}

/// The batch that holds a number, and its place among the stream's. Subtrees may overlap, since what piled up
/// at a gateway comes late.
fn leaf_of<A: Archive>(
    archive: &A,
    head: &StreamHead,
    seq: u64,
) -> Result<(u64, Leaf), ProveError> {
    let (stream, only) = (head.id(), Interval::Seq { first: seq, last: seq });
    let mut open: Vec<Stored> = head.peaks.positions().collect();
    for _ in 0..PARTS_MAX {
        let Some(Stored { level, index, node }) = open.pop() else {
            return Err(ProveError::NoReading(seq));
        };
        if !only.overlaps(&node.summary) {
            continue;
        }
        let Some(level) = level.checked_sub(1) else {
            let leaf = archive.leaf(&stream, index).ok_or(ProveError::Node { level, index })?;
            return Ok((index, leaf));
        };
        for index in [index * 2, index * 2 + 1] {
            let missing = ProveError::Node { level, index };
            let node = archive.node(&stream, level, index).ok_or(missing)?;
            open.push(Stored { level, index, node });
        }
    }
    Err(ProveError::TooLarge)
}

/// A block's receipts, the receipts roots that a later block states, and that block.
pub type Results<'a> = (&'a [Receipt], Vec<Digest>, Finalized);

impl ReceiptProof {
    fn prove(header: &Header, position: usize, results: Results<'_>) -> Option<Self> {
        let (receipts, roots, later) = results;
        let digests: Vec<[u8; 32]> = receipts.iter().map(Receipt::digest).collect();
        let path = merkle::path(&digests, position)?;
        let receipt = receipts.get(position)?.clone();
        let count = u32::try_from(receipts.len()).ok()?;
        let more = Some(count).filter(|count| *count > header.count);
        let proof = Self { receipt, path, roots, block: later, receipts: more };
        let stated = proof.stated_root(header.height).ok()?;
        (*stated == merkle::root(&digests)).then_some(proof)
    }
}

impl SubmitterProof {
    fn prove<A: Archive>(
        archive: &A,
        stream: &StreamProof,
        leaf: &Leaf,
    ) -> Result<Self, ProveError> {
        let key = key::entity(&leaf.submitter);
        let entity: Stated<EntityRecord> = Stated::prove(archive, &key, "entity")?;
        let binding = if leaf.submitter == stream.thing.record.owner {
            None
        } else {
            Some(BindingProof::prove(archive, stream, &leaf.submitter)?)
        };
        // In the block of a rotation either key may have signed.
        let since = entity.record.key_since_height;
        let earlier_key = if since >= leaf.height {
            EarlierKey::prove(archive, &leaf.submitter, &entity.record, leaf.height)
        } else {
            None
        };
        // Without a key of then the transaction would show nothing.
        let checkable = since <= leaf.height || earlier_key.is_some();
        let transaction = if checkable { archive.transaction(&leaf.transaction) } else { None };
        let earlier_key = earlier_key.filter(|_| transaction.is_some());
        Ok(Self { entity, binding, transaction, earlier_key })
    }
}

impl DeviceProof {
    /// Finds who signed the packs of a payload, if it is made of packs and the key of then is known.
    fn prove<A: Archive>(
        archive: &A,
        stream: &StreamProof,
        leaf: &Leaf,
        payload: &[u8],
    ) -> Option<Self> {
        let packs = leaf.batch(stream.head.record.id()).packs(payload).ok()??;
        let signer = packs.signer()?;
        let entity: Stated<EntityRecord> =
            Stated::prove(archive, &key::entity(&signer), "device").ok()?;
        let since = entity.record.key_since_height;
        let earlier_key = if since >= leaf.height {
            EarlierKey::prove(archive, &signer, &entity.record, leaf.height)
        } else {
            None
        };
        (since <= leaf.height || earlier_key.is_some()).then_some(Self { entity, earlier_key })
    }
}

impl BindingProof {
    fn prove<A: Archive>(
        archive: &A,
        stream: &StreamProof,
        gateway: &EntityId,
    ) -> Result<Self, ProveError> {
        let missing = ProveError::NotInState("binding");
        let key = key::binding(&stream.head.record.thing, gateway);
        let path = archive.path(&key).ok_or(missing)?;
        let record = archive.value(&key).map(|value| Wire::from_wire(&value));
        Ok(Self { record: record.transpose().map_err(|_| missing)?, path })
    }
}

impl EarlierKey {
    /// Finds the key that an entity had at a height. Versions take effect at ascending heights.
    fn prove<A: Archive>(
        archive: &A,
        id: &EntityId,
        entity: &EntityRecord,
        height: u64,
    ) -> Option<Self> {
        let of = |version| {
            let key = key::key_history(id, version);
            Stated::<KeyRecord>::prove(archive, &key, "key").ok()
        };
        let (mut low, mut high) = (1, entity.key_version.checked_sub(1)?);
        while low < high {
            let middle = low + (high - low).div_ceil(2);
            if of(middle)?.record.since_height <= height {
                low = middle;
            } else {
                high = middle - 1;
            }
        }
        Some(Self { version: low, key: of(low)? })
    }
}
