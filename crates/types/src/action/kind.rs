//! What sort of action it is.

use super::Action;
use crate::ActionKind;

impl Action {
    /// Its kind.
    #[must_use]
    pub const fn kind(&self) -> ActionKind {
        match self {
            Self::RegisterEntity { .. } => ActionKind::RegisterEntity,
            Self::RotateKey { .. } => ActionKind::RotateKey,
            Self::RevokeEntity { .. } => ActionKind::RevokeEntity,
            Self::RegisterThing { .. } => ActionKind::RegisterThing,
            Self::UpdateThing { .. } => ActionKind::UpdateThing,
            Self::Bind { .. } => ActionKind::Bind,
            Self::Unbind { .. } => ActionKind::Unbind,
            Self::SubmitBatch(_) => ActionKind::SubmitBatch,
            Self::Record(_) => ActionKind::Record,
            Self::SetApprovalPolicy(_) => ActionKind::SetApprovalPolicy,
            Self::Approve { .. } => ActionKind::Approve,
            Self::Reject { .. } => ActionKind::Reject,
            Self::RetireThing { .. } => ActionKind::RetireThing,
            Self::OfferThing { .. } => ActionKind::OfferThing,
            Self::AcceptThing { .. } => ActionKind::AcceptThing,
            Self::LimitBinding { .. } => ActionKind::LimitBinding,
            Self::ReportStatus { .. } => ActionKind::ReportStatus,
            Self::IssueVoucher(_) => ActionKind::IssueVoucher,
            Self::RevokeVoucher { .. } => ActionKind::RevokeVoucher,
            Self::JoinByVoucher(_) => ActionKind::JoinByVoucher,
            Self::Command(_) => ActionKind::Command,
            Self::ReportCommand(_) => ActionKind::ReportCommand,
            Self::CancelCommand { .. } => ActionKind::CancelCommand,
            Self::Quarantine { .. } => ActionKind::Quarantine,
            Self::Propose(_) => ActionKind::Propose,
            Self::Vote { .. } => ActionKind::Vote,
            Self::Enact { .. } => ActionKind::Enact,
            Self::WithdrawProposal { .. } => ActionKind::WithdrawProposal,
            Self::SetAccessPolicy(_) => ActionKind::SetAccessPolicy,
            Self::RemoveAccessPolicy { .. } => ActionKind::RemoveAccessPolicy,
            Self::RequestAccess(_) => ActionKind::RequestAccess,
            Self::AnswerAccess { .. } => ActionKind::AnswerAccess,
            Self::RevokeGrant { .. } => ActionKind::RevokeGrant,
            Self::UseGrant { .. } => ActionKind::UseGrant,
            Self::RecordAccess { .. } => ActionKind::RecordAccess,
            Self::PlaceStream(_) => ActionKind::PlaceStream,
            Self::SetAgreementKey { .. } => ActionKind::SetAgreementKey,
            Self::RotateStreamKey { .. } => ActionKind::RotateStreamKey,
            Self::ShareStreamKey { .. } => ActionKind::ShareStreamKey,
            Self::EraseReadings { .. } => ActionKind::EraseReadings,
            Self::ConfirmErasure { .. } => ActionKind::ConfirmErasure,
            Self::UploadCode { .. } => ActionKind::UploadCode,
            Self::StoreCode { .. } => ActionKind::StoreCode,
            Self::RemoveCode { .. } => ActionKind::RemoveCode,
            Self::Instantiate { .. } => ActionKind::Instantiate,
            Self::Execute { .. } => ActionKind::Execute,
            Self::Migrate { .. } => ActionKind::Migrate,
            Self::SetAdmin { .. } => ActionKind::SetAdmin,
            Self::FreezeContract { .. } => ActionKind::FreezeContract,
            Self::ThawContract { .. } => ActionKind::ThawContract,
            Self::TerminateContract { .. } => ActionKind::TerminateContract,
            Self::AcceptContract { .. } => ActionKind::AcceptContract,
            Self::DeclineContract { .. } => ActionKind::DeclineContract,
            Self::SetTrigger(_) => ActionKind::SetTrigger,
            Self::RemoveTrigger { .. } => ActionKind::RemoveTrigger,
            Self::SuspendTrigger { .. } => ActionKind::SuspendTrigger,
            Self::ResumeTrigger { .. } => ActionKind::ResumeTrigger,
            Self::PublishService(_) => ActionKind::PublishService,
            Self::SetServiceStatus { .. } => ActionKind::SetServiceStatus,
            Self::Transfer(_) => ActionKind::Transfer,
            Self::BurnTokens { .. } => ActionKind::BurnTokens,
            Self::OpenEscrow(_) => ActionKind::OpenEscrow,
            Self::ReleaseEscrow { .. } => ActionKind::ReleaseEscrow,
            Self::RefundEscrow { .. } => ActionKind::RefundEscrow,
            Self::SweepAccount { .. } => ActionKind::SweepAccount,
            Self::Sponsor(_) => ActionKind::Sponsor,
            Self::EndSponsorship { .. } => ActionKind::EndSponsorship,
            Self::OfferReward(_) => ActionKind::OfferReward,
            Self::FundReward { .. } => ActionKind::FundReward,
            Self::EndReward { .. } => ActionKind::EndReward,
            Self::Stake(_) => ActionKind::Stake,
            Self::Unstake { .. } => ActionKind::Unstake,
            Self::CollectStake { .. } => ActionKind::CollectStake,
            Self::ReportDoubleVote(_) => ActionKind::ReportDoubleVote,
            Self::RegisterLink { .. } => ActionKind::RegisterLink,
            Self::AdvanceLink(_) => ActionKind::AdvanceLink,
            Self::ReportFork(_) => ActionKind::ReportFork,
            Self::SetLinkStatus { .. } => ActionKind::SetLinkStatus,
            Self::AskLedger(_) => ActionKind::AskLedger,
            Self::TakeCall { .. } => ActionKind::TakeCall,
            Self::AnswerCall(_) => ActionKind::AnswerCall,
            Self::SettleCall(_) => ActionKind::SettleCall,
            Self::RefundCall { .. } => ActionKind::RefundCall,
            Self::RecordDirect { .. } => ActionKind::RecordDirect,
            Self::TagThing(_) => ActionKind::TagThing,
        }
    }

    /// Most gas that it asks for.
    #[must_use]
    pub const fn gas_limit(&self) -> u64 {
        match self {
            Self::Instantiate { gas_limit, .. }
            | Self::Execute { gas_limit, .. }
            | Self::Migrate { gas_limit, .. } => *gas_limit,
            _ => 0,
        }
    }
}
