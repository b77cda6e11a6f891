"""Page dumps: the article in the plain text of a page, among its furniture."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from ingest.articles import Published
from ingest.furniture import Marked, mark
from ingest.headings import Heading, find_fields, find_heading, heading_of_fields
from ingest.lines import Line, split_lines
from ingest.passages import Passage, find_passage

MAX_HEADLINE_WORDS = 20


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
    if fields is None:
        heading = find_heading(marked, passage)
    else:
        heading = heading_of_fields(fields)
    kept = [marked[i].line for i in passage.kept]
    if not heading.title and _begins_with_headline(kept):
        heading = replace(heading, title=kept.pop(0).text)
    return Extract(
        title=heading.title,
        text="\n\n".join(line.text for line in kept),
        byline=heading.byline,
        published=heading.published,
        confidence=_confidence(marked, passage, heading),
    )


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
