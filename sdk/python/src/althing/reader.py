"""Who reads: the short-lived statement that a reader shows to a peer (docs/formats/policy.md)."""

from dataclasses import dataclass
from typing import Annotated

from .codec import record, text, u64
from .crypto import SigningKey, signature
from .entity import id32


@dataclass(frozen=True)
class Reader:
    """Who reads, at which peer, what for, until when."""

    ledger: Annotated[bytes, id32]
    peer: Annotated[bytes, id32]
    """Voting key of the peer that is asked."""
    entity: Annotated[bytes, id32]
    purpose: Annotated[str, text]
    """What for; empty if that is not said."""
    until_ms: Annotated[int, u64]
    """Until when it counts, milliseconds since 1970."""


reader = record(Reader)


@dataclass(frozen=True)
class ReaderToken:
    """A reader with its signature; in hex, the bearer token of a request."""

    reader: Annotated[Reader, reader]
    signature: Annotated[bytes, signature]


reader_token = record(ReaderToken)


def reader_bytes(value: Reader) -> bytes:
    """What a reader signs."""
    return b"althing/reader/1" + reader.write(value)


def sign_reader(value: Reader, key: SigningKey) -> str:
    """The bearer token that says so, in hex."""
    return reader_token.write(ReaderToken(value, key.sign(reader_bytes(value)))).hex()
