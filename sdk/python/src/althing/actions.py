"""Actions: what a transaction does. All of a transaction's actions take effect, or none."""

from dataclasses import dataclass
from typing import Annotated, Any

from .access import (
    AccessPolicy,
    AccessRequest,
    AccessUse,
    access_policy,
    access_request,
    access_use,
    are_uses,
    is_access_policy,
    is_resource,
    resource,
)
from .action_kind import ACTION_NUMBERS as ACTION_NUMBERS, CASES as _CASES, Action as Action, kind as _kind, name_of as _name, of_one_id as _of_one_id
from .codec import boolean, byte_string, checked, fixed, list_of, numbered_as, optional, record, text, u8, u16, u32, u64, variants
from .contract import CodeMeta, Terms, is_call
from .crypto import PublicKey, SigningKey, public_key, signature
from .digest import stream_id
from .direct import DirectUse, ThingTags, are_direct_uses, direct_use, thing_tags
from .entity import AnyInception, any_inception, entity_id, id32, is_name, possession_bytes
from .governance import Change, change, is_change, is_reason
from .limits import APPROVERS_MAX, CODE_PART_BYTES_MAX, CODE_PARTS_MAX, DESCRIPTION_BYTES_MAX
from .link import are_proofs, AdvanceLink as AdvanceLink, AnswerCall as AnswerCall, AskLedger as AskLedger, RefundCall as RefundCall, RegisterLink as RegisterLink, ReportFork as ReportFork, SetLinkStatus as SetLinkStatus, SettleCall as SettleCall, TakeCall as TakeCall
from .onboarding import Claim, CommandForm, CommandReport, Join, Limit, Offer, Status, Voucher
from .reading import BatchHeader, Reading, announce, batch_header
from .records import RecordForm
from .secrecy import KeyShare, StreamPlacement, are_shares, cipher, key_shares, stream_placement
from .service import Manifest, Version, manifest, service_status
from .text import to_id
from .stake import DoubleVote, StakedSeat, StakeForm
from .token import Escrow, Reward, Sponsorship, TransferForm, amount
from .trigger import Trigger
import itertools

Id = str | bytes
"""An id of an entity, thing or transaction: a DID, 64 hex digits, or its 32 bytes."""


@_kind(0)
class RegisterEntity(Action):
    """Registers an entity; the sender becomes its owner."""

    inception: Annotated[AnyInception, any_inception]
    possession: Annotated[bytes, signature]


@_kind(1)
class RotateKey(Action):
    """Replaces the key of an entity."""

    entity: Annotated[bytes, id32]
    key: Annotated[PublicKey, public_key]
    possession: Annotated[bytes, signature]


RevokeEntity = _of_one_id(2, "RevokeEntity", "entity", "Ends an entity: nothing it signs counts from the next block on.")


@_kind(3)
class RegisterThing(Action):
    """Registers a thing with its W3C Thing Description, JSON text."""

    name: Annotated[str, text]
    description: Annotated[bytes, byte_string]


@_kind(4)
class UpdateThing(Action):
    """Publishes a new description of a thing, in place of the version it replaces."""

    thing: Annotated[bytes, id32]
    replaces: Annotated[int, u32]
    description: Annotated[bytes, byte_string]


@_kind(5)
class Bind(Action):
    """Lets an entity submit for a thing, until a height."""

    thing: Annotated[bytes, id32]
    gateway: Annotated[bytes, id32]
    until_height: Annotated[int, u64]


@_kind(6)
class Unbind(Action):
    """Ends a binding."""

    thing: Annotated[bytes, id32]
    gateway: Annotated[bytes, id32]


@_kind(7)
class SubmitBatch(Action):
    """Appends a batch of readings to a stream."""

    batch: Annotated[BatchHeader, batch_header]


@_kind(8)
class Record(Action):
    """Writes a record and notifies entities."""

    record: Annotated[RecordForm, record(RecordForm)]


@dataclass(frozen=True)
class ApprovalPolicy:
    """`threshold` of `approvers` must sign before an action of this kind takes effect."""

    kind: Annotated[str, numbered_as(ACTION_NUMBERS)]
    threshold: Annotated[int, u8]
    approvers: Annotated[list[bytes], list_of(id32)]
    patience_blocks: Annotated[int, u32]


