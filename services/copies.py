"""Copies among texts at hand: the decisions of the line, with an index in memory."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import NamedTuple

from enrich.dedup.decide import compare, overlap, settle
from enrich.dedup.fingerprint import choose_keys, fingerprint
from enrich.dedup.furniture import find_furniture, without
from enrich.dedup.numbers import numbers_differ
from enrich.messages import CopyKind, CopyPair, Fingerprint
from ingest.urls import url_key
from store.learned_marks import SAMPLE
from store.marks import MAX_CANDIDATES, MAX_POSTINGS, Marked, choose_candidates

REVISION = "revision"  # beside the kinds of copies: the same article, with a new text

# An article without a date counts from when it was seen, which is after all dates.
_UNDATED = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """What is compared: a line of a file, as fingerprint."""

    number: int  # its place in the order of arrival
    fingerprint: Fingerprint
    published_at: datetime | None
    url_key: str | None  # texts with one address are revisions of one article
    source: str | None = None  # what its texts have in common by habit is left out


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Link:
    """Two texts that belong together."""

    number: int
    other: int  # of a copy its original, of a revision the first one; of a pair, either
    kind: str  # of a copy, or REVISION
    score: float  # containment, from 0 to 1
    numbers_differ: bool = False  # each has numbers in place of the other's


def read_text(
    number: int, *, title: str, text: str, url: str, at: datetime | None
) -> Text:
    """Return what is compared of a title and a text."""
    return Text(
        number=number,
        fingerprint=fingerprint(title, text),
        published_at=at,
        url_key=url_key(url) if url else None,
    )


def find_copies(texts: Sequence[Text]) -> list[Link]:
    """Return each text that is no original with what it is a copy or revision of."""
    articles = _articles(texts)
    times = {one.first.number: _time(one.first) for one in articles}
    copies = [
        Link(
            number=verdict.article_id,
            other=verdict.original_id,
            kind=verdict.comparison.kind,
            score=verdict.comparison.containment,
            numbers_differ=verdict.comparison.numbers_differ,
        )
        for verdict in settle(times, _find_pairs(articles))
    ]
    return sorted([*copies, *_revisions(texts)])


def find_pairs(texts: Sequence[Text]) -> list[Link]:
    """Return all pairs that pass, also those between two copies of one original."""
    pairs = [
        Link(
            number=pair.low_id,
            other=pair.high_id,
            kind=pair.comparison.kind,
            score=pair.comparison.containment,
            numbers_differ=pair.comparison.numbers_differ,
        )
        for pair in _find_pairs(_articles(texts))
    ]
    return sorted([*pairs, *map(_turned, _revisions(texts))])


def _turned(link: Link) -> Link:
    low, high = sorted((link.number, link.other))
    return replace(link, number=low, other=high)


def _time(text: Text) -> datetime:
    return text.published_at or _UNDATED


def _by_article(texts: Iterable[Text]) -> list[list[Text]]:
    """Return the revisions of each article, the first one first."""
    revisions: dict[str | int, list[Text]] = defaultdict(list)
    for text in sorted(texts, key=lambda text: (_time(text), text.number)):
        revisions[text.url_key or text.number].append(text)
    return list(revisions.values())


class _Article(NamedTuple):
    first: Text
    marks: Fingerprint  # of its newest text, less the furniture of its source
    n_tokens: int  # of that text as a whole


def _articles(texts: Iterable[Text]) -> list[_Article]:
    """Return each article by its first text, with the marks of its newest."""
    articles = [(found[0], found[-1].fingerprint) for found in _by_article(texts)]
    furniture = _furniture(articles)
    return [
        _Article(
            first,
            without(marks, furniture.get(first.source, b"")),
            marks.n_tokens,
        )
        for first, marks in articles
    ]


def _furniture(articles: Iterable[tuple[Text, Fingerprint]]) -> dict[str | None, bytes]:
    """Return source -> its furniture, learned as the store does of stored articles."""
    ordered = sorted(articles, key=lambda one: (_time(one[0]), one[0].number))
    marks: dict[str, list[bytes]] = defaultdict(list)
    for first, found in ordered:
        if first.source is not None:
            marks[first.source].append(found.marks)
    return {source: find_furniture(some[-SAMPLE:]) for source, some in marks.items()}


def _revisions(texts: Iterable[Text]) -> list[Link]:
    return [
        _revision(later, first)
        for first, *others in _by_article(texts)
        for later in others
    ]


def _revision(later: Text, first: Text) -> Link:
    one, other = later.fingerprint, first.fingerprint
    found = overlap(one, other)
    is_same = found.kind is CopyKind.IDENTICAL
    return Link(
        number=later.number,
        other=first.number,
        # The same article with the same text is no new revision of it.
        kind=found.kind if is_same else REVISION,
        score=found.containment,
        numbers_differ=not is_same and numbers_differ(one.numbers, other.numbers),
    )


def _find_pairs(articles: Sequence[_Article]) -> list[CopyPair]:
    prints = {one.first.number: one.marks for one in articles}
    lengths = {one.first.number: one.n_tokens for one in articles}
    postings: dict[int, list[int]] = defaultdict(list)
    twins: dict[bytes, set[int]] = defaultdict(set)
    for number, marks in sorted(prints.items()):
        for key in choose_keys(marks):
            if len(postings[key]) < MAX_POSTINGS:
                postings[key].append(number)
        if marks.n_tokens and len(twins[marks.text_hash]) < MAX_CANDIDATES:
            twins[marks.text_hash].add(number)
    wanted: set[tuple[int, int]] = set()
    for number, marks in prints.items():
        found = choose_candidates(_marked(number, marks), postings, twins)
        others = found.worth(lengths[number], lengths)
        wanted |= {(min(number, other), max(number, other)) for other in others}
    return _compare(prints, sorted(wanted))


def _marked(number: int, marks: Fingerprint) -> Marked:
    keys = choose_keys(marks)
    return Marked(article_id=number, revision=1, fingerprint=marks, keys=keys)


def _compare(
    prints: Mapping[int, Fingerprint], wanted: Iterable[tuple[int, int]]
) -> list[CopyPair]:
    return [
        CopyPair(low_id=low, high_id=high, comparison=comparison)
        for low, high in wanted
        if (comparison := compare(prints[low], prints[high])) is not None
    ]
