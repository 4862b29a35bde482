"""Signatures: known answers, and the rules that settle what the standards leave open."""

import pytest
from althing import PublicKey, SigningKey, zip215

P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
ED25519_ORDER = 2**252 + 27742317777372353535851937790883648493
SMALL_ORDER = [
    "0100000000000000000000000000000000000000000000000000000000000000",
    "0100000000000000000000000000000000000000000000000000000000000080",
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0000000000000000000000000000000000000000000000000000000000000080",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
]
"""The encodings of the points of small order on edwards25519: eight canonical ones and six others."""


def test_known_answers() -> None:
    # RFC 8032, 7.1, test 2.
    key = SigningKey("ed25519", bytes.fromhex("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb"))
    assert key.public_key.raw.hex() == "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c"
    assert key.sign(b"\x72").hex().startswith("92a009a9f0d4cab8720e820b5f642540")
    # RFC 6979, A.2.5, message "sample", SHA-256; its S is high, so ours is the other one.
    key = SigningKey("p256", bytes.fromhex("c9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6721"))
    signature = key.sign(b"sample")
    assert signature[:32].hex() == "efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716"
    assert key.public_key.verify(b"sample", signature)


@pytest.mark.parametrize("suite", ["ed25519", "p256"])
def test_each_suite_signs_verifies_and_rejects_any_changed_byte(suite: str) -> None:
    key = SigningKey.generate(suite)
    signature = key.sign(b"a reading")
    assert key.public_key.is_valid() and key.public_key.verify(b"a reading", signature)
    assert not key.public_key.verify(b"another", signature)
    for at in range(64):
        changed = signature[:at] + bytes([signature[at] ^ 1]) + signature[at + 1 :]
        assert not key.public_key.verify(b"a reading", changed)
    assert not key.public_key.verify(b"a reading", signature[1:])
    with pytest.raises(ValueError):
        SigningKey(suite, bytes(31))


def test_the_other_s_of_p256_is_refused() -> None:
    key = SigningKey("p256", bytes([9]) * 32)
    good = key.sign(b"m")
    high = good[:32] + (P256_ORDER - int.from_bytes(good[32:], "big")).to_bytes(32, "big")
    assert key.public_key.verify(b"m", good) and not key.public_key.verify(b"m", high)


def test_ed25519_follows_zip215() -> None:
    # Both sides of the equation vanish when multiplied by the cofactor, whatever was signed.
    for key in map(bytes.fromhex, SMALL_ORDER):
        assert PublicKey("ed25519", key).is_valid()
        for r in map(bytes.fromhex, SMALL_ORDER):
            assert PublicKey("ed25519", key).verify(b"Zcash", r + bytes(32)), (key.hex(), r.hex())


def test_ed25519_takes_no_s_from_the_order_on_and_no_key_that_is_no_point() -> None:
    key = SigningKey("ed25519", bytes([3]) * 32)
    good = key.sign(b"m")
    s = int.from_bytes(good[32:], "little")
    assert key.public_key.verify(b"m", good)
    assert not key.public_key.verify(b"m", good[:32] + (s + ED25519_ORDER).to_bytes(32, "little"))
    assert not PublicKey("ed25519", bytes([2]) + bytes(31)).is_valid()


def test_our_equation_agrees_with_the_library_on_ordinary_signatures() -> None:
    for seed in range(1, 9):
        key = SigningKey("ed25519", bytes([seed]) * 32)
        message, signature = bytes([seed]) * seed, key.sign(bytes([seed]) * seed)
        assert zip215.verify(key.public_key.raw, message, signature)
        assert not zip215.verify(key.public_key.raw, message + b"\0", signature)