@_kind(9)
class SetApprovalPolicy(Action):
    """Says who must sign for a kind of action of the sending organisation."""

    policy: Annotated[ApprovalPolicy, record(ApprovalPolicy)]


Approve = _of_one_id(10, "Approve", "pending", "Approves a transaction that waits.")
Reject = _of_one_id(11, "Reject", "pending", "Withdraws a transaction that waits.")
RetireThing = _of_one_id(12, "RetireThing", "thing", "Ends a thing: nothing more is accepted for it.")


@_kind(30)
class OfferThing(Action):
    """Offers a thing to another owner, or withdraws the offer."""

    thing: Annotated[bytes, id32]
    offer: Annotated[Offer | None, optional(record(Offer))]


@_kind(31)
class AcceptThing(Action):
    """Becomes the owner of a thing that is offered."""

    thing: Annotated[bytes, id32]
    claim: Annotated[Claim | None, optional(record(Claim))]


@_kind(32)
class LimitBinding(Action):
    """Narrows what a bound gateway may do, or lifts the limit."""

    thing: Annotated[bytes, id32]
    gateway: Annotated[bytes, id32]
    limit: Annotated[Limit | None, optional(record(Limit))]


@_kind(33)
class ReportStatus(Action):
    """Says how a thing is."""

    thing: Annotated[bytes, id32]
    status: Annotated[Status, record(Status)]


@_kind(34)
class IssueVoucher(Action):
    """Vouches for a batch of devices that the sender made."""

    voucher: Annotated[Voucher, record(Voucher)]


RevokeVoucher = _of_one_id(35, "RevokeVoucher", "voucher", "Ends a voucher: no more devices join by it.")


@_kind(36)
class JoinByVoucher(Action):
    """Registers a device of a voucher and its thing for the voucher's owner."""

    join: Annotated[Join, record(Join)]


@_kind(40)
class Command(Action):
    """Asks a thing to do something."""

    command: Annotated[CommandForm, record(CommandForm)]


@_kind(41)
class ReportCommand(Action):
    """Says what became of a command."""

    report: Annotated[CommandReport, record(CommandReport)]


CancelCommand = _of_one_id(42, "CancelCommand", "command", "Takes a command back.")


@_kind(43)
class Quarantine(Action):
    """Speaks for the quarantine of a thing; without a reason, takes the sender's voice back."""

    thing: Annotated[bytes, id32]
    reason: Annotated[str | None, optional(text)]


@_kind(44)
class PlaceStream(Action):
    """Says who keeps the payloads of a stream, in place of what was said."""

    said: Annotated[StreamPlacement, stream_placement]


@_kind(45)
class SetAgreementKey(Action):
    """Says to which key streams' keys are to be wrapped for the sender."""

    key: Annotated[bytes, fixed(32)]


@_kind(46)
class RotateStreamKey(Action):
    """Gives a stream a new key; the first one makes it confidential."""

    stream: Annotated[bytes, id32]
    number: Annotated[int, u32]
    cipher: Annotated[str, cipher]
    shares: Annotated[list[KeyShare], key_shares]


@_kind(47)
class ShareStreamKey(Action):
    """Gives a key of a confidential stream to more readers."""

    stream: Annotated[bytes, id32]
    number: Annotated[int, u32]
    shares: Annotated[list[KeyShare], key_shares]


@_kind(48)
class EraseReadings(Action):
    """Has every holder delete the payloads of all batches that have one of these numbers."""

    stream: Annotated[bytes, id32]
    first_seq: Annotated[int, u64]
    last_seq: Annotated[int, u64]


@_kind(49)
class ConfirmErasure(Action):
    """Says that the sender, a peer, holds none of these payloads any more."""

    stream: Annotated[bytes, id32]
    erasure: Annotated[int, u32]


@dataclass(frozen=True)
class Proposal:
    """A change that is proposed, and why."""

    change: Annotated[Change, change]
    reason: Annotated[str, text]


@_kind(70)
class Propose(Action):
    """Proposes a change that the members decide on; the proposal's id is that of the transaction."""

    proposal: Annotated[Proposal, record(Proposal)]


@_kind(71)
class Vote(Action):
    """Votes on a proposal, or votes otherwise than before."""

    proposal: Annotated[bytes, id32]
    accept: Annotated[bool, boolean]


