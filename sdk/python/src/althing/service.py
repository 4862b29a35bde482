"""Services in the catalogue: what is offered, where and under which terms (docs/formats/services.md)."""

import re
import unicodedata
from dataclasses import dataclass
from typing import Annotated

from .access import right
from .codec import byte_string, list_of, numbered, optional, record, text, u32, u64, variants
from .entity import id32, is_name
from .limits import (
    ENDPOINT_BYTES_MAX,
    INTERFACES_MAX,
    PRICE_TEXT_BYTES_MAX,
    SERVICE_ENDPOINTS_MAX,
    SERVICE_NEEDS_MAX,
    SERVICE_SCHEMA_BYTES_MAX,
    SERVICE_TAGS_MAX,
    SERVICE_TEXT_BYTES_MAX,
)
import itertools

listing = numbered(("everyone", "callers"))
"""To whom a service is shown."""
service_status = numbered(("live", "deprecated", "withdrawn"))
"""Whether a version of a service can be relied on."""


@dataclass(frozen=True, order=True)
class Version:
    """A version as in Semantic Versioning, without labels."""

    major: Annotated[int, u32]
    minor: Annotated[int, u32]
    patch: Annotated[int, u32]

    @classmethod
    def parse(cls, said: str) -> "Version":
        """Reads `major.minor.patch`."""
        found = re.fullmatch(r"(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)", said)
        parts = [int(part) for part in found.groups()] if found else []
        if not parts or max(parts) >= 2**32:
            raise ValueError(f"{said!r} is no version")
        return cls(*parts)


@dataclass(frozen=True)
class ByContract:
    """A contract is the service."""

    contract: Annotated[bytes, id32]


@dataclass(frozen=True)
class Outside:
    """The service is performed outside the ledger."""

    entity: Annotated[bytes, id32]
    """The entity that serves, for whom grants to call it are given."""
    endpoints: Annotated[list[str], list_of(text)]
    contract: Annotated[bytes | None, optional(id32)]
    """The contract that charges and records."""


offered = variants({0: ByContract, 1: Outside})


@dataclass(frozen=True)
class Need:
    """Something that a service must be let do by the owners of things."""

    right: Annotated[str, right]
    what: Annotated[str, text]


@dataclass(frozen=True)
class PriceRule:
    """So much for each of what is counted."""

    amount: Annotated[int, u64]
    currency: Annotated[str, text]
    per: Annotated[str, text]


@dataclass(frozen=True)
class Price:
    """What a service costs: for people, and for programs."""

    text: Annotated[str, text]
    rule: Annotated[PriceRule | None, optional(record(PriceRule))]


@dataclass(frozen=True)
class Manifest:
    """What a provider says of one version of a service."""

    name: Annotated[str, text]
    version: Annotated[Version, record(Version)]
    text: Annotated[str, text]
    """What it does, for people."""
    interfaces: Annotated[list[str], list_of(text)]
    """Names of the interfaces it serves, ascending."""
    tags: Annotated[list[str], list_of(text)]
    """Words to find it by, ascending."""
    schema: Annotated[bytes | None, optional(byte_string)]
    """JSON Schema of what it takes and gives."""
    offered: Annotated[ByContract | Outside, offered]
    """Where it is performed."""
    purpose: Annotated[str, text]
    """What it is used for and needs data for, as grants name it."""
    needs: Annotated[list[Need], list_of(record(Need))]
    price: Annotated[Price, record(Price)]
    listing: Annotated[str, listing]
    """To whom it is shown: `everyone`, or `callers`."""

    def is_valid(self) -> bool:
        """Whether it is within its bounds."""
        names = is_name(self.name) and is_name(self.purpose)
        found = _are_names(self.interfaces, INTERFACES_MAX) and _are_names(self.tags, SERVICE_TAGS_MAX)
        said = self.text != "" and _is_text(self.text, SERVICE_TEXT_BYTES_MAX)
        schema = self.schema is None or 1 <= len(self.schema) <= SERVICE_SCHEMA_BYTES_MAX
        needs = len(self.needs) <= SERVICE_NEEDS_MAX and all(is_name(need.what) for need in self.needs)
        rule = self.price.rule
        price = _is_text(self.price.text, PRICE_TEXT_BYTES_MAX) and (rule is None or (is_name(rule.currency) and is_name(rule.per)))
        return names and found and said and schema and needs and price and _is_offered(self.offered)


manifest = record(Manifest)


def _is_offered(value: ByContract | Outside) -> bool:
    if isinstance(value, ByContract):
        return True
    addresses = value.endpoints
    well_formed = all(re.fullmatch(r"https?://[\x21-\x7e]+", each) and len(each) <= ENDPOINT_BYTES_MAX for each in addresses)
    return 1 <= len(addresses) <= SERVICE_ENDPOINTS_MAX and well_formed


def _is_text(value: str, bytes_max: int) -> bool:
    return len(value.encode()) <= bytes_max and all(each == "\n" or unicodedata.category(each) != "Cc" for each in value)


def _are_names(names: list[str], most: int) -> bool:
    encoded = [each.encode() for each in names]
    ascend = all(a < b for a, b in itertools.pairwise(encoded))
    return len(names) <= most and ascend and all(map(is_name, names))


@dataclass(frozen=True)
class ServicePublished:
    """A version of a service was published."""

    service: Annotated[bytes, id32]
    provider: Annotated[bytes, id32]
    version: Annotated[Version, record(Version)]


@dataclass(frozen=True)
class ServiceStatusSet:
    """A version of a service has another status."""

    service: Annotated[bytes, id32]
    provider: Annotated[bytes, id32]
    version: Annotated[Version, record(Version)]
    status: Annotated[str, service_status]


service_event = variants({0: ServicePublished, 1: ServiceStatusSet})
