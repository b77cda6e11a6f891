"""ninjs: the JSON of news agencies (IPTC), versions 1 to 3."""

from collections.abc import Iterator, Mapping
from typing import Any

from ingest.messages import FileOutcome
from ingest.readers.fields import (
    confidence_of,
    find_names,
    find_published,
    paragraphs,
    plain,
)
from ingest.readers.reader import Piece, UnreadableContentError

# Version 1 has a member for each form of the text, later ones have a list of them.
_TEXTS = ("body_xhtml", "body_html", "body_text")
_TITLES = ("headline", "title")
_MAIN_ROLES = ("main", "headline", "")
_WITHDRAWN = {"canceled", "cancelled", "withheld"}


def is_ninjs(content: Mapping[str, Any]) -> bool:
    """Say whether an object is a news item: an identifier, and a text of its kind."""
    fields = _lower(content)
    has_text = any(name in fields for name in (*_TEXTS, "bodies", "headlines"))
    return isinstance(fields.get("uri"), str) and has_text


def read_ninjs(content: Mapping[str, Any], *, fragment: str | None) -> Piece:
    """Return the piece of a news item.

    Raises:
        UnreadableContentError: It is withdrawn, or has neither title nor text.
    """
    fields = _lower(content)
    if _string(fields, "pubstatus").lower() in _WITHDRAWN:
        reason = "The agency has withdrawn the item."
        raise UnreadableContentError(FileOutcome.NO_ARTICLE, reason)
    title = plain(_title(fields))
    text = paragraphs(plain(_text(fields)))
    if not title and not text:
        reason = "It has neither a headline nor a body."
        raise UnreadableContentError(FileOutcome.NO_ARTICLE, reason)
    authors = find_names(_authors(fields))
    return Piece(
        title=title,
        text=text,
        byline=", ".join(authors) or None,
        language=_string(fields, "language") or None,
        published=find_published(_first(fields, "firstcreated", "contentcreated"))
        or find_published(_string(fields, "versioncreated")),
        confidence=confidence_of(title, text),
        fragment=fragment,
        url=_string(fields, "uri") or None,
        source=_source(fields) or None,
        authors=authors,
        updated=find_published(_string(fields, "versioncreated"), origin="updated"),
    )


def _lower(content: Mapping[str, Any]) -> dict[str, Any]:
    # Versions differ in whether they write versioncreated or versionCreated.
    return {name.lower(): value for name, value in content.items()}


def _string(fields: Mapping[str, Any], name: str) -> str:
    value = fields.get(name)
    return value.strip() if isinstance(value, str) else ""


def _first(fields: Mapping[str, Any], *names: str) -> str:
    return next(filter(None, (_string(fields, name) for name in names)), "")


def _objects(fields: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    value = fields.get(name)
    listed = value if isinstance(value, list) else []
    return [_lower(one) for one in listed if isinstance(one, dict)]


def _title(fields: Mapping[str, Any]) -> str:
    headlines = _objects(fields, "headlines")
    main = [one for one in headlines if _string(one, "role").lower() in _MAIN_ROLES]
    values = (_string(one, "value") for one in (*main, *headlines))
    return next(filter(None, values), "") or _first(fields, *_TITLES)


def _text(fields: Mapping[str, Any]) -> str:
    bodies = (_string(one, "value") for one in _objects(fields, "bodies"))
    # Of several forms of one text, the longest is the whole of it.
    return max(bodies, key=len, default="") or _first(fields, *_TEXTS)


def _authors(fields: Mapping[str, Any]) -> Iterator[str]:
    yield _first(fields, "byline", "by")
    for one in _objects(fields, "bylines"):
        yield _first(one, "value", "byline", "name")


def _source(fields: Mapping[str, Any]) -> str:
    providers = (*_objects(fields, "infosources"), *_objects(fields, "infosource"))
    names = (_first(one, "name", "literal") for one in providers)
    stated = _first(fields, "source", "copyrightholder")
    return next(filter(None, names), "") or stated
