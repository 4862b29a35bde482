use alloc::{string::String, vec::Vec};

use minicbor::{Decode, Encode, bytes::ByteVec};

use crate::{
    Access, Attribute, CodeId, CommandState, ContractId, EntityId, LinkEvent, MechanismFrom,
    Resource, ServiceEvent, Status, StreamEvent, StreamId, ThingId, ThingTags, TokenEvent,
    TriggerEvent, TxId, VoucherId,
};
mod wire;

/// Something that subscribers may want to know.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum Event {
    /// An entity was registered.
    #[n(0)]
    EntityRegistered {
        /// Which.
        #[n(0)]
        entity: EntityId,
        /// Who owns it.
        #[n(1)]
        owner: EntityId,
    },
    /// An entity has a new key.
    #[n(1)]
    KeyRotated {
        /// Whose.
        #[n(0)]
        entity: EntityId,
        /// Version of the new key; the first key has version 1.
        #[n(1)]
        version: u32,
    },
    /// An entity ended.
    #[n(2)]
    EntityRevoked {
        /// Which.
        #[n(0)]
        entity: EntityId,
    },
    /// A thing was registered.
    #[n(3)]
    ThingRegistered {
        /// Which.
        #[n(0)]
        thing: ThingId,
        /// Whose.
        #[n(1)]
        owner: EntityId,
    },
    /// A thing has a new description.
    #[n(4)]
    ThingUpdated {
        /// Which.
        #[n(0)]
        thing: ThingId,
        /// Version of the description; the first has version 1.
        #[n(1)]
        version: u32,
    },
    /// A thing ended.
    #[n(5)]
    ThingRetired {
        /// Which.
        #[n(0)]
        thing: ThingId,
    },
    /// An entity may submit for a thing.
    #[n(6)]
    Bound {
        /// The thing.
        #[n(0)]
        thing: ThingId,
        /// The entity.
        #[n(1)]
        gateway: EntityId,
        /// Last height at which the binding holds.
        #[n(2)]
        until_height: u64,
    },
    /// An entity may no longer submit for a thing.
    #[n(7)]
    Unbound {
        /// The thing.
        #[n(0)]
        thing: ThingId,
        /// The entity.
        #[n(1)]
        gateway: EntityId,
    },
    /// A batch was appended to a stream.
    #[n(8)]
    BatchAccepted {
        /// The thing.
        #[n(0)]
        thing: ThingId,
        /// The stream.
        #[n(1)]
        stream: StreamId,
        /// Position of the batch in the stream's tree, from 0.
        #[n(2)]
        leaf: u64,
        /// Sequence number of its first reading.
        #[n(3)]
        first_seq: u64,
        /// Number of readings.
        #[n(4)]
        count: u32,
    },
    /// Sequence numbers were skipped; they may still come.
    #[n(9)]
    GapOpened {
        /// The stream.
        #[n(0)]
        stream: StreamId,
        /// First number missing.
        #[n(1)]
        first_seq: u64,
        /// How many.
        #[n(2)]
        count: u64,
    },
    /// Missing numbers came after all.
    #[n(10)]
    GapFilled {
        /// The stream.
        #[n(0)]
        stream: StreamId,
        /// First number filled.
        #[n(1)]
        first_seq: u64,
        /// How many.
        #[n(2)]
        count: u64,
    },
    /// The oldest gap was given up for a newer one; its numbers are missing for ever.
    #[n(11)]
    GapSealed {
        /// The stream.
        #[n(0)]
        stream: StreamId,
        /// First number missing.
        #[n(1)]
        first_seq: u64,
        /// How many.
        #[n(2)]
        count: u64,
    },
    /// A record was written; also the notification of those it names (Y.4464 10.1 step 5).
    #[n(12)]
    Recorded {
        /// Who wrote it.
        #[n(0)]
        sender: EntityId,
        /// What sort of record.
        #[n(1)]
        kind: String,
        /// Who is notified.
        #[n(2)]
        notify: Vec<EntityId>,
        /// The transaction it belongs to.
        #[n(3)]
        link: Option<TxId>,
    },
    /// A policy for approvals was set or removed.
    #[n(13)]
    ApprovalPolicySet {
        /// Whose.
        #[n(0)]
        entity: EntityId,
    },
    /// A transaction waits for approvals.
    #[n(14)]
    ApprovalPending {
        /// Which.
        #[n(0)]
        pending: TxId,
        /// How many it has.
        #[n(1)]
        approvals: u8,
        /// How many it needs.
        #[n(2)]
        threshold: u8,
    },
    /// A transaction that waited has all its approvals and took effect.
    #[n(15)]
    ApprovalGranted {
        /// Which.
        #[n(0)]
        pending: TxId,
    },
    /// A transaction that waited was withdrawn, timed out or failed when it came to take effect.
    #[n(16)]
    ApprovalEnded {
        /// Which.
        #[n(0)]
        pending: TxId,
        /// Number of the refusal that ended it.
        #[n(1)]
        code: u16,
    },

    /// A thing is offered to another owner.
    #[n(45)]
    ThingOffered {
        /// Which.
        #[n(0)]
        thing: ThingId,
        /// Whose.
        #[n(1)]
        owner: EntityId,
        /// Last height at which it can be accepted.
        #[n(2)]
        until_height: u64,
        /// To whom; none if to whoever holds a code.
        #[n(3)]
        to: Option<EntityId>,
    },
    /// A thing is offered no longer.
    #[n(46)]
    OfferWithdrawn {
        /// Which.
        #[n(0)]
        thing: ThingId,
    },
    /// A thing has another owner; all bindings to it have ended.
    #[n(47)]
    ThingTransferred {
        /// Which.
        #[n(0)]
        thing: ThingId,
        /// Who owned it.
        #[n(1)]
        from: EntityId,
        /// Who owns it now.
        #[n(2)]
        to: EntityId,
    },
    /// A binding was narrowed, or a limit lifted.
    #[n(48)]
    BindingLimited {
        /// The thing.
        #[n(0)]
        thing: ThingId,
        /// The bound entity.
        #[n(1)]
        gateway: EntityId,
        /// Whether there is a limit now.
        #[n(2)]
        limited: bool,
    },
    /// Somebody said how a thing is.
    #[n(49)]
    StatusReported {
        /// Which.
        #[n(0)]
        thing: ThingId,
        /// Who said it.
        #[n(1)]
        reporter: EntityId,
        /// What.
        #[n(2)]
        status: Status,
    },
    /// A maker vouches for devices.
    #[n(50)]
    VoucherIssued {
        /// The voucher.
        #[n(0)]
        voucher: VoucherId,
        /// Who made the devices.
        #[n(1)]
        maker: EntityId,
        /// Whose they are.
        #[n(2)]
        owner: EntityId,
        /// How many.
        #[n(3)]
        count: u32,
    },
    /// No more devices join by a voucher.
    #[n(51)]
    VoucherRevoked {
        /// Which.
        #[n(0)]
        voucher: VoucherId,
    },
    /// A device of a voucher joined.
    #[n(52)]
    DeviceJoined {
        /// The voucher.
        #[n(0)]
        voucher: VoucherId,
        /// The device.
        #[n(1)]
        device: EntityId,
        /// Its thing.
        #[n(2)]
        thing: ThingId,
    },
    /// A thing was asked to do something.
    #[n(55)]
    CommandQueued {
        /// The command.
        #[n(0)]
        command: TxId,
        /// The thing.
        #[n(1)]
        thing: ThingId,
        /// Who asks.
        #[n(2)]
        sender: EntityId,
        /// Ledger time by which it must be answered, milliseconds since 1970.
        #[n(3)]
        until_ms: u64,
    },
    /// A command went on or came to its end.
    #[n(56)]
    CommandChanged {
        /// The command.
        #[n(0)]
        command: TxId,
        /// The thing.
        #[n(1)]
        thing: ThingId,
        /// Who sent the command.
        #[n(2)]
        sender: EntityId,
        /// How far it is now.
        #[n(3)]
        state: CommandState,
        /// What the device answered.
        #[n(4)]
        result: Option<ByteVec>,
    },
    /// Somebody spoke for or against the quarantine of a thing.
    #[n(60)]
    QuarantineChanged {
        /// Which.
        #[n(0)]
        thing: ThingId,
        /// Who spoke.
        #[n(1)]
        by: EntityId,
        /// Whether it is in quarantine now.
        #[n(2)]
        quarantined: bool,
    },
    /// Members are asked to vote on a change.
    #[n(100)]
    Proposed {
        /// The proposal.
        #[n(0)]
        proposal: TxId,
        /// Who proposed it.
        #[n(1)]
        proposer: EntityId,
    },
    /// A member voted.
    #[n(101)]
    Voted {
        /// On which proposal.
        #[n(0)]
        proposal: TxId,
        /// Who.
        #[n(1)]
        organisation: EntityId,
        /// For it, or against it.
        #[n(2)]
        accept: bool,
        /// Votes for it so far.
        #[n(3)]
        votes: u16,
        /// Votes it needs.
        #[n(4)]
        needed: u16,
    },
    /// A proposal has the votes it needs.
    #[n(102)]
    ProposalAccepted {
        /// Which.
        #[n(0)]
        proposal: TxId,
        /// First height at which it can take effect.
        #[n(1)]
        due_height: u64,
    },
    /// A proposal took effect.
    #[n(103)]
    ProposalEnacted {
        /// Which.
        #[n(0)]
        proposal: TxId,
    },
    /// A proposal ended without effect.
    #[n(104)]
    ProposalEnded {
        /// Which.
        #[n(0)]
        proposal: TxId,
        /// Number of the refusal that ended it.
        #[n(1)]
        code: u16,
    },
    /// An organisation became a member.
    #[n(105)]
    MemberAdded {
        /// Which.
        #[n(0)]
        organisation: EntityId,
    },
    /// An organisation is a member no more.
    #[n(106)]
    MemberRemoved {
        /// Which.
        #[n(0)]
        organisation: EntityId,
    },
    /// Other validators than now will vote from the next epoch on.
    #[n(107)]
    ValidatorsChosen {
        /// How many.
        #[n(0)]
        count: u16,
        /// How many of them must sign a block.
        #[n(1)]
        quorum: u16,
    },
    /// The ledger has other settings from the next block on.
    #[n(108)]
    ParametersSet,
    /// The members decide by another rule from now on.
    #[n(109)]
    VotingRuleSet,
    /// How peers agree was decided, and where that begins.
    #[n(110)]
    MechanismChosen(#[n(0)] MechanismFrom),
    /// An access policy was set.
    #[n(30)]
    AccessPolicySet {
        /// Whose.
        #[n(0)]
        owner: EntityId,
        /// About what.
        #[n(1)]
        resource: Resource,
        /// Version of the policy; the first has version 1.
        #[n(2)]
        version: u32,
    },
    /// An access policy was removed.
    #[n(31)]
    AccessPolicyRemoved {
        /// Whose.
        #[n(0)]
        owner: EntityId,
        /// About what.
        #[n(1)]
        resource: Resource,
    },
    /// Access was asked for and waits for an answer.
    #[n(32)]
    AccessRequested {
        /// What was asked for.
        #[n(0)]
        access: Access,
        /// Who is asked.
        #[n(1)]
        asked: EntityId,
        /// Last height at which the answer counts.
        #[n(2)]
        answer_until_height: u64,
    },
    /// A grant was given.
    #[n(33)]
    AccessGranted {
        /// What it lets do.
        #[n(0)]
        access: Access,
        /// Who gave it: who was asked, or the owner by its policy.
        #[n(1)]
        by: EntityId,
        /// How often it can be used; 0 for without limit.
        #[n(2)]
        count_max: u32,
        /// Last height at which it holds.
        #[n(3)]
        until_height: u64,
    },
    /// A request was denied.
    #[n(34)]
    AccessDenied {
        /// What was asked for.
        #[n(0)]
        access: Access,
        /// Who denied it.
        #[n(1)]
        by: EntityId,
    },
    /// A request had no answer in time.
    #[n(35)]
    AccessTimedOut {
        /// What was asked for.
        #[n(0)]
        access: Access,
        /// Who did not answer.
        #[n(1)]
        asked: EntityId,
    },
    /// A grant was ended.
    #[n(36)]
    GrantRevoked {
        /// What it let do.
        #[n(0)]
        access: Access,
        /// Who ended it.
        #[n(1)]
        by: EntityId,
    },
    /// A grant was used: the record of access, which notifies the owner.
    #[n(37)]
    AccessUsed {
        /// What was done, by whom, what for.
        #[n(0)]
        access: Access,
        /// Who recorded it: the peer, service or device that served it, or the one who used it.
        #[n(1)]
        by: EntityId,
        /// How many uses this records.
        #[n(2)]
        count: u32,
        /// How many there were of this grant by now.
        #[n(3)]
        used: u32,
        /// Time of the first of them, milliseconds since 1970.
        #[n(4)]
        first_ms: u64,
        /// Time of the last.
        #[n(5)]
        last_ms: u64,
    },
    /// Code of contracts was stored.
    #[n(70)]
    CodeStored {
        /// Which.
        #[n(0)]
        code: CodeId,
        /// The organisation that owns it.
        #[n(1)]
        owner: EntityId,
        /// Its length, bytes.
        #[n(2)]
        bytes: u32,
    },
    /// Code of contracts was removed.
    #[n(71)]
    CodeRemoved {
        /// Which.
        #[n(0)]
        code: CodeId,
    },
    /// A contract waits for those who decide whether it begins.
    #[n(72)]
    ContractProposed {
        /// Which.
        #[n(0)]
        contract: ContractId,
        /// Its code.
        #[n(1)]
        code: CodeId,
        /// Who proposed it.
        #[n(2)]
        creator: EntityId,
        /// Who decides.
        #[n(3)]
        participants: Vec<EntityId>,
        /// How many of them must accept it.
        #[n(4)]
        threshold: u8,
    },
    /// A participant accepted a proposed contract.
    #[n(73)]
    ContractAccepted {
        /// Which.
        #[n(0)]
        contract: ContractId,
        /// Who.
        #[n(1)]
        participant: EntityId,
        /// How many have by now.
        #[n(2)]
        accepted: u8,
    },
    /// A proposed contract was declined by too many, withdrawn, or not accepted in time.
    #[n(74)]
    ContractDropped {
        /// Which.
        #[n(0)]
        contract: ContractId,
        /// Number of the refusal that says why.
        #[n(1)]
        code: u16,
    },
    /// A contract began.
    #[n(75)]
    ContractInstantiated {
        /// Which.
        #[n(0)]
        contract: ContractId,
        /// Its code.
        #[n(1)]
        code: CodeId,
        /// Who made it.
        #[n(2)]
        creator: EntityId,
    },
    /// A contract ran, called by the transaction or by another contract.
    #[n(76)]
    ContractCalled {
        /// Which.
        #[n(0)]
        contract: ContractId,
        /// What was called: 0 instantiate, 1 execute, 2 migrate, 3 reply, 4 sudo.
        #[n(1)]
        entry: u8,
        /// Who called it.
        #[n(2)]
        caller: EntityId,
        /// Gas it used, without what it called in turn.
        #[n(3)]
        gas_used: u64,
    },
    /// A contract has new code.
    #[n(77)]
    ContractMigrated {
        /// Which.
        #[n(0)]
        contract: ContractId,
        /// The new code.
        #[n(1)]
        code: CodeId,
    },
    /// A contract has another administrator, or none.
    #[n(78)]
    ContractAdminSet {
        /// Which.
        #[n(0)]
        contract: ContractId,
        /// Who.
        #[n(1)]
        admin: Option<EntityId>,
    },
    /// A contract was stopped until it is thawed.
    #[n(79)]
    ContractFrozen(#[n(0)] ContractId),
    /// A frozen contract runs again.
    #[n(80)]
    ContractThawed(#[n(0)] ContractId),
    /// A contract ended for ever.
    #[n(81)]
    ContractTerminated(#[n(0)] ContractId),
    /// A contract tells of something.
    #[n(82)]
    ContractEmitted {
        /// Which.
        #[n(0)]
        contract: ContractId,
        /// What sort of event, as the contract calls it; `wasm` if it does not.
        #[n(1)]
        name: String,
        /// What it says.
        #[n(2)]
        attributes: Vec<Attribute>,
    },
    /// Something about a service.
    #[n(83)]
    Service(#[n(0)] ServiceEvent),
    /// Something about the secrecy of a stream.
    #[n(140)]
    Stream(#[n(0)] StreamEvent),
    /// Something about a trigger.
    #[n(90)]
    Trigger(#[n(0)] TriggerEvent),
    /// Something about tokens.
    #[n(120)]
    Token(#[n(0)] TokenEvent),
    /// Something between this ledger and another.
    #[n(150)]
    Link(#[n(0)] LinkEvent),
    /// A thing is found by these tags from now on.
    #[n(165)]
    ThingTagged(#[n(0)] ThingTags),
}
