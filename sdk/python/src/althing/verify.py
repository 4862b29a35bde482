"""Checks a bundle, step by step, each saying what it showed (docs/formats/bundle.md)."""

from typing import Any, NoReturn

from .actions import SubmitBatch, kind_of
from .block import Finalized, Header, Validator
from .bundle import (
    AnswerProof,
    ClaimAggregate,
    ClaimRange,
    ClaimReading,
    ClaimRun,
    ClaimState,
    ClaimTransaction,
    Interval,
    ReadingProof,
    ReceiptProof,
    RunProof,
    SealedBundle,
    SeqInterval,
    StateProof,
    DeviceProof,
    Stated,
    StreamProof,
    SubmitterProof,
    TransactionProof,
    sealed_bundle,
)
from .cbor import WireError
from .codec import decode
from .crypto import PublicKey
from .digest import run_id, sha256, thing_id, verify_merkle_path
from .entity import entity_id
from .finality import FinalityError, Membership, SignatureCheck, check_final
from .genesis import Genesis
from .limits import BUNDLE_BYTES_MAX, PAYLOAD_BYTES_MAX
from .pack import is_signed, signed_payload
from .opening import OpeningError, answer_aggregate, answer_range
from .reading import Reading, kind_of as value_kind_of
from .receipt import Receipt, receipts_statement
from .refusal import refusal_of
from .state import PathError, StatePath, binding_key, binding_record, entity_key, key_history_key, stream_key, thing_key
from .text import printable, to_did, to_rfc3339
from .transaction import Transaction, decode_transaction
from .tree import Leaf
from .verified import (
    Attestation,
    CertifiedBlock,
    Delegation,
    Done,
    Failure,
    Verified,
    VerifiedAggregate,
    VerifiedClaim,
    VerifiedRange,
    VerifiedReading,
    VerifiedRun,
    VerifiedState,
    VerifiedStream,
    VerifiedTransaction,
    VotingPeer,
)

_NAMES_MAX = 8


def verify(data: bytes, genesis: Genesis, check: SignatureCheck = PublicKey.verify) -> Verified:
    """Checks the bytes of a bundle file against nothing but the genesis that you trust.

    Needs no network and asks nobody. Whatever the bytes are, it answers or raises a `Failure` that
    names the first step that does not hold. What a bundle answers is a question, an interval or a key
    of the state: compare the one in the result with the one you asked.
    """
    return _Verifier(genesis, check).bundle(data)


