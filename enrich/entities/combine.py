"""What the model found, corrected by what tables and the article itself say."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from enrich.entities.lexicon import Hit, Lexicon
from enrich.entities.passages import Passage
from enrich.entities.spans import Span
from enrich.messages import EntityKind, Field


class Piece(NamedTuple):
    """A name in a passage."""

    first: int  # tokens, half-open
    last: int
    kind: EntityKind


_MARKS = frozenset("@#")

# Where model and table differ on one span, the table is right more often on these.
_TRUSTED = frozenset({EntityKind.LOC, EntityKind.ORG})


def settled_spans(
    passages: Mapping[Field, Passage],
    found: Mapping[Field, Sequence[Piece]],
    lexicon: Lexicon,
) -> tuple[Span, ...]:
    """Return what `settle` makes of a model's names, with what tables know of them.

    Args:
        passages: The fields of an article.
        found: What the model found in them.
        lexicon: Names and words of the language.
    """
    return tuple(
        _span(passages[field], field, piece)
        for field, pieces in settle(passages, found, lexicon).items()
        for piece in pieces
    )


def settle(
    passages: Mapping[Field, Passage],
    found: Mapping[Field, Sequence[Piece]],
    lexicon: Lexicon,
) -> dict[Field, list[Piece]]:
    """Return the names of each field by place, never overlapping.

    An operator's alias counts whatever the model says, but not inside the longer name
    of a person, who may be a relative: "Asma Assad" is not "Assad". A table says of
    places and organisations what they are, and adds those that the model overlooked. A
    lone word that is the last word of a person who is named in full in the article is
    that person. "Brandt Leasing of Dublin" is a body and a place, "Bank of England" a
    body.

    Args:
        passages: The fields of an article.
        found: What the model found in them.
        lexicon: Names and words of the language.
    """
    names = _surnames(passages, found)
    return {
        field: sorted(_settle(passages[field], pieces, names, lexicon))
        for field, pieces in found.items()
    }


def _span(passage: Passage, field: Field, piece: Piece) -> Span:
    hit = find_hit(passage, piece)
    alias = hit.alias if hit is not None and hit.alias.kind is piece.kind else None
    return Span(
        field=field,
        start=passage.tokens[piece.first].start,
        end=passage.tokens[piece.last - 1].end,
        kind=piece.kind,
        score=None,
        key=alias.key if alias else None,
        name=alias.name if alias else None,
        operator=alias is not None and alias.operator,
    )


def _settle(
    passage: Passage,
    pieces: Iterable[Piece],
    names: frozenset[str],
    lexicon: Lexicon,
) -> Iterator[Piece]:
    pieces, taken = list(pieces), set[int]()
    for hit in passage.hits.values():
        if hit.alias.operator and not _is_in_person(hit, pieces):
            taken.update(range(hit.first, hit.last))
            yield Piece(hit.first, hit.last, hit.alias.kind)
    for whole in pieces:
        piece = _without_seat(passage, whole, lexicon)
        span = range(piece.first, piece.last)
        if taken.isdisjoint(span) and not _is_account(passage, piece):
            taken.update(span)
            yield piece._replace(kind=_kind(passage, piece, names))
    for hit in passage.hits.values():
        if taken.isdisjoint(range(hit.first, hit.last)):
            piece = Piece(hit.first, hit.last, hit.alias.kind)
            known = _is_known(passage, piece, lexicon.common)
            if known and not _is_account(passage, piece):
                yield piece


def _is_in_person(hit: Hit, pieces: Iterable[Piece]) -> bool:
    return any(
        piece.kind is EntityKind.PER
        and piece.first <= hit.first
        and hit.last <= piece.last
        and hit.last - hit.first < piece.last - piece.first
        for piece in pieces
    )


def _without_seat(passage: Passage, piece: Piece, lexicon: Lexicon) -> Piece:
    """Cut "of" and a place off a body whose name ends before it."""
    if piece.kind is not EntityKind.ORG:
        return piece
    for place in range(piece.first + 1, piece.last - 1):
        hit = passage.hits.get(place + 1)
        if hit is None or hit.last != piece.last or passage.lowers[place] != "of":
            continue
        if hit.alias.kind is EntityKind.LOC:
            before = passage.lowers[piece.first : place]
            goes_on = not lexicon.heads.isdisjoint(before)
            return piece if goes_on else piece._replace(last=place)
    return piece


def _is_account(passage: Passage, piece: Piece) -> bool:
    """Tell "@somebody" and "#something", which name accounts and threads."""
    before = passage.tokens[piece.first - 1].text if piece.first else ""
    return before in _MARKS or passage.tokens[piece.first].text[0] in _MARKS


def _is_known(passage: Passage, piece: Piece, common: frozenset[str]) -> bool:
    # "Nice" and "Reading" begin sentences more often than they are visited.
    usual = piece.last - piece.first == 1 and passage.lowers[piece.first] in common
    return piece.kind in _TRUSTED and not usual


def _kind(passage: Passage, piece: Piece, names: frozenset[str]) -> EntityKind:
    hit = find_hit(passage, piece)
    if hit is not None and hit.alias.kind in _TRUSTED:
        return hit.alias.kind
    alone = piece.last - piece.first == 1
    if hit is None and alone and passage.tokens[piece.first].text in names:
        return EntityKind.PER
    return piece.kind


def find_hit(passage: Passage, piece: Piece) -> Hit | None:
    """Return the alias that is spelt exactly like the piece."""
    hit = passage.hits.get(piece.first)
    return hit if hit is not None and hit.last == piece.last else None


def _surnames(
    passages: Mapping[Field, Passage], found: Mapping[Field, Sequence[Piece]]
) -> frozenset[str]:
    return frozenset(
        passages[field].tokens[last - 1].text
        for field, pieces in found.items()
        for first, last, kind in pieces
        if kind is EntityKind.PER and last - first > 1
    )
