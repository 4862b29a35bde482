"""How things join, pass from owner to owner, say how they are, and are commanded."""

from dataclasses import dataclass
from typing import Annotated

from .codec import boolean, byte_string, i64, list_of, numbered, optional, record, text, u32, u64, variants
from .crypto import PublicKey, public_key, signature
from .entity import AnyInception, any_inception, id32, is_name
from .limits import (
    COMMAND_INPUT_BYTES_MAX,
    COMMAND_RESULT_BYTES_MAX,
    DESCRIPTION_BYTES_MAX,
    LIMIT_PROPERTIES_MAX,
    VALUE_BYTES_MAX,
    VOUCHER_DEVICES_MAX,
    VOUCHER_PATH_MAX,
)
from .reading import Value, reading_value
import itertools


@dataclass(frozen=True)
class ToEntity:
    """An offer to an entity."""

    entity: Annotated[bytes, id32]


@dataclass(frozen=True)
class ToCode:
    """An offer to whoever holds the code behind a key."""

    key: Annotated[PublicKey, public_key]


offer_to = variants({0: ToEntity, 1: ToCode})


@dataclass(frozen=True)
class Offer:
    """Who may become the owner of a thing, until when."""

    to: Annotated[ToEntity | ToCode, offer_to]
    until_height: Annotated[int, u64]

    def is_valid(self) -> bool:
        """Whether it is within its bounds."""
        return isinstance(self.to, ToEntity) or self.to.key.is_valid()


@dataclass(frozen=True)
class Claim:
    """Shows that the sender holds the code; over `claim_bytes`."""

    key: Annotated[PublicKey, public_key]
    signature: Annotated[bytes, signature]


@dataclass(frozen=True)
class Limit:
    """What a binding is narrowed to."""

    properties: Annotated[list[str], list_of(text)]
    commands: Annotated[bool, boolean]

    def is_valid(self) -> bool:
        """Whether it is within its bounds."""
        names = [name.encode() for name in self.properties]
        ascends = all(a < b for a, b in itertools.pairwise(names))
        return ascends and len(names) <= LIMIT_PROPERTIES_MAX and all(map(is_name, self.properties))


@dataclass(frozen=True)
class Place:
    """A point on the earth, in 10^-7 degrees north and east."""

    latitude_e7: Annotated[int, i64]
    longitude_e7: Annotated[int, i64]

    def is_valid(self) -> bool:
        """Whether it is on the earth."""
        return abs(self.latitude_e7) <= 900_000_000 and abs(self.longitude_e7) <= 1_800_000_000


@dataclass(frozen=True)
class Status:
    """How a thing is; what is absent stays as it was."""

    online: Annotated[bool | None, optional(boolean)]
    firmware: Annotated[str | None, optional(text)]
    place: Annotated[Place | None, optional(record(Place))]

    def is_valid(self) -> bool:
        """Whether it says something, and that within its bounds."""
        says = any(said is not None for said in (self.online, self.firmware, self.place))
        return says and (self.firmware is None or is_name(self.firmware)) and (self.place is None or self.place.is_valid())


@dataclass(frozen=True)
class Voucher:
    """A maker vouches for a batch of devices."""

    owner: Annotated[bytes, id32]
    root: Annotated[bytes, id32]
    count: Annotated[int, u32]
    description: Annotated[bytes, byte_string]

    def is_valid(self) -> bool:
        """Whether it is within its bounds."""
        return 1 <= self.count <= VOUCHER_DEVICES_MAX and 1 <= len(self.description) <= DESCRIPTION_BYTES_MAX


@dataclass(frozen=True)
class Join:
    """One device of a voucher, with the path that shows it is one."""

    voucher: Annotated[bytes, id32]
    index: Annotated[int, u32]
    inception: Annotated[AnyInception, any_inception]
    path: Annotated[list[bytes], list_of(id32)]

    def is_valid(self) -> bool:
        """Whether it is within its bounds."""
        return len(self.path) <= VOUCHER_PATH_MAX and is_name(self.inception.name) and self.inception.key.is_valid()


@dataclass(frozen=True)
class Read:
    """The present value of a property."""

    property: Annotated[str, text]


@dataclass(frozen=True)
class Write:
    """Another value for a property, at the scale of its stream."""

    property: Annotated[str, text]
    value: Annotated[Value, reading_value]


@dataclass(frozen=True)
class Invoke:
    """An action; its input is JSON text."""

    action: Annotated[str, text]
    input: Annotated[bytes | None, optional(byte_string)]


operation = variants({0: Read, 1: Write, 2: Invoke})


@dataclass(frozen=True)
class CommandForm:
    """Something to be done by a thing, answered by a ledger time in milliseconds since 1970."""

    thing: Annotated[bytes, id32]
    operation: Annotated[Read | Write | Invoke, operation]
    until_ms: Annotated[int, u64]
    purpose: Annotated[str | None, optional(text)]

    def is_valid(self) -> bool:
        """Whether it is within its bounds."""
        if self.purpose is not None and not is_name(self.purpose):
            return False
        match self.operation:
            case Read(name):
                return is_name(name)
            case Invoke(name, given):
                return is_name(name) and len(given or b"") <= COMMAND_INPUT_BYTES_MAX
            case Write(name, value):
                size = len(value.encode()) if isinstance(value, str) else len(value) if isinstance(value, bytes) else 0
                return is_name(name) and size <= VALUE_BYTES_MAX


COMMAND_STATES = ("queued", "delivered", "accepted", "done", "failed", "expired", "cancelled")
command_state = numbered(COMMAND_STATES)


@dataclass(frozen=True)
class CommandReport:
    """What became of a command."""

    command: Annotated[bytes, id32]
    state: Annotated[str, command_state]
    result: Annotated[bytes | None, optional(byte_string)]

    def is_valid(self) -> bool:
        """Whether it is one that can be made."""
        is_said = self.state in ("delivered", "accepted", "done", "failed")
        return is_said and len(self.result or b"") <= COMMAND_RESULT_BYTES_MAX


def claim_bytes(ledger: bytes, thing: bytes, claimant: bytes) -> bytes:
    """What the holder of a code signs to become the owner of a thing."""
    return b"althing/claim/1" + ledger + thing + claimant
