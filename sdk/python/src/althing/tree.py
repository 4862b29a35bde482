"""The tree of a stream: leaves, summaries, nodes, peaks, and the head that the state keeps."""

from dataclasses import dataclass
from typing import Annotated

from .codec import byte_string, bytes32, checked, i64, i128, list_of, optional, record, text, u64, variants
from .digest import sha256, stream_id
from .entity import id32, is_short
from .limits import BATCH_READINGS_MAX, GAPS_MAX, LEAVES_MAX, PARTS_MAX
from .reading import BatchHeader, BatchSummary, StreamSchema, is_sum_possible, stream_schema
import itertools


@dataclass(frozen=True)
class Summary:
    """What a subtree holds, in one line."""

    leaves: Annotated[int, u64]
    count: Annotated[int, u64]
    seq_min: Annotated[int, u64]
    seq_max: Annotated[int, u64]
    time_min: Annotated[int, i64]
    time_max: Annotated[int, i64]
    min: Annotated[int | None, optional(i64)]
    max: Annotated[int | None, optional(i64)]
    sum: Annotated[int, i128]

    def is_valid(self) -> bool:
        """Whether the fields are within their bounds and agree with each other."""
        counts = 1 <= self.leaves <= min(LEAVES_MAX, self.count) and self.count <= self.leaves * BATCH_READINGS_MAX
        spans = self.count - 1 <= self.seq_max - self.seq_min and self.time_min <= self.time_max
        return counts and spans and is_sum_possible(self.min, self.max, self.sum, self.count)

    def merge(self, right: "Summary") -> "Summary | None":
        """The summary of two subtrees side by side; `None` if a number overflows."""
        leaves, count, total = self.leaves + right.leaves, self.count + right.count, self.sum + right.sum
        if leaves > LEAVES_MAX or count >= 2**64 or not -(2**127) <= total < 2**127:
            return None
        return Summary(
            leaves,
            count,
            min(self.seq_min, right.seq_min),
            max(self.seq_max, right.seq_max),
            min(self.time_min, right.time_min),
            max(self.time_max, right.time_max),
            smaller_of(self.min, right.min),
            larger_of(self.max, right.max),
            total,
        )


def smaller_of(a: int | None, b: int | None) -> int | None:
    """The smaller of two that may be absent."""
    return min((each for each in (a, b) if each is not None), default=None)


def larger_of(a: int | None, b: int | None) -> int | None:
    """The larger of two that may be absent."""
    return max((each for each in (a, b) if each is not None), default=None)


summary = checked(record(Summary), "summary", Summary.is_valid)


@dataclass(frozen=True)
class Leaf(BatchSummary):
    """A batch in the tree of its stream: what its submitter said of it, and when the ledger took it."""

    submitter: Annotated[bytes, id32]
    transaction: Annotated[bytes, id32]
    ledger_time_ms: Annotated[int, u64]
    height: Annotated[int, u64]

    @property
    def last_seq(self) -> int:
        """Sequence number of the last reading."""
        return self.first_seq + self.count - 1

    def batch(self, stream: bytes) -> BatchHeader:
        """The batch header it was made from."""
        return BatchHeader(stream=stream, **self.summary())


leaf = checked(record(Leaf), "leaf", Leaf.is_valid)


@dataclass(frozen=True)
class Node:
    """A subtree as its parent, or the stream's head, commits to it."""

    hash: Annotated[bytes, bytes32]
    summary: Annotated[Summary, summary]

    @classmethod
    def of_leaf(cls, value: Leaf) -> "Node":
        """The node of a leaf."""
        own = Summary(
            1, value.count, value.first_seq, value.last_seq, value.time_min, value.time_max, value.min, value.max, value.sum
        )
        return cls(sha256(b"\0", leaf.write(value)), own)

    def join(self, right: "Node") -> "Node | None":
        """The parent of two nodes; `None` if the summaries do not merge."""
        merged = self.summary.merge(right.summary)
        if merged is None:
            return None
        own, other = summary.write(self.summary), summary.write(right.summary)
        return Node(sha256(b"\1", self.hash, own, right.hash, other), merged)


