//! Checks before agreement (Y.4464 8.2): what a transaction can be told without being executed.

use althing_proof::{
    key,
    record::{EntityRecord, KeyRecord, ThingRecord},
    stream::StreamHead,
};
use althing_state::Read;
use althing_types::{
    Action, EntityId, LedgerId, PublicKey, Refusal, Signature, StreamId, StreamSchema, Transaction,
    TxId, crypto::Check, possession_bytes,
};
use minicbor::Decode;

use crate::{
    Context, execute, stream,
    transition::{Actor, Moment, Stop, Transition, decode_at},
};

/// Whether a transaction would take effect, or wait for approvals, if it came in the next block.
///
/// It is executed against the state and thrown away, so admission and execution cannot differ in
/// what they forbid. Signatures and payloads are the caller's to check: see [`signature_checks`]
/// and [`batch_schema`].
///
/// # Errors
/// The [`Refusal`] its receipt would carry; [`Refusal::NotReady`] if the state cannot be read.
pub fn check(
    view: &impl Read,
    now: &Context<'_>,
    transaction: &Transaction,
) -> Result<(), Refusal> {
    let moment = Moment {
        ledger: now.ledger,
        height: now.height.saturating_add(1),
        time_ms: now.time_ms,
        checked_height: now.height,
        parameters: now.parameters,
    };
    let mut state = Transition::new(view, moment);
    let actor = Actor { id: transaction.body().sender, transaction: transaction.id(), position: 0 };
    execute::admit(&mut state, transaction).map_err(refusal)?;
    match execute::carry_out(&mut state, &actor, transaction) {
        Ok(_) => Ok(()),
        Err((_, stop)) => Err(refusal(stop)),
    }
}

fn refusal(stop: Stop) -> Refusal {
    match stop {
        Stop::Refused(refusal) => refusal,
        Stop::Store(error) => {
            tracing::debug!(%error, "the state cannot be read");
            Refusal::NotReady
        }
    }
}

/// The signatures of a transaction, each with the key it must hold under.
#[derive(Debug, Clone)]
pub struct SignatureChecks {
    /// All must hold: those on the transaction, one for each signer, or else it is refused with
    /// [`Refusal::BadSignature`]; then those that show possession of new keys, or else with
    /// [`Refusal::BadPossession`].
    pub checks: Vec<Check>,
    /// The keys are those in force at every height from this one on, up to the height asked for.
    pub valid_from: u64,
}

/// The signatures to be checked on a transaction, under the keys in force at `at_height`, which the
/// state must have reached. All peers get the same for the same height, however far they are.
///
/// # Errors
/// [`Refusal::UnknownEntity`], [`Refusal::EntityRevoked`] or [`Refusal::BadSignature`] (the
/// signer's key is of another suite) as of that height; [`Refusal::NotReady`] if the state cannot
/// be read.
pub fn signature_checks(
    view: &impl Read,
    ledger: &LedgerId,
    transaction: &Transaction,
    at_height: u64,
) -> Result<SignatureChecks, Refusal> {
    let mut checks = Vec::with_capacity(transaction.signatures().len());
    let mut valid_from = 0;
    for (index, signed) in transaction.signatures().iter().enumerate() {
        let (key, since_height) = key_at(view, &signed.signer, at_height)?;
        if key.suite != signed.suite {
            return Err(Refusal::BadSignature);
        }
        valid_from = valid_from.max(since_height);
        let message = transaction.signed_bytes(ledger, index);
        checks.push(Check { key, message, signature: signed.signature });
    }
    checks
        .extend(transaction.body().actions.iter().filter_map(|action| possession(ledger, action)));
    Ok(SignatureChecks { checks, valid_from })
}

/// The proof that a new key is held, if an action brings one.
fn possession(ledger: &LedgerId, action: &Action) -> Option<Check> {
    let (id, key, signature): (EntityId, &PublicKey, &Signature) = match action {
        Action::RegisterEntity { inception, possession } => {
            (inception.id(), &inception.key, possession)
        }
        Action::RotateKey { entity, key, possession } => (*entity, key, possession),
        _ => return None,
    };
    let message = possession_bytes(ledger, &id, key);
    Some(Check { key: key.clone(), message, signature: *signature })
}

/// The key of an entity at a height, and since which height it had it.
fn key_at(view: &impl Read, id: &EntityId, at_height: u64) -> Result<(PublicKey, u64), Refusal> {
    let record: EntityRecord = get(view, &key::entity(id))?.ok_or(Refusal::UnknownEntity)?;
    if record.registered_height > at_height {
        return Err(Refusal::UnknownEntity);
    }
    if record.revoked.is_some_and(|height| height <= at_height) {
        return Err(Refusal::EntityRevoked);
    }
    if record.key_since_height <= at_height {
        return Ok((record.key, record.key_since_height));
    }
    // Newest first: callers ask for heights a few blocks back.
    for version in (1..record.key_version).rev() {
        let old: Option<KeyRecord> = get(view, &key::key_history(id, version))?;
        if let Some(old) = old.filter(|old| old.since_height <= at_height) {
            return Ok((old.key, old.since_height));
        }
    }
    Err(Refusal::UnknownEntity)
}

/// The schema that the payloads of a stream's batches are to be checked against, as of a height.
///
/// # Errors
/// [`Refusal::UnknownStream`] or [`Refusal::UnknownThing`]; [`Refusal::VersionConflict`] if the
/// thing's description changed after that height, in which case execution refuses the batch too.
pub fn batch_schema(
    view: &impl Read,
    id: &StreamId,
    at_height: u64,
) -> Result<StreamSchema, Refusal> {
    let head: StreamHead = get(view, &key::stream(id))?.ok_or(Refusal::UnknownStream)?;
    let thing: ThingRecord = get(view, &key::thing(&head.thing))?.ok_or(Refusal::UnknownThing)?;
    stream::was_described(&thing, at_height)?;
    Ok(head.schema)
}

/// The transactions that the records of a transaction link to. Peers look them up in their index
/// at admission and refuse with [`Refusal::UnknownLink`]; the state holds no history to ask.
pub fn links(transaction: &Transaction) -> impl Iterator<Item = TxId> {
    transaction.body().actions.iter().filter_map(|action| match action {
        Action::Record(record) => record.link,
        _ => None,
    })
}

fn get<T: for<'b> Decode<'b, ()>>(view: &impl Read, key: &[u8]) -> Result<Option<T>, Refusal> {
    let read = view.get(key).and_then(|bytes| match bytes {
        Some(bytes) => decode_at(key, &bytes).map(Some),
        None => Ok(None),
    });
    read.map_err(|error| refusal(Stop::Store(error)))
}

#[cfg(test)]
mod tests;
