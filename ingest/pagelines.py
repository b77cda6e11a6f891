"""Lines of a page: the text of an HTML tree, one line for each block, in order.

A page is walked once. Containers, in which the article may stand, are ranges of its
lines, so that looking at several of them costs nothing.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from selectolax.lexbor import LexborNode

from ingest.text import collapse

# Elements without text that anybody reads. Not "form": some servers wrap the whole
# page in one.
_SILENT = {
    *("script", "style", "noscript", "template", "svg", "math", "iframe", "object"),
    *("canvas", "audio", "video", "select", "textarea", "input", "head"),
}
# Elements that hold no text of the article, wherever they stand.
_BESIDE = {"button", "nav", "footer", "aside", "figure"}
_BESIDE_ROLES = {"navigation", "complementary", "contentinfo", "search", "dialog"}
_BLOCKS = {
    *("address", "article", "aside", "blockquote", "body", "center", "dd", "details"),
    *("div", "dl", "dt", "fieldset", "figcaption", "footer", "h1", "h2", "h3", "h4"),
    *("h5", "h6", "header", "hr", "li", "main", "ol", "p", "pre", "section", "summary"),
    *("table", "tbody", "td", "tfoot", "th", "thead", "tr", "ul", "br"),
}
CONTAINER_SHARE = 0.5  # of the text of the page, that a container must hold
MAX_CONTAINERS = 50  # a list of articles is none; nested ones cost their square


class PageLine(NamedTuple):
    """One line of a page."""

    text: str  # single spaces
    depth: int  # of the elements beside the article that it stands in; 0: in none
    is_link: bool  # nothing of it leads nowhere


class _Container(NamedTuple):
    """A range of lines in which the article may stand."""

    rank: int  # 0 is the surest
    start: int  # half-open
    end: int
    depth: int  # as of its lines; what is deeper stands beside the article


@dataclass(slots=True)
class PageLines:
    """The lines of a page, and where among them the article may stand."""

    lines: list[PageLine] = field(default_factory=list)
    containers: list[_Container] = field(default_factory=list)

    def candidates(self) -> Iterator[list[int]]:
        """Yield the lines of the places where the article may stand, surest first."""
        whole = self._inside(_Container(9, 0, len(self.lines), 0))
        n_chars = self._n_chars(whole)
        for one in sorted(self.containers)[:MAX_CONTAINERS]:
            inside = self._inside(one)
            if inside and self._n_chars(inside) >= CONTAINER_SHARE * n_chars:
                yield inside
        yield whole

    def _inside(self, one: _Container) -> list[int]:
        numbers = range(one.start, one.end)
        return [i for i in numbers if self.lines[i].depth <= one.depth]

    def _n_chars(self, numbers: Iterable[int]) -> int:
        return sum(len(self.lines[i].text) for i in numbers)


class TooManyLinesError(ValueError):
    """The page has more lines than asked for."""


def read_lines(body: LexborNode | None, *, most: int) -> PageLines:
    """Return the lines under a node, at most so many.

    Raises:
        TooManyLinesError: There are more.
    """
    return _Walk(most).over(body)


class _End(NamedTuple):
    """Stands on the stack below the children of an element that matters."""

    is_block: bool
    is_beside: bool
    is_link: bool
    container: tuple[int, int] | None  # its rank and its first line


class _Walk:
    """Goes through a tree without recursion: pages are nested as deep as they like."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._found = PageLines()
        self._parts: list[str] = []
        self._n_loose = 0  # characters of the line that are no link
        self._depth = 0
        self._n_links = 0

    def over(self, body: LexborNode | None) -> PageLines:
        stack: list[LexborNode | _End] = [] if body is None else [body]
        while stack:
            node = stack.pop()
            if isinstance(node, _End):
                self._leave(node)
            elif node.is_text_node:
                self._add(node.text_content or "")
            elif node.is_element_node and node.tag not in _SILENT:
                attributes = node.attributes
                if not _is_icon(node.tag, attributes):
                    stack.append(self._enter(node.tag, attributes))
                    stack.extend(reversed(list(node.iter(include_text=True))))
        self._break()
        return self._found

    def _enter(self, tag: str | None, attributes: dict[str, str | None]) -> _End:
        is_beside = _is_beside(tag, attributes)
        rank = _rank(tag, attributes)
        is_block = tag in _BLOCKS or is_beside or rank is not None
        if is_block:
            self._break()
        self._depth += is_beside
        is_link = tag == "a"
        self._n_links += is_link
        start = None if rank is None else (rank, len(self._found.lines))
        return _End(is_block, is_beside, is_link, start)

    def _leave(self, end: _End) -> None:
        if end.is_block:
            self._break()
        if end.container is not None:
            rank, start = end.container
            stop = len(self._found.lines)
            self._found.containers.append(_Container(rank, start, stop, self._depth))
        self._depth -= end.is_beside
        self._n_links -= end.is_link

    def _add(self, text: str) -> None:
        self._parts.append(text)
        if self._n_links == 0 and not text.isspace():
            self._n_loose += len(text)

    def _break(self) -> None:
        text = collapse("".join(self._parts))
        if text:
            if len(self._found.lines) >= self._most:
                raise TooManyLinesError
            line = PageLine(text, self._depth, self._n_loose == 0)
            self._found.lines.append(line)
        self._parts.clear()
        self._n_loose = 0


def _is_icon(tag: str | None, attributes: dict[str, str | None]) -> bool:
    """Say whether an element inside a line is hidden from readers."""
    is_inline = tag not in _BLOCKS and tag not in _BESIDE
    return is_inline and _is_hidden(attributes)


def _is_beside(tag: str | None, attributes: dict[str, str | None]) -> bool:
    role = attributes.get("role")
    return tag in _BESIDE or role in _BESIDE_ROLES or _is_hidden(attributes)


def _is_hidden(attributes: dict[str, str | None]) -> bool:
    return "hidden" in attributes or attributes.get("aria-hidden") == "true"


def _rank(tag: str | None, attributes: dict[str, str | None]) -> int | None:
    """Return how surely an element holds the article, 0 being the surest."""
    if attributes.get("itemprop") == "articleBody":
        return 0
    if tag == "article":
        return 1
    return 2 if tag == "main" or attributes.get("role") == "main" else None
