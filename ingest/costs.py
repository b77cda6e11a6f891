"""Costs: what a document will take the feed parser, counted while it is scanned.

The weights are the worst that was measured for each kind of thing, on one slow core
(`make bench-hostile`). Ordinary feeds cost a tenth of them.
"""

import re
from dataclasses import dataclass

from ingest.messages import PollOutcome

TAG = 20.0  # microseconds for an opening or an end, of an unknown namespace
ATTRIBUTE = 5.0
REFERENCE = 2.5  # &eacute; and &#233;
MARKUP = 3.5  # for each "<" in CDATA, which a sanitiser of HTML reads afterwards
CHARACTER = 0.1
COMPOUND = 2.5  # a letter that normalisation takes apart, several times over
AUTHOR = 0.01  # for each square of the length of a name
CATEGORY = 0.05  # for each tag of an item with each before it
# From here on no further item is read; what is over the second bound is not parsed.
ENOUGH = 3_500_000
TOO_MUCH = 4_800_000
MAX_TAGS = 200_000
MAX_ATTRIBUTES = 256  # 16,000 on one tag took the parser 4 s, with squares from there
# An author is searched for a mail address in the square of its length: 8 KB took
# 0.6 s. The sum of the squares is bounded, so that many cannot do what one may not.
MAX_AUTHOR_COST = 8192**2
# Every tag of an item is compared with all tags of the item before it.
MAX_CATEGORY_COST = 20_000_000
MAX_PLACE_CHARS = 200_000  # each pair of coordinates becomes two numbers of 24 bytes

_COMPOUNDS = re.compile(
    "[\u0340-\u0344\u0958-\u095f\u3200-\u33ff\uf900-\ufaff\ufb00-\ufdff"
    "\U0001d15e-\U0001d1c0\U0001f100-\U0001f2ff\U0002f800-\U0002fa1f]+"
)
_QUOTED = re.compile(r"\"[^\"]*\"|'[^']*'")


class FeedRefusedError(Exception):
    """The document must not go to the parser, and the outcome says why."""

    def __init__(self, outcome: PollOutcome, reason: str) -> None:
        """Keep what the event of the poll repeats."""
        super().__init__(reason)
        self.outcome = outcome
        self.reason = reason


def hostile(reason: str) -> FeedRefusedError:
    """Return the refusal of a document that is made to cost too much."""
    return FeedRefusedError(PollOutcome.HOSTILE, reason)


@dataclass(slots=True)
class Costs:
    """What has been counted so far."""

    n_tags: int = 0
    n_attributes: int = 0
    authors: int = 0  # sum of the squares of their lengths
    categories: int = 0  # sum over items of the pairs of tags
    n_categories: int = 0  # of the present item
    n_place_chars: int = 0
    n_markup: int = 0
    n_references: int = 0
    n_compounds: int = 0
    position: int = 0  # up to here references and compounds are counted

    def tag(self) -> None:
        """Count an opening, an end, a comment or the like."""
        self.n_tags += 1
        if self.n_tags > MAX_TAGS:
            raise hostile(f"it has more than {MAX_TAGS} tags")

    def attributes(self, rest: str) -> None:
        """Count what stands in a tag behind its name."""
        n_attributes = count_attributes(rest)
        if n_attributes > MAX_ATTRIBUTES:
            raise hostile(f"a tag has more than {MAX_ATTRIBUTES} attributes")
        self.n_attributes += n_attributes

    def author(self, n_chars: int) -> None:
        """Count a name."""
        self.authors += n_chars**2
        if self.authors > MAX_AUTHOR_COST:
            raise hostile("its author names are too long")

    def words(self, words: str) -> None:
        """Count the tags in a list of them."""
        n_words = 1 + words.count(",") + words.count(" ")
        self.n_categories += n_words
        self.categories += n_words * self.n_categories
        if self.categories > MAX_CATEGORY_COST:
            raise hostile("it has too many categories")

    def place(self, n_chars: int) -> None:
        """Count coordinates."""
        self.n_place_chars += n_chars
        if self.n_place_chars > MAX_PLACE_CHARS:
            raise hostile("its coordinates are too long")

    def microseconds(self, text: str, end: int) -> float:
        """Return what the text up to `end` will take at most."""
        if end > self.position:
            self.n_references += text.count("&", self.position, end)
            if not text.isascii():
                found = _COMPOUNDS.findall(text, self.position, end)
                self.n_compounds += sum(map(len, found))
            self.position = end
        return (
            TAG * self.n_tags
            + ATTRIBUTE * self.n_attributes
            + REFERENCE * self.n_references
            + COMPOUND * self.n_compounds
            + MARKUP * self.n_markup
            + CHARACTER * end
            + AUTHOR * self.authors
            + CATEGORY * self.categories
        )


def count_attributes(rest: str) -> int:
    """Count the attributes of a tag, also where they lack quotes, values or spaces."""
    if len(rest) <= 1:
        return 0
    bare, n_quoted = _QUOTED.subn("", rest)
    return max(n_quoted, bare.count("="), bare.count("/"), len(bare.split()))
