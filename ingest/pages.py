"""Pages: which lines of a page are its article.

Three hands point at lines: our own scorer, the library trafilatura, and the page itself
where its JSON-LD holds the text. The library is right most often. Where it loses half a
text or takes a list for one, the others overrule it. The more another hand agrees with
what is chosen, the more it is trusted. The only user of trafilatura.
"""

import logging
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from ingest.dumps import Reading, label, read_lines
from ingest.furniture import Marked, classify, mark
from ingest.headings import Heading
from ingest.lines import Line, make_line
from ingest.pageheads import PageHead
from ingest.pagelines import PageLines
from ingest.pageparts import bare, find_again, mended, title_above, trimmed
from ingest.pagewalls import Wall, asks_to_pay, find_wall
from ingest.phrases import Kind
from ingest.text import n_attributes, nesting, plain_text

# The library needs time and memory beyond measure for some of these, so what is larger
# is read by our scorer alone. Of 102 real pages the largest has 1.4 million characters,
# 3,200 tags with 10,600 attributes, 1,500 lines, and a nesting (as counted) of 500.
MAX_LIBRARY_CHARS = 3_000_000
MAX_LIBRARY_TAGS = 20_000
MAX_LIBRARY_ATTRIBUTES = 60_000
MAX_LIBRARY_NESTING = 600
MAX_LIBRARY_LINES = 5_000

# Chosen on every second one of 102 labelled pages; the others scored better with them.
AGREED = 0.5  # share of their words that two hands must have in common to agree
HELD = 0.85  # of the words of a text that another must have to hold it
MORE = 1.3  # times the words of a text that what replaces it must have; 1.1 kept boxes
SURE = 0.6  # our own reading must be, to replace the library's
NEAR = 8  # lines below a title, within which its text begins

FEW_WORDS = 30  # a text has more of them where no line of it is a sentence
WALLED = 0.4  # at most this sure of a text whose rest has to be paid for

# It warns of each page in which it finds nothing, which is for us to tell.
logging.getLogger("trafilatura").setLevel(logging.CRITICAL)


