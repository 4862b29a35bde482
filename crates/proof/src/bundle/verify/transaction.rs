use alloc::{format, string::String, vec::Vec};

use althing_types::{Action, Header, Receipt, Refusal, Transaction, TxId, merkle};
use bytes::Bytes;

use super::{Verifier, time_of};
use crate::{
    bundle::{
        Failure, ReceiptProof, RunProof, Step, TransactionProof, VerifiedClaim, VerifiedRun,
        VerifiedTransaction, Why,
        step::{At, require},
    },
    certificate::Finalized,
    membership::Membership,
};

impl Verifier<'_> {
    pub(super) fn transaction(
        &mut self,
        membership: &Membership,
        block: &Finalized,
        proof: &TransactionProof,
    ) -> Result<VerifiedClaim, Failure> {
        let (header, id) = (&block.header, TxId::of(&proof.transaction));
        let (index, count) = (u64::from(proof.index), u64::from(header.count));
        let included = merkle::verify(&header.transactions, &id.0, index, count, &proof.path);
        require(included, Step::Transaction, "the path does not lead to the block's transactions")?;
        let transaction = Transaction::decode(Bytes::copy_from_slice(&proof.transaction))
            .map_err(|_| Why::Claim("the transaction is malformed"))
            .at(Step::Transaction)?;
        let body = transaction.body();
        let verified = VerifiedTransaction {
            id,
            sender: body.sender,
            actions: body.actions.iter().map(Action::kind).collect(),
            index: proof.index,
            receipt: proof.receipt.as_ref().map(|proof| proof.receipt.clone()),
        };
        let text = format!(
            "transaction {id} of {} ({}) is number {} of {count} in block {} of {}",
            self.did(&verified.sender),
            actions_text(&verified),
            proof.index,
            header.height,
            time_of(header.time_ms),
        );
        self.done(Step::Transaction, text);
        if let Some(receipt) = &proof.receipt {
            let later = self.receipt(membership, header, proof.index, &id, receipt)?;
            let text = format!("{}, as block {later} states", outcome_text(&receipt.receipt));
            self.done(Step::Receipt, text);
        }
        Ok(VerifiedClaim::Transaction(verified))
    }

    pub(super) fn run(
        &mut self,
        membership: &Membership,
        block: &Finalized,
        proof: &RunProof,
    ) -> Result<VerifiedClaim, Failure> {
        let (header, trigger) = (&block.header, proof.trigger);
        // What a transaction did is no run, whatever its id is.
        let behind = proof.index >= header.count;
        require(behind, Step::Receipt, "the receipt is among those of the transactions")?;
        let id = trigger.run(header.height);
        let later = self.receipt(membership, header, proof.index, &id, &proof.receipt)?;
        let receipt = proof.receipt.receipt.clone();
        let text = format!(
            "trigger {trigger} ran in block {} of {}: {}, as block {later} states",
            header.height,
            time_of(header.time_ms),
            outcome_text(&receipt),
        );
        self.done(Step::Receipt, text);
        Ok(VerifiedClaim::Run(VerifiedRun { trigger, height: header.height, receipt }))
    }

    /// Checks what came of a transaction or of a run; gives the height of the block that states it.
    fn receipt(
        &mut self,
        membership: &Membership,
        header: &Header,
        index: u32,
        id: &TxId,
        proof: &ReceiptProof,
    ) -> Result<u64, Failure> {
        let later = self.block(membership, &proof.block)?;
        let root = proof.stated_root(header.height).at(Step::Receipt)?;
        // One receipt per transaction, in the same order, then those of triggers.
        let more = proof.receipts.is_none_or(|count| count > header.count);
        require(more, Step::Receipt, "no more receipts than transactions, which needs no saying")?;
        let count = u64::from(proof.receipts.unwrap_or(header.count));
        let (index, digest) = (u64::from(index), proof.receipt.digest());
        let included = merkle::verify(root, &digest, index, count, &proof.path);
        require(included, Step::Receipt, "the path does not lead to the block's receipts")?;
        let same = proof.receipt.transaction == *id;
        require(same, Step::Receipt, "the receipt is of another transaction or run")?;
        Ok(later.height)
    }
}

fn actions_text(transaction: &VerifiedTransaction) -> String {
    let names: Vec<&str> = transaction.actions.iter().map(|kind| kind.name()).collect();
    names.join(", ")
}

fn outcome_text(receipt: &Receipt) -> String {
    match (receipt.code, Refusal::from_number(receipt.code)) {
        (0, _) => format!("it took effect, with {} events", receipt.events.len()),
        (_, Some(refusal)) => {
            format!("it was refused: {} at action {}", refusal.code(), receipt.action)
        }
        (code, None) => format!("it was refused: code {code} at action {}", receipt.action),
    }
}
