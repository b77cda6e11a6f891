"""Stretches of a document: how long one is, and which of them are left out."""

import re
from collections.abc import Iterator

_TEXTS = {"content", "description", "encoded", "summary"}


class Measure:
    """The length of the text inside elements that may be nested or left open."""

    def __init__(self) -> None:
        self.depth = 0
        self.start = 0

    def open(self, position: int) -> None:
        """Begin, unless an element around this one has begun already."""
        if self.depth == 0:
            self.start = position
        self.depth += 1

    def close(self, position: int) -> int:
        """Return the characters since the outermost of them was opened."""
        if self.depth == 0:
            return 0
        self.depth -= 1
        return position - self.start


class Captions:
    """The captions of pictures in one item, which the parser takes for its text.

    They stay where the item has no text of its own, as with videos.
    """

    def __init__(self) -> None:
        self.spans: list[tuple[int, int]] = []
        self.item_has_text = False
        self.start = self.text_start = -1

    def open(self, name: str, local: str, token: re.Match[str]) -> None:
        """Take note of an element that opens."""
        if local in _TEXTS:
            is_caption = name.lower().startswith("media:")
            self.start = token.start() if is_caption else -1
            self.text_start = -1 if is_caption else token.end()

    def close(self, text: str, local: str, token: re.Match[str]) -> None:
        """Take note of an element that ends."""
        if local not in _TEXTS:
            return
        if self.start >= 0:
            self.spans.append((self.start, token.end()))
        elif self.text_start >= 0:
            self.item_has_text |= bool(text[self.text_start : token.start()].strip())
        self.start = self.text_start = -1

    def over(self) -> list[tuple[int, int]]:
        """Return what to drop of the item that ends here."""
        drops = self.spans if self.item_has_text else []
        self.spans, self.item_has_text = [], False
        return drops


def without(
    drops: list[tuple[int, int]], text: str, start: int, end: int
) -> Iterator[str]:
    """Yield what stands in the text from start to end, but not in one of the drops."""
    for drop_start, drop_end in sorted(drops):
        if start <= drop_start and drop_end <= end:
            yield text[start:drop_start]
            start = drop_end
    yield text[start:end]
