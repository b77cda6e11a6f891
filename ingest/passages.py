"""Passages: the run of lines in a page dump that is the article.

Every line gets a score: sentences gain, short lines and furniture lose. The article is
the run of neighbours with the greatest sum, which bridges a caption or an advertisement
and stops where furniture goes on. What follows a byline beats what stands above it.
"""

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from ingest.furniture import Marked, is_embed
from ingest.lines import Line
from ingest.lists import Inner, find_inner
from ingest.phrases import Kind

SENTENCE_WORDS = 12  # shorter lines that end in a period are often teasers or quotes
SHORT_SENTENCE_WORDS = 5
PARAGRAPH_WORDS = 25  # that many words are prose even without a final period
MAX_GAIN = 60.0  # one huge line must not outweigh a whole article
PARAGRAPH_GAIN = 40.0
MIN_CLAUSES = 2  # commas and periods inside: lists of links have none

REPEATED = -12.0  # page parts are printed twice, paragraphs are not
# Above that share of all gains it is the whole page that stands twice. Half of all is
# reached by a page with long teasers.
WHOLE_PAGE_SHARE = 0.8
# A sentence between two lines of furniture is a teaser more often than a paragraph.
# 0.4 lost interviews on 102 labelled pages, 1.0 kept teaser lists; 0.6 is the best.
LONELY_SHARE = 0.6
MIN_TEASERS = 4
TEASER_GAIN = SENTENCE_WORDS * LONELY_SHARE
ARTICLE_GAIN = 60.0  # what stands above the comments has gained more, if it is one
# What stands after a byline is the article if it holds this share of the run.
AFTER_HEADING_SHARE = 0.4
AFTER_HEADING_GAIN = 30.0

_LOSSES = {
    Kind.COMMENTS: -40.0,  # ends the article
    Kind.RELATED: -25.0,  # mostly ends it, but stands inside it as well
    Kind.LEGAL: -25.0,
    Kind.BIOGRAPHY: -15.0,
    Kind.SHARE: -8.0,
    Kind.LINK: -8.0,
    Kind.CAPTION: -6.0,  # belongs inside
    Kind.ADVERT: -6.0,
}
_FURNITURE_LOSS = -12.0
INLINE_LINK = -12.0  # "Read more: a headline" stands between paragraphs
# Kinds that stand inside articles and thus do not make a neighbour lonely.
_INSIDE = {Kind.SHORTCODE, Kind.CAPTION, Kind.ADVERT, Kind.LINK, Kind.RELATED}
_HEADING = {Kind.BYLINE, Kind.DATELINE, Kind.SHORTCODE}

INNER_LINE = 0.5  # of a list or a table: it stands inside, and ends no sentence
EMBED = -1.0  # the end of a post that an article quotes

# "HAYWARD, Calif. (AP) —" opens the text of an agency.
_AGENCY_OPENING = re.compile(
    r"^[A-Z][^()]{2,60}\((?:AP|AFP|Reuters|UPI|dpa|EFE|ANSA|Lusa|Xinhua|TASS)\)\s?[—–-]\s"  # noqa: RUF001
)
_INLINE = re.compile(r":\s\w")
_TEASER = re.compile(r"(?:…|\.\.\.)[\])]?$")
_ITEM = re.compile(r"^(?:[-•*·–]|\(?\d{1,2}[.)])\s")  # noqa: RUF001 - a dash as bullet
_CLAUSE = re.compile(r"[,;.،。、]\s?")  # Arabic and Chinese, too
_STAMP = re.compile(
    r"\b\d{1,2}[:.h]\d\d\b|\b(?:19|20)\d\d\b|\b\d{1,2}/\d{1,2}\b|\bago\b|\bvor\s\d"
    r"|\bil\sy\sa\b|\bhace\s\d|\bhá\s\d|\d\sfa\b",
    re.IGNORECASE,
)
_MAX_STAMP_WORDS = 8
_MAX_LABEL_WORDS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """Where the article stands among the lines of a dump."""

    start: int  # half-open
    end: int
    kept: tuple[int, ...]  # lines of start..end that are no furniture
    gain: float  # the sum that won
    share: float  # 0..1 of all that gained anywhere: how alone the article is


def find_passage(marked: Sequence[Marked], *, start: int = 0) -> Passage | None:
    """Return the article among the lines from `start` on, or None where there is none.

    Furniture inside the run, and second copies of a line, are left out.
    """
    inner, lonely, scores = _scores(marked)
    scores[:start] = [0.0] * start
    gain, first, end = _best_run(scores, start, len(scores))
    if gain <= 0:
        return None
    first, end = _after_heading(marked, scores, (gain, first, end))
    first, end = _above_teasers(scores, lonely, first, end)
    gained = sum(score for score in scores if score > 0)
    inside = sum(score for score in scores[first:end] if score > 0)
    return Passage(
        start=first,
        end=end,
        kept=tuple(i for i in range(first, end) if inner.is_kept(i, marked[i])),
        gain=gain,
        share=inside / gained,
    )


