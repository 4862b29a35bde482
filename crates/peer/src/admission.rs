//! Checks before agreement (Y.4464 8.2): form, signatures, payloads, and what the state says.
//!
//! Pure: the blinding of the signature batch follows from what is checked.

use althing_ledger::{Bases, Basis, Checker, Context};
use althing_state::Read;
use althing_types::{
    BatchHeader, EntityId, LedgerId, PayloadError, PublicKey, Refusal, Transaction, TxId,
    blake3_digest,
    crypto::{Check, verify_batch},
};
use bytes::Bytes;

use crate::{mempool::Checked, wire::SUBMISSION_BYTES_MAX};

/// The blinding of a signature batch, the same in every run of a seed.
///
/// It follows from all transactions of the batch, their signatures included. If it followed from
/// some of them, who knows those could choose the others so that wrong signatures cancel out.
pub(crate) fn blinding(ids: &[TxId]) -> [u8; 32] {
    let all: Vec<u8> = ids.iter().flat_map(|id| id.0).collect();
    blake3_digest(&all)
}

/// A transaction as it came.
#[derive(Debug, Clone)]
pub(crate) struct Candidate {
    pub(crate) id: TxId,
    pub(crate) wire: Bytes,
    /// Whether somebody whose word is taken says that its signatures were checked.
    pub(crate) is_vouched: bool,
}

/// Checks candidates with their payloads against the newest executed state: what a client learns at once.
/// `is_known` says whether a transaction that a record links to is final.
///
/// Signatures come before all that costs more than they do: whoever cannot sign for an entity must not
/// make a peer work for it.
pub(crate) fn admit(
    view: &impl Read,
    context: &Context<'_>,
    is_known: impl Fn(&TxId) -> bool,
    submissions: Vec<(Candidate, Vec<Bytes>)>,
    blinding: [u8; 32],
) -> Vec<Result<Checked, Refusal>> {
    let (candidates, payloads): (Vec<Candidate>, Vec<Vec<Bytes>>) = submissions.into_iter().unzip();
    let mut checker = Checker::new(view, context);
    let mut bases = Bases::new(view);
    let mut open_timely = |one: Candidate| {
        let transaction = decode(&context.ledger, one.id, one.wire)?;
        checker.timely(&transaction)?;
        open(&mut bases, &context.ledger, transaction, one.is_vouched)
    };
    let opened = candidates.into_iter().map(&mut open_timely).collect();
    let signed = verify_signatures(opened, blinding);
    let complete = signed.into_iter().zip(payloads).map(|(signed, payloads)| {
        let checked = complete(&context.ledger, signed?, payloads)?;
        if checked.len() > SUBMISSION_BYTES_MAX {
            return Err(Refusal::TooLarge);
        }
        checker.check(&checked.transaction)?;
        if !althing_ledger::links(&checked.transaction).all(|id| is_known(&id)) {
            return Err(Refusal::UnknownLink);
        }
        Ok(checked)
    });
    complete.collect()
}

/// A transaction whose form and signatures have been checked, the latter perhaps by somebody whose word is taken.
#[derive(Debug, Clone)]
pub(crate) struct Signed {
    pub(crate) transaction: Transaction,
    pub(crate) basis: Basis,
    pub(crate) is_vouched: bool,
}

/// Checks form and signatures of transactions under the keys that a state holds.
pub(crate) fn signed(
    mut bases: Bases<'_, impl Read>,
    ledger: &LedgerId,
    candidates: Vec<Candidate>,
    blinding: [u8; 32],
) -> Vec<Result<Signed, Refusal>> {
    let mut open_named = |one: Candidate| {
        open(&mut bases, ledger, decode(ledger, one.id, one.wire)?, one.is_vouched)
    };
    let opened = candidates.into_iter().map(&mut open_named).collect();
    verify_signatures(opened, blinding)
}

type Opened = (Signed, Vec<Check>);

fn decode(ledger: &LedgerId, id: TxId, wire: Bytes) -> Result<Transaction, Refusal> {
    let transaction = Transaction::decode_named(wire, id)?;
    if transaction.body().ledger_tag == ledger.tag() {
        Ok(transaction)
    } else {
        Err(Refusal::WrongLedger)
    }
}

