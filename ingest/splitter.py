"""Splitting: where each item of an XML feed begins and ends, if all is as usual.

A strict parser finds the bounds, so that comments, CDATA and quotes cannot deceive it.
Whatever could make the reading of one item depend on another is called unusual, and
the document is not split at all.

A document of which most items are known is split in less time. Where they seem to
stand is found by text alone; then each known one is replaced by an empty item, and the
parser reads what is left. It must find all items where they were expected, or nothing
counts. That gives what reading it all would give, if the known items were split from
a document with the same frame:

1. The parser has met each stand-in as a whole element among the others: not in a
   comment, CDATA, a quote or another item, where it would have found none.
2. An item that was well-formed and usual by itself is so wherever an element may
   stand, under the same namespaces and in the same depth. Without a DOCTYPE nothing
   else reaches into it, and what stands around it begins anew behind its last ">".
3. What is new, and all that stands between the items, is read as before. If it opens
   what it does not close, the stand-ins behind it are swallowed or left over.
"""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from itertools import accumulate, chain, pairwise
from xml.parsers import expat

# The names of the charset and of what stands between namespace and name.
_CHARSET, _SEPARATOR = "utf-8", " "
_XHTML = "http://www.w3.org/1999/xhtml"
_MEDIA = ("http://search.yahoo.com/mrss/", "http://search.yahoo.com/mrss")
_ITEM_OF_ROOT = {"rss": "item", "rdf": "item", "feed": "entry"}
_ITEMS = frozenset(_ITEM_OF_ROOT.values())
# What holds elements inside an item and is closed again by the feed parser. Other
# elements with elements in them may be markup that is not escaped, of which the end of
# a <summary> or <title> upsets the feed parser for the items behind.
_CONTAINERS = frozenset({"author", "contributor", "source"})
_MEDIA_CONTAINERS = frozenset({"community", "content", "group"})
# Their scope is an element, but one quirk of the feed parser lets them out of it.
_SCOPES = frozenset({"base", "lang"})
MAX_DEPTH = 64  # an item of a feed needs six
MAX_ELEMENTS = 100_000
_START = re.compile(rb"<(item|entry)[\s>]")

Spans = tuple[tuple[int, int], ...]  # half-open, in the order of the document


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """A document and the bounds of its items, which all stand in one element."""

    data: bytes  # in UTF-8
    frame: str  # the start tags around the items, with all namespaces
    spans: Spans

    def pieces(self) -> list[bytes]:
        """Return the items as they stand."""
        return [self.data[start:end] for start, end in self.spans]

    def without(self, places: set[int]) -> bytes:
        """Return the document less some of its items, by their number."""
        gone = [span for place, span in enumerate(self.spans) if place in places]
        edges = [0, *(edge for span in gone for edge in span), len(self.data)]
        kept = list(pairwise(edges))[::2]
        return b"".join(self.data[start:end] for start, end in kept)


def split_items(text: str, *, max_items: int) -> Split | None:
    """Return the bounds of the items, or None where anything is unusual.

    Usual is a well-formed RSS, RDF or Atom document without DOCTYPE whose items are
    children of one element; in them no namespace is declared but that of XHTML, no
    base and no language is set, no item is empty or holds another one, and no text
    holds markup that is neither escaped nor XHTML.
    """
    return _split(encode(text), max_items)


def encode(text: str) -> bytes:
    """Return a document as it is split."""
    return text.encode(_CHARSET, "surrogatepass")


def guess_items(data: bytes, *, max_items: int) -> Spans:
    """Return where items seem to stand, or nowhere if they seem to be too many."""
    spans: list[tuple[int, int]] = []
    start = _START.search(data)
    closing = b"</%b>" % start[1] if start else b""
    while start is not None:
        end = data.find(closing, start.end())
        if end < 0 or len(spans) >= max_items:
            return ()
        spans.append((start.start(), end + len(closing)))
        start = _START.search(data, end)
    return tuple(spans)


def split_known(
    data: bytes, spans: Spans, *, known: Collection[int], max_items: int
) -> Split | None:
    """Return what `split_items` would, without a look into the items `known` by number.

    `spans` are guessed; None where the guess is wrong or anything is unusual. Each
    known item was split from a document with the frame that is returned, or the result
    means nothing.
    """
    if data.count(b"<") > MAX_ELEMENTS:  # those in known items are not counted below
        return None
    edges = [0, *chain(*spans), len(data)]
    parts = [data[start:end] for start, end in pairwise(edges)]
    for place in known:
        parts[2 * place + 1] = _stand_in(parts[2 * place + 1])
    split = _split(b"".join(parts), max_items)
    ends = [*accumulate(map(len, parts))]
    if split is None or [*chain(*split.spans)] != ends[:-1]:
        return None
    return Split(data=data, frame=split.frame, spans=spans)


def _stand_in(piece: bytes) -> bytes:
    name = _START.match(piece)
    return b"<%b></%b>" % (name[1], name[1]) if name else b""


