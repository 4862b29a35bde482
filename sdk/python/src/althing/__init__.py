"""Read, verify and write an Althing ledger."""

from . import actions
from .client import Client, ConnectionFailed, FormError, ProblemError, RequestError, Submission
from .crypto import PublicKey, SigningKey
from .genesis import Genesis, GenesisError, genesis_from_bytes, parse_genesis
from .key_file import KeyFileError, PassphraseError, StoredKey, read_key_file, write_key_file
from .reading import Reading
from .signer import Account, Signer, read_as
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
    "PassphraseError",
    "ProblemError",
    "PublicKey",
    "Reading",
    "RequestError",
    "Signer",
    "SigningKey",
    "StoredKey",
    "Submission",
    "Transaction",
    "Verified",
    "actions",
    "decode_transaction",
    "genesis_from_bytes",
    "parse_genesis",
    "read_as",
    "read_key_file",
    "verify",
    "write_key_file",
]
