"""The state: records at raw keys, and the path of a key through the trie that commits to them."""

from dataclasses import dataclass
from typing import Annotated

from . import cbor
from .cbor import Reader
from .codec import Codec, bytes32, checked, numbered, optional, record, text, u32, u64
from .digest import sha256
from .entity import Inception, id32, inception, is_short, valid_key
from .crypto import PublicKey
from .limits import DEPTH_MAX


@dataclass(frozen=True)
class EntityRecord:
    """What the ledger knows of an entity."""

    inception: Annotated[Inception, inception]
    owner: Annotated[bytes | None, optional(id32)]
    key: Annotated[PublicKey, valid_key]
    key_version: Annotated[int, u32]
    key_since_height: Annotated[int, u64]
    registered_height: Annotated[int, u64]
    revoked: Annotated[int | None, optional(u64)]


@dataclass(frozen=True)
class KeyRecord:
    """A key that an entity had and replaced."""

    key: Annotated[PublicKey, valid_key]
    since_height: Annotated[int, u64]
    until_height: Annotated[int, u64]


@dataclass(frozen=True)
class ThingRecord:
    """What the ledger knows of a thing."""

    owner: Annotated[bytes, id32]
    name: Annotated[str, text]
    version: Annotated[int, u32]
    description_digest: Annotated[bytes, bytes32]
    registered_height: Annotated[int, u64]
    updated_height: Annotated[int, u64]
    retired: Annotated[int | None, optional(u64)]
    device: Annotated[bytes | None, optional(id32)]
    device_height: Annotated[int | None, optional(u64)]
    """Height at which `device` changed last, if it did."""
    signing: Annotated[str | None, optional(numbered(("device",)))]
    """Whose signature readings need; `None` if the word of whoever submits is enough."""


@dataclass(frozen=True)
class BindingRecord:
    """Leave for a gateway or device to submit for a thing."""

    until_height: Annotated[int, u64]
    bound_height: Annotated[int, u64]


entity_record = record(EntityRecord)
key_record = checked(record(KeyRecord), "until_height", lambda value: value.since_height <= value.until_height)
thing_record = checked(record(ThingRecord), "name", lambda value: is_short(value.name))
binding_record = record(BindingRecord)


def entity_key(entity: bytes) -> bytes:
    """Raw key of an entity."""
    return b"e/" + entity


def key_history_key(entity: bytes, version: int) -> bytes:
    """Raw key of a key that an entity had."""
    return b"k/" + entity + b"/" + version.to_bytes(4, "big")


def thing_key(thing: bytes) -> bytes:
    """Raw key of a thing."""
    return b"t/" + thing


def binding_key(thing: bytes, gateway: bytes) -> bytes:
    """Raw key of a binding."""
    return b"b/" + thing + b"/" + gateway


def stream_key(stream: bytes) -> bytes:
    """Raw key of a stream's head."""
    return b"s/" + stream


class PathError(ValueError):
    """A path that shows nothing about the key."""


EMPTY = bytes(32)
"""The hash of an empty subtree."""


@dataclass(frozen=True)
class StatePath:
    """A path from the root of the state to where a key is, or would be."""

    siblings: list[bytes]
    """From the root down, 32 zero bytes where there is none."""
    terminal: bytes | tuple[bytes, bytes] | None
    """Nothing, the digest of the key's value, or key and value of another leaf."""

    def follow(self, root: bytes, raw_key: bytes) -> bytes | None:
        """The digest of the value at a raw key of the state with this root, or `None` if there is
        none. Raises `PathError` if the path shows neither."""
        key = sha256(raw_key)
        bits = [key[depth // 8] >> (7 - depth % 8) & 1 for depth in range(len(self.siblings))]
        node = EMPTY
        if isinstance(self.terminal, bytes):
            node = sha256(b"\0", key, self.terminal)
        elif self.terminal is not None:
            other = self.terminal[0]
            shared = [other[depth // 8] >> (7 - depth % 8) & 1 for depth in range(len(self.siblings))]
            if other == key or shared != bits:
                raise PathError("the path ends at a leaf that says nothing about the key")
            node = sha256(b"\0", *self.terminal)
        for bit, sibling in zip(reversed(bits), reversed(self.siblings), strict=True):
            node = sha256(b"\1", sibling, node) if bit else sha256(b"\1", node, sibling)
        if node != root:
            raise PathError("the path does not lead to the state root")
        return self.terminal if isinstance(self.terminal, bytes) else None


def _write_path(path: StatePath) -> bytes:
    bitmap = bytearray((len(path.siblings) + 7) // 8)
    for depth, sibling in enumerate(path.siblings):
        if sibling != EMPTY:
            bitmap[depth // 8] |= 0x80 >> (depth % 8)
    hashes = b"".join(sibling for sibling in path.siblings if sibling != EMPTY)
    head = [cbor.integer(len(path.siblings)), cbor.byte_string(bytes(bitmap)), cbor.byte_string(hashes)]
    if path.terminal is None:
        return cbor.array([*head, cbor.NULL])
    if isinstance(path.terminal, bytes):
        return cbor.array([*head, cbor.byte_string(path.terminal)])
    return cbor.array([*head, cbor.array([cbor.byte_string(each) for each in path.terminal])])


def _read_path(reader: Reader) -> StatePath:
    reader.expect(reader.array() == 4)
    depth, bitmap, hashes = reader.integer(), reader.byte_string(), reader.byte_string()
    reader.expect(0 <= depth <= DEPTH_MAX and len(bitmap) == (depth + 7) // 8)
    siblings, used = [], 0
    for at in range(depth):
        if bitmap[at // 8] & (0x80 >> (at % 8)):
            siblings.append(hashes[used : used + 32])
            used += 32
        else:
            siblings.append(EMPTY)
    # Bits beyond the depth and zero hashes are written otherwise, so the comparison refuses them.
    reader.expect(used == len(hashes))
    return StatePath(siblings, _read_terminal(reader))


def _read_terminal(reader: Reader) -> bytes | tuple[bytes, bytes] | None:
    if reader.skip_null():
        return None
    if reader.peek() == cbor.BYTES:
        found: bytes = bytes32.read(reader)
        return found
    reader.expect(reader.array() == 2)
    return bytes32.read(reader), bytes32.read(reader)


state_path = Codec(_write_path, _read_path)
