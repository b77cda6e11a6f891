"""Words and sentences with their places in the text."""

import re
from itertools import pairwise
from typing import NamedTuple


class Token(NamedTuple):
    """A word or mark; `text` has straight apostrophes, the place is in the original."""

    start: int
    end: int
    text: str


class Sentence(NamedTuple):
    """A half-open range of tokens."""

    first: int
    last: int


_UPPER = "A-Z" + "".join(
    chr(code) for code in range(0xC0, 0x590) if chr(code).isupper()
)
_UNSPACED = (
    "\u0e00-\u0eff\u1780-\u17ff\u3005\u3041-\u30ff\u3400-\u4dbf\u4e00-\u9fff"
    "\uf900-\ufaff\U00020000-\U0003ffff"
)
# Arabic articles stay with their name; other hyphens join only capitalised parts, so
# that "Paris-based" and "anti-American" give up the name inside them.
_ARTICLE = r"(?:(?:al|el|ul|ad|an|ar|as|az|ash|es)-)?"
# French and Italian articles before a vowel are words of their own.
_ELIDED = r"(?!(?:L|Qu|C|J|S|N|T|M|Dell|All|Nell|Dall|Sull|Un)')"
_SHORTENED = (
    "Mr|Mrs|Ms|Dr|Prof|Sr|Jr|St|Mt|Ft|Gen|Col|Lt|Maj|Capt|Sgt|Cpl|Pvt|Adm|Cmdr|Sen|Rep"
    "|Gov|Rev|Hon|Sra|Dra|Sig|Dott|Mme|Mlle|Inc|Corp|Ltd|Co|Bros|Jan|Feb|Mar|Apr|Aug"
    "|Sept|Oct|Nov|Dec|vs|No"
)
_TOKEN = re.compile(
    rf"(?:https?://|www\.)\S+"
    rf"|(?:[{_UPPER}]\.){{2,}}"
    rf"|[A-Z]+&[A-Z]+"
    rf"|(?:{_SHORTENED})\."
    rf"|[{_UPPER}]\.(?=\s?[{_UPPER}])"
    rf"|[{_UNSPACED}]"
    rf"|\d+(?:[.,]\d+)*"
    rf"|{_ELIDED}{_ARTICLE}[{_UPPER}]\w*(?:'(?!s\b)\w+|-[{_UPPER}]\w*)*"
    rf"|'s\b|\w+(?:'(?!s\b)(?![{_UPPER}])\w+)*"
    rf"|[^\w\s]"
)

_TERMINAL = frozenset(".!?\u2026\u3002\uff01\uff1f")
_UNSPACED_TERMINAL = frozenset("\u3002\uff01\uff1f")
_CLOSING = frozenset("\"'\u201d\u2019\u201c\xbb)]")
_OPENING = frozenset("\"'\u201c\u2018\u201e\xab([")
_MAX_CLOSING = 4  # quotes and brackets in a row; more is ornament
_BLANK_LINE = re.compile(r"\n\s*\n")

# A line break alone ends a sentence only where the line is too short to have been
# broken for its length.
_WRAPPED_CHARS = 40


def tokenize(text: str) -> list[Token]:
    """Split text into words, numbers and marks, each with its place."""
    straight = text.replace("\u2019", "'")  # of equal length, so that offsets hold
    return [
        Token(match.start(), match.end(), match.group())
        for match in _TOKEN.finditer(straight)
    ]


def split_sentences(text: str, tokens: list[Token]) -> list[Sentence]:
    """Group tokens into sentences; a blank line always ends one."""
    if not tokens:
        return []
    starts = [0]
    for index, (left, right) in enumerate(pairwise(tokens), start=1):
        # Nearly all gaps are one space after a word: the cheap test comes first.
        if left.text in _TERMINAL or left.text in _CLOSING:
            ends = _ends_sentence(tokens, index)
        else:
            ends = left.text[-1] == "." and _starts_anew(left.text, right.text)
        if not ends and right.start - left.end > 0:
            ends = _breaks_line(text, left.end, right.start)
        if ends:
            starts.append(index)
    return [Sentence(*bounds) for bounds in pairwise([*starts, len(tokens)])]


def _ends_sentence(tokens: list[Token], index: int) -> bool:
    mark = index - 1
    while mark > max(0, index - _MAX_CLOSING) and tokens[mark].text in _CLOSING:
        mark -= 1
    if tokens[mark].text not in _TERMINAL:
        return False
    following = tokens[index]
    if following.start == tokens[index - 1].end:
        return tokens[mark].text in _UNSPACED_TERMINAL
    first = following.text[0]
    return first.isupper() or first.isdigit() or first in _OPENING


# Words that open a sentence but never continue a name after "U.S." or "Inc.".
_OPENERS = re.compile(
    r"The|An?|He|She|It|They|We|I|In|On|At|But|And|Th(?:is|at|ese|ose)|His|Her|Its"
    r"|Their|There|If|When|While|As|For|However|Meanwhile"
)
_NEVER_LAST = re.compile(r"(?:[A-Z]\.)+|Inc\.|Corp\.|Ltd\.|Co\.|Bros\.|Jr\.|Sr\.")


def _starts_anew(shortened: str, following: str) -> bool:
    return bool(_NEVER_LAST.fullmatch(shortened) and _OPENERS.fullmatch(following))


def _breaks_line(text: str, end: int, start: int) -> bool:
    gap = text[end:start]
    if "\n" not in gap:
        return False
    if _BLANK_LINE.search(gap):
        return True
    line_start = text.rfind("\n", 0, end) + 1
    return end - line_start < _WRAPPED_CHARS
