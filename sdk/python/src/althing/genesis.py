"""The genesis: the first record of a ledger, which a verifier must trust, and all that it must."""

import json
import re
from dataclasses import dataclass
from datetime import datetime, UTC
from typing import Annotated, Any

from .block import MECHANISMS, Validator, ValidatorSet
from .cbor import WireError
from .codec import bytes32, decode, list_of, numbered, optional, record, text, u8, u32, u64
from .crypto import SUITES, PublicKey
from .digest import hash
from .entity import Inception, entity_id, id32, inception, is_name
from .limits import (
    BLOCK_BYTES_MAX,
    BLOCK_TRANSACTIONS_MAX,
    CONTRACT_GAS_MAX,
    EPOCH_BLOCKS_MAX,
    EPOCH_BLOCKS_MIN,
    GENESIS_BYTES_MAX,
    ORGANISATIONS_MAX,
    VALIDATORS_MAX,
)
from .text import parse_did, to_did
from .token import Allocation, Fees, StakeRules, Token
import itertools

_FILE_CHARS_MAX = 1024 * 1024
MODES = ("public", "consortium", "private")
TRANSACT = ("everybody", "members")
DEPLOY = ("everybody", "members", "approved")


class GenesisError(ValueError):
    """A genesis that cannot found a ledger, or a file that is none."""


@dataclass(frozen=True)
class Participation:
    """Who may send transactions, and who may bring code and make contracts."""

    transact: Annotated[str, numbered(TRANSACT)]
    deploy: Annotated[str, numbered(DEPLOY)]


@dataclass(frozen=True)
class Parameters:
    """What all peers of the ledger set alike."""

    block_bytes_max: Annotated[int, u32]
    block_transactions_max: Annotated[int, u32]
    heartbeat_ms: Annotated[int, u32]
    leader_timeout_ms: Annotated[int, u32]
    clock_drift_max_ms: Annotated[int, u32]
    claim_ahead_max_ms: Annotated[int, u64]
    sequence_window: Annotated[int, u64]
    contract_gas_transaction_max: Annotated[int, u64]
    contract_gas_block_max: Annotated[int, u64]
    reads: Annotated[str | None, optional(numbered(("open", "policy")))] = None
    """Who may read what has no policy: anybody if absent, which is left out at the end, or open, which is not."""
    epoch_blocks: Annotated[int | None, optional(u32)] = None
    """Blocks in each epoch; if absent, the first one has no end."""
    fees: Annotated[Fees | None, optional(record(Fees))] = None
    """What transactions cost; absent if the ledger has no tokens."""
    stake: Annotated[StakeRules | None, optional(record(StakeRules))] = None
    """How seats are given by stake; absent if members give them by vote."""
    participation: Annotated[Participation | None, optional(record(Participation))] = None
    """Who may send transactions and who may deploy; absent if whoever is registered may do both."""


@dataclass(frozen=True)
class Organisation:
    """A founding organisation."""

    inception: Annotated[Inception, inception]


@dataclass(frozen=True)
class PeerSeat:
    """A founding peer."""

    inception: Annotated[Inception, inception]
    organisation: Annotated[bytes, id32]
    key: Annotated[bytes, bytes32]


