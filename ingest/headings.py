"""Headings: the title, byline and date that stand above an article in a page dump."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ingest.articles import Published
from ingest.datelines import find_byline, find_date, is_name
from ingest.furniture import Marked
from ingest.lines import words
from ingest.passages import Passage
from ingest.phrases import Kind

# Weights of the candidates for the title, chosen on 102 labelled pages: 76 of the 86
# whose headline is a line of its own come out right, 65 without the weight of ABOVE.
SHARED = 2.0  # all content words of the title return in the text
SHARED_WORD = 0.3  # for each of up to six of them: long titles prove more
ABOVE = 2.0  # a byline, a date or a plug-in's mark follows within a few lines
REPEATED = 0.5  # page head and headline say the same
PERIOD = -3.0  # headlines have no final period, first sentences do
DISTANCE = -0.03  # for each line between it and the text
LONG_WORD = -0.1  # for each word above 14
SHORT = -1.0  # three words are a section

MIN_WORDS, MAX_WORDS = 2, 35
LEAD_LINES = 8  # what a headline announces is said in the first paragraphs
FAR = 10  # lines; what is further away is no less likely for that
REACH = 5  # lines from a headline to its byline or date
DATE_REACH = 6  # lines above a headline where its date may stand

_FIELD = re.compile(r"^(?P<name>[^\W\d_][\w -]{1,20})\s?:\s+(?P<value>\S.*)$")
_FIELDS = {
    **dict.fromkeys(("title", "headline", "titel", "titre", "título"), "title"),
    **dict.fromkeys(("titolo", "titulo", "schlagzeile", "überschrift"), "title"),
    **dict.fromkeys(("by", "byline", "author", "authors", "autor", "autora"), "byline"),
    **dict.fromkeys(("autorin", "auteur", "autrice", "autore", "writer"), "byline"),
    **dict.fromkeys(("date", "published", "publication date", "dateline"), "date"),
    **dict.fromkeys(("datum", "fecha", "data", "publié", "pubdate"), "date"),
    **dict.fromkeys(("section", "source", "url", "link", "publisher"), "other"),
    **dict.fromkeys(("category", "tags", "language", "lang", "id", "slug"), "other"),
    **dict.fromkeys(("rubrik", "quelle", "rubrique", "fuente", "fonte"), "other"),
}
MIN_FIELDS = 2  # one line with a colon proves nothing
MAX_FIELD_LINES = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Heading:
    """What stands above the text."""

    title: str  # "" where no line is one
    title_at: int | None  # the line that is or holds it
    byline: str | None
    published: Published | None
    is_explicit: bool  # the layout itself says which line is the title


@dataclass(frozen=True, slots=True, kw_only=True)
class Fields:
    """A head of "Name: value" lines at the top of a dump."""

    values: dict[str, str]
    roles: dict[int, str]  # of its lines: "title", "byline", "date", "other"
    end: int  # the first line after it


def find_fields(marked: Sequence[Marked]) -> Fields | None:
    """Return the head of named fields at the top of the dump, if it has one."""
    values: dict[str, str] = {}
    roles: dict[int, str] = {}
    for i, one in enumerate(marked[:MAX_FIELD_LINES]):
        match = _FIELD.match(one.line.text)
        role = None if match is None else _FIELDS.get(match["name"].lower())
        if match is not None and role is not None:
            values.setdefault(role, match["value"])
            roles[i] = role
    if len(values) < MIN_FIELDS or "title" not in values:
        return None
    return Fields(values=values, roles=roles, end=max(roles) + 1)


def heading_of_fields(fields: Fields) -> Heading:
    """Return the heading that named fields state."""
    byline = fields.values.get("byline")
    return Heading(
        title=fields.values["title"],
        title_at=next(i for i, role in fields.roles.items() if role == "title"),
        byline=byline,
        published=find_date(fields.values.get("date", "")),
        is_explicit=True,
    )


def find_heading(marked: Sequence[Marked], passage: Passage) -> Heading:
    """Return the heading above a passage."""
    lead = _lead(marked, passage)
    ranked = [
        (_rank(marked, i, passage, lead), i)
        for i in range(passage.start)
        if _may_be_title(marked[i])
    ]
    rank, index = max(ranked, default=(0.0, -1))
    if rank <= 0:
        index = -1
    return Heading(
        title=marked[index].line.text if index >= 0 else "",
        title_at=index if index >= 0 else None,
        byline=_byline(marked, _around(index, passage)),
        published=_published(marked, _around(index, passage)),
        is_explicit=index >= 0 and _is_marked(marked, index, passage),
    )


def _lead(marked: Sequence[Marked], passage: Passage) -> set[str]:
    lead = (marked[i].line.text for i in passage.kept[:LEAD_LINES])
    return set().union(*map(_content, lead))


def _content(text: str) -> set[str]:
    """Return the words that carry meaning: long ones, numbers, other scripts."""
    return {
        word.lower()
        for word in words(text)
        if len(word) > 3 or word.isdigit() or not word.isascii()  # noqa: PLR2004 - articles and prepositions have up to three letters
    }


def _may_be_title(marked: Marked) -> bool:
    return marked.kind is None and MIN_WORDS <= marked.line.n_words <= MAX_WORDS


def _rank(
    marked: Sequence[Marked], index: int, passage: Passage, lead: set[str]
) -> float:
    line = marked[index].line
    content = _content(line.text)
    n_shared = len(content & lead)
    rank = SHARED * n_shared / max(1, len(content)) + SHARED_WORD * min(n_shared, 6)
    rank += DISTANCE * min(passage.start - index, FAR)
    rank += LONG_WORD * max(0, line.n_words - 14)
    rank += REPEATED if marked[index].n_same > 1 else 0.0
    rank += SHORT if line.n_words <= 3 else 0.0  # noqa: PLR2004 - see SHORT
    rank += (
        PERIOD if line.text.rstrip("\"'\u201d\u2019»").endswith((".", "。")) else 0.0
    )
    following = (one.kind for one in marked[index + 1 : index + 1 + REACH])
    below = {Kind.BYLINE, Kind.DATELINE, Kind.SHORTCODE}
    return rank + (ABOVE if n_shared and below.intersection(following) else 0.0)


def _is_marked(marked: Sequence[Marked], index: int, passage: Passage) -> bool:
    """Say whether only heading lines stand between a title and its text."""
    between = [one.kind for one in marked[index + 1 : passage.start]]
    heads = {Kind.BYLINE, Kind.DATELINE, Kind.SHORTCODE, Kind.SHARE, Kind.CAPTION}
    return bool(between) and all(kind in heads for kind in between)


def _around(index: int, passage: Passage) -> Iterable[int]:
    """Return where to look: below the title first, then just above it."""
    if index < 0:
        return range(max(0, passage.start - DATE_REACH), passage.start)
    above = range(index - 1, max(-1, index - 1 - DATE_REACH), -1)
    return [*range(index + 1, passage.start), *above]


def _byline(marked: Sequence[Marked], places: Iterable[int]) -> str | None:
    for i in places:
        text = marked[i].line.text
        if marked[i].kind is Kind.BYLINE:
            return find_byline(text)
        if text.lower().rstrip(":") in {"by", "von", "par", "por", "di"}:
            following = marked[i + 1].line.text
            if is_name(following):
                return following
    return None


def _published(marked: Sequence[Marked], places: Iterable[int]) -> Published | None:
    dated = {Kind.DATELINE, Kind.BYLINE}
    dates = (find_date(marked[i].line.text) for i in places if marked[i].kind in dated)
    return next((date for date in dates if date is not None), None)
