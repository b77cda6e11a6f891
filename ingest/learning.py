"""Learning: which lines the pages of one source have in common, and are furniture.

A line that stands on three pages with different texts belongs to none of them. Copies
and later states of one text have all of their lines in common, so they count as one.
What has passed for article text is looked at more strictly: a paragraph of background
comes again too, but not on every fifth page.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from ingest.furniture import line_hash, may_be_learned
from ingest.lines import make_line
from ingest.packedlines import DamagedLinesError, Lines, unpack_lines
from ingest.phrases import Kind

MIN_TEXTS = 3
# Of lines that passed for text: the longest, and the share of texts they must stand in.
MAX_BODY_WORDS = 30
BODY_SHARE = 0.2
# Two pages hold one text if the shorter has this share of its words in the other, too.
ALIKE = 0.5
MAX_COMPARED = 200  # paragraphs of a text that are compared with those of others
MAX_LEARNED = 500  # lines of one source

_KINDS = (Kind.BODY, Kind.FURNITURE)  # all others are known without being learned


@dataclass(frozen=True, slots=True, kw_only=True)
class CommonLine:
    """A line that is furniture, by what the pages of its source show."""

    hash: str  # 16 hex digits (`furniture.line_hash`)
    text: str  # as it stands on one of them
    n_texts: int  # different texts it stands with


@dataclass(slots=True)
class _Text:
    """One text, with the lines of all pages that hold it."""

    words: dict[str, int]  # hash -> words of the paragraphs of the first of the pages
    body: set[str] = field(default_factory=set)  # hashes of what passed for text
    lines: dict[str, str] = field(default_factory=dict)  # hash -> line


def find_common_packed(pages: Iterable[bytes]) -> list[CommonLine]:
    """Return the common lines of pages whose lines come packed.

    Lines that are damaged are passed over: nothing is learned from them.
    """
    return find_common(_unpacked(pages))


def _unpacked(pages: Iterable[bytes]) -> Iterator[Lines]:
    for packed in pages:
        try:
            yield unpack_lines(packed)
        except DamagedLinesError:
            continue


def find_common(pages: Iterable[Lines]) -> list[CommonLine]:
    """Return the lines that are furniture on these pages, the most frequent first.

    Args:
        pages: Of each page of a source the kind and the text of every line. The order
            of pages may decide which of them are taken for one text, and nothing else.
    """
    texts: list[_Text] = []
    titles: set[str] = set()
    for page in pages:
        titles.update(line_hash(text) for kind, text in page if kind == Kind.TITLE)
        _add(texts, page)
    n_texts = Counter(one for text in texts for one in text.lines)
    body = set[str]().union(*(text.body for text in texts))
    shown = {one: line for text in reversed(texts) for one, line in text.lines.items()}
    found = [
        CommonLine(hash=one, text=shown[one], n_texts=n)
        for one, n in n_texts.items()
        # A headline stands on other pages as well, in lists of what is new.
        if one not in titles and n >= MIN_TEXTS
        if one not in body or _is_surely(shown[one], n, len(texts))
    ]
    return sorted(found, key=lambda one: (-one.n_texts, one.hash))[:MAX_LEARNED]


def _is_surely(line: str, n_texts: int, n_all: int) -> bool:
    """Say whether a line that passed for text is none."""
    return n_texts >= BODY_SHARE * n_all and make_line(line).n_words <= MAX_BODY_WORDS


def _add(texts: list[_Text], page: Lines) -> None:
    """Add a page to those that hold the same text, or as another one."""
    words = _compared([text for kind, text in page if kind == Kind.BODY])
    text = next((one for one in texts if _are_alike(one.words, words)), None)
    if text is None:
        text = _Text(words)
        texts.append(text)
    for kind, line in page:
        if kind in _KINDS and may_be_learned(make_line(line)):
            one = line_hash(line)
            text.lines.setdefault(one, line)
            if kind == Kind.BODY:
                text.body.add(one)


def _compared(paragraphs: Sequence[str]) -> dict[str, int]:
    some = paragraphs[:MAX_COMPARED]
    return {line_hash(one): make_line(one).n_words for one in some}


def _are_alike(one: dict[str, int], other: dict[str, int]) -> bool:
    shared = sum(one[key] for key in one.keys() & other.keys())
    return shared > 0 and shared >= ALIKE * min(sum(one.values()), sum(other.values()))
