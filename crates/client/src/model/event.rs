use serde::{Deserialize, Serialize};

use super::{
    Access, Attribute, CodeHex, Cursor, DidText, DigestHex, LinkEvent, MechanismFrom, Resource,
    ServiceHex, StreamHex, StreamPlacement, StreamSilence, ThingReport, ThingTags, Time,
    TokenEvent, TriggerHex, TxHex,
};

/// An event with its place on the ledger.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct EventRecord {
    /// Its place; pass as `after` to go on behind it.
    pub cursor: Cursor,
    /// Height of the block.
    pub height: u64,
    /// Time of the block.
    pub time: Time,
    /// The transaction that brought it about.
    pub transaction: TxHex,
    /// What happened.
    pub event: Event,
}

/// Something that subscribers may want to know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Event {
    /// An entity was registered.
    EntityRegistered {
        /// Which.
        entity: DidText,
        /// Who owns it.
        owner: DidText,
    },
    /// An entity has a new key.
    KeyRotated {
        /// Whose.
        entity: DidText,
        /// Version of the new key.
        version: u32,
    },
    /// An entity ended.
    EntityRevoked {
        /// Which.
        entity: DidText,
    },
    /// A thing was registered.
    ThingRegistered {
        /// Which.
        thing: DidText,
        /// Whose.
        owner: DidText,
    },
    /// A thing has a new description.
    ThingUpdated {
        /// Which.
        thing: DidText,
        /// Version of the description.
        version: u32,
    },
    /// A thing ended.
    ThingRetired {
        /// Which.
        thing: DidText,
    },
    /// An entity may submit for a thing.
    Bound {
        /// The thing.
        thing: DidText,
        /// The entity.
        gateway: DidText,
        /// Last height at which the binding holds.
        until_height: u64,
    },
    /// An entity may no longer submit for a thing.
    Unbound {
        /// The thing.
        thing: DidText,
        /// The entity.
        gateway: DidText,
    },
    /// A batch was appended to a stream.
    BatchAccepted {
        /// The thing.
        thing: DidText,
        /// The stream.
        stream: StreamHex,
        /// Position of the batch in the stream's tree.
        leaf: u64,
        /// Sequence number of its first reading.
        first_seq: u64,
        /// Number of readings.
        count: u32,
    },
    /// Sequence numbers were skipped; they may still come.
    GapOpened {
        /// The stream.
        stream: StreamHex,
        /// First number missing.
        first_seq: u64,
        /// How many.
        count: u64,
    },
    /// Missing numbers came after all.
    GapFilled {
        /// The stream.
        stream: StreamHex,
        /// First number filled.
        first_seq: u64,
        /// How many.
        count: u64,
    },
    /// Missing numbers were given up for ever.
    GapSealed {
        /// The stream.
        stream: StreamHex,
        /// First number missing.
        first_seq: u64,
        /// How many.
        count: u64,
    },
    /// An entity says to which key streams' keys are to be wrapped for it.
    AgreementKeySet {
        /// Whose.
        entity: DidText,
        /// The X25519 key, hex.
        key: String,
    },
    /// A stream has a new key; with the first one it is confidential.
    StreamKeyRotated {
        /// The stream.
        stream: StreamHex,
        /// Number of the key.
        number: u32,
        /// How many readers have it.
        readers: u32,
    },
    /// A key of a stream was given to readers.
    StreamKeyShared {
        /// The stream.
        stream: StreamHex,
        /// Number of the key.
        number: u32,
        /// To whom.
        readers: Vec<DidText>,
    },
    /// Payloads are to be deleted by all who hold them.
    ReadingsErased {
        /// The stream.
        stream: StreamHex,
        /// Which erasure of it, from 0.
        erasure: u32,
        /// First number.
        first_seq: u64,
        /// Last number.
        last_seq: u64,
    },
    /// The owner says who keeps the payloads of a stream.
    StreamPlaced(StreamPlacement),
    /// A peer holds none of those payloads any more.
    ErasureConfirmed {
        /// The stream.
        stream: StreamHex,
        /// Which erasure of it.
        erasure: u32,
        /// The peer.
        holder: DidText,
    },
    /// A stream has been silent for as long as who asked wanted to know. The peer says so, not the ledger.
    StreamSilent(StreamSilence),
    /// A record was written.
    Recorded {
        /// Who wrote it.
        sender: DidText,
        /// What sort of record.
        kind: String,
        /// Who is notified.
        notify: Vec<DidText>,
        /// The transaction it belongs to.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        link: Option<TxHex>,
    },
    /// A policy for approvals was set or removed.
    ApprovalPolicySet {
        /// Whose.
        entity: DidText,
    },
    /// A transaction waits for approvals.
    ApprovalPending {
        /// Which.
        pending: TxHex,
        /// How many it has.
        approvals: u8,
        /// How many it needs.
        threshold: u8,
    },
    /// A transaction that waited took effect.
    ApprovalGranted {
        /// Which.
        pending: TxHex,
    },
    /// A transaction that waited was withdrawn, timed out or failed.
    ApprovalEnded {
        /// Which.
        pending: TxHex,
        /// Stable code of the refusal that ended it.
        code: String,
    },
    /// A thing is offered to another owner.
    ThingOffered {
        /// Which.
        thing: DidText,
        /// Whose.
        owner: DidText,
        /// Last height at which it can be accepted.
        until_height: u64,
        /// To whom; absent if to whoever holds a code.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        to: Option<DidText>,
    },
    /// A thing is offered no longer.
    OfferWithdrawn {
        /// Which.
        thing: DidText,
    },
    /// A thing has another owner; all bindings to it have ended.
    ThingTransferred {
        /// Which.
        thing: DidText,
        /// Who owned it.
        from: DidText,
        /// Who owns it now.
        to: DidText,
    },
    /// A binding was narrowed, or a limit lifted.
    BindingLimited {
        /// The thing.
        thing: DidText,
        /// The bound entity.
        gateway: DidText,
        /// Whether there is a limit now.
        limited: bool,
    },
    /// Somebody said how a thing is.
    StatusReported {
        /// Which.
        thing: DidText,
        /// Who said it.
        reporter: DidText,
        /// What.
        status: ThingReport,
    },
    /// A maker vouches for devices.
    VoucherIssued {
        /// The voucher.
        voucher: DigestHex,
        /// Who made the devices.
        maker: DidText,
        /// Whose they are.
        owner: DidText,
        /// How many.
        count: u32,
    },
    /// No more devices join by a voucher.
    VoucherRevoked {
        /// Which.
        voucher: DigestHex,
    },
    /// A device of a voucher joined.
    DeviceJoined {
        /// The voucher.
        voucher: DigestHex,
        /// The device.
        device: DidText,
        /// Its thing.
        thing: DidText,
    },
    /// A thing was asked to do something.
    CommandQueued {
        /// The command.
        command: TxHex,
        /// The thing.
        thing: DidText,
        /// Who asks.
        sender: DidText,
        /// Time by which it must be answered.
        until: Time,
    },
    /// A command went on or came to its end.
    CommandChanged {
        /// The command.
        command: TxHex,
        /// The thing.
        thing: DidText,
        /// Who sent the command.
        sender: DidText,
        /// How far it is now.
        state: String,
        /// What the device answered; bytes that are no UTF-8 are replaced.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        result: Option<String>,
    },
    /// Somebody spoke for or against the quarantine of a thing.
    QuarantineChanged {
        /// Which.
        thing: DidText,
        /// Who spoke.
        by: DidText,
        /// Whether it is in quarantine now.
        quarantined: bool,
    },
    /// Members are asked to vote on a change.
    Proposed {
        /// The proposal.
        proposal: TxHex,
        /// Who proposed it.
        proposer: DidText,
    },
    /// A member voted.
    Voted {
        /// On which proposal.
        proposal: TxHex,
        /// Who.
        organisation: DidText,
        /// For it, or against it.
        accept: bool,
        /// Votes for it so far.
        votes: u16,
        /// Votes it needs.
        needed: u16,
    },
    /// A proposal has the votes it needs.
    ProposalAccepted {
        /// Which.
        proposal: TxHex,
        /// First height at which it can take effect.
        due_height: u64,
    },
    /// A proposal took effect.
    ProposalEnacted {
        /// Which.
        proposal: TxHex,
    },
    /// A proposal ended without effect.
    ProposalEnded {
        /// Which.
        proposal: TxHex,
        /// Stable code of the refusal that ended it.
        code: String,
    },
    /// An organisation became a member.
    MemberAdded {
        /// Which.
        organisation: DidText,
    },
    /// An organisation is a member no more.
    MemberRemoved {
        /// Which.
        organisation: DidText,
    },
    /// Other validators than now will vote from the next epoch on.
    ValidatorsChosen {
        /// How many.
        count: u16,
        /// How many of them must sign a block.
        quorum: u16,
    },
    /// The ledger has other settings from the next block on.
    ParametersSet,
    /// The members decide by another rule from now on.
    VotingRuleSet,
    /// How peers agree was decided, and where that begins.
    MechanismChosen(MechanismFrom),
    /// An access policy was set.
    AccessPolicySet {
        /// Whose.
        owner: DidText,
        /// About what.
        resource: Resource,
        /// Version of the policy.
        version: u32,
    },
    /// An access policy was removed.
    AccessPolicyRemoved {
        /// Whose.
        owner: DidText,
        /// About what.
        resource: Resource,
    },
    /// Access was asked for and waits for an answer.
    AccessRequested {
        /// What was asked for.
        access: Access,
        /// Who is asked.
        asked: DidText,
        /// Last height at which the answer counts.
        answer_until_height: u64,
    },
    /// A grant was given.
    AccessGranted {
        /// What it lets do.
        access: Access,
        /// Who gave it.
        by: DidText,
        /// How often it can be used; 0 for without limit.
        count_max: u32,
        /// Last height at which it holds.
        until_height: u64,
    },
    /// A request was denied.
    AccessDenied {
        /// What was asked for.
        access: Access,
        /// Who denied it.
        by: DidText,
    },
    /// A request had no answer in time.
    AccessTimedOut {
        /// What was asked for.
        access: Access,
        /// Who did not answer.
        asked: DidText,
    },
    /// A grant was ended.
    GrantRevoked {
        /// What it let do.
        access: Access,
        /// Who ended it.
        by: DidText,
    },
    /// A grant was used.
    AccessUsed {
        /// What was done, by whom, what for.
        access: Access,
        /// Who recorded it: who served it, or who used it.
        by: DidText,
        /// How many uses this records.
        count: u32,
        /// How many there were of this grant by now.
        used: u32,
        /// When the first was.
        first: Time,
        /// When the last was.
        last: Time,
    },
    /// Code of contracts was stored.
    CodeStored {
        /// Which.
        code: CodeHex,
        /// The organisation that owns it.
        owner: DidText,
        /// Its length, bytes.
        bytes: u32,
    },
    /// Code of contracts was removed.
    CodeRemoved {
        /// Which.
        code: CodeHex,
    },
    /// A contract waits for those who decide whether it begins.
    ContractProposed {
        /// Which.
        contract: DidText,
        /// Its code.
        code: CodeHex,
        /// Who proposed it.
        creator: DidText,
        /// Who decides.
        participants: Vec<DidText>,
        /// How many of them must accept it.
        threshold: u8,
    },
    /// A participant accepted a proposed contract.
    ContractAccepted {
        /// Which.
        contract: DidText,
        /// Who.
        participant: DidText,
        /// How many have by now.
        accepted: u8,
    },
    /// A proposed contract will not begin.
    ContractDropped {
        /// Which.
        contract: DidText,
        /// Stable code of the refusal that says why.
        code: String,
    },
    /// A contract began.
    ContractInstantiated {
        /// Which.
        contract: DidText,
        /// Its code.
        code: CodeHex,
        /// Who made it.
        creator: DidText,
    },
    /// A contract ran.
    ContractCalled {
        /// Which.
        contract: DidText,
        /// What was called: instantiate, execute, migrate, reply or sudo.
        entry: String,
        /// Who called it.
        caller: DidText,
        /// Gas it used, without what it called in turn.
        gas_used: u64,
    },
    /// A contract has new code.
    ContractMigrated {
        /// Which.
        contract: DidText,
        /// The new code.
        code: CodeHex,
    },
    /// A contract has another administrator, or none.
    ContractAdminSet {
        /// Which.
        contract: DidText,
        /// Who, if anybody.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        admin: Option<DidText>,
    },
    /// A contract was stopped until it is thawed.
    ContractFrozen {
        /// Which.
        contract: DidText,
    },
    /// A frozen contract runs again.
    ContractThawed {
        /// Which.
        contract: DidText,
    },
    /// A contract ended for ever.
    ContractTerminated {
        /// Which.
        contract: DidText,
    },
    /// A contract tells of something.
    ContractEmitted {
        /// Which.
        contract: DidText,
        /// What sort of event, as the contract calls it.
        name: String,
        /// What it says.
        attributes: Vec<Attribute>,
    },
    /// A version of a service was published.
    ServicePublished {
        /// Which service.
        service: ServiceHex,
        /// Who provides it.
        provider: DidText,
        /// Which version.
        version: String,
    },
    /// A version of a service has another status.
    ServiceStatusSet {
        /// Which service.
        service: ServiceHex,
        /// Who provides it.
        provider: DidText,
        /// Which version.
        version: String,
        /// `live`, `deprecated` or `withdrawn`.
        status: String,
    },
    /// A trigger was set.
    TriggerSet {
        /// Which.
        trigger: TriggerHex,
        /// Whose.
        owner: DidText,
    },
    /// A trigger was removed.
    TriggerRemoved {
        /// Which.
        trigger: TriggerHex,
    },
    /// A trigger ran; the events that follow are what it did.
    TriggerRan {
        /// Which.
        trigger: TriggerHex,
        /// Whose.
        owner: DidText,
        /// Height of the block with its cause.
        cause_height: u64,
        /// Code of the refusal that it met, if any.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        code: Option<String>,
        /// Gas it used.
        gas_used: u64,
    },
    /// A trigger waits for nothing until it is resumed.
    TriggerSuspended {
        /// Which.
        trigger: TriggerHex,
        /// Code of the refusal that it met last; absent if its owner wanted it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        code: Option<String>,
    },
    /// A suspended trigger waits again.
    TriggerResumed {
        /// Which.
        trigger: TriggerHex,
    },
    /// Something about tokens; `what` says what.
    Tokens(TokenEvent),
    /// Something between this ledger and another; `what` says what.
    Links(LinkEvent),
    /// A thing is found by these tags from now on.
    ThingTagged(ThingTags),
}
