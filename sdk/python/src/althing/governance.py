"""Governance: what the member organisations decide together."""

import re
import unicodedata
from dataclasses import dataclass
from typing import Annotated

from .block import MECHANISMS
from .codec import boolean, bytes32, numbered, record, text, u8, u32, u64, variants
from .crypto import PublicKey, signature
from .entity import AnyInception, any_inception, id32, is_name
from .genesis import GenesisError, Parameters, check_parameters
from .limits import ADDRESS_BYTES_MAX, PATIENCE_BLOCKS_MAX, REASON_BYTES_MAX, TIMELOCK_BLOCKS_MAX
from .regulation import Regulation, is_regulation_id
from .token import amount


@dataclass(frozen=True)
class VotingRule:
    """`numerator / denominator` of the members must agree: more than a half."""

    numerator: Annotated[int, u8]
    denominator: Annotated[int, u8]
    patience_blocks: Annotated[int, u32]
    timelock_blocks: Annotated[int, u32]

    def is_valid(self) -> bool:
        """Whether every field is within its bounds."""
        is_share = self.denominator <= 100 and self.numerator <= self.denominator < self.numerator * 2
        return is_share and 1 <= self.patience_blocks <= PATIENCE_BLOCKS_MAX and self.timelock_blocks <= TIMELOCK_BLOCKS_MAX


@dataclass(frozen=True)
class Seat:
    """A peer's place among the validators."""

    peer: Annotated[bytes, id32]
    key: Annotated[bytes, bytes32]
    address: Annotated[str, text]


@dataclass(frozen=True)
class AddOrganisation:
    """An organisation becomes a member."""

    inception: Annotated[AnyInception, any_inception]
    possession: Annotated[bytes, signature]


@dataclass(frozen=True)
class RemoveOrganisation:
    """An organisation ends, with all that it owns."""

    organisation: Annotated[bytes, id32]


@dataclass(frozen=True)
class AddPeer:
    """A peer gets a seat among the validators."""

    seat: Annotated[Seat, record(Seat)]


@dataclass(frozen=True)
class RemovePeer:
    """A peer loses its seat."""

    peer: Annotated[bytes, id32]


@dataclass(frozen=True)
class RotateVotingKey:
    """A peer votes with another key."""

    peer: Annotated[bytes, id32]
    key: Annotated[bytes, bytes32]


@dataclass(frozen=True)
class SetParameters:
    """Settings of the ledger."""

    parameters: Annotated[Parameters, record(Parameters)]


@dataclass(frozen=True)
class SetVotingRule:
    """How the members decide from now on."""

    rule: Annotated[VotingRule, record(VotingRule)]


@dataclass(frozen=True)
class MechanismFrom:
    """How peers agree from a height on."""

    mechanism: Annotated[str, numbered(MECHANISMS)]
    from_height: Annotated[int, u64]


@dataclass(frozen=True)
class SetMechanism:
    """Peers agree in another way, from a height on."""

    wanted: Annotated[MechanismFrom, record(MechanismFrom)]


@dataclass(frozen=True)
class MintTokens:
    """More tokens for an account."""

    to: Annotated[bytes, id32]
    amount: Annotated[int, amount]


@dataclass(frozen=True)
class FreezeAccount:
    """An account can spend nothing but fees, or can again."""

    account: Annotated[bytes, id32]
    frozen: Annotated[bool, boolean]


@dataclass(frozen=True)
class SetRegulation:
    """A regulation comes into force, or another text of it."""

    regulation: Annotated[Regulation, record(Regulation)]


@dataclass(frozen=True)
class EndRegulation:
    """A regulation is in force no more."""

    id: Annotated[str, text]


_CASES = (AddOrganisation, RemoveOrganisation, AddPeer, RemovePeer, RotateVotingKey, SetParameters, SetVotingRule, SetMechanism)
_Members = AddOrganisation | RemoveOrganisation | AddPeer | RemovePeer | RotateVotingKey
Change = _Members | SetParameters | SetVotingRule | SetMechanism | MintTokens | FreezeAccount | SetRegulation | EndRegulation
change = variants({**dict(enumerate(_CASES)), 10: MintTokens, 11: FreezeAccount, 20: SetRegulation, 21: EndRegulation})


def is_change(value: Change) -> bool:
    """Whether every field is within its bounds; what needs the state is the ledger's to check."""
    match value:
        case AddOrganisation(inception):
            return is_name(inception.name) and inception.key.is_valid()
        case AddPeer(seat):
            return is_voting_key(seat.key) and is_address(seat.address)
        case RotateVotingKey(key=key):
            return is_voting_key(key)
        case SetParameters(parameters):
            return _is_parameters(parameters)
        case SetVotingRule(rule):
            return rule.is_valid()
        case MintTokens(_, amount):
            return amount > 0
        case SetRegulation(regulation):
            return regulation.is_within_bounds()
        case EndRegulation(name):
            return is_regulation_id(name)
    return True


def is_reason(reason: str) -> bool:
    """Whether a text may say why something is proposed."""
    return len(reason.encode()) <= REASON_BYTES_MAX and all(unicodedata.category(each) != "Cc" for each in reason)


def _is_parameters(parameters: Parameters) -> bool:
    try:
        check_parameters(parameters)
    except GenesisError:
        return False
    return True


def is_voting_key(key: bytes) -> bool:
    """Whether a peer may vote by a key."""
    return PublicKey("ed25519", key).is_valid()


def is_address(address: str) -> bool:
    """Whether a text may be where a peer listens: `host:port`."""
    found = re.fullmatch(r"[!-~]+:([0-9]+)", address)
    return found is not None and len(address) <= ADDRESS_BYTES_MAX and 1 <= int(found[1]) <= 65_535
