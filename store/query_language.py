"""The search language: what an operator types becomes a tree, or a clear error.

`word "a phrase" -not this OR that source:bbc.co.uk language:en entity:Macron story:17
since:7d until:2026-11-20`. Parts stand together unless `OR` stands between them, and
`OR` binds closer: `a b OR c d` asks for a, for b or c, and for d. What is in quotes, or
is several words in a row such as `news-desk`, is looked for as it is spelt.
"""

import re
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import NamedTuple, TypeAlias

from store.errors import BadQuery

# A person's query is shorter; the engines refuse deep trees and very long words.
MAX_QUERY_CHARS = 1_000
MAX_PARTS = 50
MAX_VALUE_CHARS = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """One word, or several in a row, in title or lead."""

    text: str
    exact: bool  # spelt so; else an engine that knows stems finds other forms too


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceIs:
    """The article's publisher."""

    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LanguageIs:
    """The article's language."""

    language: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """An entity that the article names, by its key or a spelling."""

    entity: str


@dataclass(frozen=True, slots=True, kw_only=True)
class InStory:
    """The story that the article belongs to."""

    story_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Since:
    """The article's time, from then on."""

    moment: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Until:
    """The article's time, before then."""

    moment: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Not:
    """What must not hold."""

    part: "Part"


