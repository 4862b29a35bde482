"""Contracts: code that the ledger runs, and what is agreed about it (docs/formats/contracts.md)."""

import unicodedata
from dataclasses import dataclass
from typing import Annotated

from .codec import list_of, optional, text, u8, u32
from .entity import id32, is_name
from .limits import (
    CALLERS_MAX,
    CODE_SOURCE_BYTES_MAX,
    CONTRACT_GAS_MAX,
    CONTRACT_MESSAGE_BYTES_MAX,
    INTERFACES_MAX,
    PARTICIPANTS_MAX,
)
import itertools


@dataclass(frozen=True)
class CodeMeta:
    """What is said of code for people and programs to find it."""

    name: Annotated[str, text]
    source: Annotated[str, text]
    """Where the source is and how the module was built from it."""
    interfaces: Annotated[list[str], list_of(text)]
    """Names of the interfaces it serves, ascending."""

    def is_valid(self) -> bool:
        """Whether it is within its bounds."""
        names = [each.encode() for each in self.interfaces]
        ascend = all(a < b for a, b in itertools.pairwise(names))
        printable = all(unicodedata.category(each) != "Cc" for each in self.source)
        fits = len(self.source.encode()) <= CODE_SOURCE_BYTES_MAX and len(names) <= INTERFACES_MAX
        return is_name(self.name) and printable and fits and ascend and all(map(is_name, self.interfaces))


@dataclass(frozen=True)
class Terms:
    """Who decides about a contract and who may call it."""

    admin: Annotated[bytes | None, optional(id32)]
    """Who may migrate, freeze, thaw and terminate it; nobody if absent."""
    participants: Annotated[list[bytes], list_of(id32)]
    """Who decides whether it begins, ascending; it begins at once if nobody."""
    threshold: Annotated[int, u8]
    """How many of them must accept it."""
    patience_blocks: Annotated[int, u32]
    """Blocks within which they must."""
    callers: Annotated[list[bytes], list_of(id32)]
    """Who may call it, ascending: these, and what they own; anyone if empty."""

    def is_valid(self) -> bool:
        """Whether they are within their bounds."""
        count = len(self.participants)
        if count == 0:
            is_decided = self.threshold == 0 and self.patience_blocks == 0
        else:
            is_decided = 1 <= self.threshold <= count and self.patience_blocks > 0
        ascend = all(a < b for ids in (self.participants, self.callers) for a, b in itertools.pairwise(ids))
        return is_decided and ascend and count <= PARTICIPANTS_MAX and len(self.callers) <= CALLERS_MAX


@dataclass(frozen=True)
class Attribute:
    """Something that a contract says in an event."""

    key: Annotated[str, text]
    value: Annotated[str, text]


def is_call(message: bytes, gas_limit: int) -> bool:
    """Whether a message and a gas limit are within their bounds."""
    return 1 <= len(message) <= CONTRACT_MESSAGE_BYTES_MAX and 1 <= gas_limit <= CONTRACT_GAS_MAX
