"""Readings: values, the form of a stream's values, payloads and what a transaction says of them.

A value is a Python `int` (the mantissa at the stream's scale), `bool`, `str` or `bytes`.
"""

from dataclasses import dataclass
from typing import Annotated, Any

from . import cbor
from .cbor import Reader, WireError
from .codec import Codec, bytes32, decode, i64, i128, numbered, optional, record, text, u8, u32, u64
from .digest import blake3
from .limits import BATCH_READINGS_MAX, NAME_BYTES_MAX, PAYLOAD_BYTES_MAX, SCALE_MAX, VALUE_BYTES_MAX
from .pack import Arrived, is_signed, signed_payload
from .text import printable, to_decimal

VALUE_KINDS = ("number", "boolean", "text", "bytes")
Value = int | bool | str | bytes


def kind_of(value: Value) -> str:
    """The kind of a value."""
    # A truth value is an integer to Python, so it is asked for first.
    kinds = ((bool, "boolean"), (int, "number"), (str, "text"), (bytes, "bytes"))
    return next(name for kind, name in kinds if isinstance(value, kind))


def measure(value: Value) -> int | None:
    """What enters minimum, maximum and sum: the mantissa, or 0 and 1 for a truth value."""
    return int(value) if isinstance(value, int) else None


def _write_value(value: Value) -> bytes:
    # A truth value is an integer to Python, so it is asked for first.
    if isinstance(value, bool):
        return cbor.boolean(value)
    if isinstance(value, int):
        return cbor.integer(value)
    return cbor.text(value) if isinstance(value, str) else cbor.byte_string(value)


def _read_value(reader: Reader) -> Value:
    kind = reader.peek()
    if kind == cbor.SIMPLE:
        return reader.boolean()
    if kind == cbor.TEXT:
        value = reader.text()
        reader.expect(len(value.encode()) <= VALUE_BYTES_MAX)
        return value
    if kind == cbor.BYTES:
        data = reader.byte_string()
        reader.expect(len(data) <= VALUE_BYTES_MAX)
        return data
    number: int = i64.read(reader)
    return number


reading_value = Codec(_write_value, _read_value)


@dataclass(frozen=True)
class StreamSchema:
    """The form of a stream's values, from a property of the Thing Description."""

    kind: Annotated[str, numbered(VALUE_KINDS)]
    scale: Annotated[int, u8]
    """Decimal places of a number."""
    quantum: Annotated[int, i64]
    """Every number is a multiple of this mantissa."""
    unit: Annotated[str, text]
    """Unit as the description states it; empty if it states none."""
    minimum: Annotated[int | None, optional(i64)]
    maximum: Annotated[int | None, optional(i64)]

    def is_valid(self) -> bool:
        """Whether the fields are within their bounds."""
        return self.scale <= SCALE_MAX and self.quantum >= 1 and len(self.unit.encode()) <= NAME_BYTES_MAX

    def admits(self, value: Value) -> bool:
        """Whether a value is of the kind and a multiple of the quantum. Minimum and maximum are not
        looked at: they may have changed since the value was taken."""
        if kind_of(value) != self.kind:
            return False
        return self.kind != "number" or int(value) % self.quantum == 0

    def words(self, value: Value) -> str:
        """A value as text with its unit: `21.50 celsius`."""
        if isinstance(value, bool):
            shown = "true" if value else "false"
        elif isinstance(value, int):
            shown = to_decimal(value, self.scale)
        elif isinstance(value, str):
            shown = f'"{printable(value)}"'
        else:
            shown = f"h'{value.hex()}'"
        return f"{shown} {printable(self.unit)}" if self.unit else shown


stream_schema = record(StreamSchema)


@dataclass(frozen=True)
class Reading:
    """One value with the two times known before agreement, milliseconds since 1970."""

    claimed_ms: int
    received_ms: int
    value: Value


def _write_payload(readings: list[Reading]) -> bytes:
    base = readings[0].claimed_ms if readings else 0
    rows = [
        cbor.array([cbor.integer(r.claimed_ms - base), cbor.integer(r.received_ms - r.claimed_ms), _write_value(r.value)])
        for r in readings
    ]
    return cbor.array([cbor.integer(base), cbor.array(rows)])


def _read_payload(reader: Reader) -> list[Reading]:
    reader.expect(reader.array() == 2)
    base = i64.read(reader)
    count = reader.array()
    reader.expect(1 <= count <= BATCH_READINGS_MAX)
    return [_read_reading(reader, base) for _ in range(count)]


