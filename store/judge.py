"""The deciding code, as the store sees it: pure functions that services hand in.

The store may not import how copies and stories are told apart, nor what furniture is;
it asks with the words of `enrich.messages` and writes down the answer in its own
transaction.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from enrich.messages import (
    Comparison,
    CopyPair,
    CopyVerdict,
    Fingerprint,
    StoryCandidate,
    StoryChoice,
    StoryFeatures,
    StoryGroup,
    StoryPart,
)

Centroid = tuple[tuple[str, float], ...]


class Common(Protocol):
    """A line that the pages of a source have in common."""

    @property
    def hash(self) -> str:
        """16 hex digits."""

    @property
    def text(self) -> str:
        """As one of the pages has it."""

    @property
    def n_texts(self) -> int:
        """Different texts it stands with."""


ChooseKeys = Callable[[Fingerprint], Sequence[int]]  # of its marks those to index
Learn = Callable[[Iterable[bytes]], Sequence[Common]]  # from packed lines of pages


@dataclass(frozen=True, slots=True, kw_only=True)
class Clusterer:
    """What stories are made by: where an article belongs, and a second look at that."""

    assign: Callable[[StoryFeatures, datetime, Sequence[StoryCandidate]], StoryChoice]
    mean: Callable[[Sequence[tuple[Centroid, int]]], Centroid]  # of terms and weights
    keys: Callable[[Centroid], tuple[int, ...]]  # under which stories are found
    # The ids of the stories that are reviewed with one, out of those given.
    neighbours: Callable[[StoryCandidate, Sequence[StoryCandidate]], list[int]]
    regroup: Callable[[Sequence[StoryPart]], list[StoryGroup]]  # none: as they stand
    max_taken_apart: int  # stories of more articles are reviewed as a whole


@dataclass(frozen=True, slots=True, kw_only=True)
class Judge:
    """The decisions: are two texts copies, who is the original, which story.

    And what is furniture of a source: which lines its pages have in common, and which
    marks its texts, with what is left of a text without them. And which marks of a
    fingerprint stand in the index of copies.
    """

    compare: Callable[[Fingerprint, Fingerprint], Comparison | None]
    settle: Callable[[Mapping[int, datetime], Sequence[CopyPair]], list[CopyVerdict]]
    stories: Clusterer
    learn: Learn
    find_furniture: Callable[[Iterable[bytes]], bytes]  # packed marks of texts
    without: Callable[[Fingerprint, bytes], Fingerprint]
    choose_keys: ChooseKeys
