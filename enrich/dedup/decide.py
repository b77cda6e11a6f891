"""Which of two articles is a copy, and of which one."""

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace
from datetime import datetime

from enrich.dedup.fingerprint import unpack_marks
from enrich.dedup.numbers import numbers_differ
from enrich.messages import (
    Comparison,
    CopyKind,
    CopyPair,
    CopyVerdict,
    Fingerprint,
)

# Below this, texts are a sentence or two: they agree by chance ("Live updates"), and
# have too few marks for a share of them to mean anything.
MIN_TOKENS = 30

# Yet many feeds give one sentence of an article. Such a text counts as an excerpt of an
# article, which is longer than two sentences, by the share of its marks found there;
# here after the tokens from which the share is asked. All sentences of news from 15
# tokens up that had all their marks in another article stood there but for a word.
MIN_WHOLE_TOKENS = 55
SENTENCES = ((25, 0.8), (15, 1.0))

# Of 0.6 and 0.7, measured on agency and newspaper copies, 0.7 gave precision .980 and
# recall .966, 0.6 precision .967 and recall .990: an article wrongly hidden as a copy
# costs the reader more than a copy shown twice.
MIN_CONTAINMENT = 0.7

# One word in twenty changed leaves two texts of one length 0.6 to 0.8 of their marks.
# From this resemblance up they are copies all the same: on half of the topics of ECB+
# it is the lowest at which every pair of different articles that passes has three
# fifths of the shorter one verbatim. Shorter texts agree so far where a template made
# them, as flashes on earthquakes.
MIN_RESEMBLANCE = 0.4
MIN_RESEMBLED_TOKENS = 60

# A copy with less than this of the longer text's marks is called an excerpt.
MIN_NEAR_SHARE = 0.5


def compare(one: Fingerprint, other: Fingerprint) -> Comparison | None:
    """Return how two articles are copies of each other, or None if they are not.

    Symmetric: `compare(a, b) == compare(b, a)`.
    """
    if _is_identical(one, other):
        return Comparison(kind=CopyKind.IDENTICAL, containment=1.0, resemblance=1.0)
    found = overlap(one, other)
    if not _is_enough(found, one.n_tokens, other.n_tokens):
        return None
    return replace(found, numbers_differ=numbers_differ(one.numbers, other.numbers))


def overlap(one: Fingerprint, other: Fingerprint) -> Comparison:
    """Return how much two texts have in common, be it enough for a copy or not.

    Containment is the share of the smaller one's marks that the larger one has,
    resemblance that of all marks that both have. Numbers are not looked at.
    """
    if one.text_hash == other.text_hash:
        return Comparison(kind=CopyKind.IDENTICAL, containment=1.0, resemblance=1.0)
    marks, others = unpack_marks(one.marks), unpack_marks(other.marks)
    n_shared = len(marks & others)
    n_all = len(marks) + len(others) - n_shared
    fewer, more = sorted((len(marks), len(others)))
    return Comparison(
        kind=CopyKind.NEAR if fewer >= MIN_NEAR_SHARE * more else CopyKind.EXCERPT,
        containment=n_shared / max(1, fewer),
        resemblance=n_shared / n_all,
    )


def settle(
    times: Mapping[int, datetime], pairs: Sequence[CopyPair]
) -> list[CopyVerdict]:
    """Decide who is the original, from the data alone.

    Articles of one text count as one. They are walked by (time, id). Each points to
    its earliest neighbour that is itself an original, first among those of one length
    with it and then among those of which it is, or holds, an excerpt; with no such
    neighbour it is an original. So nothing points to a copy, the first article of a
    group is always an original, and the order in which articles or pairs arrive never
    matters.

    Args:
        times: When each article was published, by article id; holds every id that a
            pair names.
        pairs: The pairs that pass as copies.

    Returns:
        One verdict for each copy, by article id.

    Raises:
        KeyError: A pair names an article without a time.
    """
    order = {
        article_id: (times[article_id], article_id)
        for pair in pairs
        for article_id in (pair.low_id, pair.high_id)
    }
    first = _first_of_text(pairs, order)
    neighbours = _neighbours(pairs, first)
    found: dict[int, CopyVerdict] = {}
    originals: set[int] = set()
    for article_id in sorted(set(first.values()), key=order.__getitem__):
        verdict = _find_original(article_id, neighbours[article_id], originals, order)
        if verdict is None:
            originals.add(article_id)
        else:
            found[article_id] = verdict
    followed = (_follow(one, other, found) for one, other in first.items())
    verdicts = [verdict for verdict in followed if verdict is not None]
    return sorted(verdicts, key=lambda verdict: verdict.article_id)