def _read_reading(reader: Reader, base: int) -> Reading:
    reader.expect(reader.array() == 3)
    claimed = base + i64.read(reader)
    received = claimed + i64.read(reader)
    reader.expect(all(-(2**63) <= ms < 2**63 for ms in (claimed, received)))
    return Reading(claimed, received, _read_value(reader))


payload = Codec(_write_payload, _read_payload)


def readings_of(packs: list[Arrived]) -> list[Reading]:
    """The readings in packs, in sequence."""
    return [Reading(claimed, it.received_ms, value) for it in packs for claimed, value in it.times()]


@dataclass(frozen=True)
class BatchSummary:
    """What a batch says of its payload, as leaf and header share it."""

    first_seq: Annotated[int, u64]
    count: Annotated[int, u32]
    time_min: Annotated[int, i64]
    time_max: Annotated[int, i64]
    min: Annotated[int | None, optional(i64)]
    max: Annotated[int | None, optional(i64)]
    sum: Annotated[int, i128]
    payload_digest: Annotated[bytes, bytes32]
    payload_len: Annotated[int, u32]

    def is_valid(self) -> bool:
        """Whether the fields are within their bounds and agree with each other."""
        fits = 1 <= self.count <= BATCH_READINGS_MAX and 1 <= self.payload_len <= PAYLOAD_BYTES_MAX
        ascends = self.first_seq + self.count < 2**64 and self.time_min <= self.time_max
        return fits and ascends and is_sum_possible(self.min, self.max, self.sum, self.count)

    def open(self, data: bytes, schema: StreamSchema) -> list[Reading]:
        """Reads the payload, checking every statement of the batch and the kind and quantum of each
        value. Raises `WireError` saying what does not hold."""
        if len(data) != self.payload_len or blake3(data) != self.payload_digest:
            raise WireError("the payload is not the one the batch names")
        try:
            packs = decode(signed_payload, data, PAYLOAD_BYTES_MAX) if is_signed(data) else []
            readings: list[Reading] = readings_of(packs) if packs else decode(payload, data, PAYLOAD_BYTES_MAX)
        except WireError:
            raise WireError("the payload is not canonical") from None
        if packs and packs[0].pack.first_seq != self.first_seq:
            raise WireError("the batch header does not summarise its payload")
        if schema.kind == "number" and any(it.pack.scale != schema.scale for it in packs):
            raise WireError("a pack has another scale than the stream")
        if summary_of(readings, self.first_seq, data) != self.summary():
            raise WireError("the batch header does not summarise its payload")
        for index, reading in enumerate(readings):
            if not schema.admits(reading.value):
                raise WireError(f"reading {index} is not of the stream's type, range or quantum")
        return readings

    def summary(self) -> dict[str, Any]:
        """The fields that say something of the payload."""
        return {name: getattr(self, name) for name in BatchSummary.__dataclass_fields__}


@dataclass(frozen=True)
class _Streamed:
    stream: Annotated[bytes, bytes32]


@dataclass(frozen=True)
class BatchHeader(BatchSummary, _Streamed):
    """What a transaction says of a batch: `stream` first, then the summary."""


batch_header = record(BatchHeader)


def is_sum_possible(least: int | None, most: int | None, total: int, count: int) -> bool:
    """Whether a sum can be that of so many numbers between two."""
    if least is None or most is None:
        return least is None and most is None and total == 0
    return least <= most and least * count <= total <= most * count


def summary_of(readings: list[Reading], first_seq: int, data: bytes) -> dict[str, Any]:
    """What a batch that begins with a number says of readings whose payload is `data`."""
    times = [reading.claimed_ms for reading in readings]
    measures = [number for reading in readings if (number := measure(reading.value)) is not None]
    return {
        "first_seq": first_seq,
        "count": len(readings),
        "time_min": min(times, default=0),
        "time_max": max(times, default=0),
        "min": min(measures, default=None),
        "max": max(measures, default=None),
        "sum": sum(measures),
        "payload_digest": blake3(data),
        "payload_len": len(data),
    }


def announce(stream: bytes, first_seq: int, readings: list[Reading]) -> tuple[BatchHeader, bytes]:
    """The header that announces readings as those from a number on of a stream, and their payload."""
    data = payload.write(readings)
    return BatchHeader(stream=stream, **summary_of(readings, first_seq, data)), data