class OnlyConsentError(ValueError):
    """The page asks to be let set cookies where its article should stand."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PageArticle:
    """The article of a page."""

    text: str  # paragraphs stand apart by one blank line
    heading: Heading | None  # by our own reading; None where that found no prose
    confidence: float  # 0..1
    lines: tuple[tuple[Kind, str], ...]  # all of the page, in order, with their kind
    is_walled: bool = False  # the rest of it has to be paid for


def find_article(html: str, page: PageLines, head: PageHead) -> PageArticle | None:
    """Return the article of a page, or None where no line of it is prose.

    Args:
        html: The page, which must not have been made to cost time.
        page: Its lines.
        head: What it says of itself.

    Raises:
        OnlyConsentError: The page asks for consent and shows nothing else.
    """
    lines = [make_line(one.text) for one in page.lines]
    kinds = [classify(line) for line in lines]
    own, ours = _own(page, lines, kinds)
    jury = _Jury(page=page, marked=mark(lines, kinds), head=head, html=html)
    trust = 0.0 if own is None else own.confidence
    kept, agreement = jury.decide(ours, trust=trust)
    confidence = _confidence(jury.n_words(kept), agreement, head)
    wall = find_wall(lines, kept, head)
    if wall is Wall.CONSENT:
        raise OnlyConsentError
    if wall is Wall.PAY:
        kept = [i for i in kept if not asks_to_pay(lines[i])]
        confidence = min(confidence, WALLED)
    if not kept or (own is None and jury.is_doubtful(kept)):
        return None
    return PageArticle(
        text="\n\n".join(lines[i].text for i in kept),
        heading=None if own is None else own.heading,
        confidence=confidence,
        lines=jury.labelled(kept),
        is_walled=wall is Wall.PAY,
    )


def _own(
    page: PageLines, lines: Sequence[Line], kinds: Sequence[Kind | None]
) -> tuple[Reading | None, list[int]]:
    """Return our own reading, and the lines of the page that it takes for the text."""
    for numbers in page.candidates():
        own = read_lines([lines[i] for i in numbers], [kinds[i] for i in numbers])
        if own is not None:
            return own, [numbers[i] for i in own.kept]
    return None, []


class _Jury:
    """Compares what several hands take for the text of one page."""

    def __init__(
        self, *, page: PageLines, marked: list[Marked], head: PageHead, html: str
    ) -> None:
        self._page = page
        self._marked = marked
        self._head = head
        # Asked of it twice at most, and measured once.
        self._html = html if _is_for_library(html, len(marked)) else None
        self._bares = [bare(one.line.text) for one in marked]
        titles = {bare(title) for title in head.titles}
        self._titles = [i for i, one in enumerate(self._bares) if one in titles]

    def decide(self, ours: list[int], *, trust: float) -> tuple[list[int], float]:
        """Return the lines of the text, and how far another hand agrees, 0 to 1."""
        ours = self._trimmed(ours)
        stated = self._stated()
        first = self._library(fast=True)
        hands = [first, stated, ours]
        best = first
        for other in (stated, ours if trust >= SURE else []):
            if self._holds(other, first):
                best = other
        if best is first and self._likeness(first, ours) < AGREED:
            hands.append(self._library(fast=False))
            best = ours if self._is_outvoted(first, ours, hands[-1]) else first
        best = best or ours or stated or hands[-1]
        others = (one for one in hands if one is not best)
        agreement = max((self._likeness(best, one) for one in others), default=0.0)
        if best is first and agreement >= AGREED:
            best = self._trimmed(mended(first, ours, self._marked, self._titles))
        return best, agreement

    def n_words(self, kept: Collection[int]) -> int:
        """Return how many words some lines have."""
        return sum(self._marked[i].line.n_words for i in kept)

    def is_doubtful(self, kept: Collection[int]) -> bool:
        """Say whether lines without any prose are few, or links for the most part."""
        linked = [i for i in kept if self._page.lines[i].is_link]
        n_words = self.n_words(kept)
        return n_words < FEW_WORDS or self.n_words(linked) > n_words / 2

    def labelled(self, kept: Sequence[int]) -> tuple[tuple[Kind, str], ...]:
        """Return kind and text of every line; the title is the last one above."""
        title = bare(self._head.title)
        at = [i for i in range(kept[0]) if self._bares[i] == title]
        kinds = label(self._marked, kept, at[-1] if at else None)
        texts = (one.line.text for one in self._marked)
        return tuple(zip(kinds, texts, strict=True))

    def _trimmed(self, kept: Sequence[int]) -> list[int]:
        return trimmed(
            kept, lines=self._page.lines, marked=self._marked, head=self._head
        )

    def _stated(self) -> list[int]:
        """Return the lines of the text that the page states in JSON-LD."""
        text = plain_text(self._head.text)
        return self._trimmed(find_again(self._bares, text)) if text else []

    def _library(self, *, fast: bool) -> list[int]:
        if self._html is None:
            return []
        text = _library_text(self._html, fast=fast)
        return self._trimmed(find_again(self._bares, text)) if text else []

    def _is_outvoted(
        self, first: list[int], ours: list[int], second: list[int]
    ) -> bool:
        """Say whether the library, asked twice, answers twice, and once as we do."""
        title = title_above(first, self._titles)
        is_near = title is not None and first[0] - title <= NEAR
        # What follows an article is often longer than it, and looks like one.
        if is_near and ours and first[-1] < ours[0]:
            return False
        return self._likeness(first, second) < AGREED <= self._likeness(second, ours)

    def _holds(self, whole: list[int], part: list[int]) -> bool:
        """Say whether lines are those of another text and many more."""
        n_part = self.n_words(part)
        if n_part == 0 or self.n_words(whole) < MORE * n_part:
            return False
        return self.n_words({*part} & {*whole}) >= HELD * n_part

    def _likeness(self, one: list[int], other: list[int]) -> float:
        n_words = self.n_words(one) + self.n_words(other)
        shared = self.n_words({*one} & {*other})
        return 2 * shared / n_words if n_words else 0.0


def _is_for_library(html: str, n_lines: int) -> bool:
    return (
        len(html) <= MAX_LIBRARY_CHARS
        and n_lines <= MAX_LIBRARY_LINES
        and html.count("<") <= MAX_LIBRARY_TAGS
        and n_attributes(html) <= MAX_LIBRARY_ATTRIBUTES
        and nesting(html) <= MAX_LIBRARY_NESTING
    )


def _library_text(html: str, *, fast: bool) -> str:
    # It takes 0.4 s and 40 MB to load, and few processes ever read a page.
    from trafilatura import bare_extraction  # noqa: PLC0415 - see above

    found = bare_extraction(html, fast=fast, include_comments=False)
    # Without `as_dict` it is a document; the dictionary is its deprecated form.
    text = getattr(found, "text", None)
    return text if isinstance(text, str) else ""


def _confidence(n_words: int, agreement: float, head: PageHead) -> float:
    """Say how likely title and text are what a person would choose."""
    confidence = 0.25 + 0.45 * agreement + 0.15 * min(1.0, n_words / 120)
    return round(confidence + (0.13 if head.title else 0.0), 2)
