//! Check a bundle, step by step, each saying what it showed.

mod reading;
mod transaction;

use alloc::{format, string::String, vec::Vec};

use althing_types::{Did, EntityId, Genesis, LedgerId, StreamId, ThingId, Validator, Value, Wire};

use crate::{
    aggregate::{self, Aggregate},
    bundle::{
        AggregateProof, CertifiedBlock, Claim, Done, Failure, RangeProof, Sealed, StateProof, Step,
        StreamProof, Verified, VerifiedClaim, VerifiedStream,
        step::{At, require},
    },
    certificate::Finalized,
    interval::Interval,
    key,
    membership::Membership,
    range::{self, RangeAnswer},
    state_path::value_digest,
    text,
};

/// Most validators named in words.
const NAMES_MAX: usize = 8;

/// Checks the bytes of a bundle file against nothing but the genesis, which must itself be
/// [valid](Genesis::check) and the one you trust.
///
/// ```
/// use althing_proof::verify;
/// use althing_types::{Genesis, Wire};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let vectors = include_str!("../../../../testdata/vectors/bundle.json");
/// # let hex_of = |field: &str| -> Option<Vec<u8>> {
/// #     let (_, rest) = vectors.split_once(&format!("\"{field}\": \""))?;
/// #     let (digits, _) = rest.split_once('"')?;
/// #     let pairs = (0..digits.len()).step_by(2);
/// #     pairs.map(|at| u8::from_str_radix(&digits[at..at + 2], 16).ok()).collect()
/// # };
/// # let genesis_bytes = hex_of("genesis").ok_or("no genesis")?;
/// # let mut bundle = hex_of("wire").ok_or("no bundle")?;
/// let genesis = Genesis::from_wire(&genesis_bytes)?;
/// genesis.check()?;
/// let verified = verify(&bundle, &genesis)?;
/// for step in &verified.steps {
///     println!("{step:?}");
/// }
///
/// bundle[100] ^= 1;
/// assert!(verify(&bundle, &genesis).is_err());
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// [`Failure`] naming the first step that does not hold, and why.
pub fn verify(bytes: &[u8], genesis: &Genesis) -> Result<Verified, Failure> {
    let sealed = Sealed::from_wire(bytes).at(Step::Form)?;
    let bundle = &sealed.bundle;
    let mut verifier = Verifier { genesis, ledger: genesis.ledger(), steps: Vec::new() };
    verifier.done(Step::Form, format!("{} bytes, in canonical form", bytes.len()));
    verifier.ledger(&bundle.ledger)?;
    let membership = Membership::follow(genesis, &bundle.links).at(Step::Membership)?;
    let block = verifier.block(&membership, &bundle.block)?;
    let claim = match &bundle.claim {
        Claim::Reading(proof) => verifier.reading(&bundle.block, proof)?,
        Claim::Range(proof) => verifier.range(&bundle.block, proof)?,
        Claim::Aggregate(proof) => verifier.aggregate(&bundle.block, proof)?,
        Claim::State(proof) => verifier.state(&bundle.block, proof)?,
        Claim::Transaction(proof) => verifier.transaction(&membership, &bundle.block, proof)?,
        Claim::Run(proof) => verifier.run(&membership, &bundle.block, proof)?,
    };
    let intact = sealed.seal == bundle.seal();
    require(intact, Step::Seal, "the bundle was damaged after it was made")?;
    verifier.done(Step::Seal, "the bundle is as it was made".into());
    Ok(Verified { ledger: verifier.ledger, block, claim, steps: verifier.steps })
}

struct Verifier<'a> {
    genesis: &'a Genesis,
    ledger: LedgerId,
    steps: Vec<Done>,
}

