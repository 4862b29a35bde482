use alloc::{format, string::String, vec::Vec};

use althing_types::{EntityId, EntityKind, Pack, PublicKey, Transaction, TxId, Wire};
use bytes::Bytes;

use super::{Verifier, time_of};
use crate::{
    bundle::{
        Attestation, Delegation, EarlierKey, Failure, ReadingProof, SignatureCheck, Step,
        SubmitterProof, VerifiedClaim, VerifiedReading, VerifiedStream, Why,
        step::{At, require},
    },
    certificate::Finalized,
    key, opening,
    record::{BindingRecord, EntityRecord, ThingRecord},
    state_path::value_digest,
    stream::Leaf,
    text,
};

impl Verifier<'_> {
    pub(super) fn reading(
        &mut self,
        block: &Finalized,
        proof: &ReadingProof,
    ) -> Result<VerifiedClaim, Failure> {
        let stream = self.stream(block, &proof.stream)?;
        self.batch(block, proof)?;
        self.payload(proof)?;
        let value_text = self.value(proof)?;
        let leaf = &proof.leaf;
        let thing = &proof.stream.thing.record;
        let attestation = self.submitter(block, leaf, thing, &proof.submitter)?;
        let delegation = self.delegation(block, leaf, &stream, &proof.submitter)?;
        let signature = self.signature(block, leaf, &stream, &proof.submitter)?;
        let attestation = self.device(block, proof, &stream)?.unwrap_or(attestation);
        Ok(VerifiedClaim::Reading(VerifiedReading {
            seq: proof.reading.seq,
            value: proof.reading.value.clone(),
            value_text,
            claimed_ms: proof.reading.claimed_ms,
            received_ms: proof.reading.received_ms,
            ledger_time_ms: leaf.ledger_time_ms,
            height: leaf.height,
            transaction: leaf.transaction,
            attestation,
            delegation,
            signature,
            stream,
        }))
    }

    fn batch(&mut self, block: &Finalized, proof: &ReadingProof) -> Result<(), Failure> {
        let leaf = &proof.leaf;
        let hangs = proof.path.verify(&proof.stream.head.record.peaks, leaf);
        require(hangs, Step::Batch, "the path does not lead from the batch to the stream's tree")?;
        let earlier = leaf.height <= block.header.result.height;
        require(earlier, Step::Batch, "the batch is of a later block than the state")?;
        let text = format!(
            "batch {}, numbers {} to {}, is in the stream's tree since block {} of {}",
            proof.path.index,
            leaf.first_seq,
            leaf.last_seq(),
            leaf.height,
            time_of(leaf.ledger_time_ms),
        );
        self.done(Step::Batch, text);
        Ok(())
    }

    fn payload(&mut self, proof: &ReadingProof) -> Result<(), Failure> {
        let head = &proof.stream.head.record;
        let payload = opening::open_payload(head, &proof.leaf, &proof.payload).at(Step::Payload)?;
        let text = format!(
            "its payload of {} bytes is the one it names, with {} readings",
            proof.payload.len(),
            payload.readings.len(),
        );
        self.done(Step::Payload, text);
        let claim = &proof.reading;
        let position = claim.seq.checked_sub(proof.leaf.first_seq);
        let found = position
            .and_then(|position| usize::try_from(position).ok())
            .and_then(|position| payload.readings.get(position));
        let same = found.is_some_and(|reading| *reading == claim.reading());
        require(same, Step::Reading, "the payload has another reading at this number, or none")
    }

    fn value(&mut self, proof: &ReadingProof) -> Result<String, Failure> {
        let claim = &proof.reading;
        let value = text::value(&claim.value, &proof.stream.head.record.schema);
        let text = format!(
            "number {} is {value}: claimed at {}, received at {}, on the ledger at {}",
            claim.seq,
            text::time(claim.claimed_ms),
            text::time(claim.received_ms),
            time_of(proof.leaf.ledger_time_ms),
        );
        self.done(Step::Reading, text);
        Ok(value)
    }

    fn submitter(
        &mut self,
        block: &Finalized,
        leaf: &Leaf,
        thing: &ThingRecord,
        proof: &SubmitterProof,
    ) -> Result<Attestation, Failure> {
        let entity = &proof.entity.record;
        let root = &block.header.result.state_root;
        proof.entity.check(root, &key::entity(&leaf.submitter)).at(Step::Submitter)?;
        let same = entity.inception.id() == leaf.submitter;
        require(same, Step::Submitter, "the entity's record begins with another inception")?;
        let active = entity.revoked.is_none_or(|height| leaf.height <= height);
        require(active, Step::Submitter, "the entity was revoked before the batch was taken")?;
        let attestation = attestation(leaf, thing, entity);
        let how = match attestation {
            Attestation::SignedByDevice(_) => "signed by device",
            Attestation::AssertedBy { kind, .. } => match kind {
                EntityKind::Gateway => "asserted by gateway",
                EntityKind::Organisation => "asserted by organisation",
                _ => "asserted by entity",
            },
        };
        let text = format!(
            "{how} `{}`, {}",
            text::printable(&entity.inception.name),
            self.did(&leaf.submitter)
        );
        self.done(Step::Submitter, text);
        Ok(attestation)
    }

    fn delegation(
        &mut self,
        block: &Finalized,
        leaf: &Leaf,
        stream: &VerifiedStream,
        proof: &SubmitterProof,
    ) -> Result<Delegation, Failure> {
        let delegation = match &proof.binding {
            None => {
                let owner = leaf.submitter == stream.owner;
                require(owner, Step::Delegation, "nothing shows that the submitter was bound")?;
                Delegation::Owner
            }
            Some(binding) => {
                let key = key::binding(&stream.thing, &leaf.submitter);
                let root = &block.header.result.state_root;
                let found = binding.path.verify(root, &key).at(Step::Delegation)?;
                let claimed = binding.record.map(|record| value_digest(&record.to_wire()));
                require(found == claimed, Step::Delegation, "the state holds another binding")?;
                Delegation::of(binding.record, leaf.height)
            }
        };
        let text = match delegation {
            Delegation::Owner => "it owns the thing".into(),
            Delegation::Bound { from_height, until_height } => {
                format!("the owner bound it to the thing, blocks {from_height} to {until_height}")
            }
            Delegation::Former => {
                "its binding of then has ended; the quorum that took the batch checked it".into()
            }
        };
        self.done(Step::Delegation, text);
        Ok(delegation)
    }

    fn signature(
        &mut self,
        block: &Finalized,
        leaf: &Leaf,
        stream: &VerifiedStream,
        proof: &SubmitterProof,
    ) -> Result<SignatureCheck, Failure> {
        let Some(wire) = &proof.transaction else {
            let none = proof.earlier_key.is_none();
            require(none, Step::Signature, "a key without the transaction that it signed")?;
            let text = "left out of the bundle; the quorum that took the batch checked it";
            self.done(Step::Signature, text.into());
            return Ok(SignatureCheck::LeftOut);
        };
        let entity = &proof.entity.record;
        let earlier = proof.earlier_key.as_ref();
        let keys =
            keys_of_then(block, leaf.height, &leaf.submitter, entity, earlier, Step::Signature)?;
        let transaction = transaction_of(wire, leaf, stream)?;
        let signed = keys.into_iter().find(|(key, _)| self.is_signed(&transaction, key));
        let (_, key_version) = signed
            .ok_or(Why::Claim("the signature on the transaction does not verify"))
            .at(Step::Signature)?;
        let text = format!(
            "its signature on transaction {} verifies under version {key_version} of its key",
            leaf.transaction
        );
        self.done(Step::Signature, text);
        Ok(SignatureCheck::Verified { key_version })
    }

    /// The device whose signature covers the reading, if the payload is made of packs that a device
    /// signed and the bundle shows who it was.
    fn device(
        &mut self,
        block: &Finalized,
        proof: &ReadingProof,
        stream: &VerifiedStream,
    ) -> Result<Option<Attestation>, Failure> {
        let (step, leaf) = (Step::Device, &proof.leaf);
        let packs = leaf.batch(stream.stream).packs(&proof.payload).at(step)?;
        let Some(packs) = packs else {
            require(proof.device.is_none(), step, "a device that signed nothing in the payload")?;
            return Ok(None);
        };
        let Some(device) = &proof.device else {
            let text = "left out of the bundle; the quorum that took the batch checked the device's \
                        signature";
            self.done(step, text.into());
            return Ok(None);
        };
        let entity = &device.entity.record;
        let id = entity.inception.id();
        device.entity.check(&block.header.result.state_root, &key::entity(&id)).at(step)?;
        require(packs.signer() == Some(id), step, "the packs are from another device")?;
        let active = entity.revoked.is_none_or(|height| leaf.height <= height);
        require(active, step, "the device was revoked before the batch was taken")?;
        let keys =
            keys_of_then(block, leaf.height, &id, entity, device.earlier_key.as_ref(), step)?;
        let seq = proof.reading.seq;
        let covers = |pack: &Pack| (pack.body().first_seq..pack.end_seq()).contains(&seq);
        let pack = packs.packs.iter().map(|arrived| &arrived.pack).find(|pack| covers(pack));
        let pack = pack.ok_or(Why::Claim("no pack holds the reading")).at(step)?;
        let signed = keys.into_iter().find(|(key, _)| {
            let check = pack.check(&self.ledger, &stream.stream, key);
            check.is_some_and(|check| check.holds())
        });
        let (_, version) =
            signed.ok_or(Why::Claim("the device's signature does not verify")).at(step)?;
        let text = format!(
            "signed by device `{}`, {}, numbers {} to {}, under version {version} of its key",
            text::printable(&entity.inception.name),
            self.did(&id),
            pack.body().first_seq,
            pack.end_seq() - 1,
        );
        self.done(step, text);
        Ok(Some(Attestation::SignedByDevice(id)))
    }

    /// Whether the sender's signature verifies under a key. The sender signs first; further
    /// signers of a transaction are not this claim's matter.
    fn is_signed(&self, transaction: &Transaction, key: &PublicKey) -> bool {
        let check = transaction.checks(&self.ledger, |_| Some(key.clone())).next().flatten();
        check.is_some_and(|check| check.key.verify(&check.message, &check.signature))
    }
}

