//! Checks before agreement (Y.4464 8.2): form, signatures, payloads, and what the state says.
//!
//! Pure but for the blinding randomness of the signature batch, on which no verdict depends.

use althing_ledger::{Context, SignatureChecks};
use althing_state::Read;
use althing_types::{
    BatchHeader, LedgerId, PayloadError, Refusal, Transaction, TxId,
    crypto::{Check, verify_batch},
};
use rand_core::{CryptoRng, RngCore};

use crate::{mempool::Checked, wire::Submission};

/// Checks submissions against the newest executed state: what a client learns at once. `is_known`
/// says whether a transaction that a record links to is final.
pub(crate) fn admit(
    view: &impl Read,
    context: &Context<'_>,
    is_known: impl Fn(&TxId) -> bool,
    submissions: Vec<Submission>,
    rng: &mut (impl RngCore + CryptoRng),
) -> Vec<Result<Checked, Refusal>> {
    let opened = submissions
        .into_iter()
        .map(|submission| {
            let opened = open(view, &context.ledger, context.height, submission)?;
            althing_ledger::check(view, context, &opened.0.transaction)?;
            if !althing_ledger::links(&opened.0.transaction).all(|id| is_known(&id)) {
                return Err(Refusal::UnknownLink);
            }
            Ok(opened)
        })
        .collect();
    verify_signatures(opened, rng)
}

/// Checks transactions of a proposed block that this peer has not admitted itself, against the keys
/// and schemas in force at `at_height`, the height whose result the block states. All honest
/// validators have executed that height when they vote, so all reach the same verdict.
pub(crate) fn recheck(
    view: &impl Read,
    ledger: &LedgerId,
    at_height: u64,
    submissions: Vec<Submission>,
    rng: &mut (impl RngCore + CryptoRng),
) -> Vec<Result<Checked, Refusal>> {
    let opened = submissions
        .into_iter()
        .map(|submission| open(view, ledger, at_height, submission))
        .collect();
    verify_signatures(opened, rng)
}

type Opened = (Checked, Vec<Check>);

fn open(
    view: &impl Read,
    ledger: &LedgerId,
    at_height: u64,
    submission: Submission,
) -> Result<Opened, Refusal> {
    let transaction = Transaction::decode(submission.transaction)?;
    if transaction.body().ledger_tag != ledger.tag() {
        return Err(Refusal::WrongLedger);
    }
    let SignatureChecks { checks, valid_from } =
        althing_ledger::signature_checks(view, ledger, &transaction, at_height)?;
    let payloads = submission.payloads;
    if transaction.batches().count() != payloads.len() {
        return Err(Refusal::PayloadMissing);
    }
    for (batch, payload) in transaction.batches().zip(&payloads) {
        check_payload(view, at_height, batch, payload)?;
    }
    Ok((Checked { transaction, payloads, valid_from }, checks))
}

fn check_payload(
    view: &impl Read,
    at_height: u64,
    batch: &BatchHeader,
    payload: &[u8],
) -> Result<(), Refusal> {
    let opened = match althing_ledger::batch_schema(view, &batch.stream, at_height) {
        Ok(schema) => batch.open(payload, &schema),
        // The description changed after that height. A peer that has not executed the change would
        // find the schema, so the verdict must not hang on it; execution refuses the batch anyway.
        Err(Refusal::VersionConflict) => batch.read(payload),
        Err(refusal) => return Err(refusal),
    };
    match opened {
        Ok(_) => Ok(()),
        Err(PayloadError::Schema { .. }) => Err(Refusal::SchemaMismatch),
        Err(_) => Err(Refusal::PayloadMismatch),
    }
}

/// One batch equation for all signatures of all transactions.
fn verify_signatures(
    opened: Vec<Result<Opened, Refusal>>,
    rng: &mut (impl RngCore + CryptoRng),
) -> Vec<Result<Checked, Refusal>> {
    let mut checks = Vec::new();
    let mut counted = Vec::with_capacity(opened.len());
    for result in opened {
        counted.push(result.map(|(checked, own)| {
            let count = own.len();
            checks.extend(own);
            (checked, count)
        }));
    }
    let mut verdicts = verify_batch(&checks, rng).into_iter();
    counted
        .into_iter()
        .map(|result| {
            let (checked, count) = result?;
            let own: Vec<bool> = verdicts.by_ref().take(count).collect();
            match own.iter().position(|holds| !holds) {
                None => Ok(checked),
                // Those behind the signatures on the transaction show possession of new keys.
                Some(index) if index >= checked.transaction.signatures().len() => {
                    Err(Refusal::BadPossession)
                }
                Some(_) => Err(Refusal::BadSignature),
            }
        })
        .collect()
}
