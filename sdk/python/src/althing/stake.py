"""Stake: tokens that an organisation puts behind a peer of its own, which then stands for a seat; and what costs it."""

from dataclasses import dataclass
from typing import Annotated

from .codec import bytes32, numbered, optional, record, text, u64
from .crypto import signature
from .entity import id32
from .governance import is_address, is_voting_key
from .token import amount


@dataclass(frozen=True)
class StakedSeat:
    """How a peer votes and is reached, if its stake gets it a seat."""

    key: Annotated[bytes, bytes32]
    address: Annotated[str, text]
    possession: Annotated[bytes, signature]


@dataclass(frozen=True)
class StakeForm:
    """Tokens for a peer; `seat` is needed where it does not stand for one yet."""

    peer: Annotated[bytes, id32]
    amount: Annotated[int, amount]
    seat: Annotated[StakedSeat | None, optional(record(StakedSeat))] = None

    def is_valid(self) -> bool:
        """Whether every field is within its bounds."""
        if self.seat is None:
            return self.amount > 0
        return is_voting_key(self.seat.key) and is_address(self.seat.address)


@dataclass(frozen=True)
class CastVote:
    """A vote, without the view that it is about; a view that is given up has parent view 0 and a block of zero bytes."""

    phase: Annotated[str, numbered(("notarize", "nullify", "finalize"))]
    parent_view: Annotated[int, u64]
    block: Annotated[bytes, bytes32]
    signature: Annotated[bytes, signature]


@dataclass(frozen=True)
class DoubleVote:
    """Two votes by one voting key in one view, of which an honest peer casts no more than one."""

    key: Annotated[bytes, bytes32]
    epoch: Annotated[int, u64]
    view: Annotated[int, u64]
    first: Annotated[CastVote, record(CastVote)]
    second: Annotated[CastVote, record(CastVote)]

    def is_conflict(self) -> bool:
        """Whether the votes exclude each other, if they are signed as they say."""
        first, second = self.first, self.second
        if first.phase == "nullify":
            excluded = second.phase == "finalize" and (first.parent_view, first.block) == (0, bytes(32))
        else:
            excluded = first.phase == second.phase and (first.parent_view, first.block) != (second.parent_view, second.block)
        return excluded and is_voting_key(self.key)
