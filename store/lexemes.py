"""What PostgreSQL calls the words of a query: one look-up, and a tsquery as text.

A document holds words as they are spelt with the weight D, stems with A, and day, month
and language as words with a space in front (migration 0003). A bare word also finds
articles by its stem, but only those in a language that has that stem.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from datetime import date, timedelta
from itertools import pairwise
from typing import NamedTuple

from sqlalchemy import text
from sqlalchemy.orm import Session

from store.query_language import AllOf, AnyOf, Not, Part, Words, split_words

# Longer lists of days and months are slower to look for than to do without.
MAX_MARKS = 80
LAST_YEAR = 9998  # the calendar must have a month after each


class Spelling(NamedTuple):
    """The tsquery of some words."""

    matches: str
    ranks: str  # the same without languages, which say nothing of how well it fits


Spellings = dict[Words, Spelling]
# A word that no document has.
_NOTHING = "' nothing'"
_SPELT = text(
    "SELECT t.place, w.lexeme, w.positions"
    " FROM unnest(CAST(:texts AS text[])) WITH ORDINALITY t(spelt, place),"
    " unnest(to_tsvector('simple', t.spelt)) w"
)
_STEMS = text(
    "SELECT t.place, s.lexeme, array_agg(l.code ORDER BY l.code)"
    " FROM unnest(CAST(:texts AS text[])) WITH ORDINALITY t(spelt, place),"
    " fts_language l, unnest(to_tsvector(l.configuration::regconfig, t.spelt)) s"
    " WHERE l.code = COALESCE(:language, l.code) GROUP BY 1, 2 ORDER BY 1, 2"
)


def look_up(
    session: Session, words: Iterable[Words], *, language: str | None
) -> Spellings:
    """Return how to ask for each of the words.

    Args:
        session: To PostgreSQL.
        words: Of one query.
        language: The only one that is asked for; None for all.
    """
    wanted = list(dict.fromkeys(words))
    if not wanted:
        return {}
    texts = [" ".join(split_words(one.text)) for one in wanted]
    spelt: defaultdict[int, list[tuple[int, str]]] = defaultdict(list)
    for place, lexeme, positions in session.execute(_SPELT, {"texts": texts}):
        spelt[place - 1] += [(position, lexeme) for position in positions]
    bare = ["" if one.exact else texts[place] for place, one in enumerate(wanted)]
    stems: defaultdict[int, dict[str, list[str]]] = defaultdict(dict)
    if any(bare):
        values = {"texts": bare, "language": language}
        for place, lexeme, codes in session.execute(_STEMS, values):
            stems[place - 1][lexeme] = [] if language else codes
    return {
        one: _spelling(one, sorted(spelt[place]), stems[place])
        for place, one in enumerate(wanted)
    }


def _spelling(
    words: Words, spelt: list[tuple[int, str]], stems: dict[str, list[str]]
) -> Spelling:
    if not spelt:
        return Spelling(_NOTHING, _NOTHING)
    if words.exact or len(spelt) > 1:
        row = _in_a_row(spelt)
        return Spelling(row, row)
    ((_, word),) = spelt
    others = {stem: codes for stem, codes in stems.items() if stem != word}
    matches, ranks = [_quoted(word)], [_quoted(word)]
    for stem, codes in others.items():
        ranks.append(_quoted(stem))
        spoken = f" & {any_mark(codes)}" if codes else ""
        matches.append(_quoted(stem) + spoken)
    return Spelling(f"({' | '.join(matches)})", f"({' | '.join(ranks)})")


def _in_a_row(spelt: list[tuple[int, str]]) -> str:
    query = f"{_quoted(spelt[0][1])}:D"
    for (place, _), (next_place, word) in pairwise(spelt):
        query += f" <{next_place - place}> {_quoted(word)}:D"
    return f"({query})"


def _quoted(lexeme: str) -> str:
    return "'" + lexeme.replace("\\", "\\\\").replace("'", "''") + "'"


def any_mark(marks: Sequence[str]) -> str:
    """Return the tsquery for documents with one of these days, months or languages."""
    return "(" + " | ".join(_quoted(f" {mark}") for mark in marks) + ")"


def tsquery(part: Part, leaf: Callable[[Words], str]) -> str:
    """Return the tsquery of a part that is text.

    Args:
        part: Of `Words`, `Not`, `AnyOf` and `AllOf`.
        leaf: Gives the tsquery of words.
    """
    match part:
        case Words():
            return leaf(part)
        case Not():
            return f"!{tsquery(part.part, leaf)}"
        case AnyOf():
            return f"({' | '.join(tsquery(one, leaf) for one in part.parts)})"
        case AllOf():
            return f"({' & '.join(tsquery(one, leaf) for one in part.parts)})"
        case _:
            raise TypeError(f"{part!r} is not text")


def marks_of_days(first: date, last: date) -> list[str]:
    """Return the words for the days from first to last, whole months as one.

    Nothing where they would be too many.
    """
    if last.year > LAST_YEAR:
        return []
    marks: list[str] = []
    day = first
    while day <= last and len(marks) <= MAX_MARKS:
        after = _month_after(day)
        if day.day == 1 and after - timedelta(days=1) <= last:
            marks.append(day.isoformat()[:7])
            day = after
        else:
            marks.append(day.isoformat())
            day += timedelta(days=1)
    return marks if len(marks) <= MAX_MARKS else []


def _month_after(day: date) -> date:
    return (day.replace(day=1) + timedelta(days=32)).replace(day=1)
