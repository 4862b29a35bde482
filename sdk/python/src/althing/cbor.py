"""Canonical CBOR (RFC 8949, 4.2): shortest heads, definite lengths, no floats.

Whatever would be written differently is refused when it is read.
"""

UNSIGNED, NEGATIVE, BYTES, TEXT, ARRAY, MAP, TAG, SIMPLE = 0, 1, 2, 3, 4, 5, 6, 7
_FALSE, _TRUE, _NULL = 0xF4, 0xF5, 0xF6


class WireError(ValueError):
    """Bytes that are not the canonical encoding of what they should be."""


def head(major: int, argument: int) -> bytes:
    """The head of an item: its major type and argument in the shortest form."""
    high = major << 5
    if argument < 24:
        return bytes([high | argument])
    for info, width in ((24, 1), (25, 2), (26, 4), (27, 8)):
        if argument < 1 << (8 * width):
            return bytes([high | info]) + argument.to_bytes(width, "big")
    raise WireError("a CBOR integer has at most 64 bits")


def integer(value: int) -> bytes:
    """An integer from -2^64 to 2^64 - 1."""
    return head(UNSIGNED, value) if value >= 0 else head(NEGATIVE, -1 - value)


def byte_string(value: bytes) -> bytes:
    """A byte string."""
    return head(BYTES, len(value)) + value


def text(value: str) -> bytes:
    """A text."""
    utf8 = value.encode()
    return head(TEXT, len(utf8)) + utf8


def boolean(value: bool) -> bytes:
    """A truth value."""
    return bytes([_TRUE if value else _FALSE])


def array(items: list[bytes]) -> bytes:
    """An array of items that are encoded already."""
    return head(ARRAY, len(items)) + b"".join(items)


def map_head(entries: int) -> bytes:
    """The head of a map; its keys and values follow in turn."""
    return head(MAP, entries)


def tag_head(number: int) -> bytes:
    """A tag; what it stands before follows."""
    return head(TAG, number)


NULL = bytes([_NULL])
"""Nothing."""


class Reader:
    """Reads items one after the other from bytes that anybody may have made."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self.position = 0

    @property
    def is_at_end(self) -> bool:
        """Whether all was read."""
        return self.position == len(self._data)

    def peek(self) -> int | None:
        """Major type of the next item, which is not read; `None` at the end."""
        return None if self.is_at_end else self._data[self.position] >> 5

    def skip_null(self) -> bool:
        """Whether the next item is null, which is read if so."""
        is_null = not self.is_at_end and self._data[self.position] == _NULL
        self.position += is_null
        return is_null

    def integer(self) -> int:
        """An integer."""
        if self.peek() == NEGATIVE:
            return -1 - self._head(NEGATIVE)
        return self._head(UNSIGNED)

    def byte_string(self) -> bytes:
        """A byte string."""
        return self._take(self._head(BYTES))

    def text(self) -> str:
        """A text of valid UTF-8."""
        utf8 = self._take(self._head(TEXT))
        try:
            return utf8.decode()
        except UnicodeDecodeError:
            raise self.malformed() from None

    def array(self) -> int:
        """The number of items of an array."""
        return self._head(ARRAY)

    def map(self) -> int:
        """The number of entries of a map."""
        return self._head(MAP)

    def tag(self) -> int:
        """The number of a tag; what it stands before follows."""
        return self._head(TAG)

    def boolean(self) -> bool:
        """A truth value."""
        value = None if self.is_at_end else self._data[self.position]
        if value not in (_FALSE, _TRUE):
            raise self.malformed()
        self.position += 1
        return value == _TRUE

    def malformed(self) -> WireError:
        """What is wrong with the input where it stands."""
        return WireError(f"malformed at byte {self.position}")

    def expect(self, holds: bool) -> None:
        """Refuses the input where it stands unless a statement holds."""
        if not holds:
            raise self.malformed()

    def _take(self, length: int) -> bytes:
        # Compared first: a length of 2^60 must not be believed.
        self.expect(length <= len(self._data) - self.position)
        self.position += length
        return self._data[self.position - length : self.position]

    def _head(self, major: int) -> int:
        self.expect(self.peek() == major)
        info = self._data[self.position] & 0x1F
        self.expect(info <= 27)
        self.position += 1
        if info < 24:
            return info
        width = 1 << (info - 24)
        argument = int.from_bytes(self._take(width), "big")
        # The shortest form only: a width less would not have held it.
        self.expect(argument >= (24 if width == 1 else 1 << (4 * width)))
        return argument