Enact = _of_one_id(72, "Enact", "proposal", "Carries out an accepted proposal whose timelock is over.")
WithdrawProposal = _of_one_id(73, "WithdrawProposal", "proposal", "Withdraws a proposal of one's own.")


@_kind(20)
class SetAccessPolicy(Action):
    """Says who may do what with something of the sender's."""

    policy: Annotated[AccessPolicy, access_policy]


@_kind(21)
class RemoveAccessPolicy(Action):
    """Takes a policy back."""

    resource: Annotated[Any, resource]


@_kind(22)
class RequestAccess(Action):
    """Asks for access."""

    request: Annotated[AccessRequest, access_request]


@_kind(23)
class AnswerAccess(Action):
    """Allows or denies a request."""

    request: Annotated[bytes, id32]
    allow: Annotated[bool, boolean]


RevokeGrant = _of_one_id(24, "RevokeGrant", "grant", "Ends a grant with this block.")
UseGrant = _of_one_id(25, "UseGrant", "grant", "Uses a grant once, decided by consensus.")


@_kind(26)
class RecordAccess(Action):
    """Records uses that were served."""

    uses: Annotated[list[AccessUse], list_of(access_use)]


@_kind(50)
class UploadCode(Action):
    """Uploads a part of a module."""

    code: Annotated[bytes, id32]
    part: Annotated[int, u16]
    data: Annotated[bytes, byte_string]


@_kind(51)
class StoreCode(Action):
    """Stores a module whose parts the sender has uploaded."""

    code: Annotated[bytes, id32]
    parts: Annotated[int, u16]
    meta: Annotated[CodeMeta, record(CodeMeta)]


RemoveCode = _of_one_id(52, "RemoveCode", "code", "Removes a module that no contract runs.")


@_kind(53)
class Instantiate(Action):
    """Makes a contract, or proposes one to those who take part in deciding."""

    code: Annotated[bytes, id32]
    name: Annotated[str, text]
    terms: Annotated[Terms, record(Terms)]
    message: Annotated[bytes, byte_string]
    gas_limit: Annotated[int, u64]
    funds: Annotated[int | None, optional(amount)] = None


@_kind(54)
class Execute(Action):
    """Calls a contract."""

    contract: Annotated[bytes, id32]
    message: Annotated[bytes, byte_string]
    gas_limit: Annotated[int, u64]
    funds: Annotated[int | None, optional(amount)] = None


@_kind(55)
class Migrate(Action):
    """Gives a contract new code."""

    contract: Annotated[bytes, id32]
    code: Annotated[bytes, id32]
    message: Annotated[bytes, byte_string]
    gas_limit: Annotated[int, u64]


@_kind(56)
class SetAdmin(Action):
    """Says who administers a contract, or that nobody does."""

    contract: Annotated[bytes, id32]
    admin: Annotated[bytes | None, optional(id32)]


FreezeContract = _of_one_id(57, "FreezeContract", "contract", "Stops a contract until it is thawed.")
ThawContract = _of_one_id(58, "ThawContract", "contract", "Lets a frozen contract run again.")
TerminateContract = _of_one_id(59, "TerminateContract", "contract", "Ends a contract for ever.")
AcceptContract = _of_one_id(60, "AcceptContract", "contract", "Accepts a proposed contract.")
DeclineContract = _of_one_id(61, "DeclineContract", "contract", "Declines a proposed contract.")


@_kind(64)
class SetTrigger(Action):
    """Sets a trigger, in place of the sender's one of that name."""

    trigger: Annotated[Trigger, record(Trigger)]


RemoveTrigger = _of_one_id(65, "RemoveTrigger", "trigger", "Removes a trigger.")
SuspendTrigger = _of_one_id(66, "SuspendTrigger", "trigger", "Lets a trigger wait for nothing until it is resumed.")
ResumeTrigger = _of_one_id(67, "ResumeTrigger", "trigger", "Lets a suspended trigger wait anew.")


@_kind(68)
class PublishService(Action):
    """Publishes a service, or another version of one."""

    manifest: Annotated[Manifest, manifest]


@_kind(69)
class SetServiceStatus(Action):
    """Says whether a version of a service can be relied on: `live`, `deprecated` or `withdrawn`."""

    service: Annotated[bytes, id32]
    version: Annotated[Version, record(Version)]
    status: Annotated[str, service_status]