def _above_teasers(
    scores: Sequence[float], lonely: Collection[int], start: int, end: int
) -> tuple[int, int]:
    """Return the first paragraph of a page where the run is a list of teasers.

    None of them has a neighbour: then what stands above all is what the page is about.
    """
    gaining = [i for i in range(start, end) if scores[i] > 0]
    if len(gaining) < MIN_TEASERS or any(i not in lonely for i in gaining):
        return start, end
    above = [i for i in sorted(lonely) if i < start and scores[i] >= TEASER_GAIN]
    return (above[0], above[0] + 1) if above else (start, end)


def _scores(
    marked: Sequence[Marked],
) -> tuple[Inner, set[int], list[float]]:
    plain = _without_repeated(marked, [_score(one) for one in marked])
    inner = find_inner(marked, plain)
    for i in inner.lists | inner.tables:
        plain[i] = max(plain[i], INNER_LINE)
    lonely = _lonely(marked, plain)
    gained = 0.0
    among_comments = False
    scores = []
    for i, one in enumerate(marked):
        among_comments |= one.kind is Kind.COMMENTS and gained > ARTICLE_GAIN
        score = plain[i] * LONELY_SHARE if i in lonely else plain[i]
        gained += max(0.0, score)
        # Comments have more words than a short article; they count for nothing.
        scores.append(min(0.0, score) if among_comments else score)
    return inner, lonely, scores


def _without_repeated(marked: Sequence[Marked], scores: Sequence[float]) -> list[float]:
    """Take the gain from lines that come again, unless the whole page does."""
    once = sum(max(0.0, score) for score in scores)
    again = sum(
        max(0.0, score)
        for one, score in zip(marked, scores, strict=True)
        if one.n_same > 1
    )
    if again > WHOLE_PAGE_SHARE * once:
        return list(scores)
    return [
        min(score, 0.0) if one.n_same > 1 else score
        for one, score in zip(marked, scores, strict=True)
    ]


def _score(marked: Marked) -> float:
    if is_embed(marked.line.text):
        return EMBED
    if marked.kind is Kind.RELATED and _INLINE.search(marked.line.text):
        return INLINE_LINK
    if marked.kind is not None:
        return _LOSSES.get(marked.kind, _FURNITURE_LOSS)
    score = _gain(marked.line)
    return min(score, REPEATED) if marked.nth > 1 else score


def _gain(line: Line) -> float:
    """Return what a line that is no known furniture adds to a run."""
    if line.is_sentence and not _TEASER.search(line.text):
        if line.n_words >= SENTENCE_WORDS:
            return min(float(line.n_words), MAX_GAIN)
        return 3.0 if line.n_words >= SHORT_SENTENCE_WORDS else -3.0
    if line.n_words >= SENTENCE_WORDS and _AGENCY_OPENING.match(line.text):
        return min(float(line.n_words), MAX_GAIN)
    if line.n_words >= PARAGRAPH_WORDS:
        n_clauses = len(_CLAUSE.findall(line.text[:2000]))
        return min(line.n_words, PARAGRAPH_GAIN) if n_clauses >= MIN_CLAUSES else 8.0
    return _short_loss(line)


def _short_loss(line: Line) -> float:
    if line.n_words >= SENTENCE_WORDS:
        return -2.0
    if _ITEM.match(line.text):
        return -1.0
    if line.n_words <= _MAX_STAMP_WORDS and _STAMP.search(line.text):
        return -10.0
    return -7.0 if line.n_words <= _MAX_LABEL_WORDS else -5.0


def _lonely(marked: Sequence[Marked], scores: Sequence[float]) -> set[int]:
    """Return the lines that have no other gaining line beside them."""
    seen = [i for i, one in enumerate(marked) if one.kind not in _INSIDE]
    gains = [False, *(scores[i] > 0 for i in seen), False]
    sides = zip(gains, gains[2:], strict=False)
    return {
        i
        for i, (left, right) in zip(seen, sides, strict=True)
        if scores[i] > 0 and not (left or right)
    }


def _best_run(scores: Sequence[float], start: int, end: int) -> tuple[float, int, int]:
    """Return sum, start and end of the neighbours with the greatest sum (Kadane)."""
    best = (0.0, start, start)
    total, first = 0.0, start
    for i in range(start, end):
        if total <= 0:
            total, first = 0.0, i
        total += scores[i]
        if total > best[0]:
            best = (total, first, i + 1)
    return best


def _after_heading(
    marked: Sequence[Marked],
    scores: Sequence[float],
    run: tuple[float, int, int],
) -> tuple[int, int]:
    """Cut off what stands above the byline or date of the article."""
    gain, start, end = run
    for i in _headings(marked, start, end):
        after, first, last = _best_run(scores, i + 1, end)
        if after >= max(AFTER_HEADING_SHARE * gain, AFTER_HEADING_GAIN):
            return first, last
    return start, end


def _headings(marked: Sequence[Marked], start: int, end: int) -> Iterable[int]:
    return (i for i in range(start, end) if _is_heading(marked[i]))


def _is_heading(one: Marked) -> bool:
    # "(Published Monday, 3 May 2027)" belongs to a film or a picture inside.
    return one.kind in _HEADING and not one.line.text.startswith("(")
