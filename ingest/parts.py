"""Parts: a poll that found too much for one message becomes several."""

from collections.abc import Iterator
from dataclasses import fields, replace
from typing import NamedTuple

from ingest.messages import Article, Document, Entry, FeedPolled

# Names, quotes and hashes of an entry or of an event, without its texts.
_OVERHEAD_BYTES = 1_500
_BASE64_GROWTH = 4 / 3
_ARTICLE_FIELDS = tuple(it.name for it in fields(Article))


class Part(NamedTuple):
    """A part of a poll, and about how many bytes it takes in a message."""

    event: FeedPolled
    n_bytes: int


def split_event(event: FeedPolled, *, max_bytes: int) -> Iterator[Part]:
    """Yield the event in parts of about `max_bytes`, at least one.

    The document travels in the first part. Each part holds at least one entry if
    any are left, so one that is too large by itself still arrives.
    """
    parts = list(_portions(event, max_bytes))
    for n, (entries, n_bytes) in enumerate(parts):
        part = replace(
            event,
            entries=entries,
            document=event.document if n == 0 else None,
            part=n,
            n_parts=len(parts),
        )
        yield Part(part, n_bytes)


def _portions(
    event: FeedPolled, max_bytes: int
) -> Iterator[tuple[tuple[Entry, ...], int]]:
    bare = _OVERHEAD_BYTES + int(len(event.item_marks) * _BASE64_GROWTH)
    size = bare + document_bytes(event.document)
    portion: list[Entry] = []
    for entry in event.entries:
        n_bytes = entry_bytes(entry)
        if size + n_bytes > max_bytes and (portion or size > bare):
            yield tuple(portion), size
            portion, size = [], bare
        portion.append(entry)
        size += n_bytes
    yield tuple(portion), size


def document_bytes(document: Document | None) -> int:
    """Return about how many bytes a document takes in a message, as base64."""
    return 0 if document is None else int(len(document.body) * _BASE64_GROWTH)


def entry_bytes(entry: Entry) -> int:
    """Return how many bytes an entry takes in a message, or some more."""
    texts = [entry.key, entry.link or "", *entry.aliases]
    texts += [*entry.authors, *entry.categories]
    texts += [f"{one.url} {one.media_type}" for one in entry.enclosures]
    if entry.article is not None:
        values = (getattr(entry.article, it) for it in _ARTICLE_FIELDS)
        texts += [value for value in values if isinstance(value, str)]
    n_lines = int(len(entry.packed_lines) * _BASE64_GROWTH)
    return _OVERHEAD_BYTES + n_lines + _json_bytes("".join(texts))


def _json_bytes(text: str) -> int:
    """Return what a text takes in JSON, where quotes and line ends are escaped."""
    n_escaped = text.count('"') + text.count("\\") + text.count("\n") + text.count("\t")
    if text.isascii():
        return len(text) + n_escaped
    return len(text.encode("utf-8", "surrogatepass")) + n_escaped
