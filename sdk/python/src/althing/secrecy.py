"""Confidential streams: payloads sealed under a stream's key, that key wrapped to readers by HPKE (docs/formats/sealed.md)."""

import struct
from dataclasses import dataclass, field
from hashlib import sha256
from hmac import digest as hmac
from typing import Annotated

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from .cbor import WireError
from .codec import Codec, byte_string, checked, decode, fixed, list_of, numbered, optional, record, u32, u64, variants
from .crypto import SigningKey
from .digest import blake3
from .entity import id32
from .limits import (
    PAYLOAD_BYTES_MAX,
    PLACED_ORGANISATIONS_MAX,
    RETENTION_DAYS_MAX,
    SEALED_OVERHEAD_BYTES_MAX,
    STREAM_READERS_MAX,
    VALIDATORS_MAX,
)
from .pack import is_signed, signed_payload
from .reading import BatchHeader, BatchSummary, Reading, payload, readings_of, summary_of
import itertools

cipher = numbered(("chacha20-poly1305",), first=1)
"""How payloads of a confidential stream are sealed."""
_PAD_BYTES = 64
_PAD_MARK = b"\x80"
_TAG_BYTES = 16
_SEAL_DOMAIN = b"althing/sealed/1"
_SHARE_DOMAIN = b"althing/stream-key/1"
_AGREEMENT_DOMAIN = b"althing/agreement/1"
_KEM = b"KEM\x00\x20"
"""DHKEM(X25519, HKDF-SHA256) of RFC 9180."""
_HPKE = b"HPKE\x00\x20\x00\x01\x00\x03"
"""With HKDF-SHA256 and ChaCha20-Poly1305."""


@dataclass(frozen=True)
class KeyShare:
    """A stream's key, wrapped to one reader."""

    reader: Annotated[bytes, id32]
    to: Annotated[bytes, fixed(32)]
    """The reader's X25519 key that it was wrapped to."""
    enc: Annotated[bytes, fixed(32)]
    wrapped: Annotated[bytes, fixed(48)]


key_shares: Codec = list_of(record(KeyShare), STREAM_READERS_MAX)


def are_shares(number: int, shares: list[KeyShare]) -> bool:
    """Whether shares are within their bounds and in order."""
    ascends = all(a.reader < b.reader for a, b in itertools.pairwise(shares))
    return number > 0 and 1 <= len(shares) <= STREAM_READERS_MAX and ascends


@dataclass(frozen=True)
class SealedPayload:
    """A payload that only holders of the stream's key can read."""

    cipher: Annotated[str, cipher]
    key_number: Annotated[int, u32]
    nonce: Annotated[bytes, fixed(12)]
    ciphertext: Annotated[bytes, byte_string]

    def is_valid(self) -> bool:
        """Whether the fields are within their bounds."""
        text = len(self.ciphertext) - _TAG_BYTES
        return self.key_number > 0 and text > 0 and text % _PAD_BYTES == 0


sealed_payload: Codec = checked(record(SealedPayload), "sealed payload", SealedPayload.is_valid)


@dataclass(frozen=True)
class AgreementKeySet:
    """An entity says to which key streams' keys are to be wrapped for it."""

    entity: Annotated[bytes, id32]
    key: Annotated[bytes, fixed(32)]


@dataclass(frozen=True)
class StreamKeyRotated:
    """A stream has a new key; with the first one it is confidential."""

    stream: Annotated[bytes, id32]
    number: Annotated[int, u32]
    readers: Annotated[int, u32]


@dataclass(frozen=True)
class StreamKeyShared:
    """A key of a stream was given to readers."""

    stream: Annotated[bytes, id32]
    number: Annotated[int, u32]
    readers: Annotated[list[bytes], list_of(id32)]


@dataclass(frozen=True)
class ReadingsErased:
    """Payloads are to be deleted by all who hold them."""

    stream: Annotated[bytes, id32]
    erasure: Annotated[int, u32]
    first_seq: Annotated[int, u64]
    last_seq: Annotated[int, u64]


