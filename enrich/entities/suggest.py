"""Entities that may be one, for an operator to decide; never merged by themselves."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from rapidfuzz import fuzz
from rapidfuzz.distance import JaroWinkler

from enrich.entities.keys import kind_of
from enrich.entities.names import fold

# Names that share a word with more others say nothing by that word.
MAX_SHARING = 200
# Of 100, for the two words that are least alike: "Sergei" and "Sergey" have 88, "Tim"
# and "Tom" 74, "Johnson" and "Johnston" 96, which an operator has to tell apart.
LEAST_SCORE = 82.0
_SAME_WORDS, _INITIAL, _ONE_MORE = 99.0, 95.0, 93.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """An entity with its name and how much it is written about."""

    key: str
    name: str
    n_articles: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Suggestion:
    """Two entities that may be one."""

    key: str  # the rarer one
    name: str
    into: str
    into_name: str
    score: float  # 0 to 100
    why: str


def suggest_merges(
    entities: Sequence[Named], merged: Mapping[str, str], *, limit: int
) -> list[Suggestion]:
    """Return pairs of one kind whose names are alike, the likeliest first.

    Countries are left out: their names come from a table. So are pairs that operators
    have merged already.

    Args:
        entities: All that are to be compared.
        merged: Keys with what they were merged into.
        limit: Most pairs to return.
    """
    groups: dict[str, list[Named]] = defaultdict(list)
    for one in entities:
        kind = kind_of(one.key)
        if kind is not None and not one.key.startswith("country:"):
            groups[kind].append(one)
    found = [
        suggestion
        for group in groups.values()
        for one, other in _pairs(group)
        if not _is_merged(one.key, other.key, merged)
        and (suggestion := _compare(one, other)) is not None
    ]
    found.sort(key=lambda one: (-one.score, one.key, one.into))
    return found[:limit]


def _pairs(group: Iterable[Named]) -> Iterator[tuple[Named, Named]]:
    """Yield each pair once that has a word in common, or its beginning."""
    blocks: dict[str, list[Named]] = defaultdict(list)
    for one in group:
        words = fold(one.name).split()
        for block in {*words, "".join(words)[:4] + "*"}:
            blocks[block].append(one)
    seen: set[tuple[str, str]] = set()
    for sharing in blocks.values():
        if len(sharing) > MAX_SHARING:
            continue
        for one, other in combinations(sharing, 2):
            rarer, other_one = sorted(
                (one, other), key=lambda it: (it.n_articles, it.key)
            )
            if (rarer.key, other_one.key) not in seen:
                seen.add((rarer.key, other_one.key))
                yield rarer, other_one


def _is_merged(one: str, other: str, merged: Mapping[str, str]) -> bool:
    return merged.get(one, one) == merged.get(other, other)


def _compare(rarer: Named, other: Named) -> Suggestion | None:
    found = _alike(_words(rarer.name), _words(other.name))
    if found is None:
        return None
    score, why = found
    return Suggestion(
        key=rarer.key,
        name=rarer.name,
        into=other.key,
        into_name=other.name,
        score=round(score, 1),
        why=why,
    )


def _words(name: str) -> list[str]:
    return fold(name).replace(".", "").split()


def _alike(one: Sequence[str], other: Sequence[str]) -> tuple[float, str] | None:
    """Return how alike two names are, and in what way; None where they are not."""
    if sorted(one) == sorted(other):
        return _SAME_WORDS, "the same words"
    if len(one) != len(other):
        ends = (one[0], one[-1]) == (other[0], other[-1])
        is_full = min(len(one), len(other)) > 1
        return (_ONE_MORE, "a name between more") if ends and is_full else None
    pairs = [pair for pair in zip(one, other, strict=True) if pair[0] != pair[1]]
    if len(one) > 1 and all(map(_is_initial, pairs)) and one[-1] == other[-1]:
        return _INITIAL, "an initial"
    # Every word counts: relatives and namesakes differ in one of them.
    score = min(_word_score(*pair) for pair in pairs)
    return (score, "spelt alike") if score >= LEAST_SCORE else None


def _is_initial(pair: tuple[str, str]) -> bool:
    short, full = sorted(pair, key=len)
    return len(short) == 1 < len(full) and full.startswith(short)


def _word_score(one: str, other: str) -> float:
    """Return 0 to 100; Jaro-Winkler trusts beginnings, the ratio counts all letters."""
    return (fuzz.ratio(one, other) + 100 * JaroWinkler.similarity(one, other)) / 2
