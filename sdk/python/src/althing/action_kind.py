"""What kinds of actions there are: each is a class that enters its number and name here."""

import re
from collections.abc import Callable
from dataclasses import dataclass, make_dataclass
from typing import Annotated, TypeVar, dataclass_transform

from .entity import id32

C = TypeVar("C")
ACTION_NUMBERS: dict[str, int] = {}
"""The number of each kind of action, by its name; the classes below enter theirs."""
CASES: dict[int, type] = {}


class Action:
    """One thing that a transaction does: each kind is a class of its own."""


def register(number: int, case: type) -> None:
    assert number not in CASES, f"{case.__name__} has the number of {CASES[number].__name__}"
    ACTION_NUMBERS[name_of(case)] = number
    CASES[number] = case


def name_of(case: type) -> str:
    return re.sub(r"(?<=.)([A-Z])", r"_\1", case.__name__).lower()


@dataclass_transform(frozen_default=True)
def kind(number: int) -> Callable[[type[C]], type[C]]:
    """A kind of action with fields of its own."""

    def made(form: type[C]) -> type[C]:
        case = dataclass(frozen=True)(form)
        register(number, case)
        return case

    return made


def of_one_id(number: int, name: str, field: str, doc: str) -> Callable[..., Action]:
    """A kind of action that says nothing but what it is about: 32 bytes."""
    case: type[Action] = make_dataclass(name, [(field, Annotated[bytes, id32])], bases=(Action,), frozen=True, namespace={"__doc__": doc, "__module__": __name__})
    register(number, case)
    return case
