//! Checks before agreement (Y.4464 8.2): what a transaction can be told without being executed.

use std::collections::BTreeMap;

use althing_proof::{
    key,
    record::{EntityRecord, KeyRecord, Signing, ThingRecord},
    stream::StreamHead,
};
use althing_state::Read;
use althing_types::{
    Action, Change, EntityId, LedgerId, PublicKey, Refusal, Signature, StreamId, StreamSchema,
    Transaction, TxId, claim_bytes, crypto::Check, possession_bytes,
};
use minicbor::Decode;

use crate::{
    Context, execute,
    transition::{Actor, Stop, Transition, decode_at},
};

/// Whether a transaction would take effect, or wait for approvals, if it came in the next block.
///
/// It is executed against the state and thrown away, so admission and execution cannot differ in
/// what they forbid. Signatures and payloads are the caller's to check, against their [`Basis`].
///
/// # Errors
/// The [`Refusal`] its receipt would carry; [`Refusal::NotReady`] if the state cannot be read.
pub fn check(
    view: &impl Read,
    now: &Context<'_>,
    transaction: &Transaction,
) -> Result<(), Refusal> {
    let mut state = Transition::new(view, now.next_moment());
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

/// What the state says that signatures and payloads are checked against. Where two states say the
/// same, a check made under one holds under the other.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Basis {
    /// The keys in force of those who signed, in order.
    pub keys: Vec<PublicKey>,
    /// The schemas of the streams of the batches, in order.
    pub schemas: Vec<StreamSchema>,
    /// For each batch, the device whose signature its readings need, with its key; none where the
    /// signature on the transaction is enough.
    pub devices: Vec<Option<(EntityId, PublicKey)>>,
}

/// Finds the [`Basis`] of one transaction after the other in one state, and remembers what many of
/// them share.
#[derive(Debug)]
pub struct Bases<'a, R> {
    view: &'a R,
    /// The height asked about, if the view is of a later one.
    at_height: Option<u64>,
    keys: BTreeMap<EntityId, Result<PublicKey, Refusal>>,
    schemas: BTreeMap<StreamId, Result<Origin, Refusal>>,
}

/// What the payloads of a stream are checked against.
#[derive(Debug, Clone)]
struct Origin {
    schema: StreamSchema,
    signing: Option<Signing>,
    device: Option<EntityId>,
}

impl<'a, R: Read> Bases<'a, R> {
    /// Of a state: for validators, the one whose root the block states, so that all judge alike.
    #[must_use]
    pub const fn new(view: &'a R) -> Self {
        Self { view, at_height: None, keys: BTreeMap::new(), schemas: BTreeMap::new() }
    }

    /// Of the state at an earlier height than the view's, as far as the view still tells: right after
    /// a restart the states before it are not kept. What it does not tell is [`Refusal::NotReady`].
    #[must_use]
    pub const fn earlier(later: &'a R, at_height: u64) -> Self {
        let at_height = Some(at_height);
        Self { view: later, at_height, keys: BTreeMap::new(), schemas: BTreeMap::new() }
    }

    /// What a transaction is to be checked against.
    ///
    /// # Errors
    /// [`Refusal::UnknownEntity`], [`Refusal::EntityRevoked`] or [`Refusal::BadSignature`] (the
    /// signer's key is of another suite); [`Refusal::UnknownStream`] or [`Refusal::UnknownThing`];
    /// [`Refusal::NotReady`] if the state cannot be read.
    pub fn of(&mut self, transaction: &Transaction) -> Result<Basis, Refusal> {
        let mut basis = Basis::default();
        let (view, at) = (self.view, self.at_height);
        for signed in transaction.signatures() {
            let key = self.key(signed.signer)?;
            if key.suite != signed.suite {
                return Err(Refusal::BadSignature);
            }
            basis.keys.push(key);
        }
        for batch in transaction.batches() {
            let found =
                self.schemas.entry(batch.stream).or_insert_with(|| origin(view, batch.stream, at));
            let Origin { schema, signing, device } = found.clone()?;
            basis.schemas.push(schema);
            let sender = transaction.body().sender;
            let needed = signing.is_some() && device != Some(sender);
            basis.devices.push(if needed { Some(self.device(device)?) } else { None });
        }
        Ok(basis)
    }

