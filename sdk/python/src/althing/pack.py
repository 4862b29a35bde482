"""Packs: readings with the signature of the device that made them, COSE_Sign1 over SenML in CBOR."""

from dataclasses import dataclass

from . import cbor
from .cbor import Reader, WireError
from .codec import Codec, bytes32, i64, u64
from .crypto import COSE_ALGORITHM, signature
from .digest import sha256
from .limits import BATCH_READINGS_MAX, NAME_BYTES_MAX, PACK_BYTES_MAX, PACK_READINGS_MAX, SCALE_MAX, VALUE_BYTES_MAX
import itertools

_FIRST_SEQ, _PREVIOUS = -65537, -65538
_MILLI_PLACES = 3
_DECIMAL_FRACTION = 4
PackValue = int | bool | str | bytes


@dataclass(frozen=True)
class Pack:
    """What a device signed: readings of one stream under numbers of its own."""

    wire: bytes
    signer: bytes
    suite: str
    first_seq: int
    previous: bytes | None
    """SHA-256 of the pack before this one."""
    name: str
    base_ms: int | None
    """Time from which those of the readings count; `None` for a device without a clock."""
    scale: int
    readings: list[tuple[int, PackValue]]
    """Milliseconds after the base, and the value."""
    signature: bytes

    @property
    def end_seq(self) -> int:
        """The number after the last reading."""
        return self.first_seq + len(self.readings)

    def signed_bytes(self, ledger: bytes, stream: bytes) -> bytes:
        """What the device signed: the COSE `Sig_structure` (RFC 9052, 4.4)."""
        parts = [_protected(self), b"althing/pack/1" + ledger + stream, _senml(self)]
        return cbor.array([cbor.text("Signature1"), *(cbor.byte_string(part) for part in parts)])

    def follows(self, before: "Pack") -> bool:
        """Whether it may come after another in one batch."""
        is_next = self.signer == before.signer and self.first_seq == before.end_seq
        return is_next and self.previous == sha256(before.wire)


def decode_pack(wire: bytes) -> Pack:
    """Reads the bytes of a pack. Checks form and bounds, not the signature. Raises `WireError`."""
    if len(wire) > PACK_BYTES_MAX:
        raise WireError(f"{len(wire)} bytes, but at most {PACK_BYTES_MAX} are allowed")
    reader = Reader(wire)
    reader.expect(reader.array() == 4)
    header = _read_protected(Reader(reader.byte_string()))
    reader.expect(reader.map() == 0)
    senml = _read_senml(Reader(reader.byte_string()))
    pack = Pack(wire, *header, *senml, signature.read(reader))
    _check(pack)
    again = [cbor.byte_string(_protected(pack)), cbor.map_head(0), cbor.byte_string(_senml(pack)), cbor.byte_string(pack.signature)]
    if cbor.array(again) != wire:
        raise WireError("not the canonical encoding")
    return pack


def _check(pack: Pack) -> None:
    has_number = any(_is_number(value) for _, value in pack.readings)
    holds = 1 <= len(pack.name.encode()) <= NAME_BYTES_MAX and len(pack.readings) >= 1 and pack.end_seq < 2**64
    if not holds or pack.scale > SCALE_MAX or (not has_number and pack.scale != 0):
        raise WireError("a field of the pack is out of bounds")


def _is_number(value: PackValue) -> bool:
    # A truth value is an integer to Python.
    return isinstance(value, int) and not isinstance(value, bool)


