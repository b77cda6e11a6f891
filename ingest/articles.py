"""Articles: an entry or a file becomes one clean unit of work with its identity."""

import hashlib
import re
import unicodedata
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from ingest.messages import Article, EntryDate
from ingest.text import MAX_TITLE_CHARS, collapse, shorten, tidy

MAX_BYLINE_CHARS = 256  # longer ones are a biography
MAX_AUTHORS = 10  # more are the staff
MAX_SOURCE_CHARS = 256  # a host name has at most 253 characters
MAX_DATE_CHARS = 128  # no spelling of a date is longer
# A date beyond tomorrow is misread or announces something.
MAX_AHEAD = timedelta(days=1)
MADE_TITLE_CHARS = 80  # a list shows about that much of a line
# Blessings that NFKC writes out with 18 and 8 letters: a text of them would grow by as
# much. Compared, they may as well be a letter of their own.
_LIGATURES = {0xFDFA: "\ufffc", 0xFDFB: "\ufffc"}
_LANGUAGE = re.compile(r"([a-z]{2,3})(?:[-_].*)?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """When an article came out, as far as its document tells."""

    at: datetime | None  # aware, in UTC; None where the spelling says nothing to us
    raw: str | None  # as the document spelt it
    origin: str  # "published", "updated", "dateline", ...
    confidence: float = 1.0  # 0..1 that this is when it came out


def dated(published: Published) -> EntryDate:
    """Return a date as an entry carries it."""
    return EntryDate(
        raw=_date(published.raw),
        at=published.at,
        origin=published.origin,
        confidence=published.confidence,
    )


def plausible(published: Published | None, *, now: datetime) -> Published | None:
    """Keep the spelling of a date in the future, but not the time."""
    if published is None or published.at is None or published.at <= now + MAX_AHEAD:
        return published
    return replace(published, at=None, confidence=0.0)


def article_uid(identity: str) -> str:
    """Return the 64 hex digits that name an article: the SHA-256 of its identity.

    The identity is the canonical URL, or the key of the entry or file without one.
    """
    return _sha256(identity)


def content_hash(title: str, text: str) -> str:
    """Return 64 hex digits that change when a reader would see another text.

    Letters, digits, punctuation and case count. White space, line breaks, invisible
    characters and the compatibility forms of one letter (NFKC) do not.
    """
    return _sha256(f"{_compared(title)}\n{_compared(text)}")


def make_article(  # noqa: PLR0913 - one keyword a field, as in Article itself
    *,
    identity: str,
    url: str | None,
    source: str,
    title: str,
    text: str,
    byline: str | None,
    language: str | None,
    published: Published | None,
    extractor: str,
    confidence: float,
    known_hash: str | None = None,
) -> Article:
    """Clean and bound every field; an empty title is made of 80 characters of text.

    `known_hash` is the `content_hash` of this title and text, where it is known.

    Raises:
        ValueError: Neither title nor text, no identity, confidence or time not valid.
    """
    given = title, text
    text = tidy(text)
    title = _title(title, text)
    if (title, text) != given:
        known_hash = None
    if not identity or not title:
        raise ValueError("an article needs an identity, and a title or a text")
    if not 0.0 <= confidence <= 1.0:
        raise ValueError(f"confidence must be within 0..1, not {confidence!r}")
    return Article(
        uid=article_uid(identity),
        url=url,
        source=collapse(source)[:MAX_SOURCE_CHARS].rstrip(),
        title=title,
        text=text,
        content_hash=known_hash or content_hash(title, text),
        byline=_bounded(byline, MAX_BYLINE_CHARS),
        language=_language(language),
        published_at=None if published is None else published.at,
        published_raw=None if published is None else _date(published.raw),
        published_from=None if published is None else published.origin,
        extractor=extractor,
        confidence=confidence,
    )


def _sha256(text: str) -> str:
    # A lone surrogate cannot be UTF-8, and an identity may hold whatever a file
    # name or a feed holds; it must still hash, and always to the same digits.
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _compared(text: str) -> str:
    line = collapse(text)
    if line.isascii():
        return line  # has no other form
    line = unicodedata.normalize("NFKC", line.translate(_LIGATURES))
    return " ".join(line.split())


def _title(title: str, text: str) -> str:
    return shorten(collapse(title), MAX_TITLE_CHARS) or made_title(text)


def made_title(text: str) -> str:
    """Return the title of an article that has none: the beginning of its tidy text."""
    return shorten(collapse(text[: 8 * MADE_TITLE_CHARS]), MADE_TITLE_CHARS)


def _bounded(line: str | None, max_chars: int) -> str | None:
    return None if line is None else shorten(collapse(line), max_chars) or None


def _date(raw: str | None) -> str | None:
    return None if raw is None else collapse(raw)[:MAX_DATE_CHARS].rstrip() or None


def _language(declared: str | None) -> str | None:
    """Return the lower-case primary subtag of a declared language, if it is one."""
    match = _LANGUAGE.fullmatch(collapse(declared or "").lower())
    return None if match is None else match.group(1)
