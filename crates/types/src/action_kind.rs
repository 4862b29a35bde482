use minicbor::{Decode, Encode};

/// The kind of an action, for policies and for people.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cbor(index_only)]
pub enum ActionKind {
    /// [`Action::RegisterEntity`](crate::Action::RegisterEntity).
    #[n(0)]
    RegisterEntity,
    /// [`Action::RotateKey`](crate::Action::RotateKey).
    #[n(1)]
    RotateKey,
    /// [`Action::RevokeEntity`](crate::Action::RevokeEntity).
    #[n(2)]
    RevokeEntity,
    /// [`Action::RegisterThing`](crate::Action::RegisterThing).
    #[n(3)]
    RegisterThing,
    /// [`Action::UpdateThing`](crate::Action::UpdateThing).
    #[n(4)]
    UpdateThing,
    /// [`Action::Bind`](crate::Action::Bind).
    #[n(5)]
    Bind,
    /// [`Action::Unbind`](crate::Action::Unbind).
    #[n(6)]
    Unbind,
    /// [`Action::SubmitBatch`](crate::Action::SubmitBatch).
    #[n(7)]
    SubmitBatch,
    /// [`Action::Record`](crate::Action::Record).
    #[n(8)]
    Record,
    /// [`Action::SetApprovalPolicy`](crate::Action::SetApprovalPolicy).
    #[n(9)]
    SetApprovalPolicy,
    /// [`Action::Approve`](crate::Action::Approve).
    #[n(10)]
    Approve,
    /// [`Action::Reject`](crate::Action::Reject).
    #[n(11)]
    Reject,
    /// [`Action::RetireThing`](crate::Action::RetireThing).
    #[n(12)]
    RetireThing,
    /// [`Action::OfferThing`](crate::Action::OfferThing).
    #[n(30)]
    OfferThing = 30,
    /// [`Action::AcceptThing`](crate::Action::AcceptThing).
    #[n(31)]
    AcceptThing = 31,
    /// [`Action::LimitBinding`](crate::Action::LimitBinding).
    #[n(32)]
    LimitBinding = 32,
    /// [`Action::ReportStatus`](crate::Action::ReportStatus).
    #[n(33)]
    ReportStatus = 33,
    /// [`Action::IssueVoucher`](crate::Action::IssueVoucher).
    #[n(34)]
    IssueVoucher = 34,
    /// [`Action::RevokeVoucher`](crate::Action::RevokeVoucher).
    #[n(35)]
    RevokeVoucher = 35,
    /// [`Action::JoinByVoucher`](crate::Action::JoinByVoucher).
    #[n(36)]
    JoinByVoucher = 36,
    /// [`Action::Command`](crate::Action::Command).
    #[n(40)]
    Command = 40,
    /// [`Action::ReportCommand`](crate::Action::ReportCommand).
    #[n(41)]
    ReportCommand = 41,
    /// [`Action::CancelCommand`](crate::Action::CancelCommand).
    #[n(42)]
    CancelCommand = 42,
    /// [`Action::Quarantine`](crate::Action::Quarantine).
    #[n(43)]
    Quarantine = 43,
    /// [`Action::Propose`](crate::Action::Propose).
    #[n(70)]
    Propose = 70,
    /// [`Action::Vote`](crate::Action::Vote).
    #[n(71)]
    Vote = 71,
    /// [`Action::Enact`](crate::Action::Enact).
    #[n(72)]
    Enact = 72,
    /// [`Action::WithdrawProposal`](crate::Action::WithdrawProposal).
    #[n(73)]
    WithdrawProposal = 73,
    /// [`Action::SetAccessPolicy`](crate::Action::SetAccessPolicy).
    #[n(20)]
    SetAccessPolicy = 20,
    /// [`Action::RemoveAccessPolicy`](crate::Action::RemoveAccessPolicy).
    #[n(21)]
    RemoveAccessPolicy = 21,
    /// [`Action::RequestAccess`](crate::Action::RequestAccess).
    #[n(22)]
    RequestAccess = 22,
    /// [`Action::AnswerAccess`](crate::Action::AnswerAccess).
    #[n(23)]
    AnswerAccess = 23,
    /// [`Action::RevokeGrant`](crate::Action::RevokeGrant).
    #[n(24)]
    RevokeGrant = 24,
    /// [`Action::UseGrant`](crate::Action::UseGrant).
    #[n(25)]
    UseGrant = 25,
    /// [`Action::RecordAccess`](crate::Action::RecordAccess).
    #[n(26)]
    RecordAccess = 26,
    /// [`Action::PlaceStream`](crate::Action::PlaceStream).
    #[n(44)]
    PlaceStream = 44,
    /// [`Action::SetAgreementKey`](crate::Action::SetAgreementKey).
    #[n(45)]
    SetAgreementKey = 45,
    /// [`Action::RotateStreamKey`](crate::Action::RotateStreamKey).
    #[n(46)]
    RotateStreamKey = 46,
    /// [`Action::ShareStreamKey`](crate::Action::ShareStreamKey).
    #[n(47)]
    ShareStreamKey = 47,
    /// [`Action::EraseReadings`](crate::Action::EraseReadings).
    #[n(48)]
    EraseReadings = 48,
    /// [`Action::ConfirmErasure`](crate::Action::ConfirmErasure).
    #[n(49)]
    ConfirmErasure = 49,
    /// [`Action::UploadCode`](crate::Action::UploadCode).
    #[n(50)]
    UploadCode = 50,
    /// [`Action::StoreCode`](crate::Action::StoreCode).
    #[n(51)]
    StoreCode = 51,
    /// [`Action::RemoveCode`](crate::Action::RemoveCode).
    #[n(52)]
    RemoveCode = 52,
    /// [`Action::Instantiate`](crate::Action::Instantiate).
    #[n(53)]
    Instantiate = 53,
    /// [`Action::Execute`](crate::Action::Execute).
    #[n(54)]
    Execute = 54,
    /// [`Action::Migrate`](crate::Action::Migrate).
    #[n(55)]
    Migrate = 55,
    /// [`Action::SetAdmin`](crate::Action::SetAdmin).
    #[n(56)]
    SetAdmin = 56,
    /// [`Action::FreezeContract`](crate::Action::FreezeContract).
    #[n(57)]
    FreezeContract = 57,
    /// [`Action::ThawContract`](crate::Action::ThawContract).
    #[n(58)]
    ThawContract = 58,
    /// [`Action::TerminateContract`](crate::Action::TerminateContract).
    #[n(59)]
    TerminateContract = 59,
    /// [`Action::AcceptContract`](crate::Action::AcceptContract).
    #[n(60)]
    AcceptContract = 60,
    /// [`Action::DeclineContract`](crate::Action::DeclineContract).
    #[n(61)]
    DeclineContract = 61,
    /// [`Action::SetTrigger`](crate::Action::SetTrigger).
    #[n(64)]
    SetTrigger = 64,
    /// [`Action::RemoveTrigger`](crate::Action::RemoveTrigger).
    #[n(65)]
    RemoveTrigger = 65,
    /// [`Action::SuspendTrigger`](crate::Action::SuspendTrigger).
    #[n(66)]
    SuspendTrigger = 66,
    /// [`Action::ResumeTrigger`](crate::Action::ResumeTrigger).
    #[n(67)]
    ResumeTrigger = 67,
    /// [`Action::PublishService`](crate::Action::PublishService).
    #[n(68)]
    PublishService = 68,
    /// [`Action::SetServiceStatus`](crate::Action::SetServiceStatus).
    #[n(69)]
    SetServiceStatus = 69,
    /// [`Action::Transfer`](crate::Action::Transfer).
    #[n(85)]
    Transfer = 85,
    /// [`Action::BurnTokens`](crate::Action::BurnTokens).
    #[n(86)]
    BurnTokens = 86,
    /// [`Action::OpenEscrow`](crate::Action::OpenEscrow).
    #[n(87)]
    OpenEscrow = 87,
    /// [`Action::ReleaseEscrow`](crate::Action::ReleaseEscrow).
    #[n(88)]
    ReleaseEscrow = 88,
    /// [`Action::RefundEscrow`](crate::Action::RefundEscrow).
    #[n(89)]
    RefundEscrow = 89,
    /// [`Action::SweepAccount`](crate::Action::SweepAccount).
    #[n(90)]
    SweepAccount = 90,
    /// [`Action::Sponsor`](crate::Action::Sponsor).
    #[n(91)]
    Sponsor = 91,
    /// [`Action::EndSponsorship`](crate::Action::EndSponsorship).
    #[n(92)]
    EndSponsorship = 92,
    /// [`Action::OfferReward`](crate::Action::OfferReward).
    #[n(93)]
    OfferReward = 93,
    /// [`Action::FundReward`](crate::Action::FundReward).
    #[n(94)]
    FundReward = 94,
    /// [`Action::EndReward`](crate::Action::EndReward).
    #[n(95)]
    EndReward = 95,
    /// [`Action::Stake`](crate::Action::Stake).
    #[n(96)]
    Stake = 96,
    /// [`Action::Unstake`](crate::Action::Unstake).
    #[n(97)]
    Unstake = 97,
    /// [`Action::CollectStake`](crate::Action::CollectStake).
    #[n(98)]
    CollectStake = 98,
    /// [`Action::ReportDoubleVote`](crate::Action::ReportDoubleVote).
    #[n(99)]
    ReportDoubleVote = 99,
    /// [`Action::RegisterLink`](crate::Action::RegisterLink).
    #[n(100)]
    RegisterLink = 100,
    /// [`Action::AdvanceLink`](crate::Action::AdvanceLink).
    #[n(101)]
    AdvanceLink = 101,
    /// [`Action::ReportFork`](crate::Action::ReportFork).
    #[n(102)]
    ReportFork = 102,
    /// [`Action::SetLinkStatus`](crate::Action::SetLinkStatus).
    #[n(103)]
    SetLinkStatus = 103,
    /// [`Action::AskLedger`](crate::Action::AskLedger).
    #[n(104)]
    AskLedger = 104,
    /// [`Action::TakeCall`](crate::Action::TakeCall).
    #[n(105)]
    TakeCall = 105,
    /// [`Action::AnswerCall`](crate::Action::AnswerCall).
    #[n(106)]
    AnswerCall = 106,
    /// [`Action::SettleCall`](crate::Action::SettleCall).
    #[n(107)]
    SettleCall = 107,
    /// [`Action::RefundCall`](crate::Action::RefundCall).
    #[n(108)]
    RefundCall = 108,
    /// [`Action::RecordDirect`](crate::Action::RecordDirect).
    #[n(115)]
    RecordDirect = 115,
    /// [`Action::TagThing`](crate::Action::TagThing).
    #[n(116)]
    TagThing = 116,
}

