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
from .codec import boolean, byte_string, checked, list_of, numbered_as, optional, record, text, u8, u16, u32, u64, variants
from .contract import CodeMeta, Terms, is_call
from .crypto import PublicKey, SigningKey, public_key, signature
from .digest import stream_id
from .entity import AnyInception, any_inception, entity_id, id32, is_name, possession_bytes
from .governance import Change, change, is_change, is_reason
from .limits import APPROVERS_MAX, CODE_PART_BYTES_MAX, CODE_PARTS_MAX, DESCRIPTION_BYTES_MAX
from .onboarding import Claim, CommandForm, CommandReport, Join, Limit, Offer, Status, Voucher
from .reading import BatchHeader, Reading, announce, batch_header
from .records import RecordForm
from .text import to_id
from .trigger import Trigger

ACTION_NUMBERS = {
    "register_entity": 0,
    "rotate_key": 1,
    "revoke_entity": 2,
    "register_thing": 3,
    "update_thing": 4,
    "bind": 5,
    "unbind": 6,
    "submit_batch": 7,
    "record": 8,
    "set_approval_policy": 9,
    "approve": 10,
    "reject": 11,
    "retire_thing": 12,
    "set_access_policy": 20,
    "remove_access_policy": 21,
    "request_access": 22,
    "answer_access": 23,
    "revoke_grant": 24,
    "use_grant": 25,
    "record_access": 26,
    "offer_thing": 30,
    "accept_thing": 31,
    "limit_binding": 32,
    "report_status": 33,
    "issue_voucher": 34,
    "revoke_voucher": 35,
    "join_by_voucher": 36,
    "command": 40,
    "report_command": 41,
    "cancel_command": 42,
    "quarantine": 43,
    "upload_code": 50,
    "store_code": 51,
    "remove_code": 52,
    "instantiate": 53,
    "execute": 54,
    "migrate": 55,
    "set_admin": 56,
    "freeze_contract": 57,
    "thaw_contract": 58,
    "terminate_contract": 59,
    "accept_contract": 60,
    "decline_contract": 61,
    "set_trigger": 64,
    "remove_trigger": 65,
    "suspend_trigger": 66,
    "resume_trigger": 67,
    "propose": 70,
    "vote": 71,
    "enact": 72,
    "withdraw_proposal": 73,
}
Id = str | bytes
"""An id of an entity, thing or transaction: a DID, 64 hex digits, or its 32 bytes."""


@dataclass(frozen=True)
class RegisterEntity:
    """Registers an entity; the sender becomes its owner."""

    inception: Annotated[AnyInception, any_inception]
    possession: Annotated[bytes, signature]


@dataclass(frozen=True)
class RotateKey:
    """Replaces the key of an entity."""

    entity: Annotated[bytes, id32]
    key: Annotated[PublicKey, public_key]
    possession: Annotated[bytes, signature]


@dataclass(frozen=True)
class RevokeEntity:
    """Ends an entity: nothing it signs counts from the next block on."""

    entity: Annotated[bytes, id32]


@dataclass(frozen=True)
class RegisterThing:
    """Registers a thing with its W3C Thing Description, JSON text."""

    name: Annotated[str, text]
    description: Annotated[bytes, byte_string]


@dataclass(frozen=True)
class UpdateThing:
    """Publishes a new description of a thing, in place of the version it replaces."""

    thing: Annotated[bytes, id32]
    replaces: Annotated[int, u32]
    description: Annotated[bytes, byte_string]


@dataclass(frozen=True)
class Bind:
    """Lets an entity submit for a thing, until a height."""

    thing: Annotated[bytes, id32]
    gateway: Annotated[bytes, id32]
    until_height: Annotated[int, u64]


@dataclass(frozen=True)
class Unbind:
    """Ends a binding."""

    thing: Annotated[bytes, id32]
    gateway: Annotated[bytes, id32]


@dataclass(frozen=True)
class SubmitBatch:
    """Appends a batch of readings to a stream."""

    batch: Annotated[BatchHeader, batch_header]


@dataclass(frozen=True)
class Record:
    """Writes a record and notifies entities."""

    record: Annotated[RecordForm, record(RecordForm)]