@dataclass(frozen=True)
class Genesis:
    """The first record of a ledger."""

    version: Annotated[int, u8]
    network: Annotated[str, text]
    time_ms: Annotated[int, u64]
    mode: Annotated[str, numbered(MODES)]
    mechanism: Annotated[str, numbered(MECHANISMS)]
    parameters: Annotated[Parameters, record(Parameters)]
    organisations: Annotated[list[Organisation], list_of(record(Organisation), ORGANISATIONS_MAX)]
    peers: Annotated[list[PeerSeat], list_of(record(PeerSeat), VALIDATORS_MAX)]
    token: Annotated[Token | None, optional(record(Token))] = None
    """The token of the ledger; absent if it has none."""

    @property
    def ledger(self) -> bytes:
        """The id of the ledger that it founds."""
        return hash("althing/genesis/1", genesis.write(self))

    def validators(self) -> ValidatorSet:
        """The validators of the first epoch."""
        return ValidatorSet(0, [Validator(peer.key, entity_id(peer.inception), peer.organisation) for peer in self.peers])

    def check(self) -> None:
        """Raises `GenesisError` naming what is wrong if it cannot found a ledger."""
        _require(self.version == 1, f"genesis version {self.version} is not known; this program knows version 1")
        _require(re.fullmatch("[a-z0-9-]{1,32}", self.network) is not None, "network name must be 1 to 32 of a-z, 0-9 and -")
        _require(bool(self.organisations and self.peers), "there must be an organisation and a peer")
        only_private = self.mechanism != "raft" or self.mode == "private"
        _require(only_private, "raft trusts every peer, so it is for private ledgers: choose simplex, or the mode private")
        self._check_members()
        check_parameters(self.parameters)
        self._check_token()
        self._check_stake()
        self._check_majority()

    def _check_members(self) -> None:
        ids = [entity_id(each.inception) for each in self.organisations]
        keys = [peer.key for peer in self.peers]
        ascend = all(a < b for row in (ids, keys) for a, b in itertools.pairwise(row))
        _require(ascend, "organisations must ascend by id and peers by key, none twice")
        for seat, kind in [(each, "organisation") for each in self.organisations] + [(each, "peer") for each in self.peers]:
            own = seat.inception
            is_sound = own.kind == kind and is_name(own.name) and own.key.is_valid()
            _require(is_sound, f"`{own.name}`: name, kind or key is not valid")
        for peer in self.peers:
            _require(PublicKey("ed25519", peer.key).is_valid(), f"`{peer.inception.name}`: its voting key is not valid")
            _require(peer.organisation in ids, f"`{peer.inception.name}` belongs to an organisation that is not in the genesis")

    def _check_token(self) -> None:
        has_token = self.token is not None
        _require(has_token == (self.parameters.fees is not None), "a `token` needs `fees`, and `fees` a `token`")
        if self.token is None:
            return
        is_sound = self.parameters.epoch_blocks is not None and self.token.is_valid()
        _require(is_sound, "the `token` needs `epoch_blocks`, or is not valid")
        founders = [entity_id(each.inception) for each in self.organisations]
        _require(all(each.account in founders for each in self.token.initial), "only founding organisations begin with tokens")

    def _check_stake(self) -> None:
        rules = self.parameters.stake
        if rules is None:
            return
        _require(self.mode == "public" and self.token is not None, "`stake` is for the mode public, and needs a `token`")
        _require(rules.seats_min <= len(self.peers) <= rules.seats_max, "there must be as many founding peers as `stake` allows seats")
        begins = {each.account: each.amount for each in self.token.initial} if self.token else {}
        for each in self.organisations:
            own = entity_id(each.inception)
            staked = rules.founding * sum(peer.organisation == own for peer in self.peers)
            _require(staked <= begins.get(own, 0), "an organisation begins with less than `stake` puts behind its peers")

    def _check_majority(self) -> None:
        """In a consortium of four peers or more no organisation may hold a third of the votes."""
        if self.mode != "consortium" or len(self.peers) < 4:
            return
        for each in self.organisations:
            votes = sum(peer.organisation == entity_id(each.inception) for peer in self.peers)
            name = each.inception.name
            _require(votes * 3 < len(self.peers), f"organisation `{name}` has a third of the votes or more; it could stop or fork the ledger")


genesis = record(Genesis)