impl ActionKind {
    /// All kinds with their names in text, ascending by number. Each noun has numbers of its own,
    /// so that nouns grow apart from each other; a number is never reused.
    pub const ALL: [(Self, &'static str); 85] = [
        (Self::RegisterEntity, "register_entity"),
        (Self::RotateKey, "rotate_key"),
        (Self::RevokeEntity, "revoke_entity"),
        (Self::RegisterThing, "register_thing"),
        (Self::UpdateThing, "update_thing"),
        (Self::Bind, "bind"),
        (Self::Unbind, "unbind"),
        (Self::SubmitBatch, "submit_batch"),
        (Self::Record, "record"),
        (Self::SetApprovalPolicy, "set_approval_policy"),
        (Self::Approve, "approve"),
        (Self::Reject, "reject"),
        (Self::RetireThing, "retire_thing"),
        (Self::SetAccessPolicy, "set_access_policy"),
        (Self::RemoveAccessPolicy, "remove_access_policy"),
        (Self::RequestAccess, "request_access"),
        (Self::AnswerAccess, "answer_access"),
        (Self::RevokeGrant, "revoke_grant"),
        (Self::UseGrant, "use_grant"),
        (Self::RecordAccess, "record_access"),
        (Self::OfferThing, "offer_thing"),
        (Self::AcceptThing, "accept_thing"),
        (Self::LimitBinding, "limit_binding"),
        (Self::ReportStatus, "report_status"),
        (Self::IssueVoucher, "issue_voucher"),
        (Self::RevokeVoucher, "revoke_voucher"),
        (Self::JoinByVoucher, "join_by_voucher"),
        (Self::Command, "command"),
        (Self::ReportCommand, "report_command"),
        (Self::CancelCommand, "cancel_command"),
        (Self::Quarantine, "quarantine"),
        (Self::PlaceStream, "place_stream"),
        (Self::SetAgreementKey, "set_agreement_key"),
        (Self::RotateStreamKey, "rotate_stream_key"),
        (Self::ShareStreamKey, "share_stream_key"),
        (Self::EraseReadings, "erase_readings"),
        (Self::ConfirmErasure, "confirm_erasure"),
        (Self::UploadCode, "upload_code"),
        (Self::StoreCode, "store_code"),
        (Self::RemoveCode, "remove_code"),
        (Self::Instantiate, "instantiate"),
        (Self::Execute, "execute"),
        (Self::Migrate, "migrate"),
        (Self::SetAdmin, "set_admin"),
        (Self::FreezeContract, "freeze_contract"),
        (Self::ThawContract, "thaw_contract"),
        (Self::TerminateContract, "terminate_contract"),
        (Self::AcceptContract, "accept_contract"),
        (Self::DeclineContract, "decline_contract"),
        (Self::SetTrigger, "set_trigger"),
        (Self::RemoveTrigger, "remove_trigger"),
        (Self::SuspendTrigger, "suspend_trigger"),
        (Self::ResumeTrigger, "resume_trigger"),
        (Self::PublishService, "publish_service"),
        (Self::SetServiceStatus, "set_service_status"),
        (Self::Propose, "propose"),
        (Self::Vote, "vote"),
        (Self::Enact, "enact"),
        (Self::WithdrawProposal, "withdraw_proposal"),
        (Self::Transfer, "transfer"),
        (Self::BurnTokens, "burn_tokens"),
        (Self::OpenEscrow, "open_escrow"),
        (Self::ReleaseEscrow, "release_escrow"),
        (Self::RefundEscrow, "refund_escrow"),
        (Self::SweepAccount, "sweep_account"),
        (Self::Sponsor, "sponsor"),
        (Self::EndSponsorship, "end_sponsorship"),
        (Self::OfferReward, "offer_reward"),
        (Self::FundReward, "fund_reward"),
        (Self::EndReward, "end_reward"),
        (Self::Stake, "stake"),
        (Self::Unstake, "unstake"),
        (Self::CollectStake, "collect_stake"),
        (Self::ReportDoubleVote, "report_double_vote"),
        (Self::RegisterLink, "register_link"),
        (Self::AdvanceLink, "advance_link"),
        (Self::ReportFork, "report_fork"),
        (Self::SetLinkStatus, "set_link_status"),
        (Self::AskLedger, "ask_ledger"),
        (Self::TakeCall, "take_call"),
        (Self::AnswerCall, "answer_call"),
        (Self::SettleCall, "settle_call"),
        (Self::RefundCall, "refund_call"),
        (Self::RecordDirect, "record_direct"),
        (Self::TagThing, "tag_thing"),
    ];

    /// Name in text.
    #[must_use]
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(kind, _)| *kind == self).map_or("unknown", |(_, text)| text)
    }

    /// The kind with this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, text)| *text == name).map(|(kind, _)| *kind)
    }
}