@_kind(85)
class Transfer(Action):
    """Pays tokens."""

    transfer: Annotated[TransferForm, record(TransferForm)]


@_kind(86)
class BurnTokens(Action):
    """Destroys tokens of the sender's."""

    amount: Annotated[int, amount]


@_kind(87)
class OpenEscrow(Action):
    """Locks tokens for a payee; the escrow's id is that of the transaction."""

    escrow: Annotated[Escrow, record(Escrow)]


ReleaseEscrow = _of_one_id(88, "ReleaseEscrow", "escrow", "Gives locked tokens to the payee.")
RefundEscrow = _of_one_id(89, "RefundEscrow", "escrow", "Gives locked tokens back.")
SweepAccount = _of_one_id(90, "SweepAccount", "account", "Takes what an account has that nobody can sign for any more.")


@_kind(91)
class Sponsor(Action):
    """Promises to pay the fees of an entity of the sender's."""

    sponsorship: Annotated[Sponsorship, record(Sponsorship)]


EndSponsorship = _of_one_id(92, "EndSponsorship", "entity", "Takes that promise back.")


@_kind(93)
class OfferReward(Action):
    """Rewards readings of a stream; the reward's id is that of the transaction."""

    reward: Annotated[Reward, record(Reward)]


@_kind(94)
class FundReward(Action):
    """Adds to what a reward can pay out."""

    reward: Annotated[bytes, id32]
    amount: Annotated[int, amount]


EndReward = _of_one_id(95, "EndReward", "reward", "Ends a reward; what is left goes back.")


@_kind(96)
class Stake(Action):
    """Puts tokens behind a peer of the sender's."""

    stake: Annotated[StakeForm, record(StakeForm)]


# Named: a field that is called so and has a default hides the codec.
_some_amount = optional(amount)


@_kind(97)
class Unstake(Action):
    """Takes tokens from behind a peer; all if no amount is said."""

    peer: Annotated[bytes, id32]
    amount: Annotated[int | None, _some_amount] = None


CollectStake = _of_one_id(98, "CollectStake", "peer", "Gives back what was taken from behind a peer and is free.")


@_kind(99)
class ReportDoubleVote(Action):
    """Shows that a peer voted twice."""

    votes: Annotated[DoubleVote, record(DoubleVote)]


@_kind(115)
class RecordDirect(Action):
    """Records what grantees asked of devices directly; by the gateway that served it."""

    uses: Annotated[list[DirectUse], list_of(direct_use)]


@_kind(116)
class TagThing(Action):
    """Says by which tags a thing is found, in place of what was said."""

    said: Annotated[ThingTags, thing_tags]


def kind_of(action: Action) -> str:
    """Name of the kind of an action."""
    return _name(type(action))


