"""Receipts and events: what became of a transaction."""

from dataclasses import dataclass, make_dataclass
from typing import Annotated, Any

from .access import Access, access, resource
from .codec import Codec, boolean, byte_string, list_of, optional, record, text, u8, u16, u32, u64, variants
from .contract import Attribute
from .digest import hash, merkle_root, sha256
from .direct import ThingTags, thing_tags
from .entity import id32
from .governance import MechanismFrom
from .link import link_event
from .onboarding import Status, command_state
from .secrecy import stream_event
from .service import service_event
from .token import token_event
from .trigger import trigger_event

_ENTITY = ("entity", Annotated[bytes, id32])
_THING = ("thing", Annotated[bytes, id32])
_STREAM = ("stream", Annotated[bytes, id32])
_PROPOSAL = ("proposal", Annotated[bytes, id32])
_ORGANISATION = ("organisation", Annotated[bytes, id32])
_PENDING = ("pending", Annotated[bytes, id32])
_GAP = (_STREAM, ("first_seq", Annotated[int, u64]), ("count", Annotated[int, u64]))
_BINDING = (_THING, ("gateway", Annotated[bytes, id32]))

_EVENTS: tuple[tuple[str, tuple[tuple[str, Any], ...]], ...] = (
    ("entity_registered", (_ENTITY, ("owner", Annotated[bytes, id32]))),
    ("key_rotated", (_ENTITY, ("version", Annotated[int, u32]))),
    ("entity_revoked", (_ENTITY,)),
    ("thing_registered", (_THING, ("owner", Annotated[bytes, id32]))),
    ("thing_updated", (_THING, ("version", Annotated[int, u32]))),
    ("thing_retired", (_THING,)),
    ("bound", (*_BINDING, ("until_height", Annotated[int, u64]))),
    ("unbound", _BINDING),
    (
        "batch_accepted",
        (_THING, _STREAM, ("leaf", Annotated[int, u64]), ("first_seq", Annotated[int, u64]), ("count", Annotated[int, u32])),
    ),
    ("gap_opened", _GAP),
    ("gap_filled", _GAP),
    ("gap_sealed", _GAP),
    (
        "recorded",
        (
            ("sender", Annotated[bytes, id32]),
            ("kind", Annotated[str, text]),
            ("notify", Annotated[list[bytes], list_of(id32)]),
            ("link", Annotated[bytes | None, optional(id32)]),
        ),
    ),
    ("approval_policy_set", (_ENTITY,)),
    ("approval_pending", (_PENDING, ("approvals", Annotated[int, u8]), ("threshold", Annotated[int, u8]))),
    ("approval_granted", (_PENDING,)),
    ("approval_ended", (_PENDING, ("code", Annotated[int, u16]))),
)
_OWNER = ("owner", Annotated[bytes, id32])
_VOUCHER = ("voucher", Annotated[bytes, id32])
_CODE = ("code", Annotated[bytes, id32])
_CONTRACT = ("contract", Annotated[bytes, id32])
_CREATOR = ("creator", Annotated[bytes, id32])
_COMMAND = (("command", Annotated[bytes, id32]), _THING, ("sender", Annotated[bytes, id32]))

