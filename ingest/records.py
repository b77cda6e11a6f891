"""Records: an article as one flat object of JSON or one row of CSV, out and in.

What is written here can be read here. The names under which others write the same
fields (news-please and CC-News, schema.org, common exports) are read as well.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from ingest.articles import Published
from ingest.messages import Article, FileOutcome
from ingest.readers.fields import (
    confidence_of,
    find_names,
    find_published,
    paragraphs,
    plain,
)
from ingest.readers.reader import Piece, UnreadableContentError
from ingest.text import collapse

SCHEMA = "wireroom.article/1"
# The fields of a record, each with the names it may have, the surest first. The first
# name is the one that is written.
NAMES: dict[str, tuple[str, ...]] = {
    "title": ("title", "headline", "heading", "title_page", "name"),
    "text": (
        *("text", "maintext", "body_text", "article_text", "full_text", "fulltext"),
        *("articlebody", "content_text", "content", "body", "content_html"),
        *("body_html", "article", "description"),
    ),
    "byline": ("byline", "author", "creator", "writer"),
    "authors": ("authors",),
    "language": ("language", "lang", "inlanguage"),
    "source": (
        *("source", "source_domain", "publisher", "outlet", "publication", "domain"),
        "site",
    ),
    "url": ("url", "link", "canonical_url", "permalink", "web_url", "address"),
    "published_at": (
        *("published_at", "date_publish", "date_published", "datepublished"),
        *("published", "publish_date", "publication_date", "pub_date", "pubdate"),
        *("date", "timestamp"),
    ),
    "updated_at": (
        *("updated_at", "date_modify", "date_modified", "datemodified", "updated"),
        *("modified", "lastmod"),
    ),
    "confidence": ("confidence",),
}
TITLES, TEXTS = frozenset(NAMES["title"]), frozenset(NAMES["text"])
MAX_VALUES = 50  # of a list; no article has more authors


def write_record(
    article: Article,
    *,
    authors: Sequence[str] = (),
    updated_at: datetime | None = None,
) -> dict[str, Any]:
    """Return an article as a record, of which `read_record` makes the same again.

    Times are ISO 8601 in UTC. What the article does not have is None.
    """
    at = article.published_at
    return {
        "schema": SCHEMA,
        "title": article.title,
        "text": article.text,
        "byline": article.byline,
        "authors": list(authors),
        "language": article.language,
        "source": article.source,
        "url": article.url,
        "published_at": article.published_raw if at is None else at.isoformat(),
        "updated_at": None if updated_at is None else updated_at.isoformat(),
        "confidence": article.confidence,
    }


def is_record(names: Iterable[str]) -> bool:
    """Say whether names of fields are those of an article: a title and a text."""
    known = {normal_name(name) for name in names}
    return not known.isdisjoint(TITLES) and not known.isdisjoint(TEXTS)


def normal_name(name: str) -> str:
    """Return the name of a field as the table spells it: "Date Publish" and so on."""
    return "_".join(collapse(name).lower().replace("-", " ").split())


def read_record(record: Mapping[str, Any], *, fragment: str | None = None) -> Piece:
    """Return the piece of a record; fields of a wrong type count as missing.

    Raises:
        UnreadableContentError: It has neither title nor text.
    """
    fields = {normal_name(name): value for name, value in record.items()}
    title, text = _text_of(fields, "title"), _text_of(fields, "text")
    if not _is_own(fields):
        # Only we are known to write plain text with a blank line between paragraphs.
        title, text = plain(title), paragraphs(plain(text))
    if not title and not text:
        reason = "It has neither a title nor a text."
        raise UnreadableContentError(FileOutcome.NO_ARTICLE, reason)
    authors = find_names(_all_of(fields, "authors"))
    return Piece(
        title=title,
        text=text,
        byline=_byline(fields, authors),
        language=_text_of(fields, "language") or None,
        published=_date(fields, "published_at", "published"),
        confidence=_confidence(fields, title, text),
        fragment=fragment,
        url=_text_of(fields, "url") or None,
        source=_text_of(fields, "source") or None,
        authors=authors,
        updated=_date(fields, "updated_at", "updated"),
    )


def _is_own(fields: Mapping[str, Any]) -> bool:
    return fields.get("schema") == SCHEMA


def _all_of(fields: Mapping[str, Any], field: str) -> list[str]:
    """Return the values under the first name of a field that has any."""
    for name in NAMES[field]:
        value = fields.get(name)
        values = value[:MAX_VALUES] if isinstance(value, list) else [value]
        found = [word for one in values if (word := _word(one))]
        if found:
            return found
    return []


def _text_of(fields: Mapping[str, Any], field: str) -> str:
    return next(iter(_all_of(fields, field)), "")


def _word(value: object) -> str:
    if isinstance(value, Mapping):  # {"@type": "Person", "name": "Jane Roe"}
        value = value.get("name") or value.get("@value")
    if isinstance(value, str):
        return value.strip()
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return str(value) if is_number else ""


def _byline(fields: Mapping[str, Any], authors: Sequence[str]) -> str | None:
    if _is_own(fields):
        return _text_of(fields, "byline") or None
    return ", ".join(find_names(_all_of(fields, "byline")) or authors) or None


def _date(fields: Mapping[str, Any], field: str, origin: str) -> Published | None:
    return find_published(_text_of(fields, field), origin=origin)


def _confidence(fields: Mapping[str, Any], title: str, text: str) -> float:
    stated = fields.get("confidence")
    if _is_own(fields) and isinstance(stated, int | float) and 0.0 <= stated <= 1.0:
        return float(stated)
    return confidence_of(title, text)
