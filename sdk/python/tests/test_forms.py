"""Every wire form against its pinned encodings: read, written again, and built from its inputs."""

from contextlib import nullcontext
from dataclasses import replace
from typing import Any

import pytest
from althing import block, digest, direct, entity, finality, genesis, pack, reader, reading, receipt, secrecy, state, tree
from althing.cbor import WireError
from althing.codec import Codec, decode
from althing.crypto import PublicKey, SigningKey
from althing.signer import Signer
from althing.text import to_did
from conftest import vectors

BYTES_MAX = 1 << 20
CODECS: dict[str, Codec] = {
    "certificate": block.certificate,
    "direct_request": direct.signed_request,
    "direct_use": direct.direct_use,
    "event": receipt.event,
    "genesis": genesis.genesis,
    "header": block.header,
    "inception": entity.inception,
    "leaf": tree.leaf,
    "node": tree.node,
    "payload": reading.payload,
    "peaks": tree.peaks,
    "reader_token": reader.reader_token,
    "receipt": receipt.receipt,
    "sealed_payload": secrecy.sealed_payload,
    "signed_payload": pack.signed_payload,
    "state_path": state.state_path,
    "stream_head": tree.stream_head,
    "validators": block.validator_set,
}
RECORDS = {
    b"e/": state.entity_record,
    b"k/": state.key_record,
    b"t/": state.thing_record,
    b"b/": state.binding_record,
}


def read(codec: Codec, wire: bytes | str) -> Any:
    return decode(codec, bytes.fromhex(wire) if isinstance(wire, str) else wire, BYTES_MAX)


def of(form: str) -> list[tuple[Codec, bytes]]:
    found = []
    for vector in vectors(form):
        codec = CODECS.get(form) or RECORDS[bytes.fromhex(vector["inputs"]["key"])[:2]]
        found.append((codec, bytes.fromhex(vector["wire"])))
    return found


@pytest.mark.parametrize("form", [*CODECS, "record"])
def test_read_and_written_again(form: str) -> None:
    for codec, wire in of(form):
        assert codec.write(read(codec, wire)) == wire


@pytest.mark.parametrize("form", [*CODECS, "record"])
def test_nothing_cut_off_added_or_spelt_differently_is_read(form: str) -> None:
    for codec, wire in of(form):
        for wrong in [*(wire[:length] for length in range(len(wire))), wire + b"\xf6"]:
            with pytest.raises(WireError):
                read(codec, wrong)
        for at in range(len(wire)):
            changed = wire[:at] + bytes([wire[at] ^ 0x20]) + wire[at + 1 :]
            try:
                value = read(codec, changed)
            except WireError:
                continue
            assert codec.write(value) == changed, "two spellings of one value"


def test_headers_and_validators_have_their_digests() -> None:
    for vector in vectors("header"):
        assert read(block.header, vector["wire"]).digest.hex() == vector["digest"]
    for vector in vectors("validators"):
        assert read(block.validator_set, vector["wire"]).digest.hex() == vector["digest"]


def test_inceptions_make_entities() -> None:
    for vector in vectors("inception"):
        inputs = vector["inputs"]
        key = SigningKey(inputs["suite"], bytes.fromhex(inputs["secret"])).public_key
        assert key.raw.hex() == inputs["key"]
        inception = entity.Inception(inputs["kind"], inputs["name"], key)
        assert entity.inception.write(inception).hex() == vector["wire"]
        assert entity.entity_id(inception).hex() == vector["entity"]
        assert to_did("demo", entity.entity_id(inception)) == vector["did"]


def test_possession_is_signed() -> None:
    for vector in vectors("possession"):
        inputs: dict[str, Any] = {name: value if name == "suite" else bytes.fromhex(value) for name, value in vector["inputs"].items()}
        key = SigningKey(inputs["suite"], inputs["secret"])
        signed = entity.possession_bytes(inputs["ledger"], inputs["entity"], key.public_key)
        assert signed.hex() == vector["wire"]
        assert key.sign(signed).hex() == vector["signature"]


def test_reader_tokens_are_signed() -> None:
    for vector in vectors("reader_token"):
        inputs = vector["inputs"]
        ledger, peer, entity = (bytes.fromhex(inputs[name]) for name in ("ledger", "peer", "entity"))
        value = reader.Reader(ledger, peer, entity, inputs["purpose"], inputs["until_ms"])
        assert reader.reader_bytes(value).hex() == vector["signed"]
        signer = Signer(value.ledger, value.entity, SigningKey(inputs["suite"], bytes.fromhex(inputs["secret"])))
        token = signer.reader_token(value.peer, value.purpose, value.until_ms)
        if inputs["suite"] == "ed25519":
            assert token == vector["wire"]
        decoded = read(reader.reader_token, token)
        assert decoded.reader == value
        assert SigningKey(inputs["suite"], bytes.fromhex(inputs["secret"])).public_key.verify(reader.reader_bytes(value), decoded.signature)


def test_direct_requests_and_uses_are_signed() -> None:
    for vector in vectors("direct_request"):
        signed = read(direct.signed_request, vector["wire"])
        assert signed.request.signed_bytes().hex() == vector["signed"]
        assert signed.request.id().hex() == vector["inputs"]["id"]
        assert signed.key.verify(signed.request.signed_bytes(), signed.signature)
        assert signed.to_bytes().hex() == vector["wire"]
    for vector in vectors("direct_use"):
        assert read(direct.direct_use, vector["wire"]).signed_bytes().hex() == vector["signed"]