impl Verifier<'_> {
    fn done(&mut self, step: Step, text: String) {
        self.steps.push(Done { step, text });
    }

    fn ledger(&mut self, claimed: &LedgerId) -> Result<(), Failure> {
        let same = *claimed == self.ledger;
        require(same, Step::Ledger, "the bundle is about another ledger than the genesis founds")?;
        let text = format!("ledger {} of network {}", self.ledger, self.genesis.network);
        self.done(Step::Ledger, text);
        Ok(())
    }

    /// Checks that a block is final, by the validators of its epoch.
    fn block(
        &mut self,
        membership: &Membership,
        block: &Finalized,
    ) -> Result<CertifiedBlock, Failure> {
        let header = &block.header;
        let validators = membership.validators(header.epoch);
        let count = validators.validators.len();
        let how = match header.epoch {
            0 => "are those of the genesis".into(),
            epochs => format!("follow from the genesis over {epochs} epochs"),
        };
        let by = validators.mechanism.map_or_else(String::new, |mechanism| {
            format!(" and agree by {}, as members decided", mechanism.name())
        });
        self.done(
            Step::Membership,
            format!("the {count} validators of epoch {} {how}{by}", header.epoch),
        );

        block.verify(self.genesis.mechanism, &self.ledger, &validators).at(Step::Certificate)?;
        let certified = block.certified().height;
        let within = membership.admits(header.epoch, header.height)
            && membership.admits(header.epoch, certified);
        require(within, Step::Certificate, "the height of the block is outside its epoch")?;
        let earlier = header.result.height < header.height;
        require(earlier, Step::Certificate, "the block commits to the result of a later one")?;
        let signed: Vec<Validator> = block
            .certificate
            .signer_positions()
            .filter_map(|position| validators.validators.get(position).cloned())
            .collect();
        let what = match block.descendants.len() {
            0 => "it".into(),
            _ => format!("block {certified}, which descends from it"),
        };
        let text = format!(
            "block {} of {} is final: {} of {count} validators signed {what} ({})",
            header.height,
            time_of(header.time_ms),
            signed.len(),
            self.names(&signed),
        );
        self.done(Step::Certificate, text);
        Ok(CertifiedBlock {
            height: header.height,
            time_ms: header.time_ms,
            epoch: header.epoch,
            state_height: header.result.height,
            signed,
            validators: count,
        })
    }

    /// Checks that a stream and its thing are in the state that a block commits to.
    fn stream(
        &mut self,
        block: &Finalized,
        proof: &StreamProof,
    ) -> Result<VerifiedStream, Failure> {
        let result = &block.header.result;
        let (thing, head) = (&proof.thing.record, &proof.head.record);
        let thing_id = ThingId::derive(&thing.owner, &thing.name);
        proof.thing.check(&result.state_root, &key::thing(&thing_id)).at(Step::Thing)?;
        let text = format!(
            "thing `{}` of {}, in the state after block {}",
            text::printable(&thing.name),
            self.did(&thing.owner),
            result.height,
        );
        self.done(Step::Thing, text);

        let stream: StreamId = head.id();
        require(head.thing == thing_id, Step::Stream, "the stream belongs to another thing")?;
        proof.head.check(&result.state_root, &key::stream(&stream)).at(Step::Stream)?;
        let count = head.peaks.summary().map_or(0, |summary| summary.count);
        let text = format!(
            "its property `{}` has {count} readings in {} batches",
            text::printable(&head.property),
            head.peaks.leaves(),
        );
        self.done(Step::Stream, text);
        Ok(VerifiedStream {
            stream,
            thing: thing_id,
            name: thing.name.clone(),
            owner: thing.owner,
            property: head.property.clone(),
            schema: head.schema.clone(),
            count,
        })
    }

    fn range(&mut self, block: &Finalized, proof: &RangeProof) -> Result<VerifiedClaim, Failure> {
        let stream = self.stream(block, &proof.stream)?;
        let answer = range::verify(&proof.stream.head.record, &proof.interval, &proof.opening)
            .at(Step::Range)?;
        self.done(Step::Range, range_text(&answer));
        Ok(VerifiedClaim::Range { stream, answer })
    }

    fn aggregate(
        &mut self,
        block: &Finalized,
        proof: &AggregateProof,
    ) -> Result<VerifiedClaim, Failure> {
        let stream = self.stream(block, &proof.stream)?;
        let interval = proof.interval;
        let aggregate = aggregate::verify(&proof.stream.head.record, &interval, &proof.opening)
            .at(Step::Aggregate)?;
        self.done(Step::Aggregate, aggregate_text(&interval, &aggregate, &stream));
        Ok(VerifiedClaim::Aggregate { stream, interval, aggregate })
    }

    fn state(&mut self, block: &Finalized, proof: &StateProof) -> Result<VerifiedClaim, Failure> {
        let result = &block.header.result;
        let found = proof.path.verify(&result.state_root, &proof.key).at(Step::State)?;
        let claimed = proof.value.as_deref().map(value_digest);
        require(found == claimed, Step::State, "the state holds another value at the key")?;
        let key = hex::encode(&proof.key);
        let text = match &proof.value {
            Some(value) => format!(
                "the state after block {} holds {} bytes at key {key}",
                result.height,
                value.len()
            ),
            None => format!("the state after block {} holds nothing at key {key}", result.height),
        };
        self.done(Step::State, text);
        Ok(VerifiedClaim::State { key: proof.key.clone(), value: proof.value.clone() })
    }

    fn did(&self, entity: &EntityId) -> Did {
        Did::entity(&self.genesis.network, entity)
    }

    /// Names of validators: those of the genesis by name, later ones by DID.
    fn names(&self, validators: &[Validator]) -> String {
        let name = |validator: &Validator| {
            let founding = self.genesis.peers.iter().find(|peer| peer.key == validator.key);
            match founding {
                Some(peer) => text::printable(&peer.inception.name),
                None => format!("{}", self.did(&validator.peer)),
            }
        };
        let mut names: Vec<String> = validators.iter().take(NAMES_MAX).map(name).collect();
        if validators.len() > NAMES_MAX {
            names.push(format!("{} more", validators.len() - NAMES_MAX));
        }
        names.join(", ")
    }
}

fn range_text(answer: &RangeAnswer) -> String {
    let withheld = match answer.without_payload().count() {
        0 => String::new(),
        batches => format!("; the payloads of {batches} are left out"),
    };
    let sealed: u64 = answer.sealed().map(|batch| u64::from(batch.leaf.count)).sum();
    let sealed = match sealed {
        0 => String::new(),
        readings => format!("; {readings} readings of these batches exist, encrypted"),
    };
    format!(
        "{}: {} readings from {} batches, and the stream has no other{withheld}{sealed}",
        interval_text(&answer.interval),
        answer.readings().count(),
        answer.batches.len(),
    )
}

fn aggregate_text(interval: &Interval, aggregate: &Aggregate, stream: &VerifiedStream) -> String {
    let of = |mantissa| text::value(&Value::Number(mantissa), &stream.schema);
    let extremes = match (aggregate.min, aggregate.max) {
        (Some(min), Some(max)) => format!(", from {} to {}", of(min), of(max)),
        _ => String::new(),
    };
    format!("{}: {} readings{extremes}", interval_text(interval), aggregate.count)
}

fn interval_text(interval: &Interval) -> String {
    match interval {
        Interval::Seq { first, last } => format!("numbers {first} to {last}"),
        Interval::Time { first_ms, last_ms } => {
            format!("{} to {}", text::time(*first_ms), text::time(*last_ms))
        }
    }
}

/// A time of the ledger in words; one beyond the range of claimed times is no time at all.
fn time_of(ms: u64) -> String {
    i64::try_from(ms).map_or_else(|_| format!("{ms} ms"), text::time)
}
