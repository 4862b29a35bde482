use serde::{Deserialize, Serialize};

use super::{
    AccessUse, BindingLimit, CallPayment, Change, CodeHex, DidText, DigestHex, DirectUse, GrantHex,
    Key, KeyHex, LedgerHex, LinkHex, Offer, Operation, Resource, ServiceHex, StreamHex,
    StreamPlacement, ThingReport, ThingTags, Time, TriggerHex, TxHex,
};

/// One thing that a transaction does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Action {
    /// Registers an entity.
    RegisterEntity {
        /// Its id.
        entity: DidText,
        /// What it is.
        kind: String,
        /// Its name.
        name: String,
        /// Its first key.
        key: Key,
    },
    /// Replaces the key of an entity.
    RotateKey {
        /// Whose.
        entity: DidText,
        /// The new key.
        key: Key,
    },
    /// Ends an entity.
    RevokeEntity {
        /// Which.
        entity: DidText,
    },
    /// Registers a thing.
    RegisterThing {
        /// Its id.
        thing: DidText,
        /// Its name.
        name: String,
        /// SHA-256 of its description.
        description_digest: DigestHex,
    },
    /// Publishes a new description of a thing.
    UpdateThing {
        /// Which.
        thing: DidText,
        /// The version that is replaced.
        replaces: u32,
        /// SHA-256 of the new description.
        description_digest: DigestHex,
    },
    /// Lets an entity submit for a thing.
    Bind {
        /// The thing.
        thing: DidText,
        /// The entity.
        gateway: DidText,
        /// Last height at which the binding holds.
        until_height: u64,
    },
    /// Ends a binding.
    Unbind {
        /// The thing.
        thing: DidText,
        /// The entity.
        gateway: DidText,
    },
    /// Appends readings to a stream.
    SubmitBatch {
        /// The stream.
        stream: StreamHex,
        /// Sequence number of the first reading.
        first_seq: u64,
        /// Number of readings.
        count: u32,
        /// Earliest claimed time.
        earliest: Time,
        /// Latest claimed time.
        latest: Time,
        /// BLAKE3 of the payload.
        payload_digest: DigestHex,
        /// Length of the payload, bytes.
        payload_bytes: u32,
    },
    /// Writes a record and notifies entities.
    Record {
        /// What sort of record.
        kind: String,
        /// Its data, hex.
        data: String,
        /// Who is notified.
        notify: Vec<DidText>,
        /// The transaction it belongs to.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        link: Option<TxHex>,
    },
    /// Says who must sign for a kind of action.
    SetApprovalPolicy {
        /// The kind of action.
        kind: String,
        /// How many must sign.
        threshold: u8,
        /// Who may.
        approvers: Vec<DidText>,
        /// Blocks within which the approvals must come.
        patience_blocks: u32,
    },
    /// Approves a pending transaction.
    Approve {
        /// Which.
        pending: TxHex,
    },
    /// Withdraws a pending transaction.
    Reject {
        /// Which.
        pending: TxHex,
    },
    /// Ends a thing.
    RetireThing {
        /// Which.
        thing: DidText,
    },
    /// Offers a thing to another owner, or withdraws the offer.
    OfferThing {
        /// Which.
        thing: DidText,
        /// To whom; absent if the offer is withdrawn.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        offer: Option<Offer>,
    },
    /// Becomes the owner of a thing that is offered.
    AcceptThing {
        /// Which.
        thing: DidText,
        /// Whether by a code.
        by_code: bool,
    },
    /// Narrows a binding, or lifts its limit.
    LimitBinding {
        /// The thing.
        thing: DidText,
        /// The bound entity.
        gateway: DidText,
        /// What it is narrowed to; absent if the limit is lifted.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        limit: Option<BindingLimit>,
    },
    /// Says how a thing is.
    ReportStatus {
        /// Which.
        thing: DidText,
        /// How it is.
        status: ThingReport,
    },
    /// Vouches for a batch of devices.
    IssueVoucher {
        /// Its id.
        voucher: DigestHex,
        /// The organisation that owns them when they join.
        owner: DidText,
        /// Merkle root over their inceptions.
        root: DigestHex,
        /// How many there are.
        count: u32,
        /// SHA-256 of their Thing Description.
        description_digest: DigestHex,
    },
    /// Ends a voucher.
    RevokeVoucher {
        /// Which.
        voucher: DigestHex,
    },
    /// Registers a device of a voucher and its thing.
    JoinByVoucher {
        /// The voucher.
        voucher: DigestHex,
        /// Position of the device in it.
        index: u32,
        /// The device.
        device: DidText,
        /// Its name.
        name: String,
    },
    /// Asks a thing to do something.
    Command {
        /// The thing.
        thing: DidText,
        /// What is asked for.
        asked: Operation,
        /// Time by which it must be answered.
        until: Time,
        /// What for.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        purpose: Option<String>,
    },
    /// Says what became of a command.
    ReportCommand {
        /// Which.
        command: TxHex,
        /// `delivered`, `accepted`, `done` or `failed`.
        state: String,
        /// What the device answered; bytes that are no UTF-8 are replaced.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        result: Option<String>,
    },
    /// Takes a command back.
    CancelCommand {
        /// Which.
        command: TxHex,
    },
    /// Says to which key streams' keys are to be wrapped for the sender.
    SetAgreementKey {
        /// The X25519 key, hex.
        key: String,
    },
    /// Gives a stream a new key; the first makes it confidential.
    RotateStreamKey {
        /// Which.
        stream: StreamHex,
        /// Number of the key.
        number: u32,
        /// How it seals.
        cipher: String,
        /// To whom it is wrapped.
        readers: Vec<DidText>,
    },
    /// Gives a key of a confidential stream to more readers.
    ShareStreamKey {
        /// Which.
        stream: StreamHex,
        /// Number of the key.
        number: u32,
        /// To whom it is wrapped.
        readers: Vec<DidText>,
    },
    /// Says who keeps the payloads of a stream.
    PlaceStream(StreamPlacement),
    /// Has every holder delete payloads.
    EraseReadings {
        /// Of which stream.
        stream: StreamHex,
        /// First number.
        first_seq: u64,
        /// Last number.
        last_seq: u64,
    },
    /// Says that the sender, a peer, holds none of them any more.
    ConfirmErasure {
        /// Of which stream.
        stream: StreamHex,
        /// Which erasure of it, from 0.
        erasure: u32,
    },
    /// Speaks for or against the quarantine of a thing.
    Quarantine {
        /// Which.
        thing: DidText,
        /// Why; absent if the sender takes its voice back.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
    },
    /// Proposes a change that the members decide on.
    Propose {
        /// What is to change.
        #[serde(flatten)]
        change: Change,
        /// Why.
        reason: String,
    },
    /// Votes on a proposal.
    Vote {
        /// Which.
        proposal: TxHex,
        /// For it, or against it.
        accept: bool,
    },
    /// Carries out an accepted proposal.
    Enact {
        /// Which.
        proposal: TxHex,
    },
    /// Withdraws a proposal.
    WithdrawProposal {
        /// Which.
        proposal: TxHex,
    },
    /// Says who may do what with something of the sender's.
    SetAccessPolicy {
        /// About what.
        resource: Resource,
        /// What is needed beside it.
        mode: String,
        /// The statements in Cedar.
        text: String,
        /// Who is asked about each request.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        ask: Option<DidText>,
        /// Blocks within which the answer must come.
        patience_blocks: u32,
        /// Blocks that a grant lasts at most.
        grant_blocks_max: u64,
    },
    /// Takes a policy back.
    RemoveAccessPolicy {
        /// About what.
        resource: Resource,
    },
    /// Asks for access.
    RequestAccess {
        /// To what.
        resource: Resource,
        /// To do what.
        right: String,
        /// What for.
        purpose: String,
        /// How often; 0 for as often as wanted.
        count_max: u32,
        /// Last height wanted.
        until_height: u64,
    },
    /// Allows or denies a request.
    AnswerAccess {
        /// Which.
        request: GrantHex,
        /// Whether it becomes a grant.
        allow: bool,
    },
    /// Ends a grant.
    RevokeGrant {
        /// Which.
        grant: GrantHex,
    },
    /// Uses a grant once.
    UseGrant {
        /// Which.
        grant: GrantHex,
    },
    /// Records uses that were served.
    RecordAccess {
        /// The uses.
        uses: Vec<AccessUse>,
    },
    /// Records what grantees asked of devices directly.
    RecordDirect {
        /// The uses.
        uses: Vec<DirectUse>,
    },
    /// Says by which tags a thing is found.
    TagThing(ThingTags),
    /// Uploads a part of a module.
    UploadCode {
        /// The whole module.
        code: CodeHex,
        /// Which part, from 0.
        part: u16,
        /// How many bytes it has.
        bytes: u32,
    },
    /// Stores a module whose parts were uploaded.
    StoreCode {
        /// The module.
        code: CodeHex,
        /// A name for it.
        name: String,
        /// Where its source is and how it was built.
        source: String,
        /// Interfaces it serves.
        interfaces: Vec<String>,
    },
    /// Removes code that no contract runs.
    RemoveCode {
        /// Which.
        code: CodeHex,
    },
    /// Makes or proposes a contract.
    Instantiate {
        /// Its address.
        contract: DidText,
        /// Its code.
        code: CodeHex,
        /// The sender's name for it.
        name: String,
        /// Its first message, JSON.
        message: String,
        /// Most gas it may use.
        gas_limit: u64,
        /// Tokens that go with it, in the smallest unit, if any.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        funds: Option<String>,
        /// Who decides whether it begins.
        participants: Vec<DidText>,
        /// How many of them must accept it.
        threshold: u8,
    },
    /// Calls a contract.
    Execute {
        /// Which.
        contract: DidText,
        /// The message, JSON.
        message: String,
        /// Most gas it may use.
        gas_limit: u64,
        /// Tokens that go with it, in the smallest unit, if any.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        funds: Option<String>,
    },
    /// Gives a contract new code.
    Migrate {
        /// Which.
        contract: DidText,
        /// The new code.
        code: CodeHex,
        /// The message for it, JSON.
        message: String,
        /// Most gas it may use.
        gas_limit: u64,
    },
    /// Says who administers a contract.
    SetAdmin {
        /// Which.
        contract: DidText,
        /// Who, if anybody.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        admin: Option<DidText>,
    },
    /// Stops a contract until it is thawed.
    FreezeContract {
        /// Which.
        contract: DidText,
    },
    /// Lets a frozen contract run again.
    ThawContract {
        /// Which.
        contract: DidText,
    },
    /// Ends a contract for ever.
    TerminateContract {
        /// Which.
        contract: DidText,
    },
    /// Accepts a proposed contract.
    AcceptContract {
        /// Which.
        contract: DidText,
    },
    /// Declines or withdraws a proposed contract.
    DeclineContract {
        /// Which.
        contract: DidText,
    },
    /// Publishes a service, or another version of one.
    PublishService {
        /// Its id.
        service: ServiceHex,
        /// The sender's name for it.
        name: String,
        /// Which version.
        version: String,
        /// What it does.
        text: String,
    },
    /// Says whether a version of a service can be relied on.
    SetServiceStatus {
        /// Which service.
        service: ServiceHex,
        /// Which version.
        version: String,
        /// `live`, `deprecated` or `withdrawn`.
        status: String,
    },
    /// Sets a trigger.
    SetTrigger {
        /// Its id.
        trigger: TriggerHex,
        /// The sender's name for it.
        name: String,
        /// What it waits for and does, as a rule in words.
        rule: String,
    },
    /// Removes a trigger.
    RemoveTrigger {
        /// Which.
        trigger: TriggerHex,
    },
    /// Lets a trigger wait for nothing.
    SuspendTrigger {
        /// Which.
        trigger: TriggerHex,
    },
    /// Lets a suspended trigger wait anew.
    ResumeTrigger {
        /// Which.
        trigger: TriggerHex,
    },
    /// Pays tokens.
    Transfer {
        /// To whom.
        to: DidText,
        /// How many, in the smallest unit.
        amount: String,
        /// What for.
        memo: String,
    },
    /// Destroys tokens of the sender's.
    BurnTokens {
        /// How many.
        amount: String,
    },
    /// Locks tokens of the sender's for a payee.
    OpenEscrow {
        /// For whom.
        payee: DidText,
        /// How many.
        amount: String,
        /// Last height at which they can be released.
        until_height: u64,
        /// Who else decides.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        arbiter: Option<DidText>,
        /// What for.
        memo: String,
    },
    /// Gives locked tokens to the payee.
    ReleaseEscrow {
        /// Which.
        escrow: TxHex,
    },
    /// Gives locked tokens back.
    RefundEscrow {
        /// Which.
        escrow: TxHex,
    },
    /// Takes what an account has that nobody can sign for any more.
    SweepAccount {
        /// Whose.
        account: DidText,
    },
    /// Pays the fees of an entity.
    Sponsor {
        /// Whose.
        entity: DidText,
        /// Most in one day.
        per_day: String,
        /// Most altogether.
        total: String,
        /// Last height at which it holds.
        until_height: u64,
    },
    /// Pays them no longer.
    EndSponsorship {
        /// Whose.
        entity: DidText,
    },
    /// Rewards readings of a stream.
    OfferReward {
        /// Which stream.
        stream: StreamHex,
        /// For each batch.
        per_batch: String,
        /// For each reading.
        per_reading: String,
        /// Most in one day.
        per_day: String,
        /// What it begins with.
        fund: String,
        /// Last height at which it is paid.
        until_height: u64,
    },
    /// Adds to what a reward can pay out.
    FundReward {
        /// Which.
        reward: TxHex,
        /// How many.
        amount: String,
    },
    /// Ends a reward.
    EndReward {
        /// Which.
        reward: TxHex,
    },
    /// Puts tokens behind a peer.
    Stake {
        /// Which.
        peer: DidText,
        /// How many.
        amount: String,
        /// How it would vote, if that is said.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        vote_key: Option<KeyHex>,
        /// Where it would be reached, if that is said.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        address: Option<String>,
    },
    /// Takes tokens from behind a peer.
    Unstake {
        /// Which.
        peer: DidText,
        /// How many; all if absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        amount: Option<String>,
    },
    /// Gives back what was taken from behind a peer and is free.
    CollectStake {
        /// Which.
        peer: DidText,
    },
    /// Shows that a peer voted twice.
    ReportDoubleVote {
        /// Its voting key.
        vote_key: KeyHex,
        /// The epoch.
        epoch: u64,
        /// The view.
        view: u64,
        /// What it voted for first: `notarize`, `nullify` or `finalize`.
        first: String,
        /// And then.
        second: String,
    },
    /// Relies on another ledger.
    RegisterLink {
        /// SHA-256 of its genesis.
        genesis_digest: DigestHex,
    },
    /// Tells a link of a newer block.
    AdvanceLink {
        /// Which.
        link: LinkHex,
        /// SHA-256 of the proof.
        proof_digest: DigestHex,
    },
    /// Shows that the ledger behind a link forked.
    ReportFork {
        /// Which.
        link: LinkHex,
    },
    /// Suspends a link, resumes it or ends it.
    SetLinkStatus {
        /// Which.
        link: LinkHex,
        /// `live`, `suspended` or `ended`.
        status: String,
    },
    /// Asks a service of another ledger.
    AskLedger {
        /// Which ledger.
        ledger: LedgerHex,
        /// Which service there.
        service: ServiceHex,
        /// Until when it can be answered.
        deadline: Time,
        /// From when on it can be refunded, if no answer came.
        refund: Time,
        /// What is asked, hex.
        request: String,
        /// What is paid for the answer.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        payment: Option<CallPayment>,
    },
    /// Takes a call of another ledger in.
    TakeCall {
        /// SHA-256 of the proof.
        proof_digest: DigestHex,
    },
    /// Answers a call of another ledger.
    AnswerCall {
        /// The ledger that asks.
        ledger: LedgerHex,
        /// Its call.
        call: TxHex,
        /// Whether what was asked is done.
        accepted: bool,
        /// The answer, hex.
        answer: String,
    },
    /// Brings the answer to a call back.
    SettleCall {
        /// Which.
        call: TxHex,
        /// SHA-256 of the proof.
        proof_digest: DigestHex,
    },
    /// Gives up a call that was not answered in time.
    RefundCall {
        /// Which.
        call: TxHex,
    },
}
