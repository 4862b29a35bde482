"""Regulations: what the network itself demands of how readings are kept."""

import re
import unicodedata
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Annotated

from .codec import boolean, list_of, optional, record, text, u32
from .entity import id32, is_name
from .limits import PLACED_ORGANISATIONS_MAX, REGULATION_REFERENCE_BYTES_MAX, REGULATION_TEXT_BYTES_MAX, RETENTION_DAYS_MAX


@dataclass(frozen=True)
class Demands:
    """What is demanded of a stream; at least one thing."""

    retention_days_min: Annotated[int | None, optional(u32)] = None
    """Payloads are kept for so many days at least, and not erased."""
    retention_days_max: Annotated[int | None, optional(u32)] = None
    """Payloads are dropped after so many days at most."""
    holders: Annotated[list[bytes], list_of(id32)] = field(default_factory=list)
    """Only peers of these organisations keep them, ascending; of any if there are none."""
    confidential: Annotated[bool, boolean] = False
    """Whether streams must be confidential."""

    def is_within_bounds(self) -> bool:
        """Whether every field is within its bounds, and something is demanded."""
        low, high, named = self.retention_days_min, self.retention_days_max, self.holders
        days = all(each is None or 1 <= each <= RETENTION_DAYS_MAX for each in (low, high))
        ascends = all(a < b for a, b in pairwise(named))
        spans = low is None or high is None or low <= high
        return self != Demands() and days and spans and ascends and len(named) <= PLACED_ORGANISATIONS_MAX


@dataclass(frozen=True)
class Regulation:
    """What the network demands of how readings are kept: a transaction that breaks it is refused."""

    id: Annotated[str, text]
    """1 to 64 of `a-z`, `0-9`, `-` and `.`."""
    text: Annotated[str, text]
    reference: Annotated[str, text]
    """Where it is written."""
    jurisdiction: Annotated[str, text]
    """Whose law it is."""
    thing_type: Annotated[str | None, optional(text)]
    """Only things of this semantic type; all if None."""
    demands: Annotated[Demands, record(Demands)]

    def is_within_bounds(self) -> bool:
        """Whether every field is within its bounds."""
        said = self.text != "" and _is_text(self.text, REGULATION_TEXT_BYTES_MAX) and _is_text(self.reference, REGULATION_REFERENCE_BYTES_MAX)
        about = is_name(self.jurisdiction) and (self.thing_type is None or is_name(self.thing_type))
        return is_regulation_id(self.id) and said and about and self.demands.is_within_bounds()


def is_regulation_id(name: str) -> bool:
    """Whether a text can name a regulation."""
    return re.fullmatch("[a-z0-9.-]{1,64}", name) is not None


def _is_text(value: str, most: int) -> bool:
    return len(value.encode()) <= most and all(unicodedata.category(each) != "Cc" for each in value)
