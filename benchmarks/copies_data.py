"""Articles among which copies are looked for: many stored ones, and some that are new.

Words follow Zipf's law. One article in ten is a copy of one before it, one in twenty
begins as its template does, and a third holds a stock sentence, so that some keys have
tens of thousands of articles. Each article's fingerprint is a real one; for all but a
few it is that of another text with the bits of the marks that are its own turned, as
if its words were others: to read a million texts would take half an hour.
"""

import random
import struct
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import accumulate

from benchmarks.store_data import words
from enrich.dedup.fingerprint import fingerprint
from enrich.messages import Fingerprint

N_WORDS = 350
N_POOL, N_EDITS = 2_000, 2
N_STOCK, N_TEMPLATES = 100, 50
STOCK_SHARE, TEMPLATE_SHARE, COPY_SHARE = 0.3, 0.05, 0.1
STOCK_WORDS, TEMPLATE_WORDS = 20, 60
N_KNOWN = 4_000  # at most so many stored articles have a text
NEAR = 400  # how far back, in articles, the original of a stored copy lies
BATCH, N_COPIES = 50, 15  # of a batch so many are copies of stored articles
MARK_BITS = 64
# Which quarter of the marks are keys is told by their last bits: they stay.
TURNED = (1 << MARK_BITS) - 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """An article of the archive."""

    article_id: int
    fingerprint: Fingerprint
    original_id: int | None = None  # of a copy


@dataclass(frozen=True, slots=True, kw_only=True)
class New:
    """An article that comes."""

    fingerprint: Fingerprint
    original_id: int | None  # the stored article of which it is an edited copy


class Texts:
    """Draws texts, and edits them."""

    def __init__(self, seed: int) -> None:
        self.draw = random.Random(seed)  # noqa: S311  # the same texts in every run
        self._words = words()
        self._sums = list(accumulate(1 / (rank + 3) for rank in range(50_000)))
        self._stock = [self._some(STOCK_WORDS) for _ in range(N_STOCK)]
        self._shares = list(accumulate(1 / (rank + 1) for rank in range(N_STOCK)))
        self._templates = [self._some(TEMPLATE_WORDS) for _ in range(N_TEMPLATES)]

    def article(self) -> list[str]:
        """Return the words of an article."""
        text = self._some(N_WORDS)
        if self.draw.random() < TEMPLATE_SHARE:
            text[:TEMPLATE_WORDS] = self.draw.choice(self._templates)
        if self.draw.random() < STOCK_SHARE:
            place = self.draw.randrange(TEMPLATE_WORDS, N_WORDS - STOCK_WORDS)
            text[place : place + STOCK_WORDS] = self.stock()
        return text

    def stock(self) -> list[str]:
        """Return a stock sentence."""
        (found,) = self.draw.choices(self._stock, cum_weights=self._shares)
        return found

    def edited(self, text: list[str]) -> list[str]:
        """Return a copy as another paper prints it."""
        kind = self.draw.randrange(4)
        if kind == 0:  # one word in twenty is another one
            news = iter(self._some(len(text)))
            return [next(news) if self.draw.random() < 0.05 else w for w in text]  # noqa: PLR2004  # as said
        if kind == 1:  # cut from the end
            return text[: round(len(text) * self.draw.uniform(0.5, 0.7))]
        if kind == 2:  # noqa: PLR2004  # its first sentences, as a feed gives them
            return text[:60]
        return [*self.stock(), *text, *self.stock()]  # between lines of the page

    def _some(self, n_words: int) -> list[str]:
        return self.draw.choices(self._words, cum_weights=self._sums, k=n_words)


@dataclass(slots=True)
class Archive:
    """Draws the stored articles, in the order in which they came."""

    n_articles: int
    known: dict[int, list[str]] = field(default_factory=dict)  # texts by article
    _texts: Texts = field(default_factory=lambda: Texts(1))
    _pool: list[list[Fingerprint]] = field(default_factory=list)
    _shared: set[int] = field(default_factory=set)

    def __post_init__(self) -> None:
        """Read the texts of which the others are made."""
        for _ in range(N_POOL):
            text = self._texts.article()
            edits = [self._texts.edited(text) for _ in range(N_EDITS)]
            self._pool.append([_read(one) for one in (text, *edits)])
        times = Counter(mark for first, *_ in self._pool for mark in _unpack(first))
        self._shared = {mark for mark, n_times in times.items() if n_times > 1}

    def articles(self) -> Iterator[Stored]:
        """Yield all of them."""
        draw, recent = self._texts.draw, list[tuple[int, int, int]]()
        step = max(2, self.n_articles // N_KNOWN)
        for article_id in range(1, self.n_articles + 1):
            if article_id % step == 0:
                text = self._texts.article()
                self.known[article_id] = text
                yield Stored(article_id=article_id, fingerprint=_read(text))
            elif recent and draw.random() < COPY_SHARE:
                original_id, place, salt = draw.choice(recent)
                edit = self._pool[place][draw.randint(1, N_EDITS)]
                marks = self._turned(edit, salt)
                yield Stored(
                    article_id=article_id, fingerprint=marks, original_id=original_id
                )
            else:
                place, salt = draw.randrange(N_POOL), draw.getrandbits(MARK_BITS)
                recent.append((article_id, place, salt))
                del recent[:-NEAR]
                marks = self._turned(self._pool[place][0], salt)
                yield Stored(article_id=article_id, fingerprint=marks)

    def batches(self, n_batches: int) -> list[list[New]]:
        """Return what comes when all are stored."""
        texts, ids = Texts(1), list(self.known)
        texts.draw.seed(2)  # other articles, of the same stock
        texts.draw.shuffle(ids)
        batches = []
        for number in range(n_batches):
            start = number * N_COPIES % len(ids)
            copied = ids[start : start + N_COPIES]
            news = [_new(texts.edited(self.known[one]), one) for one in copied]
            news += [_new(texts.article(), None) for _ in range(BATCH - len(news))]
            texts.draw.shuffle(news)
            batches.append(news)
        return batches

    def _turned(self, found: Fingerprint, salt: int) -> Fingerprint:
        bits = salt & TURNED
        marks = [
            mark if mark in self._shared else mark ^ bits for mark in _unpack(found)
        ]
        text_hash = int.from_bytes(found.text_hash) ^ salt
        return replace(
            found,
            text_hash=text_hash.to_bytes(16),
            marks=struct.pack(f">{len(marks)}Q", *marks),
        )


def _new(text: list[str], original_id: int | None) -> New:
    return New(fingerprint=_read(text), original_id=original_id)


def _read(text: list[str]) -> Fingerprint:
    return fingerprint(" ".join(text[:9]), " ".join(text))


def _unpack(found: Fingerprint) -> tuple[int, ...]:
    return struct.unpack(f">{len(found.marks) // 8}Q", found.marks)
