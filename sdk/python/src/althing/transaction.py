"""The transaction: COSE_Sign1 (RFC 9052), or COSE_Sign with several signers, over a body."""

from dataclasses import dataclass
from typing import Annotated

from . import cbor
from .actions import Action, action
from .cbor import Reader, WireError
from .codec import fixed, list_of, record, u8, u64
from .crypto import COSE_ALGORITHM, SigningKey, signature
from .digest import sha256
from .entity import id32
from .limits import ACTIONS_MAX, SIGNATURES_MAX, TRANSACTION_BYTES_MAX

_VERSION = 1
_EMPTY_MAP = b"\xa0"


@dataclass(frozen=True)
class Body:
    """What a transaction says: who does what, until when."""

    version: Annotated[int, u8]
    ledger_tag: Annotated[bytes, fixed(8)]
    sender: Annotated[bytes, id32]
    nonce: Annotated[int, u64]
    expiry_height: Annotated[int, u64]
    actions: Annotated[list[Action], list_of(action, ACTIONS_MAX)]


body = record(Body)


def body_for(ledger: bytes, sender: bytes, nonce: int, expiry_height: int, actions: list[Action]) -> Body:
    """A body of the present version for a ledger."""
    return Body(_VERSION, ledger[:8], sender, nonce, expiry_height, actions)


@dataclass(frozen=True)
class SignedBy:
    """One signature on a transaction."""

    signer: bytes
    suite: str
    signature: bytes


@dataclass(frozen=True)
class Transaction:
    """A signed request to change the ledger."""

    id: bytes
    wire: bytes
    body: Body
    signatures: list[SignedBy]
    """The sender's first."""

    def signed_bytes(self, ledger: bytes, index: int) -> bytes:
        """What the signer at an index signed."""
        signed = self.signatures[index]
        return signed_bytes(ledger, self.body, signed.signer, signed.suite, len(self.signatures) > 1)


def sign(ledger: bytes, unsigned: Body, key: SigningKey, others: list[tuple[bytes, SigningKey]] | None = None) -> Transaction:
    """Signs a body with the sender's key, and with those of further signers. Raises `WireError` for
    what a peer would refuse for its form."""
    signers = [(unsigned.sender, key), *(others or [])]
    signatures = []
    for entity, each in signers:
        message = signed_bytes(ledger, unsigned, entity, each.suite, len(signers) > 1)
        signatures.append(SignedBy(entity, each.suite, each.sign(message)))
    return decode_transaction(_to_wire(unsigned, signatures))


def signed_bytes(ledger: bytes, signed: Body, signer: bytes, suite: str, is_one_of_several: bool) -> bytes:
    """What a signer signs: the COSE `Sig_structure` (RFC 9052, 4.4)."""
    context = [cbor.text("Signature"), cbor.byte_string(_EMPTY_MAP)] if is_one_of_several else [cbor.text("Signature1")]
    parts = [_protected(signer, suite), b"althing/tx/1" + ledger, body.write(signed)]
    return cbor.array(context + [cbor.byte_string(part) for part in parts])


def decode_transaction(wire: bytes) -> Transaction:
    """Reads the bytes of a transaction. Checks form and bounds, not signatures and nothing that needs
    the state. Raises `WireError`."""
    if len(wire) > TRANSACTION_BYTES_MAX:
        raise WireError(f"{len(wire)} bytes, but at most {TRANSACTION_BYTES_MAX} are allowed")
    reader = Reader(wire)
    reader.expect(reader.array() == 4)
    outer = reader.byte_string()
    reader.expect(reader.map() == 0)
    inner = Reader(reader.byte_string())
    if outer == _EMPTY_MAP:
        signatures = _read_several(reader)
    else:
        signer, suite = _read_protected(outer)
        signatures = [SignedBy(signer, suite, signature.read(reader))]
    transaction = Transaction(sha256(wire), wire, body.read(inner), signatures)
    _check_bounds(transaction)
    if _to_wire(transaction.body, signatures) != wire:
        raise WireError("not the canonical encoding")
    return transaction


def _check_bounds(transaction: Transaction) -> None:
    signers = [each.signer for each in transaction.signatures]
    for holds, what in (
        (transaction.body.version == _VERSION, "version is out of bounds"),
        (len(transaction.body.actions) > 0, "actions is out of bounds"),
        (signers[0] == transaction.body.sender, "the sender must sign first"),
        (len(set(signers)) == len(signers), "an entity signed twice"),
    ):
        if not holds:
            raise WireError(what)


def _to_wire(unsigned: Body, signatures: list[SignedBy]) -> bytes:
    inner, empty = cbor.byte_string(body.write(unsigned)), cbor.head(cbor.MAP, 0)
    if len(signatures) == 1:
        (only,) = signatures
        header = cbor.byte_string(_protected(only.signer, only.suite))
        return cbor.array([header, empty, inner, signature.write(only.signature)])
    rows = [
        cbor.array([cbor.byte_string(_protected(each.signer, each.suite)), empty, signature.write(each.signature)])
        for each in signatures
    ]
    return cbor.array([cbor.byte_string(_EMPTY_MAP), empty, inner, cbor.array(rows)])


def _read_several(reader: Reader) -> list[SignedBy]:
    count = reader.array()
    reader.expect(2 <= count <= SIGNATURES_MAX)
    signatures = []
    for _ in range(count):
        reader.expect(reader.array() == 3)
        signer, suite = _read_protected(reader.byte_string())
        reader.expect(reader.map() == 0)
        signatures.append(SignedBy(signer, suite, signature.read(reader)))
    return signatures


def _protected(signer: bytes, suite: str) -> bytes:
    """The protected header of a signature, `{1: alg, 4: kid}`."""
    algorithm = cbor.integer(COSE_ALGORITHM[suite])
    return cbor.head(cbor.MAP, 2) + cbor.integer(1) + algorithm + cbor.integer(4) + cbor.byte_string(signer)


def _read_protected(header: bytes) -> tuple[bytes, str]:
    reader = Reader(header)
    reader.expect(reader.map() == 2 and reader.integer() == 1)
    algorithm = reader.integer()
    suite = next((name for name, number in COSE_ALGORITHM.items() if number == algorithm), None)
    if suite is None or reader.integer() != 4:
        raise reader.malformed()
    return id32.read(reader), suite
