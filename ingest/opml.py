"""OPML: lists of feeds, read from other readers and written for them."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from html.entities import html5
from xml.etree import ElementTree as ET
from xml.parsers import expat

from ingest.pagewords import PagePolicy
from ingest.text import collapse
from ingest.urls import canonical_url
from ingest.xmltext import decode_xml

MAX_BYTES = 10_000_000  # a list of 50,000 feeds; a longer file is none
_PAGES = "pages"  # an attribute of ours, which others pass over
_FEEDS = {"rss", "rss1", "atom", "feed"}
_OTHERS = {"include": "it is another list", "link": "it is a page or another list"}
MAX_DEPTH = 64  # folders in folders
# Hand-made lists hold addresses with bare ampersands, and names of HTML characters.
_AMPERSAND = re.compile(
    r"&(?!(?:amp|lt|gt|quot|apos|#[0-9]+|#x[0-9a-fA-F]+);)(\w{1,31};)?"
)


class OpmlError(ValueError):
    """The file cannot be read as a list of feeds; the message says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscription:
    """One feed of a list."""

    url: str  # as the list spells it
    title: str | None = None
    source: str | None = None  # the publisher, where the list names one
    tags: tuple[str, ...] = ()  # folders from the outside in, then categories
    pages: PagePolicy | None = None  # whether its pages are fetched; None: unsaid


@dataclass(frozen=True, slots=True, kw_only=True)
class Skipped:
    """What a list holds beside feeds, or a feed that cannot be polled."""

    line: int  # the first is 1
    text: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Outline:
    """What a list holds."""

    subscriptions: tuple[Subscription, ...]
    skipped: tuple[Skipped, ...] = ()


def read_opml(body: bytes) -> Outline:
    """Read a list of feeds; each address comes once, with the tags of all places.

    Raises:
        OpmlError: Too large, malformed, hostile, or not OPML.
    """
    if len(body) > MAX_BYTES:
        raise OpmlError(f"the list is over {MAX_BYTES} bytes")
    text = decode_xml(body, None)
    # The declaration and blank lines before the root are no more in the text.
    reader = _Reader(n_lines_before=body.rstrip().count(b"\n") - text.count("\n"))
    reader.read(_AMPERSAND.sub(_repaired, text))
    return Outline(
        subscriptions=tuple(reader.found.values()), skipped=tuple(reader.skipped)
    )


def write_opml(subscriptions: Iterable[Subscription], *, title: str) -> bytes:
    """Write a list of feeds as OPML 2.0; tags become the category attribute."""
    opml = ET.Element("opml", version="2.0")
    ET.SubElement(ET.SubElement(opml, "head"), "title").text = collapse(title)
    body = ET.SubElement(opml, "body")
    for subscription in subscriptions:
        name = collapse(subscription.title or subscription.url)
        outline = ET.SubElement(
            body, "outline", type="rss", text=name, title=name, xmlUrl=subscription.url
        )
        if subscription.tags:
            outline.set("category", ",".join(subscription.tags))
        if subscription.pages is not None:
            outline.set(_PAGES, subscription.pages)
    ET.indent(opml)
    written: bytes = ET.tostring(opml, encoding="utf-8", xml_declaration=True)
    return written + b"\n"


def _repaired(ampersand: re.Match[str]) -> str:
    name = ampersand[1] or ""
    return html5.get(name) or f"&amp;{name}"


class _Reader:
    """Walks the outlines of one document and remembers the folders around."""

    def __init__(self, *, n_lines_before: int) -> None:
        self.n_lines_before = n_lines_before
        self.found: dict[str, Subscription] = {}
        self.skipped: list[Skipped] = []
        self.parser = expat.ParserCreate("utf-8")
        self.folders: list[str | None] = []
        self.root: str | None = None

    def read(self, text: str) -> None:
        parser = self.parser
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.EntityDeclHandler = self._entity
        is_final = True
        try:
            parser.Parse(text.encode(), is_final)
        except expat.ExpatError as error:
            reason = expat.errors.messages[error.code]
            raise OpmlError(
                f"the list is malformed in line {self._line(error.lineno)}: {reason}"
            ) from error

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        if self.root is None:
            self.root = name.lower()
            if self.root != "opml":
                raise OpmlError(f"this is no OPML: it begins with <{name[:40]}>")
        if name.lower() != "outline":
            return
        fields = {key.lower(): value for key, value in attributes.items()}
        title = collapse(fields.get("title") or fields.get("text") or "") or None
        url = collapse(fields.get("xmlurl") or "")
        if url:
            self._add(url, title, fields)
        else:
            self._miss(fields, title)
        self.folders.append(None if url else title)
        if len(self.folders) > MAX_DEPTH:
            raise OpmlError(f"its folders are nested more than {MAX_DEPTH} deep")

    def _line(self, number: int) -> int:
        return number + self.n_lines_before

    def _miss(self, fields: dict[str, str], title: str | None) -> None:
        """Tell of an outline that says it is a feed or another list, and is neither."""
        kind = fields.get("type", "").lower()
        if kind in _FEEDS:
            self._skip(title or "", "it has no address")
        elif kind in _OTHERS:
            self._skip(fields.get("url", ""), _OTHERS[kind])

    def _skip(self, text: str, reason: str) -> None:
        line = self._line(self.parser.CurrentLineNumber)
        self.skipped.append(Skipped(line=line, text=text[:200], reason=reason))

    def _end(self, name: str) -> None:
        if name.lower() == "outline":
            self.folders.pop()

    def _entity(self, name: str, *_: object) -> None:
        raise OpmlError(f"the list declares entities of its own ({name[:40]})")

    def _add(self, url: str, title: str | None, fields: Mapping[str, str]) -> None:
        if canonical_url(url) is None:
            self._skip(url, "it is not on the web")
            return
        known = self.found.get(url, Subscription(url=url))
        folders = [folder for folder in self.folders if folder]
        categories = _categories(fields.get("category") or "")
        self.found[url] = Subscription(
            url=url,
            title=known.title or title,
            source=known.source,
            # A dictionary, because it drops repeats and keeps the order.
            tags=tuple(dict.fromkeys((*known.tags, *folders, *categories))),
            pages=known.pages or policy_of(fields.get(_PAGES)),
        )


def policy_of(word: str | None) -> PagePolicy | None:
    """Return what a list says of the pages of a feed, None where it says nothing."""
    said = (word or "").strip().lower()
    return next((one for one in PagePolicy if one == said), None)


def _categories(attribute: str) -> Iterator[str]:
    """Yield the last words of "/News/World,/Science"; the rest are folders."""
    for path in attribute.split(","):
        tag = collapse(path.rpartition("/")[2])
        if tag:
            yield tag