def check_parameters(value: Parameters) -> None:
    """Raises `GenesisError` naming the first parameter that is out of its bounds."""
    for name, low, high in (
        ("block_bytes_max", 128 * 1024, BLOCK_BYTES_MAX),
        ("block_transactions_max", 1, BLOCK_TRANSACTIONS_MAX),
        ("heartbeat_ms", 50, 60_000),
        ("leader_timeout_ms", value.heartbeat_ms + 1, 120_000),
        ("clock_drift_max_ms", 100, 600_000),
        ("claim_ahead_max_ms", 0, 86_400_000),
        ("sequence_window", 1, 1 << 40),
        ("contract_gas_transaction_max", 0, value.contract_gas_block_max),
        ("contract_gas_block_max", 0, CONTRACT_GAS_MAX),
    ):
        _require(low <= getattr(value, name) <= high, f"parameter {name} is out of bounds")
    is_shortest = value.reads == "policy" or (value.reads is None) == (value.epoch_blocks is None)
    _require(is_shortest, "parameter reads is out of bounds")
    ends = value.epoch_blocks is None or EPOCH_BLOCKS_MIN <= value.epoch_blocks <= EPOCH_BLOCKS_MAX
    _require(ends, "parameter epoch_blocks is out of bounds")
    _require(value.fees is None or value.fees.is_valid(), "parameter fees is out of bounds")
    is_staked = value.stake is None or (value.epoch_blocks is not None and value.stake.is_valid(value.epoch_blocks))
    _require(is_staked, "parameter stake is out of bounds")
    takes_part = value.stake is None or value.participation is None or value.participation.transact == "everybody"
    _require(takes_part, "parameter participation is out of bounds")


def _require(holds: bool, otherwise: str) -> None:
    if not holds:
        raise GenesisError(otherwise)


def genesis_from_bytes(data: bytes) -> Genesis:
    """Reads a genesis from its canonical bytes. Raises `GenesisError`."""
    try:
        value: Genesis = decode(genesis, data, GENESIS_BYTES_MAX)
    except WireError as error:
        raise GenesisError("these bytes are no genesis") from error
    value.check()
    return value


def parse_genesis(text: str | dict[str, Any]) -> Genesis:
    """Reads a genesis from the text of `genesis.json`, or from its JSON value as `/v1/network` gives it.

    Unknown fields are refused, and ids that follow from the rest are checked, the ledger's above all:
    compare that with the one you know. Raises `GenesisError`.
    """
    try:
        value = _read_file(_parse_json(text) if isinstance(text, str) else text)
        value.check()
    except GenesisError:
        raise
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError, RecursionError) as error:
        raise GenesisError(f"the genesis file is not of the expected form: {error}") from error
    return value


def _parse_json(text: str) -> Any:
    _require(len(text) <= _FILE_CHARS_MAX, f"the genesis file is longer than {_FILE_CHARS_MAX} characters")
    return json.loads(text)


def _read_file(file: Any) -> Genesis:
    names = ("version", "network", "ledger", "time", "mode", "mechanism", "parameters", "organisations", "peers")
    _only(file, (*names, "token") if "token" in file else names)
    network = _text(file, "network")
    value = Genesis(
        _count(file["version"]),
        network,
        _milliseconds(_text(file, "time")),
        _one_of(file, "mode", MODES),
        _one_of(file, "mechanism", MECHANISMS),
        _read_parameters(file["parameters"]),
        [_read_organisation(each, network) for each in file["organisations"]],
        [_read_peer(each, network) for each in file["peers"]],
        _read_token(file["token"], network) if "token" in file else None,
    )
    _require(file["ledger"] == value.ledger.hex(), f"`ledger` in the genesis file should be {value.ledger.hex()}")
    return value


def _read_parameters(file: Any) -> Parameters:
    optional_names = ("reads", "epoch_blocks", "fees", "stake", "participation")
    names = tuple(name for name in Parameters.__dataclass_fields__ if name not in optional_names)
    _only(file, (*names, *[name for name in optional_names if name in file]))
    reads = _one_of(file, "reads", ("open", "policy")) if "reads" in file else "open"
    epoch_blocks = _count(file["epoch_blocks"]) if "epoch_blocks" in file else None
    absent = reads == "open" and epoch_blocks is None
    fees = _read_fees(file["fees"]) if "fees" in file else None
    stake = _read_stake(file["stake"]) if "stake" in file else None
    participation = _read_participation(file["participation"]) if "participation" in file else None
    numbers: dict[str, Any] = {name: _count(file[name]) for name in names}
    reads_said = None if absent else reads
    return Parameters(**numbers, reads=reads_said, epoch_blocks=epoch_blocks, fees=fees, stake=stake, participation=participation)


