"""Tokens: amounts, the token of a ledger, what transactions cost, and what accounts do."""

import re
import unicodedata
from dataclasses import dataclass, make_dataclass
from typing import Annotated, Any

from . import cbor
from .cbor import Reader
from .codec import Codec, boolean, list_of, optional, record, text, u8, u16, u32, u64, variants
from .entity import id32, is_name
from .limits import (
    ALLOCATIONS_MAX,
    AMOUNT_MAX,
    DECIMALS_MAX,
    FEE_MAX,
    MEMO_BYTES_MAX,
    STAKE_EPOCHS_MAX,
    STAKE_LOCKED_EPOCHS_MIN,
    STAKE_TURNS_MIN,
    VALIDATORS_MAX,
)
import itertools


def _write(value: int) -> bytes:
    return cbor.byte_string(value.to_bytes((value.bit_length() + 7) // 8, "big"))


def _read(reader: Reader) -> int:
    given = reader.byte_string()
    value = int.from_bytes(given, "big")
    reader.expect(len(given) <= 16 and value <= AMOUNT_MAX)
    return value


amount = Codec(_write, _read)
"""A number of tokens in their smallest unit: its bytes big-endian without leading zeros."""


@dataclass(frozen=True)
class Fees:
    """What transactions cost, in the smallest unit; each million of gas, or part of it, that one sets as limits of calls."""

    per_transaction: Annotated[int, u64]
    per_byte: Annotated[int, u64]
    per_million_gas: Annotated[int, u64]

    def is_valid(self) -> bool:
        """Whether every price is within its bound."""
        return max(self.per_transaction, self.per_byte, self.per_million_gas) <= FEE_MAX


@dataclass(frozen=True)
class StakeRules:
    """How seats are given by stake at the end of each epoch."""

    seats_min: Annotated[int, u16]
    """Fewest peers with stake that take over: while there are less, whoever has a seat keeps it."""
    seats_max: Annotated[int, u16]
    least: Annotated[int, amount]
    """Least stake of a peer."""
    founding: Annotated[int, amount]
    """What is staked behind each founding peer from the beginning."""
    locked_epochs: Annotated[int, u32]
    """Epochs for which stake that was withdrawn stays locked."""
    silent_epochs: Annotated[int, u32]
    """So many whole epochs in a row without a block of its own cost a peer its seat."""
    burnt_percent: Annotated[int, u8]
    """How much of a peer's stake a double vote destroys, hundredths."""

    def is_valid(self, epoch_blocks: int) -> bool:
        """Whether every field is within its bounds, in a ledger whose epochs have so many blocks."""
        are_seats = 1 <= self.seats_min <= self.seats_max <= VALIDATORS_MAX and self.seats_max * STAKE_TURNS_MIN <= epoch_blocks
        are_epochs = STAKE_LOCKED_EPOCHS_MIN <= self.locked_epochs <= STAKE_EPOCHS_MAX and 1 <= self.silent_epochs <= STAKE_EPOCHS_MAX
        return are_seats and are_epochs and 0 < self.least <= self.founding and 1 <= self.burnt_percent <= 100


@dataclass(frozen=True)
class Allocation:
    """What a founding organisation begins with."""

    account: Annotated[bytes, id32]
    amount: Annotated[int, amount]


@dataclass(frozen=True)
class Token:
    """The token of a ledger."""

    name: Annotated[str, text]
    symbol: Annotated[str, text]
    decimals: Annotated[int, u8]
    initial: Annotated[list[Allocation], list_of(record(Allocation), ALLOCATIONS_MAX)]

    def is_valid(self) -> bool:
        """Whether every field is within its bounds."""
        accounts = [each.account for each in self.initial]
        ascends = all(a < b for a, b in itertools.pairwise(accounts))
        amounts = [each.amount for each in self.initial]
        is_given = ascends and 0 not in amounts and sum(amounts) <= AMOUNT_MAX
        is_called = is_name(self.name) and re.fullmatch("[a-z][a-z0-9]{2,15}", self.symbol) is not None
        return is_given and is_called and self.decimals <= DECIMALS_MAX


def _is_memo(memo: str) -> bool:
    return len(memo.encode()) <= MEMO_BYTES_MAX and all(unicodedata.category(each) != "Cc" for each in memo)


@dataclass(frozen=True)
class TransferForm:
    """A payment."""

    to: Annotated[bytes, id32]
    amount: Annotated[int, amount]
    memo: Annotated[str, text]

    def is_valid(self) -> bool:
        """Whether every field is within its bounds."""
        return self.amount > 0 and _is_memo(self.memo)


@dataclass(frozen=True)
class Escrow:
    """Tokens that are locked for a payee until a height."""

    payee: Annotated[bytes, id32]
    amount: Annotated[int, amount]
    until_height: Annotated[int, u64]
    arbiter: Annotated[bytes | None, optional(id32)]
    memo: Annotated[str, text]

    def is_valid(self) -> bool:
        """Whether every field is within its bounds."""
        return self.amount > 0 and _is_memo(self.memo)


@dataclass(frozen=True)
class Sponsorship:
    """A promise to pay the fees of an entity."""

    entity: Annotated[bytes, id32]
    per_day: Annotated[int, amount]
    total: Annotated[int, amount]
    until_height: Annotated[int, u64]

    def is_valid(self) -> bool:
        """Whether every field is within its bounds."""
        return self.per_day > 0 and self.total > 0


@dataclass(frozen=True)
class Reward:
    """What is paid to the owner of a thing for readings of it."""

    stream: Annotated[bytes, id32]
    per_batch: Annotated[int, amount]
    per_reading: Annotated[int, amount]
    per_day: Annotated[int, amount]
    fund: Annotated[int, amount]
    until_height: Annotated[int, u64]

    def is_valid(self) -> bool:
        """Whether every field is within its bounds."""
        return self.per_batch + self.per_reading > 0 and self.per_day > 0 and self.fund > 0


_ID = Annotated[bytes, id32]
_AMOUNT = Annotated[int, amount]
_HEIGHT = Annotated[int, u64]
_EVENTS: dict[int, tuple[str, dict[str, Any]]] = {
    0: ("Transferred", {"sender": _ID, "to": _ID, "amount": _AMOUNT, "memo": Annotated[str, text]}),
    1: ("Burnt", {"account": _ID, "amount": _AMOUNT}),
    2: ("Minted", {"to": _ID, "amount": _AMOUNT}),
    3: ("AccountFrozen", {"account": _ID, "frozen": Annotated[bool, boolean]}),
    4: ("EscrowOpened", {"escrow": _ID, "payer": _ID, "payee": _ID, "amount": _AMOUNT, "until_height": _HEIGHT}),
    5: ("EscrowReleased", {"escrow": _ID, "payee": _ID, "amount": _AMOUNT}),
    6: ("EscrowRefunded", {"escrow": _ID, "payer": _ID, "amount": _AMOUNT}),
    7: ("Sponsored", {"entity": _ID, "sponsor": _ID, "until_height": _HEIGHT}),
    8: ("SponsorshipEnded", {"entity": _ID, "sponsor": _ID}),
    9: ("RewardOffered", {"reward": _ID, "stream": _ID, "payer": _ID}),
    10: ("RewardFunded", {"reward": _ID, "sender": _ID, "amount": _AMOUNT}),
    11: ("RewardPaid", {"reward": _ID, "to": _ID, "amount": _AMOUNT}),
    12: ("RewardEnded", {"reward": _ID, "payer": _ID, "amount": _AMOUNT}),
    13: ("Staked", {"peer": _ID, "organisation": _ID, "amount": _AMOUNT, "stake": _AMOUNT}),
    14: ("Unstaked", {"peer": _ID, "organisation": _ID, "amount": _AMOUNT, "free_epoch": _HEIGHT}),
    15: ("StakeCollected", {"peer": _ID, "organisation": _ID, "amount": _AMOUNT}),
    16: ("CandidateDropped", {"peer": _ID, "organisation": _ID, "silent_epochs": Annotated[int, u32]}),
    17: ("SeatsKept", {"candidates": Annotated[int, u16], "needed": Annotated[int, u16]}),
    18: ("StakeBurnt", {"peer": _ID, "organisation": _ID, "amount": _AMOUNT, "epoch": _HEIGHT}),
}
token_event = variants({number: make_dataclass(name, list(parts.items()), frozen=True) for number, (name, parts) in _EVENTS.items()})
"""What happened to tokens."""
