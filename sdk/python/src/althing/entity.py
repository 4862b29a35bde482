"""Entities: whoever acts."""

import unicodedata
from dataclasses import dataclass
from typing import Annotated

from .codec import bytes32, checked, numbered, record, text
from .crypto import PublicKey, public_key
from .digest import hash
from .limits import NAME_BYTES_MAX

ENTITY_KINDS = ("organisation", "peer", "gateway", "device", "service", "person", "auditor")
entity_kind = numbered(ENTITY_KINDS)
id32 = bytes32
valid_key = checked(public_key, "key", PublicKey.is_valid)


def is_name(name: str) -> bool:
    """Whether a text can be a name: 1 to 64 bytes without control characters."""
    is_short = 1 <= len(name.encode()) <= NAME_BYTES_MAX
    return is_short and not any(unicodedata.category(char) == "Cc" for char in name)


def is_short(name: str) -> bool:
    """Whether a text has 1 to 64 bytes."""
    return 1 <= len(name.encode()) <= NAME_BYTES_MAX


@dataclass(frozen=True)
class AnyInception:
    """An inception whose bounds were not looked at."""

    kind: Annotated[str, entity_kind]
    name: Annotated[str, text]
    key: Annotated[PublicKey, public_key]


@dataclass(frozen=True)
class Inception(AnyInception):
    """How an entity begins; its id is the digest of this for ever."""

    name: Annotated[str, checked(text, "name", is_name)]
    key: Annotated[PublicKey, valid_key]


any_inception = record(AnyInception)
inception = record(Inception)


def entity_id(value: AnyInception) -> bytes:
    """The id of the entity that begins so."""
    return hash("althing/entity/1", any_inception.write(value))


def possession_bytes(ledger: bytes, entity: bytes, key: PublicKey) -> bytes:
    """What the holder of a key signs to show that it holds it, when the key enters the ledger."""
    return b"althing/possession/1" + ledger + entity + public_key.write(key)
