"""Digests, the ids that follow from them, and the Merkle tree over a list (RFC 9162, 2.1)."""

from hashlib import sha256 as _sha256

from blake3 import blake3 as _blake3


def sha256(*parts: bytes) -> bytes:
    """SHA-256 of the parts, one after the other."""
    return _sha256(b"".join(parts)).digest()


def blake3(data: bytes) -> bytes:
    """BLAKE3 of a payload."""
    return _blake3(data).digest()


def hash(domain: str, *parts: bytes) -> bytes:
    """SHA-256 of a domain string and the parts."""
    return sha256(domain.encode(), *parts)


def thing_id(owner: bytes, name: str) -> bytes:
    """The id of the thing that an owner calls by a name."""
    return hash("althing/thing/1", owner, name.encode())


def stream_id(thing: bytes, property: str) -> bytes:
    """The id of the stream of a property of a thing."""
    return hash("althing/stream/1", thing, property.encode())


def service_id(provider: bytes, name: str) -> bytes:
    """The id of the service that a provider calls by a name."""
    return hash("althing/service/1", provider, name.encode())


def trigger_id(owner: bytes, name: str) -> bytes:
    """The id of the trigger that an owner calls by a name."""
    return hash("althing/trigger/1", owner, name.encode())


def run_id(trigger: bytes, height: int) -> bytes:
    """The id of what a trigger does at a height, where transactions have theirs."""
    return hash("althing/trigger-run/1", trigger, height.to_bytes(8, "big"))


def merkle_root(leaves: list[bytes]) -> bytes:
    """Root over the leaves in order; 32 zero bytes for none."""
    level = [sha256(b"\0", leaf) for leaf in leaves]
    while len(level) > 1:
        pairs = [level[at : at + 2] for at in range(0, len(level), 2)]
        level = [sha256(b"\1", *pair) if len(pair) == 2 else pair[0] for pair in pairs]
    return level[0] if level else bytes(32)


def verify_merkle_path(root: bytes, value: bytes, index: int, count: int, path: list[bytes]) -> bool:
    """Whether a path leads from a value at an index of so many leaves to the root."""
    if index >= count:
        return False
    node, last, siblings = sha256(b"\0", value), count - 1, iter(path)
    while last > 0:
        is_right = index % 2 == 1
        # The lonely last node of a level rises as it is.
        if is_right or index < last:
            sibling = next(siblings, None)
            if sibling is None:
                return False
            node = sha256(b"\1", sibling, node) if is_right else sha256(b"\1", node, sibling)
        index, last = index // 2, last // 2
    return next(siblings, None) is None and node == root
