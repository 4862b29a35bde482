//! The bounds of what an action says.

use super::{Action, ApprovalPolicy};
use crate::{
    Amount, Limit, LinkStatus, Offer, Wire as _,
    access::uses_within_bounds,
    direct::direct_uses_within_bounds,
    entity::is_name,
    limits::{
        APPROVERS_MAX, CODE_PART_BYTES_MAX, CODE_PARTS_MAX, CONTRACT_GAS_MAX,
        CONTRACT_MESSAGE_BYTES_MAX, DESCRIPTION_BYTES_MAX, LINK_PROOF_BYTES_MAX, RECIPIENTS_MAX,
        RECORD_BYTES_MAX,
    },
    link::is_proof,
    shares_within_bounds,
};

impl Action {
    /// Whether every field is within its bounds; what needs the state is the ledger's to check.
    #[must_use]
    pub fn is_within_bounds(&self) -> bool {
        match self {
            Self::RegisterEntity { inception, .. } => inception.validate().is_ok(),
            Self::RotateKey { key, .. } => key.is_valid(),
            Self::RegisterThing { name, description } => {
                is_name(name) && (1..=DESCRIPTION_BYTES_MAX).contains(&description.len())
            }
            Self::UpdateThing { description, .. } => {
                (1..=DESCRIPTION_BYTES_MAX).contains(&description.len())
            }
            Self::SubmitBatch(batch) => batch.is_valid(),
            Self::Record(record) => {
                is_name(&record.kind)
                    && record.data.len() <= RECORD_BYTES_MAX
                    && record.notify.len() <= RECIPIENTS_MAX
            }
            Self::SetApprovalPolicy(policy) => policy.is_within_bounds(),
            Self::OfferThing { offer, .. } => offer.as_ref().is_none_or(Offer::is_within_bounds),
            Self::AcceptThing { claim, .. } => {
                claim.as_ref().is_none_or(|claim| claim.key.is_valid())
            }
            Self::LimitBinding { limit, .. } => limit.as_ref().is_none_or(Limit::is_within_bounds),
            Self::ReportStatus { status, .. } => status.is_within_bounds(),
            Self::IssueVoucher(voucher) => voucher.is_within_bounds(),
            Self::JoinByVoucher(join) => join.is_within_bounds(),
            Self::Command(command) => command.is_within_bounds(),
            Self::ReportCommand(report) => report.is_within_bounds(),
            Self::Quarantine { reason, .. } => reason.as_ref().is_none_or(|reason| is_name(reason)),
            Self::Propose(proposal) => proposal.is_within_bounds(),
            Self::SetAccessPolicy(policy) => policy.is_within_bounds(),
            Self::RemoveAccessPolicy { resource } => resource.is_within_bounds(),
            Self::RequestAccess(request) => request.is_within_bounds(),
            Self::RecordAccess { uses } => uses_within_bounds(uses),
            Self::RecordDirect { uses } => direct_uses_within_bounds(uses),
            Self::TagThing(said) => said.is_within_bounds(),
            Self::RotateStreamKey { number, shares, .. }
            | Self::ShareStreamKey { number, shares, .. } => {
                *number > 0 && shares_within_bounds(shares)
            }
            Self::PlaceStream(said) => said.placement.is_within_bounds(),
            Self::EraseReadings { first_seq, last_seq, .. } => first_seq <= last_seq,
            Self::UploadCode { part, bytes, .. } => {
                *part < CODE_PARTS_MAX && (1..=CODE_PART_BYTES_MAX).contains(&bytes.len())
            }
            Self::StoreCode { parts, meta, .. } => {
                (1..=CODE_PARTS_MAX).contains(parts) && meta.is_within_bounds()
            }
            Self::Instantiate { name, terms, message, gas_limit, funds, .. } => {
                is_name(name) && terms.is_within_bounds() && is_call(message, *gas_limit, *funds)
            }
            Self::SetTrigger(trigger) => trigger.is_within_bounds(),
            Self::PublishService(manifest) => manifest.is_within_bounds(),
            Self::Execute { message, gas_limit, funds, .. } => is_call(message, *gas_limit, *funds),
            Self::Migrate { message, gas_limit, .. } => is_call(message, *gas_limit, None),
            Self::Transfer(transfer) => transfer.is_within_bounds(),
            Self::OpenEscrow(escrow) => escrow.is_within_bounds(),
            Self::Sponsor(sponsorship) => sponsorship.is_within_bounds(),
            Self::OfferReward(reward) => reward.is_within_bounds(),
            Self::ReportDoubleVote(votes) => votes.is_conflict(),
            Self::Stake(stake) => stake.is_within_bounds(),
            Self::RegisterLink { genesis } => (1..=LINK_PROOF_BYTES_MAX).contains(&genesis.len()),
            Self::AdvanceLink(advance) => is_proof(&advance.proof),
            Self::ReportFork(fork) => {
                // Both in one transaction.
                is_proof(&fork.first)
                    && is_proof(&fork.second)
                    && fork.first.len() + fork.second.len() <= LINK_PROOF_BYTES_MAX
            }
            Self::SetLinkStatus { status, .. } => *status != LinkStatus::Frozen,
            Self::AskLedger(call) => call.is_within_bounds(),
            Self::TakeCall { proof } => is_proof(proof),
            Self::AnswerCall(answer) => answer.is_within_bounds(),
            Self::SettleCall(settlement) => is_proof(&settlement.proof),
            Self::Unstake { amount, .. } => amount.is_none_or(|amount| !amount.is_zero()),
            Self::BurnTokens { amount } | Self::FundReward { amount, .. } => !amount.is_zero(),
            _ => true,
        }
    }
}

fn is_call(message: &[u8], gas_limit: u64, funds: Option<Amount>) -> bool {
    funds.is_none_or(|funds| !funds.is_zero())
        && (1..=CONTRACT_MESSAGE_BYTES_MAX).contains(&message.len())
        && (1..=CONTRACT_GAS_MAX).contains(&gas_limit)
}

impl ApprovalPolicy {
    fn is_within_bounds(&self) -> bool {
        let ascending = self.approvers.windows(2).all(|pair| pair[0] < pair[1]);
        ascending
            && self.approvers.len() <= APPROVERS_MAX
            && usize::from(self.threshold) <= self.approvers.len()
            && (self.threshold == 0 || self.patience_blocks > 0)
    }
}
