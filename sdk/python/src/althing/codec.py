"""Wire forms as tables: a form is a dataclass whose fields are annotated with their codecs.

Reading and writing follow from the annotations, so a form is described once.
"""

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Annotated, Any, get_args, get_origin, get_type_hints

from . import cbor
from .cbor import Reader, WireError


@dataclass(frozen=True)
class Codec:
    """How values of a form are read and written."""

    write: Callable[[Any], bytes]
    read: Callable[[Reader], Any]
    is_optional: bool = False
    """Whether an absent value at the end of a record is left out."""


def decode(codec: Codec, data: bytes, bytes_max: int) -> Any:
    """Reads canonical bytes of a bounded length.

    What was read is written again and compared, so that no second encoding, no trailing byte and no
    ignored field can pass. Raises `WireError`.
    """
    if len(data) > bytes_max:
        raise WireError(f"{len(data)} bytes, but at most {bytes_max} are allowed")
    reader = Reader(data)
    value = codec.read(reader)
    if not reader.is_at_end or codec.write(value) != data:
        raise WireError("not the canonical encoding")
    return value


def _integer(low: int, high: int) -> Codec:
    def read(reader: Reader) -> int:
        value = reader.integer()
        reader.expect(low <= value <= high)
        return value

    return Codec(cbor.integer, read)


u8 = _integer(0, 2**8 - 1)
u16 = _integer(0, 2**16 - 1)
u32 = _integer(0, 2**32 - 1)
u64 = _integer(0, 2**64 - 1)
i64 = _integer(-(2**63), 2**63 - 1)
text = Codec(cbor.text, Reader.text)
byte_string = Codec(cbor.byte_string, Reader.byte_string)


def fixed(length: int) -> Codec:
    """A byte string of one length."""

    def write(value: bytes) -> bytes:
        if len(value) != length:
            raise WireError(f"{len(value)} bytes where there must be {length}")
        return cbor.byte_string(value)

    def read(reader: Reader) -> bytes:
        value = reader.byte_string()
        reader.expect(len(value) == length)
        return value

    return Codec(write, read)


bytes32 = fixed(32)
_sixteen = fixed(16)
i128 = Codec(
    lambda value: cbor.byte_string(value.to_bytes(16, "big", signed=True)),
    lambda reader: int.from_bytes(_sixteen.read(reader), "big", signed=True),
)
"""Signed integer of 128 bits: a byte string of 16, two's complement, most significant first."""


def list_of(item: Codec, count_max: int = 2**63) -> Codec:
    """At most so many values."""

    def read(reader: Reader) -> list[Any]:
        count = reader.array()
        reader.expect(count <= count_max)
        # Not made beforehand: a count is believed item by item.
        values: list[Any] = []
        while len(values) < count:
            values.append(item.read(reader))
        return values

    return Codec(lambda values: cbor.array([item.write(value) for value in values]), read)


def optional(codec: Codec) -> Codec:
    """A value that may be absent: null, or left out at the end of a record."""
    return Codec(
        lambda value: cbor.NULL if value is None else codec.write(value),
        lambda reader: None if reader.skip_null() else codec.read(reader),
        is_optional=True,
    )


def checked(codec: Codec, what: str, holds: Callable[[Any], bool]) -> Codec:
    """A codec whose values must also hold a statement; `what` names what does not."""

    def read(reader: Reader) -> Any:
        value = codec.read(reader)
        if not holds(value):
            raise WireError(f"{what} is out of bounds")
        return value

    return Codec(codec.write, read, codec.is_optional)


def numbered(names: tuple[str, ...], first: int = 0) -> Codec:
    """An enumeration without content: its number stands for a name."""

    def read(reader: Reader) -> str:
        number = reader.integer() - first
        reader.expect(0 <= number < len(names))
        return names[number]

    return Codec(lambda name: cbor.integer(first + names.index(name)), read)


def numbered_as(numbers: dict[str, int]) -> Codec:
    """An enumeration without content whose numbers have gaps; the table may still grow."""

    def read(reader: Reader) -> str:
        number = reader.integer()
        name = next((name for name, each in numbers.items() if each == number), None)
        if name is None:
            raise reader.malformed()
        return name

    return Codec(lambda name: cbor.integer(numbers[name]), read)


boolean = Codec(cbor.boolean, Reader.boolean)


def record(form: type) -> Codec:
    """An array of the fields of a dataclass in order; absent fields at the end are left out."""
    items, build = _fields_of(form)

    def read(reader: Reader) -> Any:
        return build(reader, reader.array())

    return Codec(lambda value: cbor.array(items(value)), read)


def variants(cases: dict[int, type], *, flat: bool = False) -> Codec:
    """An enumeration with content: `[number, [fields]]`, or `[number, fields...]` if flat."""
    by_number = {number: _fields_of(form) for number, form in cases.items()}
    numbers = {form: number for number, form in cases.items()}

    def write(value: Any) -> bytes:
        number = numbers[type(value)]
        items = by_number[number][0](value)
        return cbor.array([cbor.integer(number), *(items if flat else [cbor.array(items)])])

    def read(reader: Reader) -> Any:
        count = reader.array()
        reader.expect(count >= 1 if flat else count == 2)
        case = by_number.get(reader.integer())
        if case is None:
            raise reader.malformed()
        return case[1](reader, count - 1 if flat else reader.array())

    return Codec(write, read)


def _fields_of(form: type) -> tuple[Callable[[Any], list[bytes]], Callable[[Reader, int], Any]]:
    hints = get_type_hints(form, include_extras=True)
    entries = [(field.name, _codec_of(hints[field.name])) for field in fields(form)]

    def items(value: Any) -> list[bytes]:
        values = [(getattr(value, name), codec) for name, codec in entries]
        while values and values[-1][1].is_optional and values[-1][0] is None:
            values.pop()
        return [codec.write(each) for each, codec in values]

    def build(reader: Reader, count: int) -> Any:
        reader.expect(count <= len(entries))
        present = [codec.read(reader) for _, codec in entries[:count]]
        reader.expect(all(codec.is_optional for _, codec in entries[count:]))
        return form(*present, *[None] * (len(entries) - count))

    return items, build


def _codec_of(hint: Any) -> Codec:
    if get_origin(hint) is Annotated:
        return next(each for each in get_args(hint) if isinstance(each, Codec))
    raise TypeError(f"{hint} names no codec")