@dataclass(frozen=True, slots=True, kw_only=True)
class AnyOf:
    """Parts of which one must hold."""

    parts: tuple["Part", ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AllOf:
    """Parts that must all hold: the root of every query."""

    parts: tuple["Part", ...]


Filter: TypeAlias = SourceIs | LanguageIs | Names | InStory | Since | Until
Part: TypeAlias = Words | Filter | Not | AnyOf | AllOf


def parse_query(query: str, *, now: datetime) -> AllOf:
    """Return the tree of a query.

    Args:
        query: As typed.
        now: What `since:24h` counts back from.

    Raises:
        BadQuery: It cannot be understood; the message says where and why.
    """
    if len(query) > MAX_QUERY_CHARS:
        raise BadQuery(f"the query is longer than {MAX_QUERY_CHARS} characters")
    groups = _groups(list(_tokens(query)), now)
    if not groups:
        raise BadQuery("the query is empty: give a word, a phrase or a filter")
    if sum(map(len, groups)) > MAX_PARTS:
        raise BadQuery(f"the query has more than {MAX_PARTS} parts")
    return AllOf(parts=tuple(_joined(group) for group in groups))


def _groups(tokens: list["_Token"], now: datetime) -> list[list[Part]]:
    """Return the parts, those that OR joins in one list."""
    groups: list[list[Part]] = []
    joins = False
    for place, token in enumerate(tokens):
        if token.is_or:
            if joins or not groups or place == len(tokens) - 1:
                raise _bad("OR needs a word on both sides", token.position)
            joins = True
        elif joins:
            groups[-1].append(_part(token, now))
            joins = False
        else:
            groups.append([_part(token, now)])
    return groups


def _joined(group: list[Part]) -> Part:
    return group[0] if len(group) == 1 else AnyOf(parts=tuple(group))


class _Token(NamedTuple):
    position: int  # of its first character, from 1
    negated: bool
    field: str | None
    value: str
    is_quoted: bool
    is_or: bool


_SPACE = re.compile(r"\s*")
_HEAD = re.compile(r"(-?)(?:([A-Za-z_]+):)?")
_VALUE = re.compile(r'"([^"]*)"|([^\s"]+)')


def _tokens(query: str) -> Iterator[_Token]:
    query = _printable(query)
    place = _SPACE.match(query).end()  # type: ignore[union-attr]  # matches anything
    while place < len(query):
        head = _HEAD.match(query, place)
        assert head is not None  # noqa: S101 - every part of the pattern is optional
        value = _VALUE.match(query, head.end())
        if value is None and query.startswith('"', head.end()):
            raise _bad("a quote is opened and never closed", head.end() + 1)
        if value is None and head[2]:
            raise _bad(f"{head[2]}: has no value", place + 1)
        if value is None:
            raise _bad("a lone - excludes nothing", place + 1)
        yield _Token(
            position=place + 1,
            negated=bool(head[1]),
            field=head[2],
            value=value[1] if value[1] is not None else value[2],
            is_quoted=value[1] is not None,
            is_or=value[0] == "OR" and not head[0],
        )
        place = _SPACE.match(query, value.end()).end()  # type: ignore[union-attr]  # as above


def _printable(query: str) -> str:
    """Put a space for each character that no engine takes; places stay."""
    return "".join(
        " " if unicodedata.category(char) in {"Cc", "Cs"} else char for char in query
    )


def _part(token: _Token, now: datetime) -> Part:
    text = unicodedata.normalize("NFC", token.value).strip()
    if len(text) > MAX_VALUE_CHARS:
        raise _bad(f"more than {MAX_VALUE_CHARS} characters in a row", token.position)
    if token.field is None:
        part: Part = _words(text, token)
    else:
        part = _filter(token.field.lower(), text, token.position, now)
    return Not(part=part) if token.negated else part


def _words(text: str, token: _Token) -> Words:
    words = split_words(text)
    if not words:
        raise _bad(f"there is no word in {text!r}", token.position)
    return Words(text=text, exact=token.is_quoted or len(words) > 1)


def split_words(text: str) -> list[str]:
    """Return the words of a text: what stands between spaces and punctuation."""
    kept = (char if unicodedata.category(char)[0] in "LNM" else " " for char in text)
    words = "".join(kept).split()
    # Both engines index letters and digits; a mark alone is nothing to look for.
    return [word for word in words if any(char.isalnum() for char in word)]


def _filter(field: str, value: str, position: int, now: datetime) -> Filter:
    if field not in _FILTERS:
        known = ", ".join(_FILTERS)
        raise _bad(
            f'there is no field {field}; fields are {known}; "quotes" search for'
            " the characters themselves",
            position,
        )
    if not value:
        raise _bad(f"{field}: has no value", position)
    try:
        return _FILTERS[field](value, now)
    except BadQuery as error:
        raise _bad(f"{field}: {error}", position) from None


_FILTERS: dict[str, Callable[[str, datetime], Filter]] = {
    "source": lambda value, _now: SourceIs(source=value.lower()),
    "language": lambda value, _now: LanguageIs(language=value.lower()),
    "entity": lambda value, _now: Names(entity=value),
    "story": lambda value, _now: InStory(story_id=_story_id(value)),
    "since": lambda value, now: Since(moment=parse_moment(value, now=now)),
    "until": lambda value, now: Until(moment=parse_moment(value, now=now)),
}


def _story_id(value: str) -> int:
    # Eighteen digits always fit a 64-bit key.
    if not re.fullmatch(r"[0-9]{1,18}", value):
        raise BadQuery(f"{value!r} is no number of a story")
    return int(value)


def _bad(reason: str, position: int) -> BadQuery:
    return BadQuery(f"{reason} (at character {position})")


_AGO = re.compile(r"([0-9]{1,6})([mhdw])")
_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def parse_moment(text: str, *, now: datetime) -> datetime:
    """Return the moment that `7d` (ago), `2026-11-20` or `2026-11-20T08:30Z` names.

    A day is its first moment, and a time without a zone is in UTC.

    Raises:
        BadQuery: It is none of these.
    """
    ago = _AGO.fullmatch(text)
    try:
        if ago:
            return now - timedelta(**{_UNITS[ago[2]]: int(ago[1])})
        moment = datetime.fromisoformat(text)
        if moment.utcoffset() is None:
            return moment.replace(tzinfo=UTC)
        return moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise BadQuery(
            f"{text!r} is no time: write 2026-11-20, 2026-11-20T08:30Z,"
            " or 24h or 7d for that long ago"
        ) from None
