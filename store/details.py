"""What a feed says of an entry beside its article, as columns of its row."""

from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

from ingest.messages import Enclosure, Entry, EntryDate
from store.plain import MAX_ADDRESS_CHARS, MAX_NAME_CHARS, exactly, said

MAX_DATE_CHARS = 128
MAX_LANGUAGE_CHARS = 64
MAX_WORD_CHARS = 24  # as wide as the column
MAX_LIST = 100  # ingest sends fewer; a row that anybody made must stay small


def entry_details(entry: Entry) -> dict[str, Any]:
    """Return columns of an entry; what cannot be kept is mended or left out.

    They only describe it: no article is held back for an odd name of its author.
    """
    published = entry.published
    return {
        "published_at": None if published is None else published.at,
        "published_raw": _raw(published),
        "published_from": None
        if published is None
        else said(published.origin, most=MAX_WORD_CHARS),
        "published_confidence": _trust(published),
        "updated_at": None if entry.updated is None else entry.updated.at,
        "updated_raw": _raw(entry.updated),
        "language": exactly(entry.language, most=MAX_LANGUAGE_CHARS),
        "authors": _names(entry.authors),
        "categories": _names(entry.categories),
        "enclosures": _files(entry.enclosures),
    }


def _raw(date: EntryDate | None) -> str | None:
    return None if date is None else said(date.raw, most=MAX_DATE_CHARS)


def _trust(date: EntryDate | None) -> float | None:
    # Written so that what is no number fails it too.
    if date is None or not 0.0 <= date.confidence <= 1.0:
        return None
    return date.confidence


def _names(names: Iterable[str]) -> list[str] | None:
    kept = (said(name, most=MAX_NAME_CHARS) for name in names)
    return [name for name in kept if name][:MAX_LIST] or None


def _files(enclosures: Iterable[Enclosure]) -> list[dict[str, Any]] | None:
    kept = [
        asdict(one) | {"media_type": said(one.media_type, most=MAX_NAME_CHARS)}
        for one in enclosures
        if exactly(one.url, most=MAX_ADDRESS_CHARS)
    ]
    return kept[:MAX_LIST] or None
