//! Checks before agreement (Y.4464 8.2): what a transaction can be told without being executed.

use std::collections::BTreeMap;

use althing_proof::{
    key,
    record::{EntityRecord, Signing, ThingRecord},
    stream::StreamHead,
};
use althing_state::Read;
use althing_types::{
    Action, Change, EntityId, LedgerId, PublicKey, Refusal, Signature, Signed, Stake, StreamId,
    StreamSchema, Transaction, TxId, claim_bytes, crypto::Check, possession_bytes,
};
use minicbor::Decode;

use crate::{
    Context, execute, key as own_key,
    secrecy::SecrecyRecord,
    token,
    transition::{Actor, Stop, Transition, decode_at},
};

/// Whether a transaction would take effect, or wait for approvals, if it came in the next block.
///
/// It is executed against the state and thrown away, so admission and execution cannot differ in
/// what they forbid. But contracts are not run: whoever may call one could have every peer run it, for
/// nothing, as often as it asks. What the contract says is in the receipt, and a trial
/// ([`try_out`](crate::contract::try_out)) tells it before. Signatures and payloads are the caller's
/// to check, against their [`Basis`].
///
/// # Errors
/// The [`Refusal`] its receipt would carry; [`Refusal::NotReady`] if the state cannot be read.
pub fn check(
    view: &impl Read,
    now: &Context<'_>,
    transaction: &Transaction,
) -> Result<(), Refusal> {
    Checker::new(view, now).check(transaction)
}

/// Does what [`check`] does for one transaction after the other, each as if it were the only one,
/// and remembers which entities the state has: many are of the same few.
pub struct Checker<'a, R> {
    state: Transition<'a, R>,
}

impl<'a, R: Read> Checker<'a, R> {
    /// Against a state.
    #[must_use]
    pub fn new(view: &'a R, now: &Context<'a>) -> Self {
        Self { state: Transition::new(view, now.next_moment()).without_calls() }
    }

    /// Whether a transaction would take effect, or wait for approvals, if it came in the next block.
    ///
    /// # Errors
    /// As [`check`].
    pub fn check(&mut self, transaction: &Transaction) -> Result<(), Refusal> {
        let untouched = self.state.mark();
        let verdict = self.try_out(transaction);
        self.state.roll_back(untouched);
        self.state.forget_skipped_call();
        // In a block, what is refused has used its gas too; here every transaction is the only one.
        self.state.gas_used = 0;
        self.state.rewards_paid = 0;
        self.state.foreign_checks = 0;
        verdict
    }

    /// Whether a transaction comes at its time, whoever signed it. What comes too late is seen by this
    /// before its signatures cost anything: under load most of it is what other peers pass on while
    /// it becomes final.
    ///
    /// # Errors
    /// [`Refusal::Expired`], [`Refusal::ExpiryTooFar`], [`Refusal::NonceReused`],
    /// [`Refusal::NonceTooOld`] or [`Refusal::NonceTooFar`]; [`Refusal::NotReady`] if the state cannot
    /// be read.
    pub fn timely(&self, transaction: &Transaction) -> Result<(), Refusal> {
        execute::timely(&self.state, transaction.body()).map_err(refusal)
    }

    fn try_out(&mut self, transaction: &Transaction) -> Result<(), Refusal> {
        let id = transaction.body().sender;
        let actor = Actor { id, transaction: transaction.id(), position: 0 };
        execute::admit(&mut self.state, transaction).map_err(refusal)?;
        token::charge(&mut self.state, &actor, transaction).map_err(refusal)?;
        match execute::carry_out(&mut self.state, &actor, transaction) {
            Ok(_) => Ok(()),
            Err((_, stop)) => Err(refusal(stop)),
        }
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
    /// For each batch, which key its payload must be sealed under; none where its stream is not
    /// confidential.
    pub secrecies: Vec<Option<SecrecyRecord>>,
}

/// Finds the [`Basis`] of one transaction after the other in one state, and remembers what many of
/// them share.
#[derive(Debug)]
pub struct Bases<'a, R> {
    view: &'a R,
    keys: BTreeMap<EntityId, Result<PublicKey, Refusal>>,
    origins: BTreeMap<StreamId, Result<Origin, Refusal>>,
}

/// What the payloads of a stream are checked against.
#[derive(Debug)]
struct Origin {
    schema: StreamSchema,
    device: Needed,
    secrecy: Option<SecrecyRecord>,
}

/// Whose signature the readings of a stream need beside that of their transaction.
#[derive(Debug, Clone, Copy)]
enum Needed {
    Nobody,
    /// The device of the thing, if it has one.
    Device(Option<EntityId>),
}

impl Needed {
    /// A device that sends its readings itself has signed them with the transaction.
    fn needed_of(self, sender: &EntityId) -> Self {
        match self {
            Self::Device(Some(device)) if device == *sender => Self::Nobody,
            needed => needed,
        }
    }
}

impl<'a, R: Read> Bases<'a, R> {
    /// Of a state: for validators, the one whose root the block states, so that all judge alike.
    #[must_use]
    pub const fn new(view: &'a R) -> Self {
        Self { view, keys: BTreeMap::new(), origins: BTreeMap::new() }
    }

