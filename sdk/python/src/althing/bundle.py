"""The proof bundle: one claim with everything that shows it."""

from dataclasses import dataclass
from typing import Annotated, Any, Generic, TypeVar

from .block import Finalized, ValidatorSet, finalized, validator_set
from .codec import Codec, byte_string, bytes32, checked, i64, list_of, optional, record, u8, u32, u64, variants
from .digest import hash
from .entity import id32
from .limits import KEY_BYTES_MAX, PAYLOAD_BYTES_MAX, STATED_HEIGHTS_MAX, STATE_VALUE_BYTES_MAX, TRANSACTION_BYTES_MAX
from .reading import Value, reading_value
from .receipt import Receipt, receipt
from .state import (
    BindingRecord,
    EntityRecord,
    KeyRecord,
    StatePath,
    ThingRecord,
    binding_record,
    entity_record,
    key_record,
    state_path,
    thing_record,
)
from .tree import Leaf, LeafPath, Part, StreamHead, leaf, leaf_path, opening, stream_head

T = TypeVar("T")


@dataclass(frozen=True)
class Stated(Generic[T]):
    """A record of the state with the path of its key."""

    record: T
    path: StatePath
    codec: Codec


def _stated(codec: Codec) -> Codec:
    @dataclass(frozen=True)
    class Pair:
        record: Annotated[Any, codec]
        path: Annotated[StatePath, state_path]

    pair = record(Pair)

    def read(reader: Any) -> Stated[Any]:
        value = pair.read(reader)
        return Stated(value.record, value.path, codec)

    return Codec(lambda value: pair.write(Pair(value.record, value.path)), read)


def _up_to(bytes_max: int, what: str) -> Codec:
    return checked(byte_string, what, lambda value: len(value) <= bytes_max)


@dataclass(frozen=True)
class StreamProof:
    """A stream and the thing it belongs to."""

    thing: Annotated[Stated[ThingRecord], _stated(thing_record)]
    head: Annotated[Stated[StreamHead], _stated(stream_head)]


_stream_proof = record(StreamProof)


@dataclass(frozen=True)
class ReadingClaim:
    """What is claimed."""

    seq: Annotated[int, u64]
    claimed_ms: Annotated[int, i64]
    received_ms: Annotated[int, i64]
    value: Annotated[Value, reading_value]


@dataclass(frozen=True)
class BindingProof:
    """What the state says about the binding of a gateway to a thing."""

    record: Annotated[BindingRecord | None, optional(binding_record)]
    path: Annotated[StatePath, state_path]


@dataclass(frozen=True)
class EarlierKey:
    """A key that an entity had."""

    version: Annotated[int, u32]
    key: Annotated[Stated[KeyRecord], _stated(key_record)]


@dataclass(frozen=True)
class SubmitterProof:
    """Who submitted a batch, and by what right."""

    entity: Annotated[Stated[EntityRecord], _stated(entity_record)]
    binding: Annotated[BindingProof | None, optional(record(BindingProof))]
    transaction: Annotated[bytes | None, optional(_up_to(TRANSACTION_BYTES_MAX, "transaction"))]
    earlier_key: Annotated[EarlierKey | None, optional(record(EarlierKey))]


@dataclass(frozen=True)
class DeviceProof:
    """The device that signed the packs of a payload."""

    entity: Annotated[Stated[EntityRecord], _stated(entity_record)]
    earlier_key: Annotated[EarlierKey | None, optional(record(EarlierKey))]


@dataclass(frozen=True)
class ReadingProof:
    """Shows that a thing reported a value."""

    reading: Annotated[ReadingClaim, record(ReadingClaim)]
    stream: Annotated[StreamProof, _stream_proof]
    leaf: Annotated[Leaf, leaf]
    path: Annotated[LeafPath, leaf_path]
    payload: Annotated[bytes, _up_to(PAYLOAD_BYTES_MAX, "payload")]
    submitter: Annotated[SubmitterProof, record(SubmitterProof)]
    device: Annotated[DeviceProof | None, optional(record(DeviceProof))]
    """The device that signed the packs of the payload, if it has that form."""


@dataclass(frozen=True)
class SeqInterval:
    """An interval by sequence number, both ends included."""

    first: Annotated[int, u64]
    last: Annotated[int, u64]


@dataclass(frozen=True)
class TimeInterval:
    """An interval by claimed time, milliseconds since 1970, both ends included."""

    first: Annotated[int, i64]
    last: Annotated[int, i64]


