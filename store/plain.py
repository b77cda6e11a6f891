"""What the store takes: refuses values that one of the engines could not keep.

SQLite would take almost anything and PostgreSQL not. Both refuse the same here, before
a row is written, so that an installation can move from one to the other. What only
describes, such as the title of a feed or the sentence of an error, is mended instead:
nothing is lost for want of a word.
"""

import hashlib
import re
from collections.abc import Iterator

from ingest.messages import Entry

# PostgreSQL's indexes take 2,704 bytes; a key shares its row with a number.
MAX_KEY_BYTES = 2_000
# A full-text vector ends at a megabyte. No headline comes near it.
MAX_TITLE_CHARS = 10_000


# What strangers say of themselves is shown in lists; nobody reads on after that.
MAX_SAID_CHARS = 500
MAX_NAME_CHARS = 200  # of a publisher, a label
MAX_ADDRESS_CHARS = 2_000
LOST = "\ufffd"  # stands where something could not be kept
_UNSTORABLE = re.compile("[\0\ud800-\udfff]")
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f]+")


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


def storable(text: str) -> str:
    """Return a text that both engines keep: no NUL, and no half character."""
    return _UNSTORABLE.sub(LOST, text)


def storable_key(key: str) -> str:
    """Return a key that both engines keep and index; one that fits is as it was."""
    plain = storable(key)
    whole = plain.encode()
    if len(whole) <= MAX_KEY_BYTES:
        return plain
    # Two long keys with one beginning are still two.
    digest = hashlib.sha256(whole).hexdigest()
    start = whole[: MAX_KEY_BYTES - len(digest) - 1].decode(errors="ignore")
    return f"{start}#{digest}"


def said(text: str | None, *, most: int = MAX_SAID_CHARS) -> str | None:
    """Return a short text on one line, as strangers' words are kept; None if empty.

    Args:
        text: A name, a title, the sentence of an error.
        most: Characters to keep; a longer text ends in an ellipsis.
    """
    if text is None:
        return None
    # Cut first: a title of a megabyte is not looked at to its end.
    plain = " ".join(_CONTROLS.sub(" ", storable(text[: 2 * most])).split())
    return (plain if len(plain) <= most else f"{plain[: most - 1]}…") or None


def exactly(text: str | None, *, most: int = MAX_ADDRESS_CHARS) -> str | None:
    """Return a text as it is, or None where it cannot be kept to the last character.

    For what means something only as a whole: a validator, an address, a language.
    """
    if text is None or len(text) > most or _CONTROLS.search(text):
        return None
    return text if storable(text) == text else None
