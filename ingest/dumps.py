"""Page dumps: the article in the plain text of a page, among its furniture."""

from collections.abc import Sequence
from dataclasses import dataclass

from ingest.articles import Published
from ingest.furniture import Marked, mark
from ingest.headings import Heading, find_fields, find_heading, heading_of_fields
from ingest.lines import Line, split_lines
from ingest.passages import Passage, find_passage


@dataclass(frozen=True, slots=True, kw_only=True)
class Extract:
    """An article as found; made of whole lines of the dump."""

    title: str  # "" where no line is one
    text: str  # paragraphs stand apart by one blank line
    byline: str | None
    published: Published | None
    confidence: float  # 0..1


def extract(dump: str) -> Extract | None:
    """Return the article of a page dump, or None where no line of it is prose."""
    return extract_lines(split_lines(dump))


def extract_lines(lines: Sequence[Line]) -> Extract | None:
    """Return the article among the lines of a page."""
    marked = mark(lines)
    fields = find_fields(marked)
    passage = find_passage(marked, start=0 if fields is None else fields.end)
    if passage is None:
        return None
    if fields is not None:
        heading = heading_of_fields(fields)
    else:
        heading = find_heading(marked, passage)
    kept = [marked[i].line.text for i in passage.kept]
    return Extract(
        title=heading.title,
        text="\n\n".join(kept),
        byline=heading.byline,
        published=heading.published,
        confidence=_confidence(marked, passage, heading),
    )


def _confidence(marked: Sequence[Marked], passage: Passage, heading: Heading) -> float:
    """Say how likely title and text are what a person would choose."""
    n_words = sum(marked[i].line.n_words for i in passage.kept)
    confidence = 0.3 + 0.25 * passage.share + 0.15 * min(1.0, n_words / 120)
    confidence += 0.15 if heading.title else 0.0
    confidence += 0.13 if heading.is_explicit else 0.0
    return round(confidence, 2)