impl Delegation {
    fn of(binding: Option<BindingRecord>, height: u64) -> Self {
        match binding.filter(|record| record.holds_at(height)) {
            Some(BindingRecord { bound_height, until_height }) => {
                Self::Bound { from_height: bound_height, until_height }
            }
            None => Self::Former,
        }
    }
}

fn attestation(leaf: &Leaf, thing: &ThingRecord, entity: &EntityRecord) -> Attestation {
    // The owner says which entity is the device: in the thing's record, or by binding a device.
    let kind = entity.inception.kind;
    if thing.device == Some(leaf.submitter) || kind == EntityKind::Device {
        Attestation::SignedByDevice(leaf.submitter)
    } else {
        Attestation::AssertedBy { entity: leaf.submitter, kind }
    }
}

/// The keys, with their versions, that an entity had in the block of the batch: two if it was the
/// block that replaced one.
fn keys_of_then<'a>(
    block: &Finalized,
    height: u64,
    id: &EntityId,
    entity: &'a EntityRecord,
    earlier: Option<&'a EarlierKey>,
    step: Step,
) -> Result<Vec<(&'a PublicKey, u32)>, Failure> {
    let mut keys = Vec::new();
    if let Some(EarlierKey { version, key }) = earlier {
        let root = &block.header.result.state_root;
        key.check(root, &key::key_history(id, *version)).at(step)?;
        let held = (key.record.since_height..=key.record.until_height).contains(&height);
        require(held, step, "the key was not the signer's when the batch was taken")?;
        keys.push((&key.record.key, *version));
    }
    if entity.key_since_height <= height {
        keys.push((&entity.key, entity.key_version));
    }
    require(!keys.is_empty(), step, "the signer's key is newer than the batch")?;
    Ok(keys)
}

fn transaction_of(
    wire: &[u8],
    leaf: &Leaf,
    stream: &VerifiedStream,
) -> Result<Transaction, Failure> {
    let step = Step::Signature;
    let same = TxId::of(wire) == leaf.transaction;
    require(same, step, "the transaction is not the one that brought the batch")?;
    let transaction = Transaction::decode(Bytes::copy_from_slice(wire))
        .map_err(|_| Why::Claim("the transaction is malformed"))
        .at(step)?;
    let sent = transaction.body().sender == leaf.submitter;
    require(sent, step, "the transaction is from another sender")?;
    let brings = transaction.batches().any(|batch| *batch == leaf.batch(stream.stream));
    require(brings, step, "the transaction does not bring the batch")?;
    Ok(transaction)
}
