"""Actions: what a transaction does. All of a transaction's actions take effect, or none."""

from dataclasses import dataclass
from typing import Annotated

from .codec import byte_string, checked, list_of, numbered, optional, record, text, u8, u32, u64, variants
from .crypto import PublicKey, SigningKey, public_key, signature
from .digest import stream_id
from .entity import AnyInception, any_inception, entity_id, id32, is_name, possession_bytes
from .limits import APPROVERS_MAX, DESCRIPTION_BYTES_MAX, RECIPIENTS_MAX, RECORD_BYTES_MAX
from .reading import BatchHeader, Reading, announce, batch_header
from .text import to_id

ACTION_KINDS = (
    "register_entity",
    "rotate_key",
    "revoke_entity",
    "register_thing",
    "update_thing",
    "bind",
    "unbind",
    "submit_batch",
    "record",
    "set_approval_policy",
    "approve",
    "reject",
    "retire_thing",
)
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
class RecordForm:
    """Data that one entity writes for itself or others to find."""

    kind: Annotated[str, text]
    data: Annotated[bytes, byte_string]
    notify: Annotated[list[bytes], list_of(id32)]
    link: Annotated[bytes | None, optional(id32)]


@dataclass(frozen=True)
class Record:
    """Writes a record and notifies entities."""

    record: Annotated[RecordForm, record(RecordForm)]


@dataclass(frozen=True)
class ApprovalPolicy:
    """`threshold` of `approvers` must sign before an action of this kind takes effect."""

    kind: Annotated[str, numbered(ACTION_KINDS)]
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


_CASES = (
    RegisterEntity,
    RotateKey,
    RevokeEntity,
    RegisterThing,
    UpdateThing,
    Bind,
    Unbind,
    SubmitBatch,
    Record,
    SetApprovalPolicy,
    Approve,
    Reject,
    RetireThing,
)
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
)


def kind_of(action: Action) -> str:
    """Name of the kind of an action."""
    return ACTION_KINDS[_CASES.index(type(action))]


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
        case Record(form):
            fits = len(form.data) <= RECORD_BYTES_MAX and len(form.notify) <= RECIPIENTS_MAX
            return is_name(form.kind) and fits
        case SetApprovalPolicy(policy):
            return _is_policy(policy)
    return True


def _is_policy(policy: ApprovalPolicy) -> bool:
    approvers = policy.approvers
    ascends = all(a < b for a, b in zip(approvers, approvers[1:], strict=False))
    is_reachable = policy.threshold <= len(approvers) <= APPROVERS_MAX
    return ascends and is_reachable and (policy.threshold == 0 or policy.patience_blocks > 0)


action = checked(variants(dict(enumerate(_CASES))), "action", is_within_bounds)


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