def test_ids_follow_from_names() -> None:
    for vector in vectors("derived"):
        inputs = vector["inputs"]
        thing = digest.thing_id(bytes.fromhex(inputs["owner"]), inputs["name"])
        assert (thing.hex(), to_did("demo", thing)) == (vector["thing"], vector["thing_did"])
        assert digest.stream_id(thing, inputs["property"]).hex() == vector["wire"]


def test_a_genesis_founds_its_ledger() -> None:
    for vector in vectors("genesis"):
        value = genesis.genesis_from_bytes(bytes.fromhex(vector["wire"]))
        assert (value.ledger.hex(), value.validators().digest.hex()) == (vector["ledger"], vector["validators"])


def test_votes_are_over_these_bytes() -> None:
    for vector in vectors("certificate"):
        certificate = read(block.certificate, vector["wire"])
        inputs = vector["inputs"]
        assert finality.vote_bytes(inputs["mechanism"], bytes.fromhex(inputs["ledger"]), certificate).hex() == vector["signed"]


def test_certificates_are_checked_by_the_mechanism_that_the_validators_say_and_by_no_other() -> None:
    for vector in vectors("certificate"):
        inputs, certificate = vector["inputs"], read(block.certificate, vector["wire"])
        validators, ledger = read(block.validator_set, inputs["validators"]), bytes.fromhex(inputs["ledger"])
        own = inputs["mechanism"]
        other = "simplex" if own == "raft" else "raft"
        for founding, said, holds in (
            (own, None, True),
            (own, own, True),
            (other, own, True),
            (other, None, False),
            (other, other, False),
            (own, other, False),
        ):
            verdict = nullcontext() if holds else pytest.raises(finality.FinalityError, match="does not verify")
            with verdict:
                finality.check_certificate(certificate, founding, ledger, replace(validators, mechanism=said), PublicKey.verify)


def test_leaves_and_nodes_have_their_hashes() -> None:
    for vector in vectors("leaf"):
        node = tree.Node.of_leaf(read(tree.leaf, vector["wire"]))
        assert (node.hash.hex(), tree.summary.write(node.summary).hex()) == (vector["hash"], vector["summary"])
    for vector in vectors("node"):
        left, right = (read(tree.node, vector["inputs"][side]) for side in ("left", "right"))
        joined = left.join(right)
        assert (joined.hash.hex(), tree.node.write(joined).hex()) == (vector["hash"], vector["wire"])


def test_payloads_are_built_from_readings() -> None:
    for vector in vectors("payload"):
        readings = [reading.Reading(r["claimed_ms"], r["received_ms"], _value(r["value"])) for r in vector["inputs"]["readings"]]
        announced = vector["inputs"]["header"]
        header, data = reading.announce(bytes.fromhex(announced["stream"]), announced["first_seq"], readings)
        assert data.hex() == vector["wire"] and header.payload_digest.hex() == vector["digest"]
        texts = {name: None if getattr(header, name) is None else str(getattr(header, name)) for name in ("min", "max", "sum")}
        assert texts == {name: announced[name] for name in texts}
        assert (header.count, header.time_min, header.time_max) == (announced["count"], announced["time_min"], announced["time_max"])


def _value(form: dict[str, Any]) -> reading.Value:
    (kind, content), *_ = form.items()
    if kind == "number":
        return int(content)
    value: reading.Value = bytes.fromhex(content) if kind == "bytes" else content
    return value


def test_receipts_have_digest_root_leaf_and_statement() -> None:
    for vector in vectors("receipt"):
        own = read(receipt.receipt, vector["wire"]).digest
        root = digest.merkle_root([own])
        found = (own, root, receipt.receipts_leaf(42, root), receipt.receipts_statement(42, [root, root]))
        assert [each.hex() for each in found] == [vector[name] for name in ("digest", "root", "leaf", "statement")]


def test_state_paths_lead_to_the_value_or_show_that_there_is_none() -> None:
    for vector in vectors("state_path"):
        path, key = read(state.state_path, vector["wire"]), bytes.fromhex(vector["inputs"]["key"])
        value = vector["inputs"]["value"]
        expected = None if value is None else digest.sha256(bytes.fromhex(value))
        assert path.follow(bytes.fromhex(vector["root"]), key) == expected
        with pytest.raises(state.PathError):
            path.follow(digest.sha256(key), key)


def test_merkle_paths_prove_every_leaf_and_nothing_else() -> None:
    for count in range(1, 20):
        leaves = [digest.sha256(bytes([at])) for at in range(count)]
        root = digest.merkle_root(leaves)
        for index, leaf in enumerate(leaves):
            path = _path_of(leaves, index)
            assert digest.verify_merkle_path(root, leaf, index, count, path)
            assert not digest.verify_merkle_path(root, b"other", index, count, path)
            assert not digest.verify_merkle_path(root, leaf, index + 1, count, path)
            assert not digest.verify_merkle_path(root, leaf, index, count, [*path, root])


def _path_of(leaves: list[bytes], index: int) -> list[bytes]:
    level, path = [digest.sha256(b"\0", leaf) for leaf in leaves], []
    while len(level) > 1:
        path += level[index ^ 1 : (index ^ 1) + 1]
        pairs = [level[at : at + 2] for at in range(0, len(level), 2)]
        level, index = [digest.sha256(b"\1", *pair) if len(pair) == 2 else pair[0] for pair in pairs], index // 2
    return path


def test_a_public_key_of_no_suite_is_refused() -> None:
    assert not PublicKey("p256", bytes(33)).is_valid()
    assert not PublicKey("ed25519", bytes(31)).is_valid()
