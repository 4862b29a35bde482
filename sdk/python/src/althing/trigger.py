"""Triggers: what the ledger does by itself when something happens (docs/formats/triggers.md)."""

from dataclasses import dataclass
from typing import Annotated

from .codec import byte_string, i64, numbered, optional, record, text, u16, u64, variants
from .contract import is_call
from .entity import id32, is_name
from .limits import COMMAND_LIFE_MS_MAX, TRIGGER_SPAN_MS_MAX
from .onboarding import CommandForm, Invoke, Read, Write, command_state, operation
from .records import RecordForm

relation = numbered(("<", "<=", ">=", ">"))
"""How a reading compares to a bound."""


@dataclass(frozen=True)
class OnReading:
    """Readings that pass a bound, a mantissa at the stream's scale, for so many milliseconds."""

    stream: Annotated[bytes, id32]
    relation: Annotated[str, relation]
    bound: Annotated[int, i64]
    for_ms: Annotated[int, u64]


@dataclass(frozen=True)
class OnSilence:
    """No readings for so many milliseconds."""

    stream: Annotated[bytes, id32]
    for_ms: Annotated[int, u64]


@dataclass(frozen=True)
class OnTime:
    """A point in ledger time, and from then on again and again; only once if `every_ms` is 0."""

    first_ms: Annotated[int, u64]
    every_ms: Annotated[int, u64]


@dataclass(frozen=True)
class OnContract:
    """A contract tells of something."""

    contract: Annotated[bytes, id32]
    event: Annotated[str, text]


@dataclass(frozen=True)
class OnRecord:
    """Somebody writes a record of a kind."""

    sender: Annotated[bytes, id32]
    kind: Annotated[str, text]


@dataclass(frozen=True)
class OnCommand:
    """A command of a thing comes to a state."""

    thing: Annotated[bytes, id32]
    state: Annotated[str, command_state]


Cause = OnReading | OnSilence | OnTime | OnContract | OnRecord | OnCommand
cause = variants({0: OnReading, 1: OnSilence, 2: OnTime, 3: OnContract, 4: OnRecord, 5: OnCommand})


@dataclass(frozen=True)
class CallContract:
    """Calls a contract with a message, JSON text, for at most so much gas."""

    contract: Annotated[bytes, id32]
    message: Annotated[bytes, byte_string]
    gas_limit: Annotated[int, u64]


@dataclass(frozen=True)
class CommandThing:
    """Asks a thing to do something within so many milliseconds."""

    thing: Annotated[bytes, id32]
    operation: Annotated[Read | Write | Invoke, operation]
    life_ms: Annotated[int, u64]
    purpose: Annotated[str | None, optional(text)]


@dataclass(frozen=True)
class WriteRecord:
    """Writes a record, which notifies those it names."""

    record: Annotated[RecordForm, record(RecordForm)]


Effect = CallContract | CommandThing | WriteRecord
effect = variants({0: CallContract, 1: CommandThing, 2: WriteRecord})


@dataclass(frozen=True)
class Trigger:
    """Something to be done by the ledger itself, in the name of its owner."""

    name: Annotated[str, text]
    cause: Annotated[Cause, cause]
    effect: Annotated[Effect, effect]

    def is_valid(self) -> bool:
        """Whether it is within its bounds."""
        return is_name(self.name) and _is_cause(self.cause) and _is_effect(self.effect)

    def to_bytes(self) -> bytes:
        """Its canonical CBOR, to ask a peer what would come of it: see `Client.try_trigger`."""
        return trigger.write(self)


trigger = record(Trigger)


def _is_cause(value: Cause) -> bool:
    match value:
        case OnReading(for_ms=span_ms) | OnTime(every_ms=span_ms):
            return span_ms <= TRIGGER_SPAN_MS_MAX
        case OnSilence(for_ms=span_ms):
            return 1 <= span_ms <= TRIGGER_SPAN_MS_MAX
        case OnContract(_, name) | OnRecord(_, name):
            return is_name(name)
        case OnCommand():
            return True


def _is_effect(value: Effect) -> bool:
    match value:
        case CallContract(_, message, gas_limit):
            return is_call(message, gas_limit)
        case CommandThing(thing, asked, life_ms, purpose):
            return 1 <= life_ms <= COMMAND_LIFE_MS_MAX and CommandForm(thing, asked, 0, purpose).is_valid()
        case WriteRecord(form):
            return form.is_valid()


@dataclass(frozen=True)
class TriggerSet:
    """A trigger was set."""

    trigger: Annotated[bytes, id32]
    owner: Annotated[bytes, id32]


@dataclass(frozen=True)
class TriggerRemoved:
    """A trigger was removed."""

    trigger: Annotated[bytes, id32]


@dataclass(frozen=True)
class TriggerRan:
    """A trigger ran; the events that follow are what it did. `code` is 0, or that of the refusal it met."""

    trigger: Annotated[bytes, id32]
    owner: Annotated[bytes, id32]
    cause_height: Annotated[int, u64]
    code: Annotated[int, u16]
    gas_used: Annotated[int, u64]


@dataclass(frozen=True)
class TriggerSuspended:
    """A trigger waits for nothing: its owner wanted it (0), or it failed again and again."""

    trigger: Annotated[bytes, id32]
    code: Annotated[int, u16]


@dataclass(frozen=True)
class TriggerResumed:
    """A suspended trigger waits again."""

    trigger: Annotated[bytes, id32]


trigger_event = variants({0: TriggerSet, 1: TriggerRemoved, 2: TriggerRan, 3: TriggerSuspended, 4: TriggerResumed})
