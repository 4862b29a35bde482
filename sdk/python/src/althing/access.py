"""Access: what owners decide, what is asked for and granted (docs/formats/policy.md)."""

from dataclasses import dataclass
from typing import Annotated, Any

from .codec import Codec, numbered, optional, record, text, u32, u64, variants
from .entity import id32, is_name
from .limits import ACCESS_USES_MAX, EXPIRY_BLOCKS_MAX, GENESIS_TIME_MS_MAX, POLICY_BYTES_MAX
import itertools

RIGHTS = ("read", "subscribe", "write", "invoke", "describe", "call")
MODES = ("open", "grant", "strict")
right: Codec = numbered(RIGHTS)


@dataclass(frozen=True)
class Everything:
    """All things of an owner."""

    owner: Annotated[bytes, id32]


@dataclass(frozen=True)
class WholeThing:
    """A thing with all its properties and actions."""

    thing: Annotated[bytes, id32]


@dataclass(frozen=True)
class Property:
    """One property of a thing, its stream included."""

    thing: Annotated[bytes, id32]
    name: Annotated[str, text]


@dataclass(frozen=True)
class ThingAction:
    """One action of a thing."""

    thing: Annotated[bytes, id32]
    name: Annotated[str, text]


@dataclass(frozen=True)
class Service:
    """A service: an entity that others call."""

    service: Annotated[bytes, id32]


@dataclass(frozen=True)
class Contract:
    """A contract, by the 32 bytes of its id."""

    contract: Annotated[bytes, id32]


Resource = Everything | WholeThing | Property | ThingAction | Service | Contract
resource: Codec = variants({0: Everything, 1: WholeThing, 2: Property, 3: ThingAction, 4: Service, 5: Contract})
"""What somebody may be let at."""


@dataclass(frozen=True)
class AccessPolicy:
    """What an owner decides about a resource."""

    resource: Annotated[Any, resource]
    mode: Annotated[str, numbered(MODES)]
    text: Annotated[str, text]
    """Statements in Cedar."""
    ask: Annotated[bytes | None, optional(id32)]
    """Who is asked about each request."""
    patience_blocks: Annotated[int, u32]
    grant_blocks_max: Annotated[int, u64]


@dataclass(frozen=True)
class AccessRequest:
    """What somebody asks an owner for."""

    resource: Annotated[Any, resource]
    right: Annotated[str, right]
    purpose: Annotated[str, text]
    count_max: Annotated[int, u32]
    """How often, at most; 0 for as often as wanted."""
    until_height: Annotated[int, u64]


@dataclass(frozen=True)
class AccessUse:
    """Uses of a grant that were served over a while."""

    grant: Annotated[bytes, id32]
    count: Annotated[int, u32]
    first_ms: Annotated[int, u64]
    last_ms: Annotated[int, u64]


@dataclass(frozen=True)
class Access:
    """Who has access to what, from whom, for which purpose."""

    owner: Annotated[bytes, id32]
    grantee: Annotated[bytes, id32]
    resource: Annotated[Any, resource]
    right: Annotated[str, right]
    purpose: Annotated[str, text]


access_policy = record(AccessPolicy)
access_request = record(AccessRequest)
access_use = record(AccessUse)
access = record(Access)


def is_resource(value: Resource) -> bool:
    """Whether the name of a resource is within its bounds."""
    return is_name(value.name) if isinstance(value, Property | ThingAction) else True


def is_access_policy(value: AccessPolicy) -> bool:
    """Whether the fields of a policy are within their bounds."""
    is_asking = (value.ask is not None) == (value.patience_blocks > 0) and value.patience_blocks <= EXPIRY_BLOCKS_MAX
    fits = 1 <= len(value.text.encode()) <= POLICY_BYTES_MAX and 1 <= value.grant_blocks_max <= EXPIRY_BLOCKS_MAX
    return is_resource(value.resource) and fits and is_asking


def are_uses(uses: list[AccessUse]) -> bool:
    """Whether uses are some, not too many, within their bounds and ascending by grant."""
    good = all(use.count > 0 and use.first_ms <= use.last_ms <= GENESIS_TIME_MS_MAX for use in uses)
    ascend = all(a.grant < b.grant for a, b in itertools.pairwise(uses))
    return 1 <= len(uses) <= ACCESS_USES_MAX and good and ascend