Interval = SeqInterval | TimeInterval
_interval = checked(variants({0: SeqInterval, 1: TimeInterval}, flat=True), "interval", lambda value: value.first <= value.last)


@dataclass(frozen=True)
class AnswerProof:
    """What both kinds of answers about an interval bring."""

    interval: Annotated[Interval, _interval]
    stream: Annotated[StreamProof, _stream_proof]
    opening: Annotated[list[Part], opening]


@dataclass(frozen=True)
class StateProof:
    """Shows what the state holds at a key."""

    key: Annotated[bytes, _up_to(KEY_BYTES_MAX, "key")]
    value: Annotated[bytes | None, optional(_up_to(STATE_VALUE_BYTES_MAX, "value"))]
    path: Annotated[StatePath, state_path]


@dataclass(frozen=True)
class ReceiptProof:
    """Shows the receipt of a transaction or of the run of a trigger."""

    receipt: Annotated[Receipt, receipt]
    path: Annotated[list[bytes], list_of(bytes32)]
    roots: Annotated[list[bytes], list_of(bytes32, STATED_HEIGHTS_MAX)]
    later: Annotated[Finalized, finalized]
    receipts: Annotated[int | None, optional(u32)]
    """How many receipts the block has, if triggers ran in it; as many as transactions if absent."""


@dataclass(frozen=True)
class TransactionProof:
    """Shows that a transaction is in the bundle's block, and what became of it."""

    transaction: Annotated[bytes, _up_to(TRANSACTION_BYTES_MAX, "transaction")]
    index: Annotated[int, u32]
    path: Annotated[list[bytes], list_of(bytes32)]
    receipt: Annotated[ReceiptProof | None, optional(record(ReceiptProof))]


@dataclass(frozen=True)
class RunProof:
    """Shows that a trigger ran in the bundle's block, and what became of it."""

    trigger: Annotated[bytes, bytes32]
    index: Annotated[int, u32]
    """Position of its receipt among those of the block; those of the transactions come first."""
    receipt: Annotated[ReceiptProof, record(ReceiptProof)]


@dataclass(frozen=True)
class ClaimReading:
    """A thing reported a value."""

    proof: Annotated[ReadingProof, record(ReadingProof)]


@dataclass(frozen=True)
class ClaimRange:
    """These are all readings of an interval."""

    proof: Annotated[AnswerProof, record(AnswerProof)]


@dataclass(frozen=True)
class ClaimAggregate:
    """The readings of an interval amount to this."""

    proof: Annotated[AnswerProof, record(AnswerProof)]


@dataclass(frozen=True)
class ClaimState:
    """The state holds this value at a key, or none."""

    proof: Annotated[StateProof, record(StateProof)]


@dataclass(frozen=True)
class ClaimTransaction:
    """A transaction is in a block, and this became of it."""

    proof: Annotated[TransactionProof, record(TransactionProof)]


@dataclass(frozen=True)
class ClaimRun:
    """A trigger ran in a block, and this became of it."""

    proof: Annotated[RunProof, record(RunProof)]


Claim = ClaimReading | ClaimRange | ClaimAggregate | ClaimState | ClaimTransaction | ClaimRun
_claim = variants(
    {0: ClaimReading, 1: ClaimRange, 2: ClaimAggregate, 3: ClaimState, 4: ClaimTransaction, 5: ClaimRun}, flat=True
)


@dataclass(frozen=True)
class EpochLink:
    """The step from one epoch to the next: its last block, and the validators that follow."""

    last: Annotated[Finalized, finalized]
    next: Annotated[ValidatorSet, validator_set]


@dataclass(frozen=True)
class Bundle:
    """A claim and what shows it."""

    version: Annotated[int, u8]
    ledger: Annotated[bytes, id32]
    links: Annotated[list[EpochLink], list_of(record(EpochLink))]
    block: Annotated[Finalized, finalized]
    claim: Annotated[Claim, _claim]

    @property
    def seal(self) -> bytes:
        """The digest at the end of a bundle file."""
        return hash("althing/bundle/1", _bundle.write(self))


_bundle = checked(record(Bundle), "version", lambda value: value.version == 1)


@dataclass(frozen=True)
class SealedBundle:
    """A bundle and its seal, as a file holds them."""

    bundle: Annotated[Bundle, _bundle]
    seal: Annotated[bytes, bytes32]


sealed_bundle = record(SealedBundle)
