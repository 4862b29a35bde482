//! Make the claims of a bundle from what a peer keeps.

use alloc::vec::Vec;

use althing_types::{Block, Digest, EntityId, Header, Receipt, StreamId, TriggerId, Wire, merkle};

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
    opening::Payloads,
    range,
    record::{EntityRecord, KeyRecord},
    stream::{Leaf, LeafPath, StreamHead},
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
        let record = T::from_wire(&value).map_err(|_| missing)?;
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
        let only = Interval::Seq { first: seq, last: seq };
        let opening = range::prove(archive, head, &only, Payloads::Needed)?;
        let missing = ProveError::NoReading(seq);
        let answer = range::verify(head, &only, &opening).map_err(|_| missing)?;
        if answer.sealed().next().is_some() {
            // Nobody here can say what it reads: the claim is that it exists, sealed.
            let claim = RangeProof { interval: only, stream: proof, opening };
            return Ok(Self::Range(claim.into()));
        }
        let (_, reading) = answer.readings().next().ok_or(missing)?;
        let reading = ReadingClaim::new(seq, reading);
        let batch = answer.batches.into_iter().next().ok_or(missing)?;
        let (leaf, index) = (batch.leaf, batch.index);
        let path = LeafPath::collect(&head.peaks, index, |level, index| {
            archive.node(stream, level, index)
        })
        .ok_or(ProveError::Node { level: 0, index })?;
        let payload = archive.payload(&leaf.payload_digest);
        let payload = payload.ok_or(ProveError::Payload { leaf: index })?;
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
