"""Headers, validator sets, and the certificates that make blocks final."""

from dataclasses import dataclass
from typing import Annotated

from .codec import byte_string, bytes32, checked, list_of, numbered, optional, record, u8, u32, u64
from .crypto import signature
from .digest import hash
from .entity import id32
from .limits import BLOCK_TRANSACTIONS_MAX, DESCENDANTS_MAX, VALIDATORS_MAX
import itertools


@dataclass(frozen=True)
class ExecutionResult:
    """What executing a block gave, as a later header states it."""

    height: Annotated[int, u64]
    state_root: Annotated[bytes, bytes32]
    receipts_root: Annotated[bytes, bytes32]


@dataclass(frozen=True)
class Header:
    """The head of a block: what the validators sign, by its digest."""

    version: Annotated[int, u8]
    ledger: Annotated[bytes, id32]
    height: Annotated[int, u64]
    parent: Annotated[bytes, bytes32]
    time_ms: Annotated[int, u64]
    proposer: Annotated[bytes, bytes32]
    epoch: Annotated[int, u64]
    view: Annotated[int, u64]
    parent_view: Annotated[int, u64]
    validators: Annotated[bytes, bytes32]
    next_validators: Annotated[bytes | None, optional(bytes32)]
    transactions: Annotated[bytes, bytes32]
    count: Annotated[int, u32]
    result: Annotated[ExecutionResult, record(ExecutionResult)]

    @property
    def digest(self) -> bytes:
        """The digest of the block."""
        return hash("althing/block/1", header.write(self))


header = checked(record(Header), "header", lambda value: value.version == 1 and value.count <= BLOCK_TRANSACTIONS_MAX)


@dataclass(frozen=True)
class Validator:
    """A voting peer."""

    key: Annotated[bytes, bytes32]
    peer: Annotated[bytes, id32]
    organisation: Annotated[bytes, id32]


MECHANISMS = ("simplex", "raft")
"""How peers can agree."""


@dataclass(frozen=True)
class ValidatorSet:
    """The peers that vote in an epoch, ascending by key, and how they agree."""

    epoch: Annotated[int, u64]
    validators: Annotated[list[Validator], list_of(record(Validator), VALIDATORS_MAX)]
    mechanism: Annotated[str | None, optional(numbered(MECHANISMS))] = None
    """How they agree; absent if as the genesis says."""

    @property
    def digest(self) -> bytes:
        """The digest, as headers name it."""
        return hash("althing/validators/1", validator_set.write(self))

    def is_valid(self) -> bool:
        """Whether there is one at least, ascending by key, none twice."""
        keys = [each.key for each in self.validators]
        return len(keys) >= 1 and all(a < b for a, b in itertools.pairwise(keys))


validator_set = checked(record(ValidatorSet), "validators", ValidatorSet.is_valid)


@dataclass(frozen=True)
class Certificate:
    """The votes of a quorum that make a block final."""

    epoch: Annotated[int, u64]
    view: Annotated[int, u64]
    parent_view: Annotated[int, u64]
    block: Annotated[bytes, bytes32]
    signers: Annotated[bytes, byte_string]
    """Bit i, most significant first, says that validator i signed."""
    signatures: Annotated[list[bytes], list_of(signature)]

    def positions(self) -> list[int]:
        """Positions of the validators whose bit is set, ascending."""
        return [at for at in range(8 * len(self.signers)) if self.signers[at // 8] >> (7 - at % 8) & 1]


certificate = checked(
    record(Certificate), "signers", lambda value: 0 < len(value.signatures) == len(value.positions())
)


@dataclass(frozen=True)
class Finalized:
    """A header with the certificate that makes it final: its own, or that of the last descendant."""

    header: Annotated[Header, header]
    certificate: Annotated[Certificate, certificate]
    descendants: Annotated[list[Header], list_of(header, DESCENDANTS_MAX)]

    @property
    def certified(self) -> Header:
        """The header that the certificate is about."""
        return self.descendants[-1] if self.descendants else self.header


finalized = record(Finalized)