@dataclass(frozen=True)
class ApprovalPolicy:
    """`threshold` of `approvers` must sign before an action of this kind takes effect."""

    kind: Annotated[str, numbered_as(ACTION_NUMBERS)]
    threshold: Annotated[int, u8]
    approvers: Annotated[list[bytes], list_of(id32)]
    patience_blocks: Annotated[int, u32]


@dataclass(frozen=True)
class SetApprovalPolicy:
    """Says who must sign for a kind of action of the sending organisation."""

    policy: Annotated[ApprovalPolicy, record(ApprovalPolicy)]


@dataclass(frozen=True)
class Approve:
    """Approves a transaction that waits."""

    pending: Annotated[bytes, id32]


@dataclass(frozen=True)
class Reject:
    """Withdraws a transaction that waits."""

    pending: Annotated[bytes, id32]


@dataclass(frozen=True)
class RetireThing:
    """Ends a thing: nothing more is accepted for it."""

    thing: Annotated[bytes, id32]


@dataclass(frozen=True)
class OfferThing:
    """Offers a thing to another owner, or withdraws the offer."""

    thing: Annotated[bytes, id32]
    offer: Annotated[Offer | None, optional(record(Offer))]


@dataclass(frozen=True)
class AcceptThing:
    """Becomes the owner of a thing that is offered."""

    thing: Annotated[bytes, id32]
    claim: Annotated[Claim | None, optional(record(Claim))]


@dataclass(frozen=True)
class LimitBinding:
    """Narrows what a bound gateway may do, or lifts the limit."""

    thing: Annotated[bytes, id32]
    gateway: Annotated[bytes, id32]
    limit: Annotated[Limit | None, optional(record(Limit))]


@dataclass(frozen=True)
class ReportStatus:
    """Says how a thing is."""

    thing: Annotated[bytes, id32]
    status: Annotated[Status, record(Status)]


@dataclass(frozen=True)
class IssueVoucher:
    """Vouches for a batch of devices that the sender made."""

    voucher: Annotated[Voucher, record(Voucher)]


@dataclass(frozen=True)
class RevokeVoucher:
    """Ends a voucher: no more devices join by it."""

    voucher: Annotated[bytes, id32]


@dataclass(frozen=True)
class JoinByVoucher:
    """Registers a device of a voucher and its thing for the voucher's owner."""

    join: Annotated[Join, record(Join)]


@dataclass(frozen=True)
class Command:
    """Asks a thing to do something."""

    command: Annotated[CommandForm, record(CommandForm)]


@dataclass(frozen=True)
class ReportCommand:
    """Says what became of a command."""

    report: Annotated[CommandReport, record(CommandReport)]


@dataclass(frozen=True)
class CancelCommand:
    """Takes a command back."""

    command: Annotated[bytes, id32]


@dataclass(frozen=True)
class Quarantine:
    """Speaks for the quarantine of a thing; without a reason, takes the sender's voice back."""

    thing: Annotated[bytes, id32]
    reason: Annotated[str | None, optional(text)]


@dataclass(frozen=True)
class Proposal:
    """A change that is proposed, and why."""

    change: Annotated[Change, change]
    reason: Annotated[str, text]


@dataclass(frozen=True)
class Propose:
    """Proposes a change that the members decide on; the proposal's id is that of the transaction."""

    proposal: Annotated[Proposal, record(Proposal)]


@dataclass(frozen=True)
class Vote:
    """Votes on a proposal, or votes otherwise than before."""

    proposal: Annotated[bytes, id32]
    accept: Annotated[bool, boolean]


@dataclass(frozen=True)
class Enact:
    """Carries out an accepted proposal whose timelock is over."""

    proposal: Annotated[bytes, id32]


@dataclass(frozen=True)
class WithdrawProposal:
    """Withdraws a proposal of one's own."""

    proposal: Annotated[bytes, id32]


@dataclass(frozen=True)
class SetAccessPolicy:
    """Says who may do what with something of the sender's."""

    policy: Annotated[AccessPolicy, access_policy]


