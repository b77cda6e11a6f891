"""Parts of a page: lines found again in a text, and the ends of an article trimmed."""

import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from itertools import pairwise
from statistics import median

from ingest.furniture import Marked
from ingest.lines import Line
from ingest.pageheads import PageHead
from ingest.pagelines import PageLine
from ingest.passages import SENTENCE_WORDS
from ingest.phrases import Kind

# Letters and digits a line needs to be looked for inside the lines of a text, and not
# only among them: shorter ones stand there by chance.
MIN_INSIDE_CHARS = 20
MIN_ANCHOR_CHARS = 4
HEAD_LINES = 10  # of a text, among which its title may stand
MAX_LABEL_WORDS = 4  # "Advertisement"; longer ones may be what an article tells
MAX_ABOVE = 0.2  # times what stands below the title, that may be cut above it
LEAD = 5  # lines above a text in which its first paragraph may have been missed
FAR = 20  # lines between an article and what was taken for more of it
TAIL = 0.25  # of the words of a text, that such a rest has at most
MIN_LIST = 2  # links above the first sentence: one may be a section

_WORD = re.compile(r"\w+")
_INLINE = re.compile(r":\s\w")
# Kinds that are no text of an article wherever they stand in it. Of the other kinds
# articles have lines: posts with their dates, addresses in lists of links, captions.
_NEVER = {
    *(Kind.SIGN_UP, Kind.COMMENTS, Kind.BIOGRAPHY, Kind.SHARE, Kind.COOKIES),
    *(Kind.LEGAL, Kind.TRACKER, Kind.CODE),
}
_NEVER_LAST = _NEVER | {Kind.NAVIGATION, Kind.ADVERT, Kind.RELATED, Kind.LINK}
_HEADING = {Kind.BYLINE, Kind.DATELINE}


def bare(text: str) -> str:
    """Return the letters and digits of a text, which no markup and no space changes."""
    return "".join(_WORD.findall(text.casefold()))


def find_again(bares: Sequence[str], text: str) -> list[int]:
    """Return the lines of a page that a text was made of.

    `bares` are the lines as `bare` writes them. A line that stands on the page more
    often than in the text is the one closest to the middle of the others.
    """
    rows = (
        row.split("|") if row.startswith("|") else [row] for row in text.split("\n")
    )
    own = Counter(bare(cell) for row in rows for cell in row)
    whole = bare(text)
    counts = Counter(bares)
    fitting = [
        i
        for i, one in enumerate(bares)
        if one and (one in own or (len(one) >= MIN_INSIDE_CHARS and one in whole))
    ]
    anchors = [
        i
        for i in fitting
        if counts[bares[i]] == 1 and len(bares[i]) >= MIN_ANCHOR_CHARS
    ]
    if not anchors:
        anchors = fitting
    places: dict[str, list[int]] = defaultdict(list)
    for i in fitting:
        if anchors[0] <= i <= anchors[-1]:
            places[bares[i]].append(i)
    middle = median(anchors) if anchors else 0
    found: list[int] = []
    for one, numbers in places.items():
        n_wanted = max(1, own[one] or whole.count(one))
        found += sorted(numbers, key=lambda i: abs(i - middle))[:n_wanted]
    return sorted(found)


def trimmed(
    kept: Sequence[int],
    *,
    lines: Sequence[PageLine],
    marked: Sequence[Marked],
    head: PageHead,
) -> list[int]:
    """Return the lines without what stands above and below an article, or inside it.

    Args:
        kept: Lines taken for the article, in order.
        lines: All lines of the page.
        marked: The same with their kinds.
        head: What the page says of itself.
    """
    rest = _below_title(kept, lines, head)
    rest = _without_standfirst(rest, lines, marked, head)
    rest = [i for i in rest if not _is_dropped(marked[i])]
    rest = _without_list(rest, lines, marked)
    while rest and _is_end(rest[-1], lines, marked):
        rest.pop()
    return rest


def title_above(kept: Sequence[int], titles: Sequence[int]) -> int | None:
    """Return the last of the title's lines that stands above a text, if one does."""
    return max((i for i in titles if kept and i < kept[0]), default=None)


def mended(
    kept: Sequence[int],
    other: Sequence[int],
    marked: Sequence[Marked],
    titles: Sequence[int],
) -> list[int]:
    """Add the first paragraphs that another reading has, and drop what is far behind.

    Args:
        kept: Lines taken for the article, in order.
        other: What another hand takes for it.
        marked: All lines of the page.
        titles: Those that are the title.
    """
    title = title_above(kept, titles)
    others = {*other}
    lead = range(max(-1 if title is None else title, kept[0] - LEAD) + 1, kept[0])
    added = [i for i in lead if i in others and _is_paragraph(marked[i].line)]
    rest = len(kept)
    for n, (i, following) in enumerate(pairwise(kept), start=1):
        if following - i > FAR and not others & {*kept[n:]}:
            rest = n
            break
    n_behind = sum(marked[i].line.n_words for i in kept[rest:])
    n_words = sum(marked[i].line.n_words for i in kept)
    return added + list(kept[:rest] if n_behind < TAIL * n_words else kept)


def _is_paragraph(line: Line) -> bool:
    return line.is_sentence and line.n_words >= SENTENCE_WORDS


def _below_title(
    kept: Sequence[int], lines: Sequence[PageLine], head: PageHead
) -> list[int]:
    """Drop what stands above the title, where that is little."""
    if not kept:
        return []
    titles = {bare(title) for title in head.titles}
    last = kept[:HEAD_LINES][-1]
    at = max((i for i in range(last + 1) if bare(lines[i].text) in titles), default=-1)
    n_above = sum(len(lines[i].text) for i in kept if i < at)
    n_below = sum(len(lines[i].text) for i in kept if i > at)
    # Boxes in the middle of a text repeat its title.
    if n_above > MAX_ABOVE * n_below:
        return list(kept)
    return [i for i in kept if i > at]


def _without_standfirst(
    kept: list[int],
    lines: Sequence[PageLine],
    marked: Sequence[Marked],
    head: PageHead,
) -> list[int]:
    """Drop a first line that is the page's description and no paragraph.

    Many pages describe themselves by their first paragraph. A standfirst has a byline
    or a date below it, or stands apart from the text in other ways.
    """
    while kept and marked[kept[0]].kind in _HEADING:
        kept = kept[1:]
    if len(kept) < 2 or lines[kept[0]].text not in head.descriptions:  # noqa: PLR2004 - itself and one more
        return kept
    first = next((i for i in kept[1:] if marked[i].kind not in _HEADING), kept[-1])
    between = {marked[i].kind for i in range(kept[0] + 1, first)}
    return [i for i in kept if i >= first] if between & _HEADING else kept


def _is_dropped(one: Marked) -> bool:
    if one.kind is Kind.RELATED:
        return _INLINE.search(one.line.text) is not None
    is_label = one.kind is Kind.ADVERT and one.line.n_words <= MAX_LABEL_WORDS
    return is_label or one.kind in _NEVER


def _without_list(
    kept: list[int], lines: Sequence[PageLine], marked: Sequence[Marked]
) -> list[int]:
    """Drop a list of links above the first sentence."""
    first = next((n for n, i in enumerate(kept) if marked[i].line.is_sentence), 0)
    n_links = sum(lines[i].is_link for i in kept[:first])
    return kept[first:] if n_links >= MIN_LIST else kept


def _is_end(i: int, lines: Sequence[PageLine], marked: Sequence[Marked]) -> bool:
    if marked[i].kind in _NEVER_LAST:
        return True
    return lines[i].is_link and not marked[i].line.is_sentence
