"""What a foreign model is given to read at a time, and what it answers."""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from enrich.entities.passages import Passage
from enrich.entities.tokens import Sentence, Token

# Models read a few hundred words at most and are slow in long texts, and what names
# something stands in the same paragraph. GLiNER takes 384 words of its own, and makes
# four of "U.S.".
MAX_WORDS = 96
MAX_CHARS = 1_000
MAX_WORD_CHARS = 100  # longer ones are no names and would fill a window
_NEAR = 32  # words of a window that are given up to end it at a mark

_SPACE = re.compile(r"\s")


class Named(NamedTuple):
    """A name among the words of a window, half-open, with the label of the model."""

    first: int
    last: int
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """A part of a passage: one line of text and the places of its words in it."""

    first: int  # its first word among those of the passage
    text: str
    starts: Sequence[int]  # of its words, in characters of `text`
    ends: Sequence[int]

    @property
    def words(self) -> list[str]:
        """Return the words as they stand in the text."""
        places = zip(self.starts, self.ends, strict=True)
        return [self.text[start:end] for start, end in places]


class InstalledModel(Protocol):
    """A model of an installed library, loaded."""

    def find(
        self, windows: Sequence[Window], *, are_cut: bool
    ) -> Iterable[Sequence[Named]]:
        """Find the names in each window.

        Args:
            windows: Parts of one article.
            are_cut: The words are given, and not only a way to tell places.
        """


def paragraphs(passage: Passage) -> list[Window]:
    """Cut a passage into windows that end with sentences and at blank lines."""
    joined: list[Sentence] = []
    for part in _parts(passage.tokens, passage.sentences):
        if joined and _go_together(passage, joined[-1], part):
            joined[-1] = Sentence(joined[-1].first, part.last)
        else:
            joined.append(part)
    return [_window(passage, part) for part in joined if _has_words(passage, part)]


def sentences(passage: Passage) -> list[Window]:
    """Cut a passage into windows of one sentence or less."""
    parts = _parts(passage.tokens, passage.sentences)
    return [_window(passage, part) for part in parts if _has_words(passage, part)]


def cover(window: Window, start: int, end: int) -> tuple[int, int] | None:
    """Return the words of which a span covers more than half, half-open.

    A name inside an address or at the end of "al-Assad" thus has the bounds that the
    other recognisers give it, or none.

    Args:
        window: What was read.
        start: First character of the span in the text of the window.
        end: The one after its last.
    """
    first = bisect_right(window.ends, start)
    last = bisect_left(window.starts, end)
    while first < last and not _is_covered(window, first, start, end):
        first += 1
    while first < last and not _is_covered(window, last - 1, start, end):
        last -= 1
    return (first, last) if first < last else None


def _is_covered(window: Window, word: int, start: int, end: int) -> bool:
    begins, ends = window.starts[word], window.ends[word]
    return 2 * (min(end, ends) - max(start, begins)) > ends - begins


def _parts(tokens: Sequence[Token], within: Sequence[Sentence]) -> Iterator[Sentence]:
    """Yield the sentences, cut where they are too long, without overlong words."""
    for sentence in within:
        first = sentence.first
        for place in range(*sentence):
            token = tokens[place]
            is_overlong = token.end - token.start > MAX_WORD_CHARS
            is_full = place - first >= MAX_WORDS
            if is_overlong:
                last, following = place, place + 1
            elif is_full or token.end - tokens[first].start > MAX_CHARS:
                last = following = _last_mark(tokens, first, place)
            else:
                continue
            if last > first:
                yield Sentence(first, last)
            first = following
        if sentence.last > first:
            yield Sentence(first, sentence.last)


def _last_mark(tokens: Sequence[Token], first: int, place: int) -> int:
    """Return where to cut so that no name is: after a mark, if there is one near."""
    for cut in range(place, max(first, place - _NEAR), -1):
        if not tokens[cut - 1].text[0].isalnum():
            return cut
    return place


def _go_together(passage: Passage, left: Sentence, right: Sentence) -> bool:
    tokens = passage.tokens
    gap = passage.text[tokens[left.last - 1].end : tokens[right.first].start]
    return (
        left.last == right.first
        and right.last - left.first <= MAX_WORDS
        and tokens[right.last - 1].end - tokens[left.first].start <= MAX_CHARS
        and gap.count("\n") <= 1
    )


def _has_words(passage: Passage, part: Sentence) -> bool:
    """Tell what may hold a name from thousands of marks, over which models are slow."""
    words = passage.tokens[part.first : part.last]
    return any(map(str.isalnum, "".join(word.text for word in words)))


def _window(passage: Passage, part: Sentence) -> Window:
    words = passage.tokens[part.first : part.last]
    begin, end = words[0].start, words[-1].end
    # Half a surrogate pair makes libraries fail; one character stays one character.
    text = passage.text[begin:end].encode("utf-8", "replace").decode("utf-8")
    return Window(
        first=part.first,
        text=_SPACE.sub(" ", text),
        starts=[word.start - begin for word in words],
        ends=[word.end - begin for word in words],
    )
