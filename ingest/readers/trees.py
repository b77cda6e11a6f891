"""Trees: XML as elements, without entities of its own and within bounds."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from html.entities import html5
from xml.etree.ElementTree import Element, TreeBuilder
from xml.parsers import expat

from ingest.messages import FileOutcome
from ingest.readers.reader import UnreadableContentError
from ingest.text import collapse
from ingest.xmltext import decode_xml

# An element takes about 200 bytes; an export of 5,000 posts has 300,000 of them.
MAX_ELEMENTS = 400_000
MAX_DEPTH = 200  # of real documents none is deeper than 30
MAX_ATTRIBUTES = 1_000_000

_NAMED = re.compile(r"&([A-Za-z][A-Za-z0-9]{1,31};)")
_MARKUP = {"<", ">", "&", '"', "'"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Tree:
    """A document, as far as it goes."""

    root: Element
    error: str | None = None  # one sentence: how it broke off
    unfinished: tuple[Element, ...] = ()  # what was open there, from the root inwards

    def settle(self) -> None:
        """End the reading of the document.

        Raises:
            UnreadableContentError: It broke off.
        """
        if self.error is not None:
            raise _malformed(self.error)


def parse_tree(body: bytes) -> Tree:
    """Return the elements of an XML document; names are without namespace and prefix.

    Attributes keep the prefix `xml:` and elements the prefix `excerpt:`, and no other
    one. The entities of HTML are known. No DTD is loaded.

    Raises:
        UnreadableContentError: It begins malformed, has entities of its own, or is
            larger or deeper than any that is real.
    """
    return _Builder().parse(_NAMED.sub(_character, decode_xml(body, None)))


def _character(entity: re.Match[str]) -> str:
    # News agencies declare a DTD that has these, and we load none.
    character = html5.get(entity[1], "<")
    return entity[0] if character in _MARKUP else character


class _Builder:
    """Builds the elements of one document and counts them."""

    def __init__(self) -> None:
        self._builder = TreeBuilder()
        self._open: list[str] = []
        self._n_elements = 0
        self._n_attributes = 0

    def parse(self, text: str) -> Tree:
        parser = expat.ParserCreate("utf-8")
        parser.buffer_text = True
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._builder.data
        parser.EntityDeclHandler = _refuse_entity
        is_final = True
        try:
            parser.Parse(text.encode(), is_final)
        except expat.ExpatError as error:
            return self._broken(f"The XML is broken: {error}.")
        return Tree(root=self._builder.close())

    def _broken(self, reason: str) -> Tree:
        if not self._n_elements:
            raise _malformed(reason)
        ended = [self._builder.end(name) for name in reversed(self._open)]
        return Tree(
            root=self._builder.close(), error=reason, unfinished=tuple(reversed(ended))
        )

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self._open.append(_local(name))
        self._n_elements += 1
        self._n_attributes += len(attributes)
        if len(self._open) > MAX_DEPTH:
            raise _malformed(f"The XML is nested more than {MAX_DEPTH} deep.")
        if self._n_elements > MAX_ELEMENTS or self._n_attributes > MAX_ATTRIBUTES:
            reason = f"The XML has more than {MAX_ELEMENTS} elements."
            raise UnreadableContentError(FileOutcome.TOO_LARGE, reason)
        named = {
            key if key.startswith("xml:") else _local(key): value
            for key, value in attributes.items()
        }
        self._builder.start(self._open[-1], named)

    def _end(self, name: str) -> None:  # noqa: ARG002 - it is the one opened last
        self._builder.end(self._open.pop())


def _local(name: str) -> str:
    # Exports of WordPress have it beside content:encoded.
    if name == "excerpt:encoded":
        return name
    return name.rpartition(":")[2]


def _refuse_entity(*_declaration: object) -> None:
    # No article format needs entities of its own, and bombs are made of them.
    raise _malformed("The XML declares entities of its own, which is refused.")


def _malformed(reason: str) -> UnreadableContentError:
    return UnreadableContentError(FileOutcome.MALFORMED, reason)


def text_of(element: Element | None) -> str:
    """Return all text under an element on one line, "" without an element."""
    return "" if element is None else collapse("".join(element.itertext()))


def find_text(element: Element, *paths: str) -> str:
    """Return the text at the first of some paths that has any."""
    for path in paths:
        for one in element.iterfind(path):
            text = text_of(one)
            if text:
                return text
    return ""


def find_value(element: Element, name: str, *paths: str) -> str:
    """Return an attribute at the first of some paths that has it."""
    for path in paths:
        for one in element.iterfind(path):
            value = collapse(one.get(name, ""))
            if value:
                return value
    return ""


_BLOCKS = {
    *("p", "hl1", "hl2", "h1", "h2", "h3", "h4", "h5", "h6", "li", "dt", "dd"),
    *("blockquote", "bq", "pre", "tr", "div", "note", "block", "credit", "hr", "br"),
    *("table", "ul", "ol", "dl", "section", "article", "body.content", "body"),
}
_SILENT = {
    *("head", "script", "style", "media", "figure", "nav", "aside", "iframe"),
    *("body.head", "body.end", "noscript", "form"),
}


def blocks_of(element: Element) -> str:
    """Return the text under an element, a blank line between blocks."""
    lines = [""]
    for text in _pieces(element):
        if text is None:
            lines.append("")
        else:
            lines[-1] += text
    return "\n\n".join(filter(None, map(collapse, lines)))


def _pieces(element: Element) -> Iterator[str | None]:
    """Yield the text of an element, and None where a block begins or ends.

    It calls itself, which the bound on the depth of a tree allows.
    """
    if element.tag in _SILENT:
        return
    is_block = element.tag in _BLOCKS
    if is_block:
        yield None
    yield element.text or ""
    for child in element:
        yield from _pieces(child)
        yield child.tail or ""
    if is_block:
        yield None
