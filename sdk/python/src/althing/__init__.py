"""Read, verify and write an Althing ledger."""

from . import actions
from .answer import ConnectionFailed, FormError, ProblemError, RequestError
from .client import Client, Submission
from .crypto import PublicKey, SigningKey
from .genesis import Genesis, GenesisError, genesis_from_bytes, parse_genesis
from .key_file import KeyFileError, PassphraseError, StoredKey, read_key_file, write_key_file
from .reading import Reading
from .secrecy import KeyShare, StreamKey, agreement_key, unwrap_stream_key
from .signer import Account, Signer, act_purpose, operate_as, read_as
from .transaction import Transaction, decode_transaction
from .verified import STEPS, Done, Failure, Verified
from .verify import verify

__all__ = [
    "STEPS",
    "Account",
    "Client",
    "ConnectionFailed",
    "Done",
    "Failure",
    "FormError",
    "Genesis",
    "GenesisError",
    "KeyFileError",
    "KeyShare",
    "PassphraseError",
    "ProblemError",
    "PublicKey",
    "Reading",
    "RequestError",
    "Signer",
    "SigningKey",
    "StoredKey",
    "StreamKey",
    "Submission",
    "Transaction",
    "Verified",
    "act_purpose",
    "actions",
    "agreement_key",
    "decode_transaction",
    "genesis_from_bytes",
    "operate_as",
    "parse_genesis",
    "read_as",
    "read_key_file",
    "unwrap_stream_key",
    "verify",
    "write_key_file",
]