@dataclass(frozen=True)
class Placement:
    """Who is to keep the payloads of a stream: all peers, unless it says less."""

    organisations: Annotated[list[bytes], list_of(id32)] = field(default_factory=list)
    """Only peers of these, ascending; of all if there are none."""
    copies: Annotated[int | None, optional(u32)] = None
    """So many of these peers keep each payload; each of them if None."""
    retention_days: Annotated[int | None, optional(u32)] = None
    """After so many days payloads may be dropped; never if None."""

    def is_within_bounds(self) -> bool:
        """Whether every field is within its bounds."""
        named, copies, days = self.organisations, self.copies, self.retention_days
        ascends = all(a < b for a, b in itertools.pairwise(named))
        few = len(named) <= PLACED_ORGANISATIONS_MAX and (copies is None or 1 <= copies <= VALIDATORS_MAX)
        return ascends and few and (days is None or 1 <= days <= RETENTION_DAYS_MAX)


placement: Codec = record(Placement)


@dataclass(frozen=True)
class StreamPlacement:
    """What an owner says about the payloads of a stream."""

    stream: Annotated[bytes, id32]
    placement: Annotated[Placement, placement]


stream_placement: Codec = record(StreamPlacement)


@dataclass(frozen=True)
class StreamPlaced:
    """The owner says who keeps the payloads of a stream, and for how long."""

    stream: Annotated[bytes, id32]
    placement: Annotated[Placement, placement]


@dataclass(frozen=True)
class ErasureConfirmed:
    """A peer holds none of those payloads any more."""

    stream: Annotated[bytes, id32]
    erasure: Annotated[int, u32]
    holder: Annotated[bytes, id32]


stream_event = variants({0: AgreementKeySet, 1: StreamKeyRotated, 2: StreamKeyShared, 3: ReadingsErased, 4: ErasureConfirmed, 5: StreamPlaced})


@dataclass(frozen=True)
class StreamKey:
    """The key of a confidential stream from one change of its readers to the next."""

    number: int
    secret: bytes = field(repr=False)

    def seal(self, header: BatchHeader, data: bytes) -> tuple[BatchHeader, bytes]:
        """Seals a payload that a header announces: the header and bytes that stand for it on the ledger."""
        if len(data) > PAYLOAD_BYTES_MAX - SEALED_OVERHEAD_BYTES_MAX:
            raise ValueError("the payload is too long to be sealed")
        bound = _bound(header.stream, self.number, header)
        key, mac_key = self._batch_keys(header.stream, header.first_seq)
        nonce = hmac(mac_key, bound + data, "sha256")[:12]
        padded = data + _PAD_MARK
        padded += bytes(-len(padded) % _PAD_BYTES)
        ciphertext = ChaCha20Poly1305(key).encrypt(nonce, padded, bound)
        wire = sealed_payload.write(SealedPayload("chacha20-poly1305", self.number, nonce, ciphertext))
        said = {**header.summary(), "min": None, "max": None, "sum": 0}
        said |= {"payload_digest": blake3(wire), "payload_len": len(wire)}
        return BatchHeader(stream=header.stream, **said), wire

    def open(self, stream: bytes, batch: BatchSummary, data: bytes) -> tuple[bytes, list[Reading]]:
        """Opens the sealed payload of a batch of a stream: its bytes before they were sealed, and the readings
        in them. Raises `WireError` if the key does not open it, or it is not what the batch says."""
        sealed = sealed_of(batch, data)
        if sealed.key_number != self.number:
            raise WireError(f"the payload is sealed under key {sealed.key_number}")
        key, _ = self._batch_keys(stream, batch.first_seq)
        try:
            text = ChaCha20Poly1305(key).decrypt(sealed.nonce, sealed.ciphertext, _bound(stream, self.number, batch))
        except InvalidTag:
            raise WireError("the key does not open the payload") from None
        text = text.rstrip(b"\0")
        if not text.endswith(_PAD_MARK):
            raise WireError("the payload is not padded")
        inner = text[:-1]
        if is_signed(inner):
            readings = readings_of(decode(signed_payload, inner, PAYLOAD_BYTES_MAX))
        else:
            readings = decode(payload, inner, PAYLOAD_BYTES_MAX)
        said = summary_of(readings, batch.first_seq, inner)
        if any(said[name] != getattr(batch, name) for name in ("count", "time_min", "time_max")):
            raise WireError("the batch header does not summarise its payload")
        return inner, readings

    def _batch_keys(self, stream: bytes, first_seq: int) -> tuple[bytes, bytes]:
        info = _SEAL_DOMAIN + stream + first_seq.to_bytes(8, "big")
        both = _expand(hmac(bytes(32), self.secret, "sha256"), info, 64)
        return both[:32], both[32:]


