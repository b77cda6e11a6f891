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


Learn = Callable[[Iterable[bytes]], Sequence[Common]]  # from packed lines of pages


@dataclass(frozen=True, slots=True, kw_only=True)
class Judge:
    """Five decisions: are two texts copies, who is the original, which story, mean.

    The fifth: which lines the pages of a source have in common, and are furniture.
    """

    compare: Callable[[Fingerprint, Fingerprint], Comparison | None]
    settle: Callable[[Mapping[int, datetime], Sequence[CopyPair]], list[CopyVerdict]]
    assign: Callable[[StoryFeatures, datetime, Sequence[StoryCandidate]], StoryChoice]
    add_member: Callable[[Centroid, int, StoryFeatures], Centroid]
    learn: Learn
