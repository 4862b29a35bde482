"""Proof bundles of every kind: accepted as they are, refused with anything changed."""

from typing import Any

import pytest
from althing import PublicKey, Failure, Genesis, genesis_from_bytes, verify
from althing.limits import BUNDLE_BYTES_MAX
from althing.verified import STEPS, VerifiedAggregate, VerifiedRange, VerifiedReading, VerifiedState
from conftest import vectors

BUNDLES = vectors("bundle")
NAMES = [vector["name"] for vector in BUNDLES]
SEAL_BYTES = 34
_verdicts: dict[tuple[PublicKey, bytes, bytes], bool] = {}


def check(key: PublicKey, message: bytes, signature: bytes) -> bool:
    """Remembers verdicts: most changes leave the signatures of a bundle as they are."""
    question = (key, message, signature)
    if question not in _verdicts:
        _verdicts[question] = key.verify(message, signature)
    return _verdicts[question]


GENESES = {vector["name"]: genesis_from_bytes(bytes.fromhex(vector["inputs"]["genesis"])) for vector in BUNDLES}


def failure_of(data: bytes, genesis: Genesis) -> Failure:
    with pytest.raises(Failure) as caught:
        verify(data, genesis, check)
    return caught.value


@pytest.mark.parametrize("vector", BUNDLES, ids=NAMES)
def test_accepted_step_by_step(vector: dict[str, Any]) -> None:
    verified = verify(bytes.fromhex(vector["wire"]), GENESES[vector["name"]])
    steps = [done.step for done in verified.steps]
    assert steps[:4] == ["form", "ledger", "membership", "certificate"] and steps[-1] == "seal"
    assert all(done.step in STEPS and done.text for done in verified.steps)


@pytest.mark.parametrize("vector", BUNDLES, ids=NAMES)
def test_no_changed_byte_is_accepted(vector: dict[str, Any]) -> None:
    wire, genesis = bytes.fromhex(vector["wire"]), GENESES[vector["name"]]
    # What hashes and signatures do not bind is the question, and only the seal guards it.
    claim = verify(wire, genesis).claim
    has_question = isinstance(claim, VerifiedRange | VerifiedAggregate | VerifiedState)
    for at in range(len(wire)):
        for mask in (1 << at % 8, 0xFF):
            changed = wire[:at] + bytes([wire[at] ^ mask]) + wire[at + 1 :]
            step = failure_of(changed, genesis).step
            assert step != "seal" or has_question or at >= len(wire) - SEAL_BYTES, f"byte {at} is bound by the seal only"


@pytest.mark.parametrize("vector", BUNDLES, ids=NAMES)
def test_nothing_cut_off_or_added_is_accepted(vector: dict[str, Any]) -> None:
    wire, genesis = bytes.fromhex(vector["wire"]), GENESES[vector["name"]]
    for length in range(len(wire)):
        assert failure_of(wire[:length], genesis).step == "form"
    for surplus in (b"\x00", b"\x80", b"\xf6", b"\xff"):
        assert failure_of(wire + surplus, genesis).step == "form"


def test_deep_nesting_and_great_length_are_refused() -> None:
    genesis = GENESES[NAMES[0]]
    head = bytes([0x82, 0x85, 0x01, 0x58, 0x20]) + bytes(32)
    for filler in (0x81, 0x82, 0x9F, 0xA1, 0xBF, 0xD8, 0x5F):
        nested = bytes([filler]) * (1 << 20)
        assert failure_of(nested, genesis).step == failure_of(head + nested, genesis).step == "form"
    # An array that claims 2^60 items must not be believed before they are there.
    assert failure_of(bytes([0x82, 0x85, 0x01, 0x9B, 0x10, 0, 0, 0, 0, 0, 0, 0]), genesis).step == "form"
    assert "at most 8388608" in failure_of(bytes(BUNDLE_BYTES_MAX + 1), genesis).why


def test_the_genesis_of_another_ledger_is_refused() -> None:
    other = genesis_from_bytes(bytes.fromhex(vectors("genesis")[-1]["wire"]))
    for vector in BUNDLES:
        assert failure_of(bytes.fromhex(vector["wire"]), other).step == "ledger"


def test_a_reading_is_shown_with_its_submitter() -> None:
    claim = verify(bytes.fromhex(BUNDLES[0]["wire"]), GENESES[NAMES[0]]).claim
    assert isinstance(claim, VerifiedReading)
    assert claim.stream.name == "machine-7" and claim.value_text.endswith(" celsius")
    assert claim.attestation.kind == "gateway" and claim.delegation.kind == "bound"
    assert claim.signed_under_key_version is not None
