"""Page dumps: the article in the plain text of a page, among its furniture."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from ingest.articles import Published
from ingest.furniture import Marked, mark, mark_learned
from ingest.headings import (
    Fields,
    Heading,
    find_fields,
    find_heading,
    heading_of_fields,
)
from ingest.lines import Line, split_lines
from ingest.passages import Passage, find_passage
from ingest.phrases import Kind

MAX_HEADLINE_WORDS = 20
_ROLES = {"title": Kind.TITLE, "byline": Kind.BYLINE, "date": Kind.DATELINE}


@dataclass(frozen=True, slots=True, kw_only=True)
class Extract:
    """An article as found; made of whole lines of the dump."""

    title: str  # "" where no line is one
    text: str  # paragraphs stand apart by one blank line
    byline: str | None
    published: Published | None
    confidence: float  # 0..1; see `messages.REVIEW_BELOW`
    # Every line that is not blank, in order, with its kind; a paragraph that was
    # wrapped at a column is one line.
    lines: tuple[tuple[Kind, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What was decided about some lines, by their numbers."""

    marked: list[Marked]
    kept: tuple[int, ...]  # the text of the article
    heading: Heading
    fields: Fields | None  # the head of named fields, if there is one
    confidence: float  # 0..1

    def lines(self) -> tuple[tuple[Kind, str], ...]:
        """Return the kind and the text of every line, in order."""
        kinds = label(self.marked, self.kept, self.heading.title_at)
        roles = {} if self.fields is None else self.fields.roles
        for i, role in roles.items():
            kinds[i] = _ROLES.get(role, Kind.FIELD)
        texts = (one.line.text for one in self.marked)
        return tuple(zip(kinds, texts, strict=True))


def extract(dump: str, *, learned: Collection[str] = ()) -> Extract | None:
    """Return the article of a page dump, or None where no line of it is prose.

    `learned` has the hashes of lines that are furniture on other pages of its source.
    """
    reading = read_lines(split_lines(dump), learned=learned)
    if reading is None:
        return None
    return Extract(
        title=reading.heading.title,
        text="\n\n".join(reading.marked[i].line.text for i in reading.kept),
        byline=reading.heading.byline,
        published=reading.heading.published,
        confidence=reading.confidence,
        lines=reading.lines(),
    )


def read_lines(
    lines: Sequence[Line],
    kinds: Sequence[Kind | None] | None = None,
    *,
    learned: Collection[str] = (),
) -> Reading | None:
    """Say which of the lines are an article, or None where none is prose.

    `kinds` is what `classify` says of each line, where that is known.
    """
    marked = mark(lines, kinds)
    fields = find_fields(marked)
    # For the text alone: a headline stands on other pages too, in lists of what is new.
    judged = mark_learned(marked, learned) if learned else marked
    passage = find_passage(judged, start=0 if fields is None else fields.end)
    if passage is None:
        return None
    if fields is None:
        heading = find_heading(marked, passage)
    else:
        heading = heading_of_fields(fields)
    kept = passage.kept
    if not heading.title and _begins_with_headline([marked[i].line for i in kept]):
        title = marked[kept[0]].line.text
        heading = replace(heading, title=title, title_at=kept[0])
        kept = kept[1:]
    return Reading(
        marked=marked,
        kept=kept,
        heading=heading,
        fields=fields,
        confidence=_confidence(marked, passage, heading),
    )


def label(
    marked: Sequence[Marked], kept: Collection[int], title_at: int | None
) -> list[Kind]:
    """Return the kind of each line, where the text and the title are known."""
    kinds = [one.kind or Kind.FURNITURE for one in marked]
    for i in kept:
        kinds[i] = Kind.BODY
    if title_at is not None:
        kinds[title_at] = Kind.TITLE
    return kinds


def _begins_with_headline(kept: Sequence[Line]) -> bool:
    """Say whether the first line is a headline that ends as a sentence does.

    "Will the bridge reopen?" gains like text. A paragraph has more words than that,
    and ends in a period.
    """
    if len(kept) < 2 or kept[0].n_words > MAX_HEADLINE_WORDS:  # noqa: PLR2004 - itself and one more
        return False
    ends_in_period = kept[0].text.rstrip("\"'\u201d\u2019»").endswith((".", "。"))
    return not ends_in_period and kept[1].n_words > kept[0].n_words


def _confidence(marked: Sequence[Marked], passage: Passage, heading: Heading) -> float:
    """Say how likely title and text are what a person would choose."""
    n_words = sum(marked[i].line.n_words for i in passage.kept)
    confidence = 0.3 + 0.25 * passage.share + 0.15 * min(1.0, n_words / 120)
    confidence += 0.15 if heading.title else 0.0
    confidence += 0.13 if heading.is_explicit else 0.0
    return round(confidence, 2)