fn open(
    bases: &mut Bases<'_, impl Read>,
    ledger: &LedgerId,
    transaction: Transaction,
    is_vouched: bool,
) -> Result<Opened, Refusal> {
    let basis = bases.of(&transaction)?;
    let checks = match is_vouched {
        true => Vec::new(),
        false => althing_ledger::signature_checks(ledger, &transaction, &basis),
    };
    Ok((Signed { transaction, basis, is_vouched }, checks))
}

/// Checks the payloads of a transaction's batches, and the signatures of devices in them.
pub(crate) fn complete(
    ledger: &LedgerId,
    signed: Signed,
    payloads: Vec<Bytes>,
) -> Result<Checked, Refusal> {
    let Signed { transaction, basis, is_vouched } = signed;
    if transaction.batches().count() != payloads.len() {
        return Err(Refusal::PayloadMissing);
    }
    let mut checks = Vec::new();
    for (index, (batch, payload)) in transaction.batches().zip(&payloads).enumerate() {
        let (schema, device) = (&basis.schemas[index], &basis.devices[index]);
        if let Some(secrecy) = &basis.secrecies[index] {
            secrecy.takes(batch, payload)?;
            // What a device signed is inside, where no validator can check it.
            if device.is_some() {
                return Err(Refusal::Unsigned);
            }
            continue;
        }
        match batch.open(payload, schema) {
            Ok(_) => {}
            Err(PayloadError::Schema { .. }) => return Err(Refusal::SchemaMismatch),
            Err(_) => return Err(Refusal::PayloadMismatch),
        }
        checks.extend(device_checks(ledger, batch, payload, device.as_ref())?);
    }
    // The id covers the payloads' digests, so the blinding follows from all that is checked.
    if verify_batch(&checks, blinding(&[transaction.id()])).contains(&false) {
        return Err(Refusal::DeviceSignature);
    }
    Ok(Checked { transaction, payloads, basis, is_vouched })
}

/// The signatures that a payload must bear: packs of the thing's device where the owner wants them,
/// and none elsewhere, since nothing there would say whose they are to be.
fn device_checks(
    ledger: &LedgerId,
    batch: &BatchHeader,
    payload: &[u8],
    device: Option<&(EntityId, PublicKey)>,
) -> Result<Vec<Check>, Refusal> {
    let packs = batch.packs(payload).map_err(|_| Refusal::PayloadMismatch)?;
    match (packs, device) {
        (None, None) => Ok(Vec::new()),
        (None, Some(_)) => Err(Refusal::Unsigned),
        (Some(_), None) => Err(Refusal::PayloadMismatch),
        (Some(packs), Some((device, key))) => packs
            .checks(ledger, &batch.stream, key)
            .filter(|_| packs.signer() == Some(*device))
            .ok_or(Refusal::DeviceSignature),
    }
}

/// One batch equation for all signatures of all transactions.
fn verify_signatures(
    opened: Vec<Result<Opened, Refusal>>,
    blinding: [u8; 32],
) -> Vec<Result<Signed, Refusal>> {
    let mut checks = Vec::new();
    let mut counted = Vec::with_capacity(opened.len());
    for result in opened {
        counted.push(result.map(|(signed, own)| {
            let count = own.len();
            checks.extend(own);
            (signed, count)
        }));
    }
    let mut verdicts = verify_batch(&checks, blinding).into_iter();
    counted
        .into_iter()
        .map(|result| {
            let (signed, count) = result?;
            let own: Vec<bool> = verdicts.by_ref().take(count).collect();
            match own.iter().position(|holds| !holds) {
                None => Ok(signed),
                // Those behind the signatures on the transaction show possession of new keys.
                Some(index) if index >= signed.transaction.signatures().len() => {
                    Err(Refusal::BadPossession)
                }
                Some(_) => Err(Refusal::BadSignature),
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Blinding that followed from the first transaction alone could be foreseen by who chose it:
    /// wrong signatures in the others could then be made to cancel out.
    #[test]
    fn every_transaction_of_a_batch_enters_its_blinding() {
        let ids: Vec<TxId> = (0..8).map(|seed| TxId([seed; 32])).collect();
        let first = blinding(&ids);
        assert_eq!(blinding(&ids), first);
        for changed in 0..ids.len() {
            let mut others = ids.clone();
            others[changed].0[31] ^= 1;
            assert_ne!(blinding(&others), first, "{changed}");
        }
    }
}