def is_within_bounds(action: Action) -> bool:
    """Whether every field is within its bounds; what needs the state is the ledger's to check."""
    match action:
        case RotateStreamKey(number=number, shares=shares) | ShareStreamKey(number=number, shares=shares):
            return are_shares(number, shares)
        case PlaceStream(said):
            return said.placement.is_within_bounds()
        case EraseReadings(first_seq=first, last_seq=last):
            return first <= last
        case RegisterEntity(inception):
            return is_name(inception.name) and inception.key.is_valid()
        case RotateKey(key=key):
            return key.is_valid()
        case RegisterThing(name, description):
            return is_name(name) and 1 <= len(description) <= DESCRIPTION_BYTES_MAX
        case UpdateThing(description=description):
            return 1 <= len(description) <= DESCRIPTION_BYTES_MAX
        case SubmitBatch(batch):
            return batch.is_valid()
        case SetApprovalPolicy(policy):
            return _is_policy(policy)
        case SetAccessPolicy(policy=own):
            return is_access_policy(own)
        case RemoveAccessPolicy(about):
            return is_resource(about)
        case RequestAccess(asked):
            return is_resource(asked.resource) and is_name(asked.purpose)
        case RecordAccess(uses):
            return are_uses(uses)
        case RecordDirect(served):
            return are_direct_uses(served)
        case TagThing(tags):
            return tags.is_valid()
        case OfferThing(_, offer):
            return offer is None or offer.is_valid()
        case AcceptThing(_, claim):
            return claim is None or claim.key.is_valid()
        case LimitBinding(limit=limit):
            return limit is None or limit.is_valid()
        case ReportStatus(_, status):
            return status.is_valid()
        case Record(form) | IssueVoucher(form) | JoinByVoucher(form) | Command(form) | ReportCommand(form) | SetTrigger(form):
            return form.is_valid()
        case PublishService(said):
            return said.is_valid()
        case Quarantine(_, reason):
            return reason is None or is_name(reason)
        case UploadCode(_, part, data):
            return part < CODE_PARTS_MAX and 1 <= len(data) <= CODE_PART_BYTES_MAX
        case StoreCode(_, parts, meta):
            return 1 <= parts <= CODE_PARTS_MAX and meta.is_valid()
        case Instantiate(_, name, terms, message, gas_limit, funds):
            return is_name(name) and terms.is_valid() and is_call(message, gas_limit) and funds != 0
        case Execute(_, message, gas_limit, funds):
            return is_call(message, gas_limit) and funds != 0
        case Migrate(_, _, message, gas_limit):
            return is_call(message, gas_limit)
        case Transfer(form) | OpenEscrow(form) | Sponsor(form) | OfferReward(form):
            return form.is_valid()
        case ReportDoubleVote(votes):
            return votes.is_conflict()
        case Stake(staked):
            return staked.is_valid()
        case Unstake(_, less):
            return less != 0
        case BurnTokens(amount=paid) | FundReward(amount=paid):
            return paid > 0
        case Propose(proposal):
            return is_change(proposal.change) and is_reason(proposal.reason)
        case RegisterLink(proof) | TakeCall(proof):
            return are_proofs(proof)
        case AdvanceLink(told) | SettleCall(told):
            return are_proofs(told.proof)
        case ReportFork(told):
            return are_proofs(told.first, told.second)
        case SetLinkStatus(_, becomes):
            return becomes != "frozen"
        case AskLedger(form) | AnswerCall(form):
            return form.is_valid()
    return True


def _is_policy(policy: ApprovalPolicy) -> bool:
    approvers = policy.approvers
    ascends = all(a < b for a, b in itertools.pairwise(approvers))
    is_reachable = policy.threshold <= len(approvers) <= APPROVERS_MAX
    return ascends and is_reachable and (policy.threshold == 0 or policy.patience_blocks > 0)


action = checked(variants(_CASES), "action", is_within_bounds)


def register_entity(ledger: Id, kind: str, name: str, key: SigningKey) -> tuple[bytes, RegisterEntity]:
    """The id of an entity that begins with a key, and the action that registers it."""
    inception = AnyInception(kind, name, key.public_key)
    entity = entity_id(inception)
    possession = key.sign(possession_bytes(to_id(ledger), entity, key.public_key))
    return entity, RegisterEntity(inception, possession)


def stake(ledger: Id, peer: Id, amount: int, voting_key: SigningKey | None = None, address: str = "") -> Stake:
    """The action that puts tokens behind a peer; voting key and address are needed where it does not stand for a seat yet."""
    own, seat = to_id(peer), None
    if voting_key is not None:
        possession = voting_key.sign(possession_bytes(to_id(ledger), own, voting_key.public_key))
        seat = StakedSeat(voting_key.public_key.raw, address, possession)
    return Stake(StakeForm(own, amount, seat))


def rotate_key(ledger: Id, entity: Id, key: SigningKey) -> RotateKey:
    """The action that replaces the key of an entity."""
    possession = key.sign(possession_bytes(to_id(ledger), to_id(entity), key.public_key))
    return RotateKey(to_id(entity), key.public_key, possession)


def write_record(kind: str, data: bytes, notify: list[Id] | None = None, link: Id | None = None) -> Record:
    """The action that writes a record; `link` is an earlier transaction it belongs to."""
    notified = [to_id(each) for each in notify or []]
    return Record(RecordForm(kind, data, notified, None if link is None else to_id(link)))


def submit_batch(thing: Id, property: str, first_seq: int, readings: list[Reading]) -> tuple[SubmitBatch, bytes]:
    """The action that appends readings to a stream, and the payload that is posted beside it."""
    header, payload = announce(stream_id(to_id(thing), property), first_seq, readings)
    return SubmitBatch(header), payload
