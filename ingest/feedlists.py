"""Lists of feeds: OPML, CSV or an address a line, told apart by their content."""

import csv
import re
from collections.abc import Iterator, Sequence

from ingest.charset import binary_reason, decode
from ingest.opml import (
    MAX_BYTES,
    OpmlError,
    Outline,
    Skipped,
    Subscription,
    policy_of,
    read_opml,
)
from ingest.text import collapse
from ingest.urls import canonical_url

# The first word is the column; the others are what people and programs call it.
_HEADERS = (
    ("url", "xmlurl", "feed", "feedurl", "rss", "rssurl", "link", "address", "href"),
    ("title", "name", "text", "feedtitle"),
    ("source", "publisher", "outlet", "medium"),
    ("tags", "tag", "category", "categories", "label", "labels", "folder", "group"),
    ("pages", "page", "fulltext"),
)
_COLUMNS = {name: names[0] for names in _HEADERS for name in names}
_ORDER = tuple(names[0] for names in _HEADERS)
_NO_LETTER = re.compile(r"[\W_]+")
_DELIMITERS = ",;\t|"
_TAG_ENDS = re.compile(r"[,;|]")
_COMMENT = "#"
MAX_SHOWN_CHARS = 200


def read_list(body: bytes) -> Outline:
    """Read a list of feeds; each address comes once, with the tags of all places.

    A CSV has the columns url, title, source, tags and pages, in any order under a line
    of names, or in this one without. Several tags of a cell stand apart by `;`, `|` or
    commas. What names no feed is returned in `skipped`, with its line.

    Raises:
        OpmlError: Too large, hostile, or no list at all.
    """
    if len(body) > MAX_BYTES:
        raise OpmlError(f"the list is over {MAX_BYTES} bytes")
    reason = binary_reason(body)
    if reason is not None:
        raise OpmlError(f"it is no text: {reason}")
    text = decode(body).text
    if text.lstrip("\ufeff \t\r\n").startswith("<"):
        return read_opml(body)
    return _Table(text).read()


class _Table:
    """A CSV, with the columns that its first line names."""

    def __init__(self, text: str) -> None:
        self.found: dict[str, Subscription] = {}
        self.skipped: list[Skipped] = []
        self.columns = _ORDER
        self.text = text

    def read(self) -> Outline:
        """Read all lines; one at fault is told, and the others count."""
        rows = csv.reader(
            self.text.splitlines(keepends=True), delimiter=_delimiter(self.text)
        )
        is_first = True
        for line, row in _rows(rows, self.skipped):
            cells = [collapse(cell) for cell in row]
            if not any(cells) or cells[0].startswith(_COMMENT):
                continue
            names = tuple(_COLUMNS.get(_plain_name(cell), "") for cell in cells)
            if is_first and "url" in names and not any(map(canonical_url, cells)):
                self.columns = names
            else:
                self._add(line, cells)
            is_first = False
        return Outline(
            subscriptions=tuple(self.found.values()), skipped=tuple(self.skipped)
        )

    def _add(self, line: int, cells: Sequence[str]) -> None:
        named: dict[str, str] = {}
        for name, cell in zip(self.columns, cells, strict=False):
            # Of two columns of one meaning the first that says anything counts.
            named[name] = named.get(name) or cell
        url = named.get("url", "")
        if canonical_url(url) is None:
            reason = "it is not on the web" if url else "it has no address"
            shown = (url or ", ".join(filter(None, cells)))[:MAX_SHOWN_CHARS]
            self.skipped.append(Skipped(line=line, text=shown, reason=reason))
            return
        known = self.found.get(url, Subscription(url=url))
        tags = map(str.strip, _TAG_ENDS.split(named.get("tags", "")))
        self.found[url] = Subscription(
            url=url,
            title=known.title or named.get("title") or None,
            source=known.source or named.get("source") or None,
            # A dictionary, because it drops repeats and keeps the order.
            tags=tuple(dict.fromkeys((*known.tags, *filter(None, tags)))),
            pages=known.pages or policy_of(named.get("pages")),
        )


def _rows(
    rows: Iterator[list[str]], skipped: list[Skipped]
) -> Iterator[tuple[int, list[str]]]:
    """Yield rows with their line; what is no CSV is told and passed over."""
    line = 0
    while True:
        line += 1
        try:
            row = next(rows)
        except StopIteration:
            return
        except csv.Error as error:
            skipped.append(Skipped(line=line, text="", reason=str(error)))
            continue
        yield line, row
        line = max(line, getattr(rows, "line_num", line))


def _delimiter(text: str) -> str:
    """Return what stands most often in the first line that says anything."""
    lines = (line for line in text.splitlines() if line.strip())
    first = next((line for line in lines if not line.startswith(_COMMENT)), "")
    # An address may hold some of them itself.
    bare = re.sub(r"https?://[^\s,;|\"]*", "", first)
    return max(_DELIMITERS, key=bare.count)


def _plain_name(cell: str) -> str:
    return _NO_LETTER.sub("", cell).lower()
