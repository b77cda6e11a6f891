"""Page furniture: what kind of thing a line is when it is no article text.

Lines that are furniture word for word stand in `phrases.py`, patterns in `patterns.py`.
"""

import re
from collections import Counter
from collections.abc import Collection, Sequence
from functools import lru_cache
from hashlib import blake2b
from typing import NamedTuple

from ingest.datelines import find_byline, find_date
from ingest.lines import KNOWN_CHARS, KNOWN_LINES, Line
from ingest.patterns import NEEDS, RULES, STARTS
from ingest.phrases import PHRASES, Kind

# Bullets, arrows and separators around a phrase change nothing about it.
_MARKS = " \t:;|[]·•*»«›‹>→←▶►-–—_#+✕×✓.!()…"  # noqa: RUF001 - the dashes are meant
_COUNT = re.compile(r"^[\d.,]+ ?[km]?\+? ?(?=\D)|\s?\(?[\d.,]+ ?[km]?\+?\)?$")
_IN_COUNTS = "0123456789.,km+)"
_MAX_PHRASE_WORDS = 12  # no phrase of the table is longer
_MAX_HEADING_WORDS = 16  # a longer line with a date in it tells a story
# Notices of publishers have up to that; of longer lines most are paragraphs.
MAX_LEARNED_WORDS, MAX_LEARNED_CHARS = 40, 300
# A paragraph of this length is text whatever it mentions, and keeping patterns off
# it bounds what one hostile line can cost.
_MAX_RULE_CHARS = 2_000


_DASHES = ("—", "–", "-")  # noqa: RUF001 - the dashes are meant
_EMBED = re.compile(r"^[—–-]\s.{1,60}\(@\w{1,30}\)")  # noqa: RUF001 - dashes


class Marked(NamedTuple):
    """A line with what is known of it before any decision."""

    line: Line
    kind: Kind | None  # None: may be article text
    nth: int  # 1 for the first line with this text
    n_same: int  # lines of the dump with this text


def mark(
    lines: Sequence[Line], kinds: Sequence[Kind | None] | None = None
) -> list[Marked]:
    """Return the lines with their kind, and with how often each one occurs.

    `kinds` is what `classify` says of each, where that is known.
    """
    if kinds is None:
        kinds = [classify(line) for line in lines]
    counts = Counter(line.text for line in lines)
    seen: Counter[str] = Counter()
    marked = []
    for line, kind in zip(lines, kinds, strict=True):
        seen[line.text] += 1
        marked.append(Marked(line, kind, seen[line.text], counts[line.text]))
    return marked


def mark_learned(marked: Sequence[Marked], learned: Collection[str]) -> list[Marked]:
    """Return the lines with those marked as furniture that are known by their hash."""
    return [
        one._replace(kind=Kind.FURNITURE)
        if one.kind is None and _is_learned(one.line, learned)
        else one
        for one in marked
    ]


def _is_learned(line: Line, learned: Collection[str]) -> bool:
    return may_be_learned(line) and line_hash(line.text) in learned


def may_be_learned(line: Line) -> bool:
    """Say whether a line is so short that it may be the same on many pages."""
    return line.n_words <= MAX_LEARNED_WORDS and len(line.text) <= MAX_LEARNED_CHARS


def line_hash(text: str) -> str:
    """Return 16 hex digits, the same for lines that are compared as equal."""
    bare = _bare(text.lower()).encode("utf-8", "surrogatepass")
    return blake2b(bare, digest_size=8).hexdigest()


def _bare(lower: str) -> str:
    """Return a line in lower case without the marks around it."""
    return lower.strip(_MARKS).replace("\u2019", "'")


def is_embed(text: str) -> bool:
    """Say whether a line ends a post in an article: "— The Senate (@senate) 9 May"."""
    return text[:1] in _DASHES and _EMBED.match(text) is not None


def classify(line: Line) -> Kind | None:
    """Return the kind of furniture a line is, or None for what may be article text."""
    return _known_kind(line) if len(line.text) <= KNOWN_CHARS else _classify(line)


def _classify(line: Line) -> Kind | None:
    lower = line.text.lower()
    bare = _bare(lower)
    if not bare:
        return Kind.NAVIGATION
    if line.n_words <= _MAX_PHRASE_WORDS:
        phrase = _phrase(bare)
        if phrase is not None:
            return phrase
    if len(line.text) > _MAX_RULE_CHARS:
        return None
    return _ruled(line, lower) or _heading_kind(line)


_known_kind = lru_cache(KNOWN_LINES)(_classify)


def _ruled(line: Line, lower: str) -> Kind | None:
    """Try the rules on a line, which comes in lower case, too."""
    if not any(map(lower.__contains__, NEEDS)) and STARTS.match(line.text) is None:
        return None
    for kind, max_words, needs, find, _ in RULES:
        if line.n_words > max_words:
            continue
        # To look for words takes a hundredth of a search for the pattern.
        for need in needs:
            if need in lower:
                break
        else:
            if needs:
                continue
        if find(line.text):
            return kind
    return None


def _phrase(bare: str) -> Kind | None:
    """Look a line up word for word, with or without a count beside it."""
    phrase = PHRASES.get(bare)
    if phrase is None and (bare[0] in _IN_COUNTS or bare[-1] in _IN_COUNTS):
        phrase = PHRASES.get(_COUNT.sub("", bare).strip(_MARKS))
    return phrase


def _heading_kind(line: Line) -> Kind | None:
    """Tell the lines that stand between a headline and its text."""
    if line.n_words > _MAX_HEADING_WORDS or line.is_sentence:
        return None
    if find_byline(line.text) is not None:
        return Kind.BYLINE
    is_dated = find_date(line.text) is not None and not is_embed(line.text)
    return Kind.DATELINE if is_dated else None
