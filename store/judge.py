"""The deciding code, as the store sees it: pure functions that services hand in.

The store may not import how copies and stories are told apart; it asks with the words
of `enrich.messages` and writes down the answer in its own transaction.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Judge:
    """Four decisions: are two texts copies, who is the original, which story, mean."""

    compare: Callable[[Fingerprint, Fingerprint], Comparison | None]
    settle: Callable[[Mapping[int, datetime], Sequence[CopyPair]], list[CopyVerdict]]
    assign: Callable[[StoryFeatures, datetime, Sequence[StoryCandidate]], StoryChoice]
    add_member: Callable[[Centroid, int, StoryFeatures], Centroid]