def is_sealed(data: bytes) -> bool:
    """Whether bytes have the form of a sealed payload."""
    return data[:1] == b"\x84"


def sealed_of(batch: BatchSummary, data: bytes) -> SealedPayload:
    """Reads the sealed payload of a batch without its key; raises `WireError` if the batch does not name it."""
    if len(data) != batch.payload_len or blake3(data) != batch.payload_digest:
        raise WireError("the payload is not the one the batch names")
    sealed: SealedPayload = decode(sealed_payload, data, PAYLOAD_BYTES_MAX)
    if (batch.min, batch.max, batch.sum) != (None, None, 0):
        raise WireError("the batch header does not summarise its payload")
    return sealed


def agreement_key(key: SigningKey) -> bytes:
    """The X25519 key to which keys of streams are to be wrapped for who has this signing key."""
    return _agreement(key).public_key().public_bytes_raw()


def unwrap_stream_key(key: SigningKey, ledger: bytes, stream: bytes, number: int, share: KeyShare) -> StreamKey | None:
    """Unwraps a stream's key; none if it was wrapped to another key, or for another ledger, stream, number or reader."""
    own = _agreement(key)
    try:
        shared = own.exchange(X25519PublicKey.from_public_bytes(share.enc))
    except ValueError:
        return None
    context = share.enc + own.public_key().public_bytes_raw()
    agreed = _labeled_expand(_KEM, _labeled_extract(_KEM, b"", b"eae_prk", shared), b"shared_secret", context, 32)
    schedule = b"\0" + _labeled_extract(_HPKE, b"", b"psk_id_hash", b"") + _labeled_extract(_HPKE, b"", b"info_hash", _SHARE_DOMAIN)
    secret = _labeled_extract(_HPKE, agreed, b"secret", b"")
    aead = _labeled_expand(_HPKE, secret, b"key", schedule, 32)
    nonce = _labeled_expand(_HPKE, secret, b"base_nonce", schedule, 12)
    bound = _SHARE_DOMAIN + ledger + stream + number.to_bytes(4, "big") + share.reader
    try:
        return StreamKey(number, ChaCha20Poly1305(aead).decrypt(nonce, share.wrapped, bound))
    except InvalidTag:
        return None


def _agreement(key: SigningKey) -> X25519PrivateKey:
    material = _AGREEMENT_DOMAIN + key.suite.encode() + key.secret()
    prk = _labeled_extract(_KEM, b"", b"dkp_prk", material)
    return X25519PrivateKey.from_private_bytes(_labeled_expand(_KEM, prk, b"sk", b"", 32))


def _bound(stream: bytes, number: int, batch: BatchSummary) -> bytes:
    places = struct.pack(">IQIqq", number, batch.first_seq, batch.count, batch.time_min, batch.time_max)
    return _SEAL_DOMAIN + stream + places


def _expand(prk: bytes, info: bytes, length: int) -> bytes:
    out, block = b"", b""
    for counter in range(1, -(-length // sha256().digest_size) + 1):
        block = hmac(prk, block + info + bytes([counter]), "sha256")
        out += block
    return out[:length]


def _labeled_extract(suite: bytes, salt: bytes, label: bytes, material: bytes) -> bytes:
    return hmac(salt or bytes(32), b"HPKE-v1" + suite + label + material, "sha256")


def _labeled_expand(suite: bytes, prk: bytes, label: bytes, info: bytes, length: int) -> bytes:
    return _expand(prk, length.to_bytes(2, "big") + b"HPKE-v1" + suite + label + info, length)