def _read_participation(file: Any) -> Participation:
    _only(file, ("transact", "deploy"))
    return Participation(_one_of(file, "transact", TRANSACT), _one_of(file, "deploy", DEPLOY))


def _read_stake(file: Any) -> StakeRules:
    names = tuple(StakeRules.__dataclass_fields__)
    _only(file, names)
    return StakeRules(**{name: _amount(file, name) if name in ("least", "founding") else _count(file[name]) for name in names})


def _amount(file: Any, name: str) -> int:
    amount = _text(file, name)
    _require(re.fullmatch("0|[1-9][0-9]{0,36}", amount) is not None, f"{name} is not valid")
    return int(amount)


def _read_fees(file: Any) -> Fees:
    names = tuple(Fees.__dataclass_fields__)
    _only(file, names)
    return Fees(*[_count(file[name]) for name in names])


def _read_token(file: Any, network: str) -> Token:
    _only(file, ("name", "symbol", "decimals", "initial"))
    initial = [_read_allocation(each, network) for each in file["initial"]]
    return Token(_text(file, "name"), _text(file, "symbol"), _count(file["decimals"]), initial)


def _read_allocation(file: Any, network: str) -> Allocation:
    _only(file, ("account", "amount"))
    owner_network, account = parse_did(_text(file, "account"))
    _require(owner_network == network, "account is not valid")
    return Allocation(account, _amount(file, "amount"))


def _read_organisation(file: Any, network: str) -> Organisation:
    _only(file, ("id", "name", "key"))
    return Organisation(_read_inception(file, "organisation", network))


def _read_peer(file: Any, network: str) -> PeerSeat:
    _only(file, ("id", "name", "organisation", "key", "vote_key"))
    own = _read_inception(file, "peer", network)
    owner_network, owner = parse_did(_text(file, "organisation"))
    key = bytes.fromhex(_text(file, "vote_key"))
    _require(owner_network == network and len(key) == 32, f"`{own.name}`: organisation or voting key is not valid")
    return PeerSeat(own, owner, key)


def _read_inception(file: Any, kind: str, network: str) -> Inception:
    key = file["key"]
    _only(key, ("suite", "public"))
    public = PublicKey(_one_of(key, "suite", SUITES), bytes.fromhex(_text(key, "public")))
    own = Inception(kind, _text(file, "name"), public)
    expected = to_did(network, entity_id(own))
    _require(file["id"] == expected, f"`id` of `{own.name}` in the genesis file should be {expected}")
    return own


def _only(file: Any, names: tuple[str, ...]) -> None:
    _require(isinstance(file, dict), "a part of the genesis file is no object")
    for name in file:
        _require(name in names, f"the genesis file has the unknown field `{str(name)[:80]}`")


def _text(file: dict[str, Any], name: str) -> str:
    value = file[name]
    _require(isinstance(value, str), f"`{name}` in the genesis file is no text")
    return str(value)


def _one_of(file: dict[str, Any], name: str, known: tuple[str, ...]) -> str:
    value = _text(file, name)
    _require(value in known, f"`{name}` in the genesis file has the unknown value `{value[:80]}`")
    return value


def _count(value: Any) -> int:
    _require(type(value) is int and 0 <= value < 2**63, "a number in the genesis file is out of bounds")
    return int(value)


def _milliseconds(text: str) -> int:
    since = datetime.fromisoformat(text) - datetime(1970, 1, 1, tzinfo=UTC)
    ms = (since.days * 86_400 + since.seconds) * 1000 + since.microseconds // 1000
    _require(ms >= 0, "`time` in the genesis file is before 1970")
    return ms
