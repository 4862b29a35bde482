"""The steps of a verification, and what a bundle has shown. Ids of entities and things are DIDs, other ids hex."""

from dataclasses import dataclass, field

from .bundle import Interval
from .opening import contains
from .reading import BatchSummary, Reading, StreamSchema, Value
from .receipt import Receipt
from .secrecy import StreamKey, sealed_of

STEPS = {
    "form": "The bytes are a bundle in canonical form.",
    "ledger": "The bundle is about the ledger of the genesis.",
    "membership": "The validators follow from the genesis.",
    "certificate": "A quorum of them made the block final.",
    "thing": "The thing is in the state that the block commits to.",
    "stream": "The stream is in that state and belongs to the thing.",
    "batch": "The batch is in the stream's tree.",
    "payload": "The payload is the batch's.",
    "reading": "The reading is in the payload.",
    "submitter": "The submitter is an entity of the ledger.",
    "delegation": "It was allowed to submit for the thing.",
    "signature": "Its signature covers the batch.",
    "device": "The signature of the thing's device covers the reading.",
    "range": "The readings of the interval are complete.",
    "aggregate": "The aggregate over the interval is complete.",
    "state": "The state holds the value, or nothing, at the key.",
    "transaction": "The transaction is in the block.",
    "receipt": "The receipt is that of the transaction or of the run.",
    "seal": "The bundle is as it was made.",
}
"""What each step shows, in the order of the checks. Codes never change their meaning."""


@dataclass(frozen=True)
class Done:
    """A step that holds, in words."""

    step: str
    text: str


class Failure(Exception):
    """The first step that does not hold: do not rely on anything in the bundle."""

    def __init__(self, step: str, why: str, done: list[Done]) -> None:
        super().__init__(f"the proof fails at step `{step}`: {why}; do not rely on it")
        self.step = step
        """Which."""
        self.why = why
        """Why, in words."""
        self.done = done
        """The steps before it, which hold."""


@dataclass(frozen=True)
class VotingPeer:
    """A validator that signed."""

    key: str
    peer: str
    organisation: str
    name: str | None
    """Its name, if the genesis names it."""


@dataclass(frozen=True)
class CertifiedBlock:
    """A final block."""

    height: int
    time_ms: int
    epoch: int
    state_height: int
    """Height of the executed block whose state it commits to."""
    signed: list[VotingPeer]
    """The validators that signed it, or a descendant that makes it final."""
    validators: int
    """How many validators the epoch has."""


@dataclass(frozen=True)
class VerifiedStream:
    """A stream and the thing it belongs to."""

    id: str
    thing: str
    name: str
    owner: str
    property: str
    schema: StreamSchema
    count: int
    """How many readings the whole stream has."""


@dataclass(frozen=True)
class Attestation:
    """Whose word a reading is."""

    is_by_device: bool
    """Whether it is the device's own, which no gateway could have forged."""
    entity: str
    kind: str
    name: str


@dataclass(frozen=True)
class Delegation:
    """By what right a batch was submitted: `owner`, `bound` from and until heights, or `former`, a binding
    that the state no longer has and the quorum that took the batch checked."""

    kind: str
    from_height: int | None = None
    until_height: int | None = None


@dataclass(frozen=True)
class VerifiedReading:
    """A thing reported a value."""

    stream: VerifiedStream
    seq: int
    value: Value
    value_text: str
    """The value as text with its unit: `21.50 celsius`."""
    claimed_ms: int
    received_ms: int
    ledger_time_ms: int
    height: int
    transaction: str
    attestation: Attestation
    delegation: Delegation
    signed_under_key_version: int | None
    """`None` if the transaction is not in the bundle: the quorum that took the batch vouches for it."""


@dataclass(frozen=True)
class VerifiedRange:
    """These are all readings of the interval: compare it with the one you asked for."""

    stream: VerifiedStream
    interval: Interval
    readings: list[tuple[int, Reading]]
    """With their sequence numbers, ascending."""
    withheld: list[tuple[int, int]]
    """First number and count of batches whose payloads are left out."""
    sealed: list[tuple[BatchSummary, bytes]]
    """Batches of a confidential stream with their payloads, encrypted: see `open`."""

    def open(self, key: StreamKey) -> list[tuple[int, Reading]]:
        """The readings with those of the sealed batches that a key opens, ascending. Batches under other keys stay
        closed; raises `WireError` if one bears the key's number and does not open."""
        stream = bytes.fromhex(self.stream.id)
        opened: list[tuple[int, Reading]] = []
        for batch, data in self.sealed:
            if sealed_of(batch, data).key_number == key.number:
                opened += enumerate(key.open(stream, batch, data)[1], batch.first_seq)
        asked = [(seq, reading) for seq, reading in opened if contains(self.interval, seq, reading.claimed_ms)]
        return sorted(self.readings + asked, key=lambda each: each[0])


@dataclass(frozen=True)
class VerifiedAggregate:
    """The readings of the interval amount to this: compare it with the one you asked for."""

    stream: VerifiedStream
    interval: Interval
    count: int
    min: int | None
    max: int | None
    sum: int


@dataclass(frozen=True)
class VerifiedState:
    """The state holds this value, or none, at the key: compare it with the one you asked for."""

    key: bytes
    value: bytes | None


@dataclass(frozen=True)
class VerifiedTransaction:
    """A transaction is in a block, and this became of it."""

    id: str
    sender: str
    actions: list[str]
    index: int
    receipt: Receipt | None


@dataclass(frozen=True)
class VerifiedRun:
    """A trigger ran in a block, and this became of it."""

    trigger: str
    height: int
    receipt: Receipt


VerifiedClaim = VerifiedReading | VerifiedRange | VerifiedAggregate | VerifiedState | VerifiedTransaction | VerifiedRun


@dataclass(frozen=True)
class Verified:
    """A claim that holds, and every step that shows it."""

    ledger: str
    network: str
    block: CertifiedBlock
    claim: VerifiedClaim
    steps: list[Done] = field(default_factory=list)