@dataclass(frozen=True)
class RemoveAccessPolicy:
    """Takes a policy back."""

    resource: Annotated[Any, resource]


@dataclass(frozen=True)
class RequestAccess:
    """Asks for access."""

    request: Annotated[AccessRequest, access_request]


@dataclass(frozen=True)
class AnswerAccess:
    """Allows or denies a request."""

    request: Annotated[bytes, id32]
    allow: Annotated[bool, boolean]


@dataclass(frozen=True)
class RevokeGrant:
    """Ends a grant with this block."""

    grant: Annotated[bytes, id32]


@dataclass(frozen=True)
class UseGrant:
    """Uses a grant once, decided by consensus."""

    grant: Annotated[bytes, id32]


@dataclass(frozen=True)
class RecordAccess:
    """Records uses that were served."""

    uses: Annotated[list[AccessUse], list_of(access_use)]


@dataclass(frozen=True)
class UploadCode:
    """Uploads a part of a module."""

    code: Annotated[bytes, id32]
    part: Annotated[int, u16]
    data: Annotated[bytes, byte_string]


@dataclass(frozen=True)
class StoreCode:
    """Stores a module whose parts the sender has uploaded."""

    code: Annotated[bytes, id32]
    parts: Annotated[int, u16]
    meta: Annotated[CodeMeta, record(CodeMeta)]


@dataclass(frozen=True)
class RemoveCode:
    """Removes a module that no contract runs."""

    code: Annotated[bytes, id32]


@dataclass(frozen=True)
class Instantiate:
    """Makes a contract, or proposes one to those who take part in deciding."""

    code: Annotated[bytes, id32]
    name: Annotated[str, text]
    terms: Annotated[Terms, record(Terms)]
    message: Annotated[bytes, byte_string]
    gas_limit: Annotated[int, u64]


@dataclass(frozen=True)
class Execute:
    """Calls a contract."""

    contract: Annotated[bytes, id32]
    message: Annotated[bytes, byte_string]
    gas_limit: Annotated[int, u64]


@dataclass(frozen=True)
class Migrate:
    """Gives a contract new code."""

    contract: Annotated[bytes, id32]
    code: Annotated[bytes, id32]
    message: Annotated[bytes, byte_string]
    gas_limit: Annotated[int, u64]


@dataclass(frozen=True)
class SetAdmin:
    """Says who administers a contract, or that nobody does."""

    contract: Annotated[bytes, id32]
    admin: Annotated[bytes | None, optional(id32)]


@dataclass(frozen=True)
class FreezeContract:
    """Stops a contract until it is thawed."""

    contract: Annotated[bytes, id32]


@dataclass(frozen=True)
class ThawContract:
    """Lets a frozen contract run again."""

    contract: Annotated[bytes, id32]


@dataclass(frozen=True)
class TerminateContract:
    """Ends a contract for ever."""

    contract: Annotated[bytes, id32]


@dataclass(frozen=True)
class AcceptContract:
    """Accepts a proposed contract."""

    contract: Annotated[bytes, id32]


@dataclass(frozen=True)
class DeclineContract:
    """Declines a proposed contract."""

    contract: Annotated[bytes, id32]


@dataclass(frozen=True)
class SetTrigger:
    """Sets a trigger, in place of the sender's one of that name."""

    trigger: Annotated[Trigger, record(Trigger)]


@dataclass(frozen=True)
class RemoveTrigger:
    """Removes a trigger."""

    trigger: Annotated[bytes, id32]


@dataclass(frozen=True)
class SuspendTrigger:
    """Lets a trigger wait for nothing until it is resumed."""

    trigger: Annotated[bytes, id32]


@dataclass(frozen=True)
class ResumeTrigger:
    """Lets a suspended trigger wait anew."""

    trigger: Annotated[bytes, id32]


