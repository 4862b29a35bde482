use alloc::{string::String, vec::Vec};

use minicbor::{Decode, Encode};

use crate::{
    AccessPolicy, AccessRequest, AccessUse, ActionKind, AgreementKey, Amount, BatchHeader, Call,
    CallAnswer, CallSettlement, Cipher, Claim, CodeId, CodeMeta, Command, CommandReport,
    ContractId, DirectUse, DoubleVote, EntityId, Escrow, GrantId, Inception, Join, KeyShare, Limit,
    LinkAdvance, LinkFork, LinkId, LinkStatus, Manifest, Offer, Proposal, PublicKey, Resource,
    Reward, ServiceId, ServiceStatus, Signature, Sponsorship, Stake, Status, StreamId,
    StreamPlacement, Terms, ThingId, ThingTags, Transfer, Trigger, TriggerId, TxId, Version,
    Voucher, VoucherId,
};

mod bounds;
mod kind;

mod record;
pub use record::Record;

/// One thing a transaction does. The actions of a transaction succeed or fail together.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum Action {
    /// Registers an entity. The sender becomes its owner; only an organisation may own entities.
    #[n(0)]
    RegisterEntity {
        /// How the entity begins.
        #[n(0)]
        inception: Inception,
        /// Of [`possession_bytes`](crate::possession_bytes), by the new key.
        #[n(1)]
        possession: Signature,
    },
    /// Replaces the key of an entity; by itself or its owner.
    #[n(1)]
    RotateKey {
        /// Whose key.
        #[n(0)]
        entity: EntityId,
        /// The new key.
        #[n(1)]
        key: PublicKey,
        /// Of [`possession_bytes`](crate::possession_bytes), by the new key.
        #[n(2)]
        possession: Signature,
    },
    /// Ends an entity: nothing it signs counts from the next block on; by itself or its owner.
    #[n(2)]
    RevokeEntity {
        /// Which.
        #[n(0)]
        entity: EntityId,
    },
    /// Registers a thing with its W3C Thing Description 1.1; the sender becomes its owner.
    #[n(3)]
    RegisterThing {
        /// The owner's name for it, unique among the owner's things.
        #[n(0)]
        name: String,
        /// The description, JSON text.
        #[cbor(n(1), with = "minicbor::bytes")]
        description: Vec<u8>,
    },
    /// Publishes a new version of a thing's description; by its owner.
    #[n(4)]
    UpdateThing {
        /// Which.
        #[n(0)]
        thing: ThingId,
        /// The version this one replaces, so that two updates cannot overwrite each other.
        #[n(1)]
        replaces: u32,
        /// The description, JSON text.
        #[cbor(n(2), with = "minicbor::bytes")]
        description: Vec<u8>,
    },
    /// Lets a gateway or device submit for a thing, until a height; by the thing's owner.
    #[n(5)]
    Bind {
        /// The thing.
        #[n(0)]
        thing: ThingId,
        /// The entity that may submit.
        #[n(1)]
        gateway: EntityId,
        /// Last height at which the binding holds.
        #[n(2)]
        until_height: u64,
    },
    /// Ends a binding; by the thing's owner or the bound entity.
    #[n(6)]
    Unbind {
        /// The thing.
        #[n(0)]
        thing: ThingId,
        /// The entity.
        #[n(1)]
        gateway: EntityId,
    },
    /// Appends a batch of readings to a stream; by the thing's owner or a bound entity.
    #[n(7)]
    SubmitBatch(#[n(0)] BatchHeader),
    /// Writes a record and notifies entities (Y.4464 10.1 steps 3 to 5).
    #[n(8)]
    Record(#[n(0)] Record),
    /// Says who must sign for an action kind on behalf of the sender; an organisation only.
    #[n(9)]
    SetApprovalPolicy(#[n(0)] ApprovalPolicy),
    /// Approves a pending transaction (Y.4464 8.2, multi-signature permission).
    #[n(10)]
    Approve {
        /// Which.
        #[n(0)]
        pending: TxId,
    },
    /// Withdraws a pending transaction; by its sender or an approver.
    #[n(11)]
    Reject {
        /// Which.
        #[n(0)]
        pending: TxId,
    },
    /// Ends a thing: nothing more is accepted for it; by its owner.
    #[n(12)]
    RetireThing {
        /// Which.
        #[n(0)]
        thing: ThingId,
    },

    /// Offers a thing to another owner, or withdraws the offer; by its owner.
    #[n(30)]
    OfferThing {
        /// Which.
        #[n(0)]
        thing: ThingId,
        /// To whom, in place of any earlier offer; none withdraws it.
        #[n(1)]
        offer: Option<Offer>,
    },
    /// Becomes the owner of a thing that is offered.
    #[n(31)]
    AcceptThing {
        /// Which.
        #[n(0)]
        thing: ThingId,
        /// Shows the code, if it is offered to whoever holds one.
        #[n(1)]
        claim: Option<Claim>,
    },
    /// Narrows what a bound gateway may do, or lifts the limit; by the thing's owner.
    #[n(32)]
    LimitBinding {
        /// The thing.
        #[n(0)]
        thing: ThingId,
        /// The bound entity.
        #[n(1)]
        gateway: EntityId,
        /// What it is narrowed to; none lifts it.
        #[n(2)]
        limit: Option<Limit>,
    },
    /// Says how a thing is; by its owner, the device or a bound gateway.
    #[n(33)]
    ReportStatus {
        /// Which.
        #[n(0)]
        thing: ThingId,
        /// How it is.
        #[n(1)]
        status: Status,
    },
    /// Vouches for a batch of devices that the sender made.
    #[n(34)]
    IssueVoucher(#[n(0)] Voucher),
    /// Ends a voucher: no more devices join by it; by its maker or owner.
    #[n(35)]
    RevokeVoucher {
        /// Which.
        #[n(0)]
        voucher: VoucherId,
    },
    /// Registers a device of a voucher and its thing for the voucher's owner; by the owner or what
    /// it owns.
    #[n(36)]
    JoinByVoucher(#[n(0)] Join),
    /// Asks a thing to do something; by its owner or under a grant.
    #[n(40)]
    Command(#[n(0)] Command),
    /// Says what became of a command; by the device, a bound gateway or the owner.
    #[n(41)]
    ReportCommand(#[n(0)] CommandReport),
    /// Takes a command back; by whoever sent it or the thing's owner.
    #[n(42)]
    CancelCommand {
        /// Which.
        #[n(0)]
        command: TxId,
    },
    /// Shuts a thing out, or lets it in again as far as the sender is concerned: by its owner, or
    /// by organisations, of which [`QUARANTINE_VOICES_MIN`](crate::limits::QUARANTINE_VOICES_MIN)
    /// together do it.
    #[n(43)]
    Quarantine {
        /// Which.
        #[n(0)]
        thing: ThingId,
        /// Why; none takes the sender's voice back.
        #[n(1)]
        reason: Option<String>,
    },
    /// Proposes a change that the members decide on, and votes for it; by a member organisation.
    /// The proposal's id is that of the transaction, which therefore proposes one change only.
    #[n(70)]
    Propose(#[n(0)] Proposal),
    /// Votes on a proposal, or votes otherwise than before; by a member organisation.
    #[n(71)]
    Vote {
        /// Which.
        #[n(0)]
        proposal: TxId,
        /// For it, or against it.
        #[n(1)]
        accept: bool,
    },
    /// Carries out an accepted proposal whose timelock is over; by anyone.
    #[n(72)]
    Enact {
        /// Which.
        #[n(0)]
        proposal: TxId,
    },
    /// Withdraws a proposal that is not carried out yet; by whoever proposed it.
    #[n(73)]
    WithdrawProposal {
        /// Which.
        #[n(0)]
        proposal: TxId,
    },
    /// Says who may do what with something of the sender's.
    #[n(20)]
    SetAccessPolicy(#[n(0)] AccessPolicy),
    /// Takes a policy back: what the ledger began with counts again; by who set it.
    #[n(21)]
    RemoveAccessPolicy {
        /// About what.
        #[n(0)]
        resource: Resource,
    },
    /// Asks for access (Y.4464 10.6 (a) step 3, 10.7 step 3).
    #[n(22)]
    RequestAccess(#[n(0)] AccessRequest),
    /// Allows or denies what was asked for; by the owner or who is asked in its place.
    #[n(23)]
    AnswerAccess {
        /// Which request.
        #[n(0)]
        request: GrantId,
        /// Whether it becomes a grant.
        #[n(1)]
        allow: bool,
    },
    /// Ends a grant with this block; by the owner, the thing's device or the grantee.
    #[n(24)]
    RevokeGrant {
        /// Which.
        #[n(0)]
        grant: GrantId,
    },
    /// Uses a grant once, decided by consensus; by the grantee.
    #[n(25)]
    UseGrant {
        /// Which.
        #[n(0)]
        grant: GrantId,
    },
    /// Records uses that were served (Y.4464 10.7 steps 5 to 7); by a peer, the owner, the thing's
    /// device, one bound to it, or the grantee. At most [`ACCESS_USES_MAX`](crate::limits::ACCESS_USES_MAX), ascending by grant.
    #[n(26)]
    RecordAccess {
        /// The uses.
        #[n(0)]
        uses: Vec<AccessUse>,
    },
    /// Says who keeps the payloads of a stream, in place of what was said; by the owner of the thing.
    #[n(44)]
    PlaceStream(#[n(0)] StreamPlacement),
    /// Says to which key streams' keys are to be wrapped for the sender, in place of an earlier one.
    #[n(45)]
    SetAgreementKey {
        /// The key.
        #[n(0)]
        key: AgreementKey,
    },
    /// Gives a stream a new key; the first one makes it confidential for ever, and only before its
    /// first reading. By the owner of the thing.
    #[n(46)]
    RotateStreamKey {
        /// Which.
        #[n(0)]
        stream: StreamId,
        /// Number of the new key: 1, or one more than the present one's.
        #[n(1)]
        number: u32,
        /// How it seals.
        #[n(2)]
        cipher: Cipher,
        /// The key, wrapped to 1 to [`STREAM_READERS_MAX`](crate::limits::STREAM_READERS_MAX)
        /// readers, ascending. Whoever is not among them reads nothing that is sealed under it.
        #[n(3)]
        shares: Vec<KeyShare>,
    },
    /// Gives a key of a confidential stream to more readers; by the owner of the thing.
    #[n(47)]
    ShareStreamKey {
        /// Which.
        #[n(0)]
        stream: StreamId,
        /// Number of the key, of now or of before.
        #[n(1)]
        number: u32,
        /// The key, wrapped to each, ascending by reader; replaces what a reader has of it.
        #[n(2)]
        shares: Vec<KeyShare>,
    },
    /// Has every holder delete the payloads of all batches that have a reading among these numbers;
    /// by the owner of the thing.
    #[n(48)]
    EraseReadings {
        /// Of which stream.
        #[n(0)]
        stream: StreamId,
        /// First number.
        #[n(1)]
        first_seq: u64,
        /// Last number.
        #[n(2)]
        last_seq: u64,
    },
    /// Says that the sender, a peer, holds none of these payloads any more: its purge receipt.
    #[n(49)]
    ConfirmErasure {
        /// Of which stream.
        #[n(0)]
        stream: StreamId,
        /// Which erasure of the stream, from 0.
        #[n(1)]
        erasure: u32,
    },
    /// Uploads a part of a module, to be put together by [`Action::StoreCode`] of the same sender.
    /// A sender has one upload under way; the first part of another module drops it.
    #[n(50)]
    UploadCode {
        /// The whole module.
        #[n(0)]
        code: CodeId,
        /// Which part, from 0.
        #[n(1)]
        part: u16,
        /// Its bytes, 1 to [`CODE_PART_BYTES_MAX`](crate::limits::CODE_PART_BYTES_MAX).
        #[cbor(n(2), with = "minicbor::bytes")]
        bytes: Vec<u8>,
    },
    /// Stores a module whose parts the sender has uploaded, or has none to upload because it is
    /// stored already; the sender's organisation becomes its owner.
    #[n(51)]
    StoreCode {
        /// The module.
        #[n(0)]
        code: CodeId,
        /// How many parts it came in, 1 to [`CODE_PARTS_MAX`](crate::limits::CODE_PARTS_MAX).
        #[n(1)]
        parts: u16,
        /// What is said of it.
        #[n(2)]
        meta: CodeMeta,
    },
    /// Removes a module that no contract runs; by its owner.
    #[n(52)]
    RemoveCode {
        /// Which.
        #[n(0)]
        code: CodeId,
    },
    /// Makes a contract, or proposes one to those who take part in deciding.
    #[n(53)]
    Instantiate {
        /// Its code.
        #[n(0)]
        code: CodeId,
        /// The sender's name for it, unique among the contracts that the sender made.
        #[n(1)]
        name: String,
        /// Who decides about it and who may call it.
        #[n(2)]
        terms: Terms,
        /// Its first message, JSON.
        #[cbor(n(3), with = "minicbor::bytes")]
        message: Vec<u8>,
        /// Most gas it may use.
        #[n(4)]
        gas_limit: u64,
        /// Tokens that it begins with, of the sender's.
        #[n(5)]
        funds: Option<Amount>,
    },
    /// Calls a contract.
    #[n(54)]
    Execute {
        /// Which.
        #[n(0)]
        contract: ContractId,
        /// The message, JSON.
        #[cbor(n(1), with = "minicbor::bytes")]
        message: Vec<u8>,
        /// Most gas it may use, with all that it calls.
        #[n(2)]
        gas_limit: u64,
        /// Tokens that go with the call, of the sender's.
        #[n(3)]
        funds: Option<Amount>,
    },
    /// Gives a contract new code and lets that take over the storage; by its administrator.
    #[n(55)]
    Migrate {
        /// Which.
        #[n(0)]
        contract: ContractId,
        /// The new code.
        #[n(1)]
        code: CodeId,
        /// The message for the new code, JSON.
        #[cbor(n(2), with = "minicbor::bytes")]
        message: Vec<u8>,
        /// Most gas it may use.
        #[n(3)]
        gas_limit: u64,
    },
    /// Says who administers a contract from now on, or that nobody does; by its administrator.
    #[n(56)]
    SetAdmin {
        /// Which.
        #[n(0)]
        contract: ContractId,
        /// Who.
        #[n(1)]
        admin: Option<EntityId>,
    },
    /// Stops a contract until it is thawed; by its administrator.
    #[n(57)]
    FreezeContract {
        /// Which.
        #[n(0)]
        contract: ContractId,
    },
    /// Lets a frozen contract run again; by its administrator.
    #[n(58)]
    ThawContract {
        /// Which.
        #[n(0)]
        contract: ContractId,
    },
    /// Ends a contract for ever; by its administrator. What it stored stays readable.
    #[n(59)]
    TerminateContract {
        /// Which.
        #[n(0)]
        contract: ContractId,
    },
    /// Accepts a proposed contract, which begins if this was the last acceptance it needed; by a
    /// participant.
    #[n(60)]
    AcceptContract {
        /// Which.
        #[n(0)]
        contract: ContractId,
    },
    /// Declines a proposed contract, which is dropped once too few are left to accept it; by a
    /// participant, or withdraws it; by its creator.
    #[n(61)]
    DeclineContract {
        /// Which.
        #[n(0)]
        contract: ContractId,
    },
    /// Pays tokens to another account.
    #[n(85)]
    Transfer(#[n(0)] Transfer),
    /// Destroys tokens of the sender's.
    #[n(86)]
    BurnTokens {
        /// How many.
        #[n(0)]
        amount: Amount,
    },
    /// Locks tokens of the sender's for a payee. The escrow's id is that of the transaction, which
    /// therefore opens one only.
    #[n(87)]
    OpenEscrow(#[n(0)] Escrow),
    /// Gives locked tokens to the payee; by whoever locked them or the arbiter, in time.
    #[n(88)]
    ReleaseEscrow {
        /// Which.
        #[n(0)]
        escrow: TxId,
    },
    /// Gives locked tokens back; by the payee or the arbiter, and after its time by anyone.
    #[n(89)]
    RefundEscrow {
        /// Which.
        #[n(0)]
        escrow: TxId,
    },
    /// Takes the tokens of an account that nobody can sign for any more: of a revoked entity by its
    /// owner, of a terminated contract by whoever decided about it.
    #[n(90)]
    SweepAccount {
        /// Whose.
        #[n(0)]
        account: EntityId,
    },
    /// Pays the fees of an entity, in place of an earlier such promise; by its owner.
    #[n(91)]
    Sponsor(#[n(0)] Sponsorship),
    /// Pays them no longer; by the entity's owner or whoever promised it.
    #[n(92)]
    EndSponsorship {
        /// Whose fees.
        #[n(0)]
        entity: EntityId,
    },
    /// Rewards readings of a stream. The reward's id is that of the transaction, which therefore
    /// offers one only.
    #[n(93)]
    OfferReward(#[n(0)] Reward),
    /// Adds tokens of the sender's to what a reward can pay out.
    #[n(94)]
    FundReward {
        /// Which.
        #[n(0)]
        reward: TxId,
        /// How many.
        #[n(1)]
        amount: Amount,
    },
    /// Ends a reward: what is left goes back; by whoever offered it, and after its time by anyone.
    #[n(95)]
    EndReward {
        /// Which.
        #[n(0)]
        reward: TxId,
    },
    /// Puts tokens of the sender's behind a peer of its own, which is a candidate for a seat from then
    /// on.
    #[n(96)]
    Stake(#[n(0)] Stake),
    /// Takes tokens back from behind a peer, by whoever staked them. They stay locked for the epochs
    /// that the ledger's rules say.
    #[n(97)]
    Unstake {
        /// Behind which peer.
        #[n(0)]
        peer: EntityId,
        /// How many; all if it is left out, and then the peer stands no more.
        #[n(1)]
        amount: Option<Amount>,
    },
    /// Gives tokens that were taken back and have become free to the account that staked them.
    #[n(98)]
    CollectStake {
        /// Behind which peer they were.
        #[n(0)]
        peer: EntityId,
    },
    /// Shows that a peer voted twice, which costs it a share of its stake and its seat; by anyone.
    #[n(99)]
    ReportDoubleVote(#[n(0)] DoubleVote),
    /// Publishes a service, or another version of one; by its provider.
    #[n(68)]
    PublishService(#[n(0)] Manifest),
    /// Says whether a version of a service can be relied on; by its provider, or who owns that.
    #[n(69)]
    SetServiceStatus {
        /// Which service.
        #[n(0)]
        service: ServiceId,
        /// Which version.
        #[n(1)]
        version: Version,
        /// What it is from now on.
        #[n(2)]
        status: ServiceStatus,
    },
    /// Sets a trigger, in place of the sender's one of that name if there is one.
    #[n(64)]
    SetTrigger(#[n(0)] Trigger),
    /// Removes a trigger; by its owner.
    #[n(65)]
    RemoveTrigger {
        /// Which.
        #[n(0)]
        trigger: TriggerId,
    },
    /// Lets a trigger wait for nothing until it is resumed; by its owner.
    #[n(66)]
    SuspendTrigger {
        /// Which.
        #[n(0)]
        trigger: TriggerId,
    },
    /// Lets a suspended trigger wait anew; by its owner.
    #[n(67)]
    ResumeTrigger {
        /// Which.
        #[n(0)]
        trigger: TriggerId,
    },
    /// Relies on another ledger from now on; by an organisation.
    #[n(100)]
    RegisterLink {
        /// The genesis of that ledger, its wire bytes.
        #[cbor(n(0), with = "minicbor::bytes")]
        genesis: Vec<u8>,
    },
    /// Tells a link of a newer block; by anyone.
    #[n(101)]
    AdvanceLink(#[n(0)] LinkAdvance),
    /// Shows that the ledger behind a link forked, which freezes the link; by anyone.
    #[n(102)]
    ReportFork(#[n(0)] LinkFork),
    /// Suspends a link, resumes it or ends it; by its owner.
    #[n(103)]
    SetLinkStatus {
        /// Which.
        #[n(0)]
        link: LinkId,
        /// What it is from now on, not frozen.
        #[n(1)]
        status: LinkStatus,
    },
    /// Asks a service of another ledger. The call's id is that of the transaction, which therefore
    /// asks once only.
    #[n(104)]
    AskLedger(#[n(0)] Call),
    /// Takes a call of another ledger in; by anyone.
    #[n(105)]
    TakeCall {
        /// What shows the call: a `Shown` of crate `proof`.
        #[cbor(n(0), with = "minicbor::bytes")]
        proof: Vec<u8>,
    },
    /// Answers a call of another ledger; by whoever provides the service.
    #[n(106)]
    AnswerCall(#[n(0)] CallAnswer),
    /// Brings the answer to a call back; by anyone.
    #[n(107)]
    SettleCall(#[n(0)] CallSettlement),
    /// Gives up a call that was not answered in time; by anyone.
    #[n(108)]
    RefundCall {
        /// Which.
        #[n(0)]
        call: TxId,
    },
    /// Records what grantees asked of devices directly; by the gateway that served it. At most
    /// [`DIRECT_USES_MAX`](crate::limits::DIRECT_USES_MAX), of each grant ascending by number.
    #[n(115)]
    RecordDirect {
        /// The uses.
        #[n(0)]
        uses: Vec<DirectUse>,
    },
    /// Says by which tags a thing is found, in place of what was said; by its owner.
    #[n(116)]
    TagThing(#[n(0)] ThingTags),
}

/// `threshold` of `approvers` must sign before an action of this kind takes effect.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct ApprovalPolicy {
    /// The kind of action it is about.
    #[n(0)]
    pub kind: ActionKind,
    /// How many must sign; 0 removes the policy.
    #[n(1)]
    pub threshold: u8,
    /// Who may, ascending, at most [`APPROVERS_MAX`](crate::limits::APPROVERS_MAX).
    #[n(2)]
    pub approvers: Vec<EntityId>,
    /// Blocks within which the approvals must come.
    #[n(3)]
    pub patience_blocks: u32,
}