class _Verifier:
    def __init__(self, genesis: Genesis, check: SignatureCheck) -> None:
        self.genesis, self.ledger, self.check = genesis, genesis.ledger, check
        self.steps: list[Done] = []

    def done(self, step: str, text: str) -> None:
        self.steps.append(Done(step, text))

    def fail(self, step: str, why: str) -> NoReturn:
        raise Failure(step, why, self.steps)

    def require(self, holds: bool, step: str, otherwise: str) -> None:
        if not holds:
            self.fail(step, otherwise)

    def did(self, id: bytes) -> str:
        return to_did(self.genesis.network, id)

    def bundle(self, data: bytes) -> Verified:
        try:
            sealed: SealedBundle = decode(sealed_bundle, data, BUNDLE_BYTES_MAX)
        except WireError as error:
            self.fail("form", str(error))
        bundle = sealed.bundle
        self.done("form", f"{len(data)} bytes, in canonical form")
        self.require(bundle.ledger == self.ledger, "ledger", "the bundle is about another ledger than the genesis founds")
        self.done("ledger", f"ledger {self.ledger.hex()} of network {self.genesis.network}")
        try:
            membership = Membership(self.genesis, bundle.links, self.check)
        except FinalityError as error:
            self.fail("membership", str(error))
        block = self.block(membership, bundle.block)
        claim = self.claim(membership, bundle.block, bundle.claim)
        self.require(sealed.seal == bundle.seal, "seal", "the bundle was damaged after it was made")
        self.done("seal", "the bundle is as it was made")
        return Verified(self.ledger.hex(), self.genesis.network, block, claim, self.steps)

    def claim(self, membership: Membership, block: Finalized, claim: Any) -> VerifiedClaim:
        match claim:
            case ClaimReading(proof):
                return self.reading(block, proof)
            case ClaimRange(proof):
                return self.range(block, proof)
            case ClaimAggregate(proof):
                return self.aggregate(block, proof)
            case ClaimState(proof):
                return self.state(block, proof)
            case ClaimTransaction(proof):
                return self.transaction(membership, block, proof)
            case ClaimRun(proof):
                return self.run(membership, block, proof)
        raise AssertionError("a claim of no kind")

    def block(self, membership: Membership, block: Finalized) -> CertifiedBlock:
        header, top = block.header, block.certified.height
        validators = membership.validators(header.epoch)
        count = len(validators.validators)
        how = f"follow from the genesis over {header.epoch} epochs" if header.epoch else "are those of the genesis"
        by = f" and agree by {validators.mechanism}, as members decided" if validators.mechanism else ""
        self.done("membership", f"the {count} validators of epoch {header.epoch} {how}{by}")
        try:
            check_final(block, self.genesis.mechanism, self.ledger, validators, self.check)
        except FinalityError as error:
            self.fail("certificate", str(error))
        is_within = membership.admits(header.epoch, header.height) and membership.admits(header.epoch, top)
        self.require(is_within, "certificate", "the height of the block is outside its epoch")
        self.require(header.result.height < header.height, "certificate", "the block commits to the result of a later one")
        signed = [self.peer(validators.validators[position]) for position in block.certificate.positions()]
        what = f"block {top}, which descends from it" if block.descendants else "it"
        when = _ledger_time(header.time_ms)
        self.done("certificate", f"block {header.height} of {when} is final: {len(signed)} of {count} validators signed {what} ({_names(signed)})")
        return CertifiedBlock(header.height, header.time_ms, header.epoch, header.result.height, signed, count)

    def peer(self, validator: Validator) -> VotingPeer:
        names = (each.inception.name for each in self.genesis.peers if each.key == validator.key)
        return VotingPeer(validator.key.hex(), self.did(validator.peer), self.did(validator.organisation), next(names, None))

    def stated(self, step: str, stated: Stated[Any], header: Header, raw_key: bytes) -> None:
        """Checks that the state which a header commits to holds a record at a raw key."""
        found = self.look_up(step, stated.path, header, raw_key)
        self.require(found is not None, step, "the state has no such record")
        self.require(found == sha256(stated.codec.write(stated.record)), step, "the state holds another record")

    def look_up(self, step: str, path: StatePath, header: Header, raw_key: bytes) -> bytes | None:
        try:
            return path.follow(header.result.state_root, raw_key)
        except PathError as error:
            self.fail(step, str(error))

    def stream(self, block: Finalized, proof: StreamProof) -> VerifiedStream:
        header, thing, head = block.header, proof.thing.record, proof.head.record
        own_id = thing_id(thing.owner, thing.name)
        self.stated("thing", proof.thing, header, thing_key(own_id))
        owner = self.did(thing.owner)
        self.done("thing", f"thing `{printable(thing.name)}` of {owner}, in the state after block {header.result.height}")
        self.require(head.thing == own_id, "stream", "the stream belongs to another thing")
        self.stated("stream", proof.head, header, stream_key(head.id()))
        batches = sum(each.summary.leaves for each in head.peaks)
        self.done("stream", f"its property `{printable(head.property)}` has {head.count()} readings in {batches} batches")
        return VerifiedStream(head.id().hex(), self.did(own_id), thing.name, owner, head.property, head.schema, head.count())

    def range(self, block: Finalized, proof: AnswerProof) -> VerifiedRange:
        stream = self.stream(block, proof.stream)
        try:
            answer = answer_range(proof.stream.head.record, proof.interval, proof.opening)
        except OpeningError as error:
            self.fail("range", str(error))
        left = f"; the payloads of {len(answer.withheld)} are left out" if answer.withheld else ""
        encrypted = sum(leaf.count for leaf, _ in answer.sealed)
        sealed = f"; {encrypted} readings of these batches exist, encrypted" if encrypted else ""
        what = f"{len(answer.readings)} readings from {answer.batches} batches, and the stream has no other{left}{sealed}"
        self.done("range", f"{_interval_text(proof.interval)}: {what}")
        return VerifiedRange(stream, proof.interval, answer.readings, answer.withheld, list(answer.sealed))

    def aggregate(self, block: Finalized, proof: AnswerProof) -> VerifiedAggregate:
        stream = self.stream(block, proof.stream)
        try:
            answer = answer_aggregate(proof.stream.head.record, proof.interval, proof.opening)
        except OpeningError as error:
            self.fail("aggregate", str(error))
        extremes = ""
        if answer.min is not None and answer.max is not None:
            number = proof.stream.head.record.schema.words
            extremes = f", from {number(answer.min)} to {number(answer.max)}"
        self.done("aggregate", f"{_interval_text(proof.interval)}: {answer.count} readings{extremes}")
        return VerifiedAggregate(stream, proof.interval, answer.count, answer.min, answer.max, answer.sum)

    def state(self, block: Finalized, proof: StateProof) -> VerifiedState:
        found = self.look_up("state", proof.path, block.header, proof.key)
        claimed = None if proof.value is None else sha256(proof.value)
        self.require(found == claimed, "state", "the state holds another value at the key")
        what = "nothing" if proof.value is None else f"{len(proof.value)} bytes"
        self.done("state", f"the state after block {block.header.result.height} holds {what} at key {proof.key.hex()}")
        return VerifiedState(proof.key, proof.value)

    def transaction(self, membership: Membership, block: Finalized, proof: TransactionProof) -> VerifiedTransaction:
        header, id = block.header, sha256(proof.transaction)
        is_included = verify_merkle_path(header.transactions, id, proof.index, header.count, proof.path)
        self.require(is_included, "transaction", "the path does not lead to the block's transactions")
        body = self.decoded("transaction", proof.transaction).body
        actions, sender = [kind_of(action) for action in body.actions], self.did(body.sender)
        where = f"is number {proof.index} of {header.count} in block {header.height} of {_ledger_time(header.time_ms)}"
        self.done("transaction", f"transaction {id.hex()} of {sender} ({', '.join(actions)}) {where}")
        if proof.receipt:
            self.done("receipt", self.receipt(membership, header, id, proof.index, proof.receipt))
        return VerifiedTransaction(id.hex(), sender, actions, proof.index, proof.receipt.receipt if proof.receipt else None)

    def run(self, membership: Membership, block: Finalized, proof: RunProof) -> VerifiedRun:
        header, trigger = block.header, proof.trigger.hex()
        # What a transaction did is no run, whatever its id is.
        self.require(proof.index >= header.count, "receipt", "the receipt is among those of the transactions")
        outcome = self.receipt(membership, header, run_id(proof.trigger, header.height), proof.index, proof.receipt)
        self.done("receipt", f"trigger {trigger} ran in block {header.height} of {_ledger_time(header.time_ms)}: {outcome}")
        return VerifiedRun(trigger, header.height, proof.receipt.receipt)

    def receipt(self, membership: Membership, header: Header, id: bytes, index: int, proof: ReceiptProof) -> str:
        """What became of a transaction or of a run, in words."""
        later = self.block(membership, proof.later)
        root = self.stated_root(header.height, proof)
        # One receipt per transaction, in the same order, then those of triggers.
        has_more = proof.receipts is None or proof.receipts > header.count
        self.require(has_more, "receipt", "no more receipts than transactions, which needs no saying")
        is_included = verify_merkle_path(root, proof.receipt.digest, index, proof.receipts or header.count, proof.path)
        self.require(is_included, "receipt", "the path does not lead to the block's receipts")
        self.require(proof.receipt.transaction == id, "receipt", "the receipt is of another transaction or run")
        return f"{_outcome_text(proof.receipt)}, as block {later.height} states"

    def stated_root(self, height: int, proof: ReceiptProof) -> bytes:
        """The receipts root of the block at a height, as the later block states it."""
        result = proof.later.header.result
        first = result.height - len(proof.roots) + 1
        is_stated = 0 <= first <= height <= result.height
        self.require(is_stated, "receipt", "the later block does not state the receipts of this one")
        is_statement = receipts_statement(first, proof.roots) == result.receipts_root
        self.require(is_statement, "receipt", "the later block states other receipts roots")
        return proof.roots[height - first]

    def reading(self, block: Finalized, proof: ReadingProof) -> VerifiedReading:
        stream = self.stream(block, proof.stream)
        leaf, claim = proof.leaf, proof.reading
        self.batch(block, proof)
        words = self.payload(proof)
        attestation = self.submitter(block, proof)
        delegation = self.delegation(block, leaf, proof)
        version = self.signature(block, leaf, proof)
        attestation = self.device(block, proof) or attestation
        return VerifiedReading(
            stream,
            claim.seq,
            claim.value,
            words,
            claim.claimed_ms,
            claim.received_ms,
            leaf.ledger_time_ms,
            leaf.height,
            leaf.transaction.hex(),
            attestation,
            delegation,
            version,
        )

    def batch(self, block: Finalized, proof: ReadingProof) -> None:
        leaf = proof.leaf
        hangs = proof.path.leads_to_peak(proof.stream.head.record.peaks, leaf)
        self.require(hangs, "batch", "the path does not lead from the batch to the stream's tree")
        self.require(leaf.height <= block.header.result.height, "batch", "the batch is of a later block than the state")
        when = _ledger_time(leaf.ledger_time_ms)
        span = f"numbers {leaf.first_seq} to {leaf.last_seq}"
        self.done("batch", f"batch {proof.path.index}, {span}, is in the stream's tree since block {leaf.height} of {when}")

    def payload(self, proof: ReadingProof) -> str:
        schema, claim, leaf = proof.stream.head.record.schema, proof.reading, proof.leaf
        try:
            readings = leaf.open(proof.payload, schema)
        except WireError as error:
            self.fail("payload", str(error))
        self.done("payload", f"its payload of {len(proof.payload)} bytes is the one it names, with {len(readings)} readings")
        position = claim.seq - leaf.first_seq
        found = readings[position] if 0 <= position < len(readings) else None
        claimed = Reading(claim.claimed_ms, claim.received_ms, claim.value)
        # True equals 1 in Python, so the kinds are compared too.
        is_same = found is not None and found == claimed and value_kind_of(found.value) == value_kind_of(claim.value)
        self.require(is_same, "reading", "the payload has another reading at this number, or none")
        words = schema.words(claim.value)
        times = f"claimed at {to_rfc3339(claim.claimed_ms)}, received at {to_rfc3339(claim.received_ms)}"
        self.done("reading", f"number {claim.seq} is {words}: {times}, on the ledger at {_ledger_time(leaf.ledger_time_ms)}")
        return words

    def submitter(self, block: Finalized, proof: ReadingProof) -> Attestation:
        leaf, entity = proof.leaf, proof.submitter.entity.record
        self.stated("submitter", proof.submitter.entity, block.header, entity_key(leaf.submitter))
        is_its = entity_id(entity.inception) == leaf.submitter
        self.require(is_its, "submitter", "the entity's record begins with another inception")
        is_active = entity.revoked is None or leaf.height <= entity.revoked
        self.require(is_active, "submitter", "the entity was revoked before the batch was taken")
        kind, name, did = entity.inception.kind, entity.inception.name, self.did(leaf.submitter)
        # The owner says which entity is the device: in the thing's record, or by binding a device.
        is_by_device = kind == "device" or proof.stream.thing.record.device == leaf.submitter
        asserts = kind if kind in ("gateway", "organisation") else "entity"
        how = "signed by device" if is_by_device else f"asserted by {asserts}"
        self.done("submitter", f"{how} `{printable(name)}`, {did}")
        return Attestation(is_by_device, did, kind, name)

    def delegation(self, block: Finalized, leaf: Leaf, proof: ReadingProof) -> Delegation:
        step, thing, binding = "delegation", proof.stream.thing.record, proof.submitter.binding
        if binding is None:
            self.require(leaf.submitter == thing.owner, step, "nothing shows that the submitter was bound")
            self.done(step, "it owns the thing")
            return Delegation("owner")
        raw_key = binding_key(thing_id(thing.owner, thing.name), leaf.submitter)
        found = self.look_up(step, binding.path, block.header, raw_key)
        held = binding.record
        self.require(found == (None if held is None else sha256(binding_record.write(held))), step, "the state holds another binding")
        if held and held.bound_height <= leaf.height <= held.until_height:
            self.done(step, f"the owner bound it to the thing, blocks {held.bound_height} to {held.until_height}")
            return Delegation("bound", held.bound_height, held.until_height)
        self.done(step, "its binding of then has ended; the quorum that took the batch checked it")
        return Delegation("former")

    def signature(self, block: Finalized, leaf: Leaf, proof: ReadingProof) -> int | None:
        step, submitter = "signature", proof.submitter
        if submitter.transaction is None:
            self.require(submitter.earlier_key is None, step, "a key without the transaction that it signed")
            self.done(step, "left out of the bundle; the quorum that took the batch checked it")
            return None
        keys = self.keys_of_then(block, leaf.height, leaf.submitter, submitter, step)
        transaction = self.transaction_of(submitter.transaction, leaf, proof.stream.head.record.id())
        first = transaction.signatures[0]
        for key, version in keys:
            # The sender signs first; further signers are not this claim's matter.
            if first.suite == key.suite and self.check(key, transaction.signed_bytes(self.ledger, 0), first.signature):
                self.done(step, f"its signature on transaction {leaf.transaction.hex()} verifies under version {version} of its key")
                return version
        self.fail(step, "the signature on the transaction does not verify")

    def device(self, block: Finalized, proof: ReadingProof) -> Attestation | None:
        """The device whose signature covers the reading, if the payload is made of packs and the bundle
        shows who it was."""
        step, device, seq, height = "device", proof.device, proof.reading.seq, proof.leaf.height
        if not is_signed(proof.payload):
            self.require(device is None, step, "a device that signed nothing in the payload")
            return None
        if device is None:
            self.done(step, "left out of the bundle; the quorum that took the batch checked the device's signature")
            return None
        packs = [it.pack for it in decode(signed_payload, proof.payload, PAYLOAD_BYTES_MAX)]
        entity = device.entity.record
        id = entity_id(entity.inception)
        self.stated(step, device.entity, block.header, entity_key(id))
        pack = next((it for it in packs if it.first_seq <= seq < it.end_seq), None)
        if pack is None or pack.signer != id:
            self.fail(step, "the packs are from another device")
        is_active = entity.revoked is None or height <= entity.revoked
        self.require(is_active, step, "the device was revoked before the batch was taken")
        message = pack.signed_bytes(self.ledger, proof.stream.head.record.id())
        for key, version in self.keys_of_then(block, height, id, device, step):
            if key.suite == pack.suite and self.check(key, message, pack.signature):
                kind, name, did = entity.inception.kind, entity.inception.name, self.did(id)
                numbers = f"numbers {pack.first_seq} to {pack.end_seq - 1}"
                self.done(step, f"signed by device `{printable(name)}`, {did}, {numbers}, under version {version} of its key")
                return Attestation(True, did, kind, name)
        self.fail(step, "the device's signature does not verify")

    def keys_of_then(
        self, block: Finalized, height: int, id: bytes, proof: SubmitterProof | DeviceProof, step: str
    ) -> list[tuple[PublicKey, int]]:
        """The keys an entity had in the block of the batch: two if it was the block that replaced one."""
        entity, earlier = proof.entity.record, proof.earlier_key
        keys = []
        if earlier:
            self.stated(step, earlier.key, block.header, key_history_key(id, earlier.version))
            held = earlier.key.record
            is_of_then = held.since_height <= height <= held.until_height
            self.require(is_of_then, step, "the key was not the signer's when the batch was taken")
            keys.append((held.key, earlier.version))
        if entity.key_since_height <= height:
            keys.append((entity.key, entity.key_version))
        self.require(bool(keys), step, "the signer's key is newer than the batch")
        return keys

    def transaction_of(self, wire: bytes, leaf: Leaf, stream: bytes) -> Transaction:
        step = "signature"
        self.require(sha256(wire) == leaf.transaction, step, "the transaction is not the one that brought the batch")
        transaction = self.decoded(step, wire)
        self.require(transaction.body.sender == leaf.submitter, step, "the transaction is from another sender")
        brings = SubmitBatch(leaf.batch(stream)) in transaction.body.actions
        self.require(brings, step, "the transaction does not bring the batch")
        return transaction

    def decoded(self, step: str, wire: bytes) -> Transaction:
        try:
            return decode_transaction(wire)
        except WireError as error:
            self.fail(step, f"the transaction is malformed: {error}")


def _names(peers: list[VotingPeer]) -> str:
    named = [peer.peer if peer.name is None else printable(peer.name) for peer in peers[:_NAMES_MAX]]
    return ", ".join(named + ([f"{len(peers) - _NAMES_MAX} more"] if len(peers) > _NAMES_MAX else []))


def _ledger_time(ms: int) -> str:
    """A time of the ledger; one beyond the range of claimed times is no time at all."""
    return to_rfc3339(ms) if ms < 2**63 else f"{ms} ms"


def _interval_text(interval: Interval) -> str:
    if isinstance(interval, SeqInterval):
        return f"numbers {interval.first} to {interval.last}"
    return f"{to_rfc3339(interval.first)} to {to_rfc3339(interval.last)}"


def _outcome_text(receipt: Receipt) -> str:
    if receipt.code == 0:
        return f"it took effect, with {len(receipt.events)} events"
    refusal = refusal_of(receipt.code) or f"code {receipt.code}"
    if refusal == "awaiting_approval":
        return "it is recorded and waits for approvals"
    return f"it was refused: {refusal} at action {receipt.action}"
