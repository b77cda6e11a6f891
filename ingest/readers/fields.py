"""Fields: what structured formats say in words becomes the parts of a piece."""

import re
from collections.abc import Iterable
from dataclasses import replace

from ingest.articles import MAX_AUTHORS, Published
from ingest.datelines import find_byline, find_date
from ingest.dates import read_date
from ingest.entries import plain_of
from ingest.items import Markup
from ingest.lines import split_lines
from ingest.messages import FileOutcome
from ingest.readers.reader import UnreadableContentError
from ingest.text import collapse

MAX_NAMED = 5  # problems that are spelt out; the rest is counted
SHORT_WORDS = 40  # fewer are a caption or a teaser
# ISO 8601 without its separators, as news agencies write it.
_BASIC = re.compile(
    r"(\d{4})(\d\d)(\d\d)(?:T?(\d\d)(\d\d)(?:(\d\d)(?:\.\d+)?)?\s*(Z|[+-]\d\d:?\d\d)?)?"
)


def find_published(raw: str | None, *, origin: str = "published") -> Published | None:
    """Return what a spelling of a date means; None where there is no spelling.

    Read are RFC 822, ISO 8601 with and without separators, and dates in words. What
    says nothing to us keeps its spelling.
    """
    raw = collapse(raw or "")
    if not raw:
        return None
    read = read_date(_extended(raw), origin=origin)
    if read is not None:
        return replace(read, raw=raw)
    found = find_date(raw)
    if found is not None:
        return replace(found, raw=raw, origin=origin)
    return Published(at=None, raw=raw, origin=origin, confidence=0.0)


def _extended(raw: str) -> str:
    match = _BASIC.fullmatch(raw)
    if match is None:
        return raw
    year, month, day, hour, minute, second, zone = match.groups()
    clock = "" if hour is None else f"T{hour}:{minute}:{second or '00'}{zone or ''}"
    return f"{year}-{month}-{day}{clock}"


def plain(value: str) -> str:
    """Return the plain text of a field that may or may not hold HTML."""
    return plain_of(Markup(value=value, is_html=False))


def paragraphs(text: str) -> str:
    """Return a text with a blank line between paragraphs, wherever its lines end.

    A text without a blank line has a paragraph on each line, or was wrapped at some
    column; one with blank lines is left as it is.
    """
    if "\n" not in text or "\n\n" in text:
        return text
    return "\n\n".join(line.text for line in split_lines(text))


def find_names(values: Iterable[str]) -> tuple[str, ...]:
    """Return names on one line each, without "By" and without repeats, at most 10."""
    lines = (collapse(value) for value in values)
    names = (find_byline(line) or line for line in lines if "://" not in line)
    return tuple(dict.fromkeys(filter(None, names)))[:MAX_AUTHORS]


def confidence_of(title: str, text: str) -> float:
    """Return how sure it is that fields which a format calls title and text are so."""
    if not text:
        return 0.4
    is_short = len(text.split(maxsplit=SHORT_WORDS)) < SHORT_WORDS
    return (0.95 if title else 0.8) - (0.15 if is_short else 0.0)


class Problems:
    """What was wrong with parts of a file whose other parts can be read."""

    def __init__(self) -> None:
        self._named: list[str] = []
        self._n_parts = 0
        self.outcome = FileOutcome.MALFORMED  # of the first

    def add(self, place: str, reason: str, outcome: FileOutcome | None = None) -> None:
        """Note that a place in the file gave nothing."""
        if not self._n_parts and outcome is not None:
            self.outcome = outcome
        self._n_parts += 1
        if len(self._named) < MAX_NAMED:
            self._named.append(f"{collapse(place)[:200]}: {reason.rstrip('.')}")

    def settle(self) -> None:
        """End the reading of a file.

        Raises:
            UnreadableContentError: There were problems; the reason names the first.
        """
        reason = self.sentence()
        if reason is not None:
            raise UnreadableContentError(self.outcome, reason)

    def sentence(self) -> str | None:
        """Return what was wrong; None where nothing was."""
        if not self._n_parts:
            return None
        n_more = self._n_parts - len(self._named)
        more = f"; and {n_more} more" if n_more else ""
        return f"Parts were left out: {'; '.join(self._named)}{more}."
