"""Key files: one signing key, encrypted under a passphrase, as the command line writes them."""

import json
import os
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from .crypto import SUITES, SigningKey
from .text import parse_did

_CHARS_MAX = 16 * 1024
_MEMORY_KIB, _PASSES = 64 * 1024, 3
"""Of new files: the second choice of RFC 9106, 4, with one lane."""
_MEMORY_KIB_MAX, _PASSES_MAX = 1024 * 1024, 16
"""Most that reading a file may cost, whoever wrote it."""
_SEALED, _OPEN = "argon2id-chacha20poly1305", "none-for-throwaway-networks-only"


class KeyFileError(ValueError):
    """A key file that cannot be read or written."""


class PassphraseError(KeyFileError):
    """The passphrase is missing or wrong, or the file was changed."""


@dataclass(frozen=True)
class StoredKey:
    """A signing key and whose it is."""

    key: SigningKey
    entity: str | None = None
    """The entity it is a key of, a DID, if it has one yet."""


def open_key_file(text: str, passphrase: str | None = None) -> StoredKey:
    """Opens the text of a key file. Raises `KeyFileError`."""
    form = _parse(text)
    key, entity, protection = form["key"], form.get("entity"), form["protection"]
    if protection.get("kind") == _OPEN:
        _only(protection, {"kind", "secret"})
        secret = _fixed(protection, "secret", 32)
    else:
        secret = _unseal(protection, _associated(key, entity), passphrase)
    try:
        opened = SigningKey(key["suite"], secret)
    except ValueError:
        raise _invalid("secret") from None
    if opened.public_key.raw.hex() != key["public"]:
        raise _invalid("public")
    return StoredKey(opened, entity)


def seal_key_file(stored: StoredKey, passphrase: str) -> str:
    """Makes the text of a key file that only the passphrase opens."""
    if not passphrase:
        raise KeyFileError("the passphrase is empty")
    key = {"suite": stored.key.suite, "public": stored.key.public_key.raw.hex()}
    salt, nonce = secrets.token_bytes(16), secrets.token_bytes(12)
    cipher = _cipher(passphrase, salt, _MEMORY_KIB, _PASSES)
    protection = {
        "kind": _SEALED,
        "memory_kib": _MEMORY_KIB,
        "passes": _PASSES,
        "salt": salt.hex(),
        "nonce": nonce.hex(),
        "ciphertext": cipher.encrypt(nonce, stored.key.secret(), _associated(key, stored.entity)).hex(),
    }
    entity = {} if stored.entity is None else {"entity": stored.entity}
    return json.dumps({"version": 1, **entity, "key": key, "protection": protection}, indent=2) + "\n"


def read_key_file(path: str | Path, passphrase: str | None = None) -> StoredKey:
    """Opens a key file."""
    with open(path, encoding="utf-8") as file:
        return open_key_file(file.read(_CHARS_MAX + 1), passphrase)


def write_key_file(path: str | Path, stored: StoredKey, passphrase: str) -> None:
    """Writes a new key file that only its owner can read; one that is there is never overwritten."""
    text = seal_key_file(stored, passphrase)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with open(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


def _parse(text: str) -> dict[str, Any]:
    form: Any
    try:
        form = json.loads(text) if len(text) <= _CHARS_MAX else None
    except (ValueError, RecursionError):
        form = None
    _only(form, {"version", "entity", "key", "protection"})
    if form.get("version") != 1:
        raise KeyFileError(f"key file version {form.get('version')!s:.20} is not known; this program knows version 1")
    _only(form.get("key"), {"suite", "public"})
    if form["key"].get("suite") not in SUITES:
        raise _invalid("suite")
    if not isinstance(form["key"].get("public"), str):
        raise _invalid("public")
    if not isinstance(form.get("protection"), dict):
        raise _invalid("protection")
    try:
        if "entity" in form:
            parse_did(form["entity"])
    except (TypeError, ValueError):
        raise _invalid("entity") from None
    checked: dict[str, Any] = form
    return checked


def _unseal(protection: dict[str, Any], associated: bytes, passphrase: str | None) -> bytes:
    if protection.get("kind") != _SEALED:
        raise _invalid("protection")
    _only(protection, {"kind", "memory_kib", "passes", "salt", "nonce", "ciphertext"})
    memory_kib, passes = protection.get("memory_kib"), protection.get("passes")
    is_bearable = type(memory_kib) is int and 8 <= memory_kib <= _MEMORY_KIB_MAX
    if not is_bearable or type(passes) is not int or not 1 <= passes <= _PASSES_MAX:
        raise _invalid("memory_kib")
    salt, nonce, sealed = _fixed(protection, "salt", 16), _fixed(protection, "nonce", 12), _fixed(protection, "ciphertext", 48)
    if passphrase is None:
        raise PassphraseError("the key file is encrypted; its passphrase is needed")
    assert isinstance(memory_kib, int)
    try:
        return _cipher(passphrase, salt, memory_kib, passes).decrypt(nonce, sealed, associated)
    except InvalidTag:
        raise PassphraseError("the passphrase does not open the key file, or the file was changed") from None


def _cipher(passphrase: str, salt: bytes, memory_kib: int, passes: int) -> ChaCha20Poly1305:
    argon2 = Argon2id(salt=salt, length=32, iterations=passes, lanes=1, memory_cost=memory_kib)
    return ChaCha20Poly1305(argon2.derive(passphrase.encode()))


def _associated(key: dict[str, Any], entity: str | None) -> bytes:
    """What is authenticated beside the secret: that it is the secret of this key of this entity."""
    return f"althing/key-file/1 {key['suite']} {key['public']} {entity or ''}".encode()


def _only(value: Any, names: set[str]) -> None:
    if not isinstance(value, dict) or not value.keys() <= names:
        raise KeyFileError("this is not a key file")


def _fixed(fields: dict[str, Any], name: str, length: int) -> bytes:
    try:
        value = bytes.fromhex(fields[name])
    except (KeyError, TypeError, ValueError):
        raise _invalid(name) from None
    if len(value) != length:
        raise _invalid(name)
    return value


def _invalid(field: str) -> KeyFileError:
    return KeyFileError(f"`{field}` in the key file is not valid")