node = record(Node)


def _are_peaks(nodes: list[Node]) -> bool:
    counts = [each.summary.leaves for each in nodes]
    powers = all(count & (count - 1) == 0 for count in counts)
    return powers and all(a > b for a, b in itertools.pairwise(counts)) and sum(counts) <= LEAVES_MAX


peaks = checked(list_of(node, 41), "peaks", _are_peaks)


@dataclass(frozen=True)
class Peak:
    """A peak with its place in the tree."""

    level: int
    index: int
    node: Node


def positions(nodes: list[Node]) -> list[Peak]:
    """Each peak with its level and index, highest first."""
    start, found = 0, []
    for each in nodes:
        level = each.summary.leaves.bit_length() - 1
        found.append(Peak(level, start >> level, each))
        start += each.summary.leaves
    return found


@dataclass(frozen=True)
class Gap:
    """Sequence numbers that were skipped and may still come."""

    first_seq: Annotated[int, u64]
    count: Annotated[int, u64]


@dataclass(frozen=True)
class StreamHead:
    """What the state keeps of a stream."""

    thing: Annotated[bytes, id32]
    property: Annotated[str, text]
    schema: Annotated[StreamSchema, stream_schema]
    next_seq: Annotated[int, u64]
    gaps: Annotated[list[Gap], list_of(record(Gap), GAPS_MAX)]
    sealed: Annotated[int, u64]
    peaks: Annotated[list[Node], peaks]

    def id(self) -> bytes:
        """The stream's id."""
        return stream_id(self.thing, self.property)

    def count(self) -> int:
        """How many readings it has."""
        return sum(each.summary.count for each in self.peaks)

    def is_valid(self) -> bool:
        """Whether the fields are within their bounds and agree with each other."""
        if not is_short(self.property) or not self.schema.is_valid():
            return False
        floor = 0
        for gap in self.gaps:
            end = gap.first_seq + gap.count
            if gap.first_seq < floor or gap.count == 0 or end >= self.next_seq:
                return False
            # Two gaps side by side would be one.
            floor = end + 1
        return all(each.summary.seq_max < self.next_seq for each in self.peaks)


stream_head = checked(record(StreamHead), "stream head", StreamHead.is_valid)


@dataclass(frozen=True)
class LeafPath:
    """The position of a leaf from 0, and its siblings from the leaf up."""

    index: Annotated[int, u64]
    siblings: Annotated[list[Node], list_of(node)]

    def leads_to_peak(self, nodes: list[Node], value: Leaf) -> bool:
        """Whether it leads from a leaf to one of the peaks."""
        peak = next((each for each in positions(nodes) if self.index >> each.level == each.index), None)
        if peak is None or len(self.siblings) != peak.level:
            return False
        top: Node | None = Node.of_leaf(value)
        for level, sibling in enumerate(self.siblings):
            if top is not None:
                top = sibling.join(top) if self.index >> level & 1 else top.join(sibling)
        return top == peak.node


leaf_path = record(LeafPath)


@dataclass(frozen=True)
class Inner:
    """An inner node that is opened: its left and then its right subtree follow."""


@dataclass(frozen=True)
class Closed:
    """A subtree that stays closed."""

    node: Annotated[Node, node]


@dataclass(frozen=True)
class Opened:
    """A batch, with its payload unless that is left out."""

    leaf: Annotated[Leaf, leaf]
    payload: Annotated[bytes | None, optional(byte_string)]


Part = Inner | Closed | Opened
opening = list_of(variants({0: Inner, 1: Closed, 2: Opened}, flat=True), PARTS_MAX)
"""The opened part of a stream's tree, in pre-order."""
