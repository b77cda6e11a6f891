"""What the store takes: refuses values that one of the engines could not keep.

SQLite would take almost anything and PostgreSQL not. Both refuse the same here, before
a row is written, so that an installation can move from one to the other.
"""

from collections.abc import Iterator

from ingest.messages import Entry

# PostgreSQL's indexes take 2,704 bytes; a key shares its row with a number.
MAX_KEY_BYTES = 2_000
# A full-text vector ends at a megabyte. No headline comes near it.
MAX_TITLE_CHARS = 10_000


class UnfitValue(ValueError):
    """A value that cannot be stored; the message says which and why."""


def require_fit(entry: Entry) -> None:
    """Refuse an entry of which a value cannot be stored.

    Raises:
        UnfitValue: There is such a value.
    """
    for name, text in _texts(entry):
        _require_text(name, text)
    for name, key in _keys(entry):
        if len(key.encode()) > MAX_KEY_BYTES:
            raise UnfitValue(f"{name} is longer than {MAX_KEY_BYTES} bytes")
    if entry.article is not None and len(entry.article.title) > MAX_TITLE_CHARS:
        raise UnfitValue(f"the title is longer than {MAX_TITLE_CHARS} characters")


def _texts(entry: Entry) -> Iterator[tuple[str, str | None]]:
    yield from _keys(entry)
    yield "the link", entry.link
    if (article := entry.article) is None:
        return
    yield "the title", article.title
    yield "the text", article.text
    yield "the byline", article.byline
    yield "the address", article.url
    yield "the date", article.published_raw
    yield "the language", article.language


def _keys(entry: Entry) -> Iterator[tuple[str, str]]:
    yield "the key", entry.key
    for alias in entry.aliases:
        yield "an alias", alias
    if entry.article is not None:
        yield "the source", entry.article.source


def _require_text(name: str, text: str | None) -> None:
    if text is None:
        return
    if "\0" in text:
        raise UnfitValue(f"{name} holds a NUL at character {text.index(chr(0))}")
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise UnfitValue(f"{name} holds half a character at {error.start}") from None
