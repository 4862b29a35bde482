"""Entities that sign for a ledger, and number what they sign."""

import hashlib
import time

from .actions import Action, Id
from .answer import Json
from .client import Client, Submission
from .crypto import SigningKey
from .reader import Reader, sign_reader
from .text import to_id
from .transaction import Transaction, body_for, sign

_EXPIRY_BLOCKS = 10_000
"""Blocks from signing to expiry: minutes on a busy network, hours on an idle one."""

_TOKEN_MS = 300_000
"""How long a token counts: well below what peers take, so that clocks may differ."""
_RENEWED_BEFORE_MS = 60_000


class Signer:
    """An entity that signs for one ledger."""

    def __init__(self, ledger: Id, entity: Id, key: SigningKey) -> None:
        self.ledger, self.entity = to_id(ledger), to_id(entity)
        self._key = key

    def sign(self, nonce: int, expiry_height: int, actions: list[Action]) -> Transaction:
        """Signs a transaction. Raises `WireError` for what a peer would refuse for its form."""
        return sign(self.ledger, body_for(self.ledger, self.entity, nonce, expiry_height, actions), self._key)

    def reader_token(self, peer: Id, purpose: str, until_ms: int) -> str:
        """The token that says to a peer, by its voting key, who reads, what for and until when; in hex."""
        return sign_reader(Reader(self.ledger, to_id(peer), self.entity, purpose, until_ms), self._key)


class Account:
    """A signer that numbers its transactions.

    Two programs that number for the same entity get in each other's way: give each an entity of its
    own, or `refresh` after `nonce_reused`.
    """

    def __init__(self, client: Client, signer: Signer) -> None:
        """Asks a peer where the account stands; `unknown_entity` if the signer is not registered."""
        self._client, self._signer = client, signer
        self._next_nonce = self._height = 0
        self.refresh()

    def refresh(self) -> None:
        """Asks again; what was numbered meanwhile stays used."""
        state = self._client.account(self._signer.entity.hex())
        self._next_nonce = max(self._next_nonce, state["next_nonce"])
        self._height = max(self._height, state["height"])

    def sign(self, actions: list[Action]) -> Transaction:
        """Signs the next transaction."""
        expiry = max(self._height, self._client.height) + _EXPIRY_BLOCKS
        transaction = self._signer.sign(self._next_nonce, expiry, actions)
        self._next_nonce += 1
        return transaction

    def finalize(self, actions: list[Action], payloads: list[bytes] | None = None, timeout_s: float = 30.0) -> Json:
        """Signs, submits, and waits until it is final; the receipt in its outcome says what it did."""
        return self._client.finalize(Submission(self.sign(actions).wire, payloads or []), timeout_s)


def read_as(client: Client, signer: Signer, purpose: str = "") -> None:
    """Lets a client say with each request who reads, and what for: the purpose of a grant, or nothing.

    Grants are held to what the peer says of itself: ask a peer that you know.
    """
    peer = client.status()["key"]
    last = ("", 0)

    def token() -> str:
        nonlocal last
        now_ms = time.time_ns() // 1_000_000
        if now_ms + _RENEWED_BEFORE_MS >= last[1]:
            until_ms = now_ms + _TOKEN_MS
            last = (signer.reader_token(peer, purpose, until_ms), until_ms)
        return last[0]

    client.read_as(token)


_ACT_MS = 45_000
"""How long the token of an act counts: below what peers take, so that clocks may differ."""
_OPERATE = "operate"
"""The purpose of tokens by which an operator looks; one of an act has a digest of the request behind it."""


def act_purpose(method: str, path: str, body: bytes) -> str:
    """The purpose of the token of one act of an operator: for this method, path and body alone."""
    digest = hashlib.sha256(b"althing/act/1" + f"{method} {path}\n".encode() + body).digest()
    return f"{_OPERATE}:{digest[:16].hex()}"


def operate_as(client: Client, signer: Signer) -> None:
    """Lets a client operate its peer: look by one token, and act by a token for each act.

    The peer's configuration names who may.
    """
    peer = client.status()["key"]
    last_ms = 0

    def token(path: str | None = None, body: bytes = b"") -> str:
        nonlocal last_ms
        # No two tokens are alike, since each act needs one of its own.
        last_ms = max(time.time_ns() // 1_000_000 + _ACT_MS, last_ms + 1)
        purpose = _OPERATE if path is None else act_purpose("POST", path, body)
        return signer.reader_token(peer, purpose, last_ms)

    client.read_as(token)
