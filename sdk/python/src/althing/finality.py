"""Whether a quorum of validators made a block final, and who the validators of an epoch are."""

from bisect import bisect_right
from collections.abc import Callable
from dataclasses import replace

from .block import Certificate, Finalized, Header, ValidatorSet
from .bundle import EpochLink
from .crypto import PublicKey
from .genesis import Genesis
from .limits import EPOCHS_MAX

SignatureCheck = Callable[[PublicKey, bytes, bytes], bool]
"""Says whether a signature by a key covers a message, as `PublicKey.verify` does."""


class FinalityError(ValueError):
    """A block that is not final, or validators that do not follow from the genesis."""


def quorum(mechanism: str, count: int) -> int:
    """How many of so many validators must sign: all but the faulty third, or a majority where peers only crash."""
    return count // 2 + 1 if mechanism == "raft" else count - (count - 1) // 3


def vote_bytes(mechanism: str, ledger: bytes, certificate: Certificate) -> bytes:
    """What each validator signs to finalize a block."""
    namespace = f"althing/{mechanism}/1/".encode() + ledger + b"_FINALIZE"
    numbers = (certificate.epoch, certificate.view, certificate.parent_view)
    return _varint(len(namespace)) + namespace + b"".join(map(_varint, numbers)) + certificate.block


def _varint(number: int) -> bytes:
    """Unsigned LEB128."""
    out = bytearray()
    while number >= 0x80:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes(out + bytes([number]))


def check_final(block: Finalized, founding: str, ledger: bytes, validators: ValidatorSet, check: SignatureCheck) -> None:
    """Raises `FinalityError` unless these validators made a block final, itself or by a descendant.

    They agree as the genesis says, `founding`, unless they say otherwise.
    """
    header, certificate = block.header, block.certificate
    _require(header.ledger == ledger, "the block belongs to another ledger")
    _require_epoch(validators.epoch, header.epoch)
    _require(header.validators == validators.digest, "the block names another validator set")
    last = header
    for child in block.descendants:
        _require(_continues(last, child), f"the block at height {child.height} is no child, in the same epoch, of the one before it")
        last = child
    views = (last.view, last.parent_view) == (certificate.view, certificate.parent_view)
    # The last block of an epoch is proposed again, as it is, in later views until it is final.
    again = last.next_validators is not None and certificate.view > last.view
    _require(last.digest == certificate.block and (views or again), "the certificate is about another block")
    check_certificate(certificate, founding, ledger, validators, check)


def check_certificate(certificate: Certificate, founding: str, ledger: bytes, validators: ValidatorSet, check: SignatureCheck) -> None:
    """Raises `FinalityError` unless a quorum of the validators signed."""
    keys, signers = [each.key for each in validators.validators], certificate.positions()
    _require_epoch(validators.epoch, certificate.epoch)
    is_of_set = len(certificate.signers) == (len(keys) + 7) // 8 and all(position < len(keys) for position in signers)
    is_whole = is_of_set and len(signers) == len(certificate.signatures)
    _require(is_whole, "the signers named are not those that signed, or not of this validator set")
    mechanism = validators.mechanism or founding
    needed = quorum(mechanism, len(keys))
    _require(0 < len(signers) >= needed, f"{len(signers)} validators signed, but {needed} must")
    message = vote_bytes(mechanism, ledger, certificate)
    # All of them, not merely a quorum: no honest peer makes a certificate with a bad signature.
    for position, signature in zip(signers, certificate.signatures, strict=True):
        holds = check(PublicKey("ed25519", keys[position]), message, signature)
        _require(holds, f"the signature of validator {position} does not verify")


def _continues(parent: Header, child: Header) -> bool:
    is_child = child.parent == parent.digest and child.height == parent.height + 1 and child.ledger == parent.ledger
    return is_child and (child.epoch, child.validators) == (parent.epoch, parent.validators) and parent.next_validators is None


def _require_epoch(expected: int, found: int) -> None:
    _require(expected == found, f"it is of epoch {found}, but these are the validators of epoch {expected}")


def _require(holds: bool, otherwise: str) -> None:
    if not holds:
        raise FinalityError(otherwise)


class Membership:
    """The validators of a ledger. Epochs in which they stay need no link."""

    def __init__(self, genesis: Genesis, links: list[EpochLink], check: SignatureCheck) -> None:
        """Follows the links from the genesis. Raises `FinalityError` if they do not lead on."""
        _require(len(links) <= EPOCHS_MAX, f"the chain spans more than {EPOCHS_MAX} changes of validators")
        ledger = genesis.ledger
        self._sets = [genesis.validators()]
        self._ends: list[int] = []
        for link in links:
            header, since = link.last.header, self._sets[-1]
            epoch = max(header.epoch, since.epoch)
            try:
                check_final(link.last, genesis.mechanism, ledger, replace(since, epoch=epoch), check)
            except FinalityError as fault:
                raise FinalityError(f"the last block of epoch {epoch} is not final: {fault}") from None
            is_named = header.next_validators == link.next.digest and link.next.epoch == epoch + 1
            _require(is_named, f"the last block of epoch {epoch} does not name the validators that follow it")
            ascends = not self._ends or header.height > self._ends[-1]
            _require(ascends, f"the last block of epoch {epoch} is not above that of the epoch before")
            self._ends.append(header.height)
            self._sets.append(link.next)

    def validators(self, epoch: int) -> ValidatorSet:
        """The validators of an epoch; of one after the last link, if they have not changed since."""
        return replace(self._sets[self._changes_before(epoch)], epoch=epoch)

    def admits(self, epoch: int, height: int) -> bool:
        """Whether a block of an epoch can have a height."""
        since = self._changes_before(epoch)
        is_above = since == 0 or height > self._ends[since - 1]
        return is_above and (since >= len(self._ends) or height <= self._ends[since])

    def _changes_before(self, epoch: int) -> int:
        return bisect_right([each.epoch for each in self._sets], epoch) - 1
