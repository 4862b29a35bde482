"""Keys and signatures, each naming its suite."""

import secrets
from dataclasses import dataclass
from typing import Annotated

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, utils
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from . import zip215
from .codec import byte_string, fixed, numbered, record

SUITES = ("ed25519", "p256")
"""Names of the suites: Ed25519 (1), ECDSA on P-256 with SHA-256 (2)."""
suite = numbered(SUITES, first=1)
signature = fixed(64)
COSE_ALGORITHM = {"ed25519": -8, "p256": -7}
"""Algorithm numbers in COSE headers (RFC 9053, 2)."""

_P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
_ECDSA = ec.ECDSA(hashes.SHA256(), deterministic_signing=True)


@dataclass(frozen=True)
class PublicKey:
    """A public key: 32 bytes (Ed25519) or the 33 bytes of a compressed point (P-256)."""

    suite: Annotated[str, suite]
    raw: Annotated[bytes, byte_string]

    def is_valid(self) -> bool:
        """Whether the bytes are a key of the suite at all."""
        if self.suite == "ed25519":
            return zip215.decompress(self.raw) is not None
        return len(self.raw) == 33 and self._point() is not None

    def verify(self, message: bytes, signed: bytes) -> bool:
        """Whether a signature by this key covers a message.

        Ed25519 follows ZIP 215, so that all implementations agree. Of P-256 only the lower `s` counts.
        """
        if len(signed) != 64:
            return False
        if self.suite == "ed25519":
            # The library checks the equation without the cofactor, and points in their canonical
            # form: what it accepts, ZIP 215 accepts too. What it refuses is decided by our own code.
            return self._library_accepts(message, signed) or zip215.verify(self.raw, message, signed)
        point = self._point() if len(self.raw) == 33 else None
        r, s = int.from_bytes(signed[:32], "big"), int.from_bytes(signed[32:], "big")
        if point is None or not 0 < r < _P256_ORDER or not 0 < s <= _P256_ORDER // 2:
            return False
        try:
            point.verify(utils.encode_dss_signature(r, s), message, _ECDSA)
        except InvalidSignature:
            return False
        return True

    def _library_accepts(self, message: bytes, signed: bytes) -> bool:
        try:
            ed25519.Ed25519PublicKey.from_public_bytes(self.raw).verify(signed, message)
        except (InvalidSignature, ValueError):
            return False
        return True

    def _point(self) -> ec.EllipticCurvePublicKey | None:
        try:
            return ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), self.raw)
        except ValueError:
            return None


public_key = record(PublicKey)


class SigningKey:
    """A secret key that signs; only a key file should ever hold its bytes."""

    def __init__(self, suite: str, secret: bytes) -> None:
        """The key with these 32 secret bytes; raises `ValueError` if they are no key of the suite."""
        if suite not in SUITES or len(secret) != 32:
            raise ValueError(f"these bytes are no {suite} key")
        self.suite = suite
        self._secret = bytes(secret)
        self._ed25519 = ed25519.Ed25519PrivateKey.from_private_bytes(secret) if suite == "ed25519" else None
        self._p256 = None if self._ed25519 else _p256_key(secret)
        self.public_key = PublicKey(suite, self._public_bytes())

    @classmethod
    def generate(cls, suite: str = "ed25519") -> "SigningKey":
        """Draws a new key from the system's secure randomness."""
        if suite == "ed25519":
            return cls(suite, secrets.token_bytes(32))
        return cls(suite, (secrets.randbelow(_P256_ORDER - 1) + 1).to_bytes(32, "big"))

    def sign(self, message: bytes) -> bytes:
        """Signs a message. Deterministic (RFC 8032; RFC 6979 with the lower `s`)."""
        if self._ed25519:
            return self._ed25519.sign(message)
        assert self._p256
        r, s = utils.decode_dss_signature(self._p256.sign(message, _ECDSA))
        return r.to_bytes(32, "big") + min(s, _P256_ORDER - s).to_bytes(32, "big")

    def secret(self) -> bytes:
        """The 32 secret bytes, for a key file and nothing else."""
        return self._secret

    def __repr__(self) -> str:
        return f"SigningKey({self.suite}, secret)"

    def _public_bytes(self) -> bytes:
        if self._ed25519:
            return self._ed25519.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        assert self._p256
        return self._p256.public_key().public_bytes(Encoding.X962, PublicFormat.CompressedPoint)


def _p256_key(secret: bytes) -> ec.EllipticCurvePrivateKey:
    number = int.from_bytes(secret, "big")
    if not 0 < number < _P256_ORDER:
        raise ValueError("these bytes are no p256 key")
    return ec.derive_private_key(number, ec.SECP256R1())