def _neighbours(
    pairs: Sequence[CopyPair], first: Mapping[int, int]
) -> dict[int, list[CopyPair]]:
    """Return by the first article of each text the pairs of all that have it."""
    neighbours: dict[int, list[CopyPair]] = defaultdict(list)
    for pair in pairs:
        low, high = sorted((first[pair.low_id], first[pair.high_id]))
        if low != high:
            met = CopyPair(low_id=low, high_id=high, comparison=pair.comparison)
            neighbours[low].append(met)
            neighbours[high].append(met)
    return neighbours


def _first_of_text(
    pairs: Sequence[CopyPair], order: Mapping[int, tuple[datetime, int]]
) -> dict[int, int]:
    """Return for each article the earliest one with its text.

    Texts are compared with a few of those that are the same, so not every two of a
    text are a pair; what holds of one of them holds of all.
    """
    same: dict[int, set[int]] = {article_id: {article_id} for article_id in order}
    for pair in pairs:
        if pair.comparison.kind is CopyKind.IDENTICAL:
            fewer, more = sorted((same[pair.low_id], same[pair.high_id]), key=len)
            if fewer is not more:
                more |= fewer
                same |= dict.fromkeys(fewer, more)
    return {
        article_id: min(group, key=order.__getitem__)
        for group in {id(group): group for group in same.values()}.values()
        for article_id in group
    }


def _follow(
    article_id: int, first_id: int, found: Mapping[int, CopyVerdict]
) -> CopyVerdict | None:
    """Return the verdict on the first article of a text, for any one of that text."""
    verdict = found.get(first_id)
    if verdict is not None:
        return replace(verdict, article_id=article_id)
    if article_id == first_id:
        return None
    same = Comparison(kind=CopyKind.IDENTICAL, containment=1.0, resemblance=1.0)
    return CopyVerdict(article_id=article_id, original_id=first_id, comparison=same)


def _find_original(
    article_id: int,
    pairs: Sequence[CopyPair],
    originals: AbstractSet[int],
    order: Mapping[int, tuple[datetime, int]],
) -> CopyVerdict | None:
    candidates = [
        (_is_excerpt(pair), order[other_id], _strength(pair), other_id, pair)
        for pair in pairs
        if (other_id := _other(pair, article_id)) in originals
    ]
    if not candidates:
        return None
    *_, original_id, pair = min(candidates, key=lambda found: found[:4])
    return CopyVerdict(
        article_id=article_id, original_id=original_id, comparison=pair.comparison
    )


def _is_identical(one: Fingerprint, other: Fingerprint) -> bool:
    # What is furniture of one source makes a text of it shorter than one of another.
    n_tokens = max(one.n_tokens, other.n_tokens)
    if one.text_hash != other.text_hash or n_tokens == 0:
        return False
    return n_tokens >= MIN_TOKENS or one.title_hash == other.title_hash


def _is_enough(found: Comparison, n_one: int, n_other: int) -> bool:
    shorter, longer = sorted((n_one, n_other))
    if shorter >= MIN_RESEMBLED_TOKENS and found.resemblance >= MIN_RESEMBLANCE:
        return True
    if shorter >= MIN_TOKENS:
        return found.containment >= MIN_CONTAINMENT
    if longer < MIN_WHOLE_TOKENS:
        return False
    required = (share for n_tokens, share in SENTENCES if shorter >= n_tokens)
    return found.containment >= next(required, math.inf)


def _other(pair: CopyPair, article_id: int) -> int:
    return pair.high_id if pair.low_id == article_id else pair.low_id


def _is_excerpt(pair: CopyPair) -> bool:
    return pair.comparison.kind is CopyKind.EXCERPT


def _strength(pair: CopyPair) -> tuple[float, float, str, bool]:
    # Tells apart two judgements of one pair; the closer one wins.
    found = pair.comparison
    strength = (-found.containment, -found.resemblance, found.kind.value)
    return (*strength, found.numbers_differ)
