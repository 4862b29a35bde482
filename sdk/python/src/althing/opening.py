"""The opened part of a stream's tree, and what it answers (docs/formats/tree.md)."""

from collections.abc import Callable
from dataclasses import dataclass

from .bundle import Interval, SeqInterval
from .cbor import WireError
from .reading import Reading, measure
from .secrecy import is_sealed, sealed_of
from .tree import Closed, Inner, Leaf, Node, Opened, Part, StreamHead, Summary, larger_of, positions, smaller_of


class OpeningError(ValueError):
    """An opening that is no answer: says why."""


@dataclass(frozen=True)
class RangeAnswer:
    """All readings of an interval."""

    readings: list[tuple[int, Reading]]
    withheld: list[tuple[int, int]]
    sealed: list[tuple[Leaf, bytes]]
    batches: int


@dataclass(frozen=True)
class AggregateAnswer:
    """What the readings of an interval amount to."""

    count: int
    min: int | None
    max: int | None
    sum: int

    def plus(self, count: int, least: int | None, most: int | None, total: int) -> "AggregateAnswer":
        """Both together."""
        return AggregateAnswer(self.count + count, smaller_of(self.min, least), larger_of(self.max, most), self.sum + total)


@dataclass(frozen=True)
class _Leaf:
    index: int
    leaf: Leaf
    payload: bytes | None


def answer_range(head: StreamHead, interval: Interval, parts: list[Part]) -> RangeAnswer:
    """All readings of an interval; raises `OpeningError`."""
    shown = _check(head, parts, lambda summary: _overlaps(interval, summary))
    leaves = sorted((each for each in shown if isinstance(each, _Leaf)), key=lambda each: each.leaf.first_seq)
    readings: list[tuple[int, Reading]] = []
    withheld = []
    sealed = []
    for each in leaves:
        if each.payload is None:
            withheld.append((each.leaf.first_seq, each.leaf.count))
        elif is_sealed(each.payload):
            try:
                sealed_of(each.leaf, each.payload)
            except WireError as error:
                raise OpeningError(f"the payload of batch {each.index} is not the one in the stream's tree: {error}") from None
            sealed.append((each.leaf, each.payload))
        else:
            readings += [(seq, reading) for seq, reading in _numbered(head, each, each.payload) if contains(interval, seq, reading.claimed_ms)]
    return RangeAnswer(readings, withheld, sealed, len(leaves))


def answer_aggregate(head: StreamHead, interval: Interval, parts: list[Part]) -> AggregateAnswer:
    """What the readings of an interval amount to; raises `OpeningError`."""
    total = AggregateAnswer(0, None, None, 0)
    for each in _check(head, parts, lambda summary: _overlaps(interval, summary) and not _covers(interval, summary)):
        if isinstance(each, Summary):
            if _covers(interval, each):
                total = total.plus(each.count, each.min, each.max, each.sum)
            continue
        if each.payload is None:
            raise OpeningError(f"the payload of batch {each.index} is needed, but left out")
        for seq, reading in _numbered(head, each, each.payload):
            if contains(interval, seq, reading.claimed_ms):
                number = measure(reading.value)
                total = total.plus(1, number, number, number or 0)
    if not -(2**127) <= total.sum < 2**127:
        raise OpeningError("a number overflows")
    return total


def _numbered(head: StreamHead, shown: _Leaf, payload: bytes) -> list[tuple[int, Reading]]:
    try:
        readings = shown.leaf.open(payload, head.schema)
    except WireError as error:
        raise OpeningError(f"the payload of batch {shown.index} is not the one in the stream's tree: {error}") from None
    return list(enumerate(readings, shown.leaf.first_seq))


def _check(head: StreamHead, parts: list[Part], opens: Callable[[Summary], bool]) -> list[Summary | _Leaf]:
    """What the parts show, if they are the tree below the head's peaks, opened exactly where `opens` says."""
    shown: list[Summary | _Leaf] = []
    rest = iter(parts)

    def subtree(level: int, index: int) -> Node:
        """Reads one subtree; the recursion ends at level 0, and no peak is higher than 40."""
        part, first = next(rest, None), index << level
        if isinstance(part, Closed) and part.node.summary.leaves == 1 << level:
            if opens(part.node.summary):
                raise OpeningError(f"batches {first}.. can hold an answer, but are held back")
            shown.append(part.node.summary)
            return part.node
        opened = _opened(part, level, index)
        if not opens(opened.summary):
            raise OpeningError(f"batches {first}.. are opened although the answer does not need them")
        return opened

    def _opened(part: Part | None, level: int, index: int) -> Node:
        if isinstance(part, Inner) and level > 0:
            left = subtree(level - 1, 2 * index)
            parent = left.join(subtree(level - 1, 2 * index + 1))
            if parent is None:
                raise OpeningError("a number overflows")
            return parent
        if isinstance(part, Opened) and level == 0:
            shown.append(_Leaf(index, part.leaf, part.payload))
            return Node.of_leaf(part.leaf)
        raise OpeningError("the parts do not have the shape of the stream's tree")

    for peak in positions(head.peaks):
        if not opens(peak.node.summary):
            shown.append(peak.node.summary)
        elif subtree(peak.level, peak.index) != peak.node:
            raise OpeningError(f"batches {peak.index << peak.level}.. are not those of the stream: their hash differs")
    if next(rest, None) is not None:
        raise OpeningError("the parts do not have the shape of the stream's tree")
    return shown


def contains(interval: Interval, seq: int, claimed_ms: int) -> bool:
    """Whether a reading belongs to an interval."""
    return interval.first <= (seq if isinstance(interval, SeqInterval) else claimed_ms) <= interval.last


def _overlaps(interval: Interval, summary: Summary) -> bool:
    if isinstance(interval, SeqInterval):
        return interval.first <= summary.seq_max and summary.seq_min <= interval.last
    return interval.first <= summary.time_max and summary.time_min <= interval.last


def _covers(interval: Interval, summary: Summary) -> bool:
    low, high = (summary.seq_min, summary.time_min), (summary.seq_max, summary.time_max)
    return contains(interval, *low) and contains(interval, *high)