    /// What a transaction is to be checked against.
    ///
    /// # Errors
    /// [`Refusal::UnknownEntity`], [`Refusal::EntityRevoked`] or [`Refusal::BadSignature`] (the
    /// signer's key is of another suite); [`Refusal::UnknownStream`];
    /// [`Refusal::NotReady`] if the state cannot be read.
    pub fn of(&mut self, transaction: &Transaction) -> Result<Basis, Refusal> {
        let mut basis = Basis::default();
        for signed in transaction.signatures() {
            basis.keys.push(self.key(signed)?.clone());
        }
        let sender = transaction.body().sender;
        for batch in transaction.batches() {
            let Origin { schema, device, secrecy } = self.origin(batch.stream)?;
            basis.schemas.push(schema.clone());
            basis.secrecies.push(*secrecy);
            let device = device.needed_of(&sender);
            basis.devices.push(self.device(device)?);
        }
        Ok(basis)
    }

    /// Whether a transaction is to be checked against `basis`, as [`Bases::of`] would say, without
    /// making another one.
    ///
    /// # Errors
    /// As [`Bases::of`].
    pub fn agree(&mut self, transaction: &Transaction, basis: &Basis) -> Result<bool, Refusal> {
        let (mut keys, mut schemas) = (basis.keys.iter(), basis.schemas.iter());
        let (mut devices, mut secrecies) = (basis.devices.iter(), basis.secrecies.iter());
        let sender = transaction.body().sender;
        let mut same = true;
        for signed in transaction.signatures() {
            same &= keys.next() == Some(self.key(signed)?);
        }
        for batch in transaction.batches() {
            let Origin { schema, device, secrecy } = self.origin(batch.stream)?;
            same &= schemas.next() == Some(schema);
            same &= secrecies.next() == Some(secrecy);
            let device = device.needed_of(&sender);
            same &= devices.next() == Some(&self.device(device)?);
        }
        let is_all = keys.next().is_none()
            && schemas.next().is_none()
            && devices.next().is_none()
            && secrecies.next().is_none();
        Ok(same && is_all)
    }

    fn key(&mut self, signed: &Signed) -> Result<&PublicKey, Refusal> {
        let key = self.key_in_force(signed.signer)?;
        if key.suite == signed.suite { Ok(key) } else { Err(Refusal::BadSignature) }
    }

    fn key_in_force(&mut self, id: EntityId) -> Result<&PublicKey, Refusal> {
        let view = self.view;
        let found = self.keys.entry(id).or_insert_with(|| key_of(view, id));
        found.as_ref().map_err(|refusal| *refusal)
    }

    fn origin(&mut self, stream: StreamId) -> Result<&Origin, Refusal> {
        let view = self.view;
        let found = self.origins.entry(stream).or_insert_with(|| origin(view, stream));
        found.as_ref().map_err(|refusal| *refusal)
    }

    /// The device that must have signed, with its key, if one must.
    fn device(&mut self, needed: Needed) -> Result<Option<(EntityId, PublicKey)>, Refusal> {
        let device = match needed {
            Needed::Nobody => return Ok(None),
            Needed::Device(device) => device.ok_or(Refusal::Unsigned)?,
        };
        match self.key_in_force(device) {
            Ok(key) => Ok(Some((device, key.clone()))),
            Err(Refusal::NotReady) => Err(Refusal::NotReady),
            // The sender is not the one who was revoked.
            Err(_) => Err(Refusal::DeviceSignature),
        }
    }
}

/// The signatures of a transaction with the keys they must hold under: first those on the
/// transaction, one for each signer, or else it is refused with [`Refusal::BadSignature`]; then those
/// that show possession of new keys and of codes, votes that were cast and requests that were served,
/// or else with [`Refusal::BadPossession`].
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
    own.chain(actions.flat_map(|action| shown(ledger, sender, action))).collect()
}

/// The signatures that an action brings: that a new key or a code is held, two votes of a peer, or
/// requests that a gateway served.
fn shown(ledger: &LedgerId, sender: &EntityId, action: &Action) -> Vec<Check> {
    match action {
        Action::ReportDoubleVote(votes) => votes.checks(ledger).into(),
        Action::RecordDirect { uses } => uses.iter().map(|one| one.request.check()).collect(),
        _ => possession(ledger, sender, action).into_iter().collect(),
    }
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
        Action::Stake(Stake { peer, seat: Some(seat), .. }) => {
            let key = PublicKey::ed25519(seat.key);
            let message = possession_bytes(ledger, peer, &key);
            return Some(Check { key, message, signature: seat.possession });
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

fn key_of(view: &impl Read, id: EntityId) -> Result<PublicKey, Refusal> {
    let record: EntityRecord = get(view, &key::entity(&id))?.ok_or(Refusal::UnknownEntity)?;
    if record.revoked.is_some() { Err(Refusal::EntityRevoked) } else { Ok(record.key) }
}

fn origin(view: &impl Read, id: StreamId) -> Result<Origin, Refusal> {
    let head: StreamHead = get(view, &key::stream(&id))?.ok_or(Refusal::UnknownStream)?;
    let thing: ThingRecord = get(view, &key::thing(&head.thing))?.ok_or(Refusal::UnknownStream)?;
    let device = match thing.signing {
        Some(Signing::Device) => Needed::Device(thing.device),
        None => Needed::Nobody,
    };
    let secrecy = get(view, &own_key::secrecy(&id))?;
    Ok(Origin { schema: head.schema, device, secrecy })
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