# Each noun has numbers of its own.
_MORE_EVENTS: dict[int, tuple[str, tuple[tuple[str, Any], ...]]] = {
    45: ("thing_offered", (_THING, _OWNER, ("until_height", Annotated[int, u64]), ("to", Annotated[bytes | None, optional(id32)]))),
    46: ("offer_withdrawn", (_THING,)),
    47: ("thing_transferred", (_THING, ("from_", Annotated[bytes, id32]), ("to", Annotated[bytes, id32]))),
    48: ("binding_limited", (*_BINDING, ("limited", Annotated[bool, boolean]))),
    49: ("status_reported", (_THING, ("reporter", Annotated[bytes, id32]), ("status", Annotated[Status, record(Status)]))),
    50: ("voucher_issued", (_VOUCHER, ("maker", Annotated[bytes, id32]), _OWNER, ("count", Annotated[int, u32]))),
    51: ("voucher_revoked", (_VOUCHER,)),
    52: ("device_joined", (_VOUCHER, ("device", Annotated[bytes, id32]), _THING)),
    55: ("command_queued", (*_COMMAND, ("until_ms", Annotated[int, u64]))),
    56: ("command_changed", (*_COMMAND, ("state", Annotated[str, command_state]), ("result", Annotated[bytes | None, optional(byte_string)]))),
    60: ("quarantine_changed", (_THING, ("by", Annotated[bytes, id32]), ("quarantined", Annotated[bool, boolean]))),
    70: ("code_stored", (_CODE, _OWNER, ("bytes", Annotated[int, u32]))),
    71: ("code_removed", (_CODE,)),
    72: (
        "contract_proposed",
        (_CONTRACT, _CODE, _CREATOR, ("participants", Annotated[list[bytes], list_of(id32)]), ("threshold", Annotated[int, u8])),
    ),
    73: ("contract_accepted", (_CONTRACT, ("participant", Annotated[bytes, id32]), ("accepted", Annotated[int, u8]))),
    74: ("contract_dropped", (_CONTRACT, ("code", Annotated[int, u16]))),
    75: ("contract_instantiated", (_CONTRACT, _CODE, _CREATOR)),
    76: (
        "contract_called",
        (_CONTRACT, ("entry", Annotated[int, u8]), ("caller", Annotated[bytes, id32]), ("gas_used", Annotated[int, u64])),
    ),
    77: ("contract_migrated", (_CONTRACT, _CODE)),
    78: ("contract_admin_set", (_CONTRACT, ("admin", Annotated[bytes | None, optional(id32)]))),
    79: ("contract_frozen", (_CONTRACT,)),
    80: ("contract_thawed", (_CONTRACT,)),
    81: ("contract_terminated", (_CONTRACT,)),
    82: (
        "contract_emitted",
        (_CONTRACT, ("name", Annotated[str, text]), ("attributes", Annotated[list[Attribute], list_of(record(Attribute))])),
    ),
    83: ("service", (("about", Annotated[Any, service_event]),)),
    90: ("trigger", (("about", Annotated[Any, trigger_event]),)),
    120: ("tokens", (("about", Annotated[Any, token_event]),)),
    150: ("links", (("about", Annotated[Any, link_event]),)),
    165: ("thing_tagged", (("said", Annotated[ThingTags, thing_tags]),)),
    100: ("proposed", (_PROPOSAL, ("proposer", Annotated[bytes, id32]))),
    101: ("voted", (_PROPOSAL, _ORGANISATION, ("accept", Annotated[bool, boolean]), ("votes", Annotated[int, u16]), ("needed", Annotated[int, u16]))),
    102: ("proposal_accepted", (_PROPOSAL, ("due_height", Annotated[int, u64]))),
    103: ("proposal_enacted", (_PROPOSAL,)),
    104: ("proposal_ended", (_PROPOSAL, ("code", Annotated[int, u16]))),
    105: ("member_added", (_ORGANISATION,)),
    106: ("member_removed", (_ORGANISATION,)),
    107: ("validators_chosen", (("count", Annotated[int, u16]), ("quorum", Annotated[int, u16]))),
    108: ("parameters_set", ()),
    109: ("voting_rule_set", ()),
    110: ("mechanism_chosen", (("said", Annotated[MechanismFrom, record(MechanismFrom)]),)),
    140: ("stream", (("about", Annotated[Any, stream_event]),)),
}
_OWNED = (("owner", Annotated[bytes, id32]), ("resource", Annotated[Any, resource]))
_ACCESS = ("access", Annotated[Access, access])
_BY = ("by", Annotated[bytes, id32])
_ASKED = ("asked", Annotated[bytes, id32])
_ACCESS_EVENTS: tuple[tuple[str, tuple[tuple[str, Any], ...]], ...] = (
    ("access_policy_set", (*_OWNED, ("version", Annotated[int, u32]))),
    ("access_policy_removed", _OWNED),
    ("access_requested", (_ACCESS, _ASKED, ("answer_until_height", Annotated[int, u64]))),
    ("access_granted", (_ACCESS, _BY, ("count_max", Annotated[int, u32]), ("until_height", Annotated[int, u64]))),
    ("access_denied", (_ACCESS, _BY)),
    ("access_timed_out", (_ACCESS, _ASKED)),
    ("grant_revoked", (_ACCESS, _BY)),
    (
        "access_used",
        (
            _ACCESS,
            _BY,
            ("count", Annotated[int, u32]),
            ("used", Annotated[int, u32]),
            ("first_ms", Annotated[int, u64]),
            ("last_ms", Annotated[int, u64]),
        ),
    ),
)
_NUMBERED = {**dict(enumerate(_EVENTS)), **dict(enumerate(_ACCESS_EVENTS, 30)), **_MORE_EVENTS}
event: Codec = variants({number: make_dataclass(name, fields, frozen=True) for number, (name, fields) in _NUMBERED.items()})
"""Something that a transaction brought about: a dataclass named as the interface names the event."""


@dataclass(frozen=True)
class Receipt:
    """What became of a transaction."""

    transaction: Annotated[bytes, id32]
    code: Annotated[int, u16]
    """0 if it took effect, 35 if it waits for approvals, otherwise the number of a refusal."""
    action: Annotated[int, u8]
    """Position of the action that was refused; 0 otherwise."""
    events: Annotated[list[Any], list_of(event)]

    @property
    def digest(self) -> bytes:
        """The digest, a leaf of the receipts root of its block."""
        return sha256(receipt.write(self))


receipt = record(Receipt)


def receipts_leaf(height: int, receipts_root: bytes) -> bytes:
    """What a header's statement says of the receipts of one height."""
    return hash("althing/receipts/1", height.to_bytes(8, "big"), receipts_root)


def receipts_statement(first_height: int, receipts_roots: list[bytes]) -> bytes:
    """What a header states of the receipts roots of consecutive heights."""
    return merkle_root([receipts_leaf(first_height + above, root) for above, root in enumerate(receipts_roots)])
