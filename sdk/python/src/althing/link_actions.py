"""Actions between ledgers (docs/formats/links.md)."""

from typing import Annotated

from .action_kind import Action, kind, of_one_id
from .codec import byte_string, record
from .entity import id32
from .link import Call, CallAnswer, CallSettlement, LinkAdvance, LinkFork, link_status


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
