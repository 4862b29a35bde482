"""Links to other ledgers, and calls of services across them: their forms, and the actions that have them (docs/formats/links.md)."""

from dataclasses import dataclass, make_dataclass
from typing import Annotated, Any

from .action_kind import Action, kind, of_one_id
from .codec import boolean, byte_string, numbered, optional, record, u64, variants
from .entity import id32
from .limits import CALL_BYTES_MAX, CALL_GRACE_MS_MAX, CALL_GRACE_MS_MIN, LINK_PROOF_BYTES_MAX
from .token import amount

link_status = numbered(("live", "suspended", "ended", "frozen"))
"""Whether an organisation relies on what another ledger proves."""


@dataclass(frozen=True)
class LinkAdvance:
    """What a link is told, with the proof of it."""

    link: Annotated[bytes, id32]
    proof: Annotated[bytes, byte_string]


@dataclass(frozen=True)
class LinkFork:
    """Two final blocks of another ledger that exclude each other, each as a proof."""

    link: Annotated[bytes, id32]
    first: Annotated[bytes, byte_string]
    second: Annotated[bytes, byte_string]


@dataclass(frozen=True)
class CallPayment:
    """Tokens that are locked where the call is asked, and for whom there."""

    payee: Annotated[bytes, id32]
    amount: Annotated[int, amount]


@dataclass(frozen=True)
class Call:
    """A question to a service of another ledger, until a deadline by the time of either."""

    ledger: Annotated[bytes, id32]
    service: Annotated[bytes, id32]
    deadline_ms: Annotated[int, u64]
    grace_ms: Annotated[int, u64]
    request: Annotated[bytes, byte_string]
    payment: Annotated[CallPayment | None, optional(record(CallPayment))] = None

    def is_valid(self) -> bool:
        """Whether every field is within its bounds."""
        in_time = CALL_GRACE_MS_MIN <= self.grace_ms <= CALL_GRACE_MS_MAX
        return in_time and len(self.request) <= CALL_BYTES_MAX and (self.payment is None or self.payment.amount > 0)


@dataclass(frozen=True)
class CallAnswer:
    """What a service says to a call of another ledger: done and to be paid for, or declined."""

    ledger: Annotated[bytes, id32]
    call: Annotated[bytes, id32]
    accepted: Annotated[bool, boolean]
    answer: Annotated[bytes, byte_string]

    def is_valid(self) -> bool:
        """Whether every field is within its bounds."""
        return len(self.answer) <= CALL_BYTES_MAX


@dataclass(frozen=True)
class CallSettlement:
    """An answer of another ledger, with the proof of it."""

    call: Annotated[bytes, id32]
    proof: Annotated[bytes, byte_string]


_ID, _NUMBER, _TRUTH = Annotated[bytes, id32], Annotated[int, u64], Annotated[bool, boolean]
_EVENTS: dict[int, tuple[str, dict[str, Any]]] = {
    0: ("LinkRegistered", {"link": _ID, "owner": _ID, "ledger": _ID}),
    1: ("LinkAdvanced", {"link": _ID, "height": _NUMBER, "epoch": _NUMBER}),
    2: ("LinkStatusSet", {"link": _ID, "status": Annotated[str, link_status]}),
    3: ("LinkFrozen", {"link": _ID, "height": _NUMBER}),
    4: ("CallAsked", {"call": _ID, "caller": _ID, "ledger": _ID, "service": _ID, "deadline_ms": _NUMBER}),
    5: ("CallTaken", {"ledger": _ID, "call": _ID, "service": _ID, "provider": _ID, "deadline_ms": _NUMBER}),
    6: ("CallAnswered", {"ledger": _ID, "call": _ID, "by": _ID, "accepted": _TRUTH}),
    7: ("CallSettled", {"call": _ID, "caller": _ID, "accepted": _TRUTH}),
    8: ("CallRefunded", {"call": _ID, "caller": _ID}),
}
link_event = variants({number: make_dataclass(name, list(parts.items()), frozen=True) for number, (name, parts) in _EVENTS.items()})
"""What happened between this ledger and another."""


def are_proofs(*proofs: bytes) -> bool:
    """Whether bytes can be proofs of another ledger, together."""
    return all(proofs) and sum(map(len, proofs)) <= LINK_PROOF_BYTES_MAX


@kind(100)
class RegisterLink(Action):
    """Relies on another ledger from now on, by its genesis; by an organisation."""

    genesis: Annotated[bytes, byte_string]


@kind(101)
class AdvanceLink(Action):
    """Tells a link of a newer block."""

    told: Annotated[LinkAdvance, record(LinkAdvance)]


@kind(102)
class ReportFork(Action):
    """Shows that the ledger behind a link forked, which freezes the link."""

    told: Annotated[LinkFork, record(LinkFork)]


@kind(103)
class SetLinkStatus(Action):
    """Suspends a link, resumes it or ends it: `suspended`, `live` or `ended`."""

    link: Annotated[bytes, id32]
    status: Annotated[str, link_status]


@kind(104)
class AskLedger(Action):
    """Asks a service of another ledger; the call's id is that of the transaction."""

    call: Annotated[Call, record(Call)]


@kind(105)
class TakeCall(Action):
    """Takes a call of another ledger in."""

    proof: Annotated[bytes, byte_string]


@kind(106)
class AnswerCall(Action):
    """Answers a call of another ledger."""

    said: Annotated[CallAnswer, record(CallAnswer)]


@kind(107)
class SettleCall(Action):
    """Brings the answer to a call back."""

    told: Annotated[CallSettlement, record(CallSettlement)]


RefundCall = of_one_id(108, "RefundCall", "call", "Gives up a call that was not answered in time.")
