"""Candidates: runs of capitalised words, cut where one name ends and another begins."""

import re
from collections.abc import Iterator
from typing import NamedTuple

from enrich.entities.lexicon import Hit, Lexicon
from enrich.entities.passages import Passage
from enrich.entities.tables import Alias
from enrich.entities.tokens import Sentence
from enrich.messages import EntityKind

_MAX_PHRASE_WORDS = 4  # the longest title and joiner in the tables

# A longer run is a list or a shout. The bound keeps hostile text cheap.
_MAX_RUN_WORDS = 40

# Above this share of capitalised words a sentence is a headline: there a capital
# says as little as it does at the start of a sentence.
_HEADLINE_SHARE = 0.7
_HEADLINE_WORDS = 6

_OF = frozenset({"of", "de", "di", "von"})
_ORDINAL = re.compile(r"[ivx]+|\d+")


class Chunk(NamedTuple):
    """A candidate and what stands around it."""

    first: int  # tokens, half-open
    last: int
    words: tuple[str, ...]
    lowers: tuple[str, ...]
    before: str  # the word before, in small letters; "" at the start of a sentence
    place_before: bool  # "the port of" comes before
    after: tuple[str, str]  # the two words after, likewise
    titled: bool  # a person's title stands before
    weak: bool  # its capital may be owed to its place alone
    alias: Alias | None  # the table entry for exactly these words
    before_place: bool  # ", France" follows


def find_chunks(passage: Passage, lexicon: Lexicon) -> list[Chunk]:
    """Return the candidates of a passage, from left to right."""
    return [
        chunk
        for sentence in passage.sentences
        for chunk in _Reader(passage, sentence, lexicon).chunks()
    ]


def is_ordinal(lower: str) -> bool:
    """Whether a word counts wars, kings and popes: "II"."""
    return _ORDINAL.fullmatch(lower) is not None