_CASES = {
    0: RegisterEntity,
    1: RotateKey,
    2: RevokeEntity,
    3: RegisterThing,
    4: UpdateThing,
    5: Bind,
    6: Unbind,
    7: SubmitBatch,
    8: Record,
    9: SetApprovalPolicy,
    10: Approve,
    11: Reject,
    12: RetireThing,
    20: SetAccessPolicy,
    21: RemoveAccessPolicy,
    22: RequestAccess,
    23: AnswerAccess,
    24: RevokeGrant,
    25: UseGrant,
    26: RecordAccess,
    30: OfferThing,
    31: AcceptThing,
    32: LimitBinding,
    33: ReportStatus,
    34: IssueVoucher,
    35: RevokeVoucher,
    36: JoinByVoucher,
    40: Command,
    41: ReportCommand,
    42: CancelCommand,
    43: Quarantine,
    50: UploadCode,
    51: StoreCode,
    52: RemoveCode,
    53: Instantiate,
    54: Execute,
    55: Migrate,
    56: SetAdmin,
    57: FreezeContract,
    58: ThawContract,
    59: TerminateContract,
    60: AcceptContract,
    61: DeclineContract,
    64: SetTrigger,
    65: RemoveTrigger,
    66: SuspendTrigger,
    67: ResumeTrigger,
    70: Propose,
    71: Vote,
    72: Enact,
    73: WithdrawProposal,
}
Action = (
    RegisterEntity
    | RotateKey
    | RevokeEntity
    | RegisterThing
    | UpdateThing
    | Bind
    | Unbind
    | SubmitBatch
    | Record
    | SetApprovalPolicy
    | Approve
    | Reject
    | RetireThing
    | SetAccessPolicy
    | RemoveAccessPolicy
    | RequestAccess
    | AnswerAccess
    | RevokeGrant
    | UseGrant
    | RecordAccess
    | OfferThing
    | AcceptThing
    | LimitBinding
    | ReportStatus
    | IssueVoucher
    | RevokeVoucher
    | JoinByVoucher
    | Command
    | ReportCommand
    | CancelCommand
    | Quarantine
    | UploadCode
    | StoreCode
    | RemoveCode
    | Instantiate
    | Execute
    | Migrate
    | SetAdmin
    | FreezeContract
    | ThawContract
    | TerminateContract
    | AcceptContract
    | DeclineContract
    | SetTrigger
    | RemoveTrigger
    | SuspendTrigger
    | ResumeTrigger
    | Propose
    | Vote
    | Enact
    | WithdrawProposal
)


def kind_of(action: Action) -> str:
    """Name of the kind of an action."""
    number = next(number for number, case in _CASES.items() if case is type(action))
    return next(name for name, each in ACTION_NUMBERS.items() if each == number)


def is_within_bounds(action: Action) -> bool:
    """Whether every field is within its bounds; what needs the state is the ledger's to check."""
    match action:
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
        case Quarantine(_, reason):
            return reason is None or is_name(reason)
        case UploadCode(_, part, data):
            return part < CODE_PARTS_MAX and 1 <= len(data) <= CODE_PART_BYTES_MAX
        case StoreCode(_, parts, meta):
            return 1 <= parts <= CODE_PARTS_MAX and meta.is_valid()
        case Instantiate(_, name, terms, message, gas_limit):
            return is_name(name) and terms.is_valid() and is_call(message, gas_limit)
        case Execute(_, message, gas_limit) | Migrate(_, _, message, gas_limit):
            return is_call(message, gas_limit)
        case Propose(proposal):
            return is_change(proposal.change) and is_reason(proposal.reason)
    return True


def _is_policy(policy: ApprovalPolicy) -> bool:
    approvers = policy.approvers
    ascends = all(a < b for a, b in zip(approvers, approvers[1:], strict=False))
    is_reachable = policy.threshold <= len(approvers) <= APPROVERS_MAX
    return ascends and is_reachable and (policy.threshold == 0 or policy.patience_blocks > 0)


action = checked(variants(_CASES), "action", is_within_bounds)


def register_entity(ledger: Id, kind: str, name: str, key: SigningKey) -> tuple[bytes, RegisterEntity]:
    """The id of an entity that begins with a key, and the action that registers it."""
    inception = AnyInception(kind, name, key.public_key)
    entity = entity_id(inception)
    possession = key.sign(possession_bytes(to_id(ledger), entity, key.public_key))
    return entity, RegisterEntity(inception, possession)


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
