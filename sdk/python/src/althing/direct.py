"""What is asked of devices directly at their gateways, and tags of things (docs/formats/direct.md, transaction.md)."""

from dataclasses import dataclass
from itertools import pairwise
from typing import Annotated

from .codec import Codec, list_of, optional, record, text, u64
from .crypto import PublicKey, SigningKey, public_key, signature
from .digest import hash
from .entity import id32, is_name
from .limits import DIRECT_USES_MAX, GENESIS_TIME_MS_MAX, THING_TAGS_MAX
from .onboarding import CommandForm, Invoke, Read, Write, command_state, operation


@dataclass(frozen=True)
class DirectRequest:
    """Something to be done by a thing at once."""

    ledger: Annotated[bytes, id32]
    gateway: Annotated[bytes, id32]
    caller: Annotated[bytes, id32]
    thing: Annotated[bytes, id32]
    operation: Annotated[Read | Write | Invoke, operation]
    purpose: Annotated[str, text]
    number: Annotated[int, u64]
    until_ms: Annotated[int, u64]

    def signed_bytes(self) -> bytes:
        """What the caller signs."""
        return b"althing/direct/1" + direct_request.write(self)

    def id(self) -> bytes:
        """Its id, which the device is told."""
        return hash("althing/direct/1", direct_request.write(self))

    def sign(self, key: SigningKey) -> "SignedRequest":
        """The request with its signature."""
        return SignedRequest(self, key.public_key, key.sign(self.signed_bytes()))

    def is_valid(self) -> bool:
        """Whether it is within its bounds."""
        command = CommandForm(self.thing, self.operation, self.until_ms, self.purpose)
        return command.is_valid() and self.until_ms <= GENESIS_TIME_MS_MAX


direct_request = record(DirectRequest)


@dataclass(frozen=True)
class SignedRequest:
    """A request with its caller's key and signature."""

    request: Annotated[DirectRequest, direct_request]
    key: Annotated[PublicKey, public_key]
    signature: Annotated[bytes, signature]

    def to_bytes(self) -> bytes:
        """Its bytes, to be sent to a gateway in hex."""
        return signed_request.write(self)


signed_request: Codec = record(SignedRequest)


@dataclass(frozen=True)
class DirectUse:
    """A request that was served, and what came of it."""

    request: Annotated[SignedRequest, signed_request]
    grant: Annotated[bytes, id32]
    state: Annotated[str, command_state]
    served_ms: Annotated[int, u64]
    result: Annotated[bytes | None, optional(id32)]

    def signed_bytes(self) -> bytes:
        """What the gateway signs of it for the caller."""
        return b"althing/direct-use/1" + direct_use.write(self)

    def is_valid(self) -> bool:
        """Whether it is within its bounds."""
        asked = self.request.request
        is_over = self.state in ("delivered", "done", "failed")
        return asked.is_valid() and self.request.key.is_valid() and is_over and self.served_ms <= asked.until_ms


direct_use: Codec = record(DirectUse)


@dataclass(frozen=True)
class ThingTags:
    """The tags of a thing, all of them."""

    thing: Annotated[bytes, id32]
    tags: Annotated[list[str], list_of(text)]

    def is_valid(self) -> bool:
        """Whether they are few enough, names, and ascending."""
        words = [tag.encode() for tag in self.tags]
        ascend = all(a < b for a, b in pairwise(words))
        return len(words) <= THING_TAGS_MAX and all(map(is_name, self.tags)) and ascend


thing_tags: Codec = record(ThingTags)


def are_direct_uses(uses: list[DirectUse]) -> bool:
    """Whether uses are some, not too many, and within their bounds."""
    return 1 <= len(uses) <= DIRECT_USES_MAX and all(use.is_valid() for use in uses)
