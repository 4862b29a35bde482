"""Key files: those of the command line open, ours are of the same form, and others do not pass."""

import json
from pathlib import Path

import pytest
from althing import KeyFileError, PassphraseError, SigningKey, StoredKey, read_key_file, write_key_file
from althing.key_file import _associated, _cipher, open_key_file, seal_key_file
from conftest import SHARED

ENTITY = "did:althing:demo:US517G5965aydkZ46HS38QLi7UQiSojurfbQfKCELFx"


def test_the_key_files_of_the_command_line_open() -> None:
    for name, passphrase in (("key-file.json", "correct horse battery staple"), ("key-file-open.json", None)):
        key = read_key_file(SHARED / name, passphrase).key
        assert key.public_key.verify(b"m", key.sign(b"m"))


def test_a_key_survives_its_file_which_is_private_and_never_overwritten(tmp_path: Path) -> None:
    stored, path = StoredKey(SigningKey.generate("p256"), ENTITY), tmp_path / "key.json"
    write_key_file(path, stored, "ein Paßwort")
    assert stored.key.secret().hex() not in path.read_text() and path.stat().st_mode & 0o777 == 0o600
    back = read_key_file(path, "ein Paßwort")
    assert (back.key.secret(), back.entity) == (stored.key.secret(), ENTITY)
    with pytest.raises(FileExistsError):
        write_key_file(path, stored, "another")
    with pytest.raises(KeyFileError):
        seal_key_file(stored, "")


def cheap() -> str:
    """A key file that is cheap to open, so that many wrong ones can be tried."""
    key = SigningKey("ed25519", bytes([7]) * 32)
    head = {"suite": "ed25519", "public": key.public_key.raw.hex()}
    salt, nonce = bytes([1]) * 16, bytes([2]) * 12
    sealed = _cipher("right", salt, 8, 1).encrypt(nonce, key.secret(), _associated(head, ENTITY))
    protection = {"kind": "argon2id-chacha20poly1305", "memory_kib": 8, "passes": 1}
    protection |= {"salt": salt.hex(), "nonce": nonce.hex(), "ciphertext": sealed.hex()}
    return json.dumps({"version": 1, "entity": ENTITY, "key": head, "protection": protection})


def test_a_wrong_passphrase_does_not_open() -> None:
    assert open_key_file(cheap(), "right").entity == ENTITY
    for passphrase in (None, "wrong"):
        with pytest.raises(PassphraseError):
            open_key_file(cheap(), passphrase)


@pytest.mark.parametrize(
    ("old", "new", "what"),
    [
        (ENTITY, "did:althing:demo:8qbHbw2BbbTHBW1sbeqakYXVKRQM8Ne7pLK7m6CVfeR", "does not open"),
        ('"memory_kib": 8', '"memory_kib": 4294967295', "`memory_kib`"),
        ('"memory_kib": 8', '"memory_kib": 0', "`memory_kib`"),
        ('"passes": 1', '"passes": 1000000000', "`memory_kib`"),
        ('"suite": "ed25519"', '"suite": "p256"', "does not open"),
        ('"suite": "ed25519"', '"suite": "rot13"', "`suite`"),
        ('"version": 1', '"version": 2', "version 2"),
        ('"salt": "', '"salt": "00', "`salt`"),
        ('"version"', '"colour": 1, "version"', "not a key file"),
    ],
)
def test_a_changed_file_does_not_open(old: str, new: str, what: str) -> None:
    assert old in cheap()
    with pytest.raises(KeyFileError, match=what):
        open_key_file(cheap().replace(old, new, 1), "right")


@pytest.mark.parametrize("text", ["", "null", "[]", "{}", '"x"', "x" * 20_000, "[" * 10_000])
def test_what_is_no_key_file_is_told_so(text: str) -> None:
    with pytest.raises(KeyFileError):
        open_key_file(text, "right")