def _protected(pack: Pack) -> bytes:
    items = [cbor.integer(1), cbor.integer(COSE_ALGORITHM[pack.suite]), cbor.integer(4), cbor.byte_string(pack.signer)]
    items += [cbor.integer(_FIRST_SEQ), cbor.integer(pack.first_seq)]
    if pack.previous is not None:
        items += [cbor.integer(_PREVIOUS), cbor.byte_string(pack.previous)]
    return cbor.map_head(len(items) // 2) + b"".join(items)


def _read_protected(reader: Reader) -> tuple[bytes, str, int, bytes | None]:
    fields = reader.map()
    reader.expect(reader.integer() == 1)
    algorithm = reader.integer()
    suite = next((name for name, number in COSE_ALGORITHM.items() if number == algorithm), None)
    if suite is None:
        raise reader.malformed()
    reader.expect(reader.integer() == 4)
    signer = bytes32.read(reader)
    reader.expect(reader.integer() == _FIRST_SEQ)
    first_seq = u64.read(reader)
    reader.expect(fields in (3, 4))
    reader.expect(fields == 3 or reader.integer() == _PREVIOUS)
    return signer, suite, first_seq, bytes32.read(reader) if fields == 4 else None


def _senml(pack: Pack) -> bytes:
    records = []
    for index, (after_ms, value) in enumerate(pack.readings):
        # Keys ascend: the value's is below that of the time, but for bytes.
        items = [_value(value, pack.scale)]
        if after_ms != 0:
            time = cbor.integer(6) + _decimal(_MILLI_PLACES, after_ms)
            items = [time, *items] if isinstance(value, bytes) else [*items, time]
        if index == 0:
            items.append(cbor.integer(-2) + cbor.text(pack.name))
            if pack.base_ms is not None:
                items.append(cbor.integer(-3) + _decimal(_MILLI_PLACES, pack.base_ms))
        records.append(cbor.map_head(len(items)) + b"".join(items))
    return cbor.array(records)


def _value(value: PackValue, scale: int) -> bytes:
    if isinstance(value, bool):
        return cbor.integer(4) + cbor.boolean(value)
    if isinstance(value, int):
        return cbor.integer(2) + _decimal(scale, value)
    if isinstance(value, str):
        return cbor.integer(3) + cbor.text(value)
    return cbor.integer(8) + cbor.byte_string(value)


def _decimal(scale: int, mantissa: int) -> bytes:
    number = cbor.integer(mantissa)
    return cbor.tag_head(_DECIMAL_FRACTION) + cbor.array([cbor.integer(-scale), number]) if scale else number


def _read_senml(reader: Reader) -> tuple[str, int | None, int, list[tuple[int, PackValue]]]:
    count = reader.array()
    reader.expect(count <= PACK_READINGS_MAX)
    name, base_ms, scale = "", None, None
    readings: list[tuple[int, PackValue]] = []
    for _ in range(count):
        fields = reader.map()
        reader.expect(fields <= 4)
        after_ms = 0
        value: PackValue | None = None
        for _ in range(fields):
            label = reader.integer()
            if label == 2:
                own, value = _read_decimal(reader)
                scale = own if scale is None else scale
                reader.expect(own == scale)
            elif label == 3:
                value = _short_text(reader)
            elif label == 4:
                value = reader.boolean()
            elif label == 8:
                value = reader.byte_string()
                reader.expect(len(value) <= VALUE_BYTES_MAX)
            elif label == 6:
                after_ms = _milliseconds(reader)
            elif label == -2:
                name = _short_text(reader)
            elif label == -3:
                base_ms = _milliseconds(reader)
            else:
                raise reader.malformed()
        if value is None:
            raise reader.malformed()
        readings.append((after_ms, value))
    return name, base_ms, scale or 0, readings


def _short_text(reader: Reader) -> str:
    value = reader.text()
    reader.expect(len(value.encode()) <= VALUE_BYTES_MAX)
    return value


def _milliseconds(reader: Reader) -> int:
    scale, mantissa = _read_decimal(reader)
    reader.expect(scale == _MILLI_PLACES)
    return mantissa


def _read_decimal(reader: Reader) -> tuple[int, int]:
    if reader.peek() != cbor.TAG:
        return 0, i64.read(reader)
    reader.expect(reader.tag() == _DECIMAL_FRACTION and reader.array() == 2)
    scale = -reader.integer()
    reader.expect(0 <= scale <= SCALE_MAX)
    return scale, i64.read(reader)


@dataclass(frozen=True)
class Arrived:
    """A pack as it reached a gateway."""

    received_ms: int
    pack: Pack

    def times(self) -> list[tuple[int, PackValue]]:
        """The claimed time and value of each reading. Raises `WireError` if a time overflows."""
        base = self.received_ms if self.pack.base_ms is None else self.pack.base_ms
        times = [(base + after_ms, value) for after_ms, value in self.pack.readings]
        if not all(-(2**63) <= ms < 2**63 for ms, _ in times):
            raise WireError("a time is out of bounds")
        return times


def _write_signed(packs: list[Arrived]) -> bytes:
    rows = [cbor.array([cbor.integer(it.received_ms), cbor.byte_string(it.pack.wire)]) for it in packs]
    return cbor.array([cbor.array(rows)])


def _read_signed(reader: Reader) -> list[Arrived]:
    reader.expect(reader.array() == 1)
    count = reader.array()
    reader.expect(1 <= count <= BATCH_READINGS_MAX)
    packs = []
    for _ in range(count):
        reader.expect(reader.array() == 2)
        received_ms = i64.read(reader)
        packs.append(Arrived(received_ms, decode_pack(reader.byte_string())))
    is_chain = all(after.pack.follows(before.pack) for before, after in itertools.pairwise(packs))
    if not is_chain or sum(len(it.times()) for it in packs) > BATCH_READINGS_MAX:
        raise WireError("the chain of packs is out of bounds")
    return packs


signed_payload = Codec(_write_signed, _read_signed)
"""The readings of one batch in the packs that their device signed: `[[[received, pack], ...]]`."""


def is_signed(data: bytes) -> bool:
    """Whether a payload has the form of packs rather than that of plain readings."""
    return data[:1] == b"\x81"
