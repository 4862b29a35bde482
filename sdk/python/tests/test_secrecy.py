"""Confidential streams against the pinned vectors: unwrapped, opened and sealed to the same bytes."""

from dataclasses import replace
from typing import Any

import pytest
from althing import genesis_from_bytes, verify
from althing.cbor import WireError
from althing.crypto import SigningKey
from althing.reading import BatchHeader, announce
from althing.secrecy import KeyShare, StreamKey, agreement_key, unwrap_stream_key
from althing.verified import VerifiedRange
from conftest import vectors


def parts(vector: dict[str, Any]) -> tuple[BatchHeader, StreamKey, SigningKey, KeyShare, bytes, bytes]:
    inputs = vector["inputs"]
    header = {**inputs["header"], "min": None, "max": None, "sum": 0}
    for name in ("stream", "payload_digest"):
        header[name] = bytes.fromhex(header[name])
    key = StreamKey(inputs["key_number"], bytes.fromhex(inputs["stream_key"]))
    signing = SigningKey(inputs["suite"], bytes.fromhex(inputs["signing_secret"]))
    share = KeyShare(**{name: bytes.fromhex(digits) for name, digits in inputs["share"].items()})
    return BatchHeader(**header), key, signing, share, bytes.fromhex(inputs["ledger"]), bytes.fromhex(inputs["payload"])


@pytest.mark.parametrize("vector", vectors("sealed_payload"), ids=lambda vector: vector["name"])
def test_a_key_is_unwrapped_by_the_reader_it_was_wrapped_to_and_by_nobody_else(vector: dict[str, Any]) -> None:
    header, key, signing, share, ledger, _ = parts(vector)
    stream = header.stream
    assert agreement_key(signing) == share.to
    assert unwrap_stream_key(signing, ledger, stream, key.number, share) == key
    assert unwrap_stream_key(SigningKey("ed25519", bytes([7] * 32)), ledger, stream, key.number, share) is None
    assert unwrap_stream_key(signing, stream, stream, key.number, share) is None
    assert unwrap_stream_key(signing, ledger, ledger, key.number, share) is None
    assert unwrap_stream_key(signing, ledger, stream, key.number + 1, share) is None
    assert unwrap_stream_key(signing, ledger, stream, key.number, replace(share, reader=ledger)) is None
    assert unwrap_stream_key(signing, ledger, stream, key.number, replace(share, enc=bytes(32))) is None


@pytest.mark.parametrize("vector", vectors("sealed_payload"), ids=lambda vector: vector["name"])
def test_a_sealed_payload_opens_with_its_key_at_its_place_and_is_sealed_to_the_same_bytes(vector: dict[str, Any]) -> None:
    header, key, _, _, _, plain = parts(vector)
    wire = bytes.fromhex(vector["wire"])
    inner, readings = key.open(header.stream, header, wire)
    assert inner == plain
    assert key.seal(announce(header.stream, header.first_seq, readings)[0], plain) == (header, wire)
    changes: tuple[dict[str, Any], ...] = (
        {"first_seq": header.first_seq + 1},
        {"count": header.count + 1},
        {"time_min": header.time_min - 1},
        {"min": 1, "max": 1, "sum": 1},
    )
    for changed in changes:
        with pytest.raises(WireError):
            key.open(header.stream, replace(header, **changed), wire)
    for other in (replace(key, secret=bytes(32)), replace(key, number=key.number + 1)):
        with pytest.raises(WireError):
            other.open(header.stream, header, wire)
    with pytest.raises(WireError):
        key.open(bytes(32), header, wire)


def test_a_bundle_of_a_confidential_stream_holds_without_the_key_and_shows_its_values_with_it() -> None:
    vector = next(vector for vector in vectors("bundle") if "sealed" in vector["name"])
    genesis = genesis_from_bytes(bytes.fromhex(vector["inputs"]["genesis"]))
    claim = verify(bytes.fromhex(vector["wire"]), genesis).claim
    assert isinstance(claim, VerifiedRange)
    assert (len(claim.readings), [batch.count for batch, _ in claim.sealed]) == (1, [3])
    opened = claim.open(StreamKey(1, bytes([0x5E] * 32)))
    first = opened[0][0]
    assert [seq for seq, _ in opened] == [first, first + 1, first + 2, first + 3]
    assert len(claim.open(StreamKey(2, bytes(32)))) == 1
    with pytest.raises(WireError):
        claim.open(StreamKey(1, bytes(32)))