def _split(data: bytes, max_items: int) -> Split | None:
    scan = _Scan(data, max_items)
    try:
        scan.run()
    except (_UnusualError, expat.ExpatError):
        return None
    frame = repr((scan.around, scan.namespaces))
    return Split(data=data, frame=frame, spans=tuple(scan.spans))


class _UnusualError(Exception):
    """The document is better read as a whole."""


class _Scan:
    """The state of one pass over the elements."""

    def __init__(self, data: bytes, max_items: int) -> None:
        self.data = data
        self.max_items = max_items
        # Elements around what is read, with their attributes; fixed by the first item.
        self.around: list[tuple[str, list[tuple[str, str]]]] = []
        # And which namespaces came, and went again (None), before it.
        self.namespaces: list[tuple[str | None, str | None]] = []
        self.declares = False  # the next element declares a namespace
        self.spans: list[tuple[int, int]] = []
        self.depth = self.n_elements = 0
        self.item = ""  # the name that items have in this format
        self.item_depth = 0  # of all items; 0 before the first
        self.start = -1  # of the item that is open
        self.over = False  # the element that holds the items has ended
        self.text_depth = 0  # of the child of an item that may hold XHTML only
        self.locals: dict[str, str] = {}
        self.parser = expat.ParserCreate(_CHARSET, _SEPARATOR)
        self.parser.StartNamespaceDeclHandler = self._namespace
        self.parser.EndNamespaceDeclHandler = self._namespace_over
        self.parser.StartDoctypeDeclHandler = self._doctype
        self.parser.StartElementHandler = self._open
        self.parser.EndElementHandler = self._close

    def run(self) -> None:
        self.parser.Parse(self.data, True)  # noqa: FBT003  # takes no keyword

    def _doctype(self, *_: object) -> None:
        raise _UnusualError

    def _namespace(self, prefix: str | None, uri: str) -> None:
        if not self.item_depth:
            self.namespaces.append((prefix, uri))
            self.declares = True
        elif self.start < 0 or (prefix, uri) != (None, _XHTML):
            raise _UnusualError

    def _namespace_over(self, prefix: str | None) -> None:
        if not self.item_depth:
            self.namespaces.append((prefix, None))

    def _open(self, name: str, attributes: Mapping[str, str]) -> None:
        self.depth += 1
        self.n_elements += 1
        if self.depth > MAX_DEPTH or self.n_elements > MAX_ELEMENTS:
            raise _UnusualError
        local = self._local(name)
        if self.start >= 0:
            self._open_inside(name, local, attributes)
        elif local in _ITEMS:
            self._open_item(name, local, attributes)
        elif not self.item_depth:
            self.around.append((name, sorted(attributes.items())))
        self.declares = False

    def _local(self, name: str) -> str:
        local = self.locals.get(name)
        if local is None:
            local = self.locals[name] = name.rpartition(_SEPARATOR)[2].lower()
        return local

    def _open_item(self, name: str, local: str, attributes: Mapping[str, str]) -> None:
        is_first = not self.item_depth
        if is_first:
            self.item_depth = self.depth
            root = self._local(self.around[0][0]) if self.around else ""
            self.item = _ITEM_OF_ROOT.get(root, "")
        if local != self.item or not name.endswith(local) or self.declares:
            raise _UnusualError
        if self.over or self.depth != self.item_depth or _has_scope(attributes):
            raise _UnusualError
        if len(self.spans) >= self.max_items:
            raise _UnusualError
        self.start = self.parser.CurrentByteIndex
        self.text_depth = 0

    def _open_inside(
        self, name: str, local: str, attributes: Mapping[str, str]
    ) -> None:
        if local in _ITEMS or (attributes and _has_scope(attributes)):
            raise _UnusualError
        if self.text_depth and self.depth > self.text_depth:
            if not name.startswith(_XHTML) or local == "body":
                raise _UnusualError
        elif not _is_container(name, local):
            self.text_depth = self.depth

    def _close(self, _name: str) -> None:
        if self.depth == self.text_depth:
            self.text_depth = 0
        if self.start >= 0 and self.depth == self.item_depth:
            self._close_item()
        elif self.depth < self.item_depth:
            self.over = True
        elif not self.item_depth:
            self.around.pop()
        self.depth -= 1

    def _close_item(self) -> None:
        end = self.parser.CurrentByteIndex
        if not self.data.startswith(b"</", end):
            raise _UnusualError  # <item/>
        self.spans.append((self.start, self.data.index(b">", end) + 1))
        self.start = -1


def _is_container(name: str, local: str) -> bool:
    if local in _MEDIA_CONTAINERS:
        return name.startswith(_MEDIA)
    return local in _CONTAINERS


def _has_scope(attributes: Mapping[str, str]) -> bool:
    return any(name.rpartition(_SEPARATOR)[2].lower() in _SCOPES for name in attributes)