    fn key(&mut self, id: EntityId) -> Result<PublicKey, Refusal> {
        let (view, at) = (self.view, self.at_height);
        self.keys.entry(id).or_insert_with(|| key_of(view, id, at)).clone()
    }

    fn device(&mut self, device: Option<EntityId>) -> Result<(EntityId, PublicKey), Refusal> {
        let device = device.ok_or(Refusal::Unsigned)?;
        match self.key(device) {
            Ok(key) => Ok((device, key)),
            Err(Refusal::NotReady) => Err(Refusal::NotReady),
            // The sender is not the one who was revoked.
            Err(_) => Err(Refusal::DeviceSignature),
        }
    }
}

/// The signatures of a transaction with the keys they must hold under: first those on the
/// transaction, one for each signer, or else it is refused with [`Refusal::BadSignature`]; then those
/// that show possession of new keys and of codes, or else with [`Refusal::BadPossession`].
#[must_use]
pub fn signature_checks(ledger: &LedgerId, transaction: &Transaction, basis: &Basis) -> Vec<Check> {
    let signed = transaction.signatures().iter().zip(&basis.keys).enumerate();
    let own = signed.map(|(index, (signed, key))| Check {
        key: key.clone(),
        message: transaction.signed_bytes(ledger, index),
        signature: signed.signature,
    });
    let actions = transaction.body().actions.iter();
    let sender = &transaction.body().sender;
    own.chain(actions.filter_map(|action| possession(ledger, sender, action))).collect()
}

/// The proof that a new key or a code is held, if an action brings one.
fn possession(ledger: &LedgerId, sender: &EntityId, action: &Action) -> Option<Check> {
    let (id, key, signature): (EntityId, &PublicKey, &Signature) = match action {
        Action::RegisterEntity { inception, possession } => {
            (inception.id(), &inception.key, possession)
        }
        Action::RotateKey { entity, key, possession } => (*entity, key, possession),
        Action::AcceptThing { thing, claim: Some(claim) } => {
            let message = claim_bytes(ledger, thing, sender);
            return Some(Check { key: claim.key.clone(), message, signature: claim.signature });
        }
        Action::Propose(proposal) => match &proposal.change {
            Change::AddOrganisation { inception, possession } => {
                (inception.id(), &inception.key, possession)
            }
            _ => return None,
        },
        _ => return None,
    };
    let message = possession_bytes(ledger, &id, key);
    Some(Check { key: key.clone(), message, signature: *signature })
}

fn key_of(view: &impl Read, id: EntityId, at: Option<u64>) -> Result<PublicKey, Refusal> {
    let at = at.unwrap_or(u64::MAX);
    let record: EntityRecord = get(view, &key::entity(&id))?.ok_or(Refusal::UnknownEntity)?;
    if record.registered_height > at {
        return Err(Refusal::UnknownEntity);
    }
    if record.revoked.is_some_and(|height| height <= at) {
        return Err(Refusal::EntityRevoked);
    }
    if record.key_since_height <= at {
        return Ok(record.key);
    }
    // A key rotates once in a block at most, and callers ask for heights a few blocks back.
    for version in (1..record.key_version).rev() {
        let old: Option<KeyRecord> = get(view, &key::key_history(&id, version))?;
        if let Some(old) = old.filter(|old| old.since_height <= at) {
            return Ok(old.key);
        }
    }
    Err(Refusal::UnknownEntity)
}

fn origin(view: &impl Read, id: StreamId, at: Option<u64>) -> Result<Origin, Refusal> {
    let missing = if at.is_some() { Refusal::NotReady } else { Refusal::UnknownStream };
    let head: StreamHead = get(view, &key::stream(&id))?.ok_or(missing)?;
    let thing: ThingRecord = get(view, &key::thing(&head.thing))?.ok_or(missing)?;
    // The ledger keeps no earlier descriptions: only what has not changed since is known.
    let changes = [thing.registered_height, thing.updated_height];
    let newest = changes.into_iter().chain(thing.device_height).max();
    match at {
        Some(at) if newest > Some(at) => Err(Refusal::NotReady),
        _ => Ok(Origin { schema: head.schema, signing: thing.signing, device: thing.device }),
    }
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
