"""Records: data that one entity writes for itself or others to find."""

from dataclasses import dataclass
from typing import Annotated

from .codec import byte_string, list_of, optional, text
from .entity import id32, is_name
from .limits import RECIPIENTS_MAX, RECORD_BYTES_MAX


@dataclass(frozen=True)
class RecordForm:
    """Data that one entity writes for itself or others to find."""

    kind: Annotated[str, text]
    data: Annotated[bytes, byte_string]
    notify: Annotated[list[bytes], list_of(id32)]
    link: Annotated[bytes | None, optional(id32)]

    def is_valid(self) -> bool:
        """Whether it is within its bounds."""
        fits = len(self.data) <= RECORD_BYTES_MAX and len(self.notify) <= RECIPIENTS_MAX
        return is_name(self.kind) and fits