class _Reader:
    """Walks over one sentence."""

    __slots__ = (
        "headline",
        "lexicon",
        "lowers",
        "passage",
        "sentence",
        "start",
        "tokens",
    )

    def __init__(self, passage: Passage, sentence: Sentence, lexicon: Lexicon) -> None:
        self.passage = passage
        self.tokens = passage.tokens
        self.lowers = passage.lowers
        self.sentence = sentence
        self.lexicon = lexicon
        words = [
            index for index in range(*sentence) if self.tokens[index].text.isalpha()
        ]
        self.start = words[0] if words else sentence.last
        n_capitals = sum(not self.tokens[index].text.islower() for index in words)
        self.headline = len(
            words
        ) >= _HEADLINE_WORDS and n_capitals >= _HEADLINE_SHARE * len(words)

    def chunks(self) -> Iterator[Chunk]:
        """Yield candidates."""
        index, last = self.sentence
        while index < last:
            hit = self._hit(index)
            if hit and (hit.alias.operator or not self._is_name_word(index)):
                yield self._chunk(hit.first, hit.last)
                index = hit.last
            elif self._is_name_word(index):
                end = self._end_of_run(index)
                yield from self._cut(index, end)
                index = end
            else:
                index += 1

    def _hit(self, index: int) -> Hit | None:
        hit = self.passage.hits.get(index)
        if hit is None or hit.last > self.sentence.last:
            return None
        if hit.alias.operator or hit.last - hit.first > 1 or not self._is_weak(index):
            return hit
        # "Nice" opens a sentence, "WHO" a shouted headline.
        shouted = self.headline and self.tokens[index].text.isupper()
        return None if shouted or self.lowers[index] in self.lexicon.common else hit

    def _is_weak(self, index: int) -> bool:
        return self.headline or index == self.start

    def _is_name_word(self, index: int) -> bool:
        text, lower = self.tokens[index].text, self.lowers[index]
        if not text[0].isupper() and not (text[0].islower() and "-" in text):
            return False
        if lower in self.lexicon.never or lower in self.lexicon.leading:
            return False
        return not self.headline or lower not in self.lexicon.common

    def _end_of_run(self, first: int) -> int:
        end = self._skip(first)
        while end < min(self.sentence.last, first + _MAX_RUN_WORDS):
            if self._is_name_word(end):
                end = self._skip(end)
                continue
            width = self._joiner_width(first, end)
            if not width:
                break
            end = self._skip(end + width)
        return end

    def _skip(self, index: int) -> int:
        """Return the end of the known name or the word at `index`."""
        hit = self._hit(index)
        return hit.last if hit else index + 1

    def _joiner_width(self, first: int, end: int) -> int:
        """Return how many words at `end` join the run to the name word after them."""
        lexicon, lowers = self.lexicon, self.lowers
        for width in range(_MAX_PHRASE_WORDS, 0, -1):
            following = end + width
            if following >= self.sentence.last or not self._is_name_word(following):
                continue
            phrase = tuple(lowers[end:following])
            if phrase == ("'",) and self._is_plural_owner(end):
                return width
            if phrase in lexicon.joiners and self._takes_joiner(first, end, phrase):
                return width
            if all(word in lexicon.particle for word in phrase):
                return width if self._takes_particle(first, end, following) else 0
        return 0

    def _is_plural_owner(self, end: int) -> bool:
        """Whether the apostrophe at `end` stands inside "Kurdistan Workers' Party"."""
        if self.tokens[end].start != self.tokens[end - 1].end:
            return False
        last = end + 1
        while last < self.sentence.last and self._is_name_word(last):
            last += 1
        return self.lowers[end - 1][-1] == "s" and self.lowers[last - 1] in (
            self.lexicon.org_tail
        )

    def _takes_joiner(self, first: int, end: int, phrase: tuple[str, ...]) -> bool:
        if phrase == ("&",):
            return True
        heads = self.lexicon.heads
        return any(word in heads for word in self.lowers[first:end])

    def _takes_particle(self, first: int, end: int, following: int) -> bool:
        known = end - 1 in self.passage.hits or following in self.passage.hits
        return not known and not self._title_width(end - 1) and end - first <= 2  # noqa: PLR2004 - "Juan Carlos de"

    def _title_width(self, index: int) -> int:
        titles = self.lexicon.titles
        for width in range(min(_MAX_PHRASE_WORDS, self.sentence.last - index), 0, -1):
            if tuple(self.lowers[index : index + width]) in titles:
                return width
        endings = self.lexicon.title_endings
        return int(bool(endings) and self.lowers[index].endswith(endings))

    def _cut(self, first: int, last: int) -> Iterator[Chunk]:
        """Split a run at titles and at known names."""
        if first == self.start and self._opens_idly(first, last):
            first += 1
        piece, titled = first, self._follows_title(first)
        index = first
        while index < last:
            hit, width = self._hit(index), self._title_width(index)
            if hit and hit.last <= last and self._stands_alone(hit, piece, last):
                yield from self._piece(piece, index, titled=titled)
                yield self._chunk(hit.first, hit.last)
                piece, titled = hit.last, False
                index = hit.last
            elif width and not self._is_whole_name(piece, last):
                yield from self._piece(piece, index, titled=titled)
                piece, titled = index + width, True
                index = piece
            elif index > piece and self._starts_name(index):
                yield from self._piece(piece, index, titled=titled)
                piece, titled = index, False
                index += 1
            else:
                index += 1
        yield from self._piece(piece, last, titled=titled)

    def _starts_name(self, index: int) -> bool:
        """Whether a word begins a name of its own though capitals stand before it."""
        lexicon = self.lexicon
        if lexicon.heads_first:
            joined = not self._is_name_word(index - 1)
            return joined and self.lowers[index] in lexicon.org_head
        if lexicon.capitals_tell or self.tokens[index].text not in lexicon.given_names:
            return False
        return self.tokens[index - 1].text not in lexicon.given_names

    def _opens_idly(self, first: int, last: int) -> bool:
        """Whether the first word of a sentence has its capital from its place alone."""
        if self.lowers[first] not in self.lexicon.common or self._hit(first):
            return False
        following_is_name = last - first > 1
        if following_is_name and self.tokens[first].text in self.lexicon.given_names:
            return False
        return not (following_is_name and self._is_whole_name(first, last))

    def _follows_title(self, first: int) -> bool:
        before = first - 1
        return (
            before >= self.sentence.first
            and (self.lowers[before],) in self.lexicon.titles
        )

    def _is_whole_name(self, first: int, last: int) -> bool:
        """Whether the words name one organisation, place or event by their form."""
        lexicon, lowers = self.lexicon, self.lowers
        while last - first > 1 and is_ordinal(lowers[last - 1]):
            last -= 1
        if last - first > 1 and lowers[last - 1] in lexicon.tails:
            return True
        return any(
            lowers[index] in lexicon.org_head and not self._is_name_word(index + 1)
            for index in range(first, last - 1)
        )

    def _stands_alone(self, hit: Hit, piece: int, last: int) -> bool:
        if hit.first == piece and hit.last == last:
            return True
        if self._is_whole_name(piece, last):
            return False
        if not self.lexicon.capitals_tell:
            return True  # the capitals beside it are those of nouns
        before_title = hit.last < last and self._title_width(hit.last) > 0
        if hit.alias.kind is EntityKind.MISC or (before_title and hit.first == piece):
            return True
        return hit.last - hit.first > 1

    def _piece(self, first: int, last: int, *, titled: bool) -> Iterator[Chunk]:
        # Joiners at the edges belong to what has been cut away: "President of X".
        while first < last and not self._is_name_word(first):
            first, titled = first + 1, False
        while first < last and not self._is_name_word(last - 1):
            last -= 1
        if first < last:
            yield self._chunk(first, last, titled=titled)

    def _chunk(self, first: int, last: int, *, titled: bool = False) -> Chunk:
        bounds, lowers = self.sentence, self.lowers
        hit = self._hit(first)
        after = [*lowers[last : min(last + 2, bounds.last)], "", ""]
        place = self._hit(last + 1) if after[0] == "," else None
        return Chunk(
            first=first,
            last=last,
            words=tuple(token.text for token in self.tokens[first:last]),
            lowers=tuple(lowers[first:last]),
            before=lowers[first - 1] if first > bounds.first else "",
            place_before=self._follows_place(first),
            after=(after[0], after[1]),
            titled=titled,
            weak=self._is_weak(first),
            alias=hit.alias if hit and hit.last == last else None,
            before_place=place is not None and place.alias.kind is EntityKind.LOC,
        )

    def _follows_place(self, first: int) -> bool:
        if first - 2 < self.sentence.first:
            return False
        noun, preposition = self.lowers[first - 2 : first]
        return preposition in _OF and noun in self.lexicon.place_noun
