"""All that the rules know about one language, in the form in which they look it up."""

from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from functools import cache
from typing import NamedTuple

import stopwordsiso

from enrich.entities.tables import (
    ANY_LANGUAGE,
    Alias,
    read_aliases,
    read_common_words,
    read_cues,
    read_given_names,
)
from enrich.entities.tokens import Sentence, Token, tokenize

# In German every noun has a capital, so that a capital alone proves nothing.
NOUNS_WITH_CAPITALS = frozenset({"de"})

HEADS_FIRST = frozenset({"fr", "es", "pt", "it"})

# "US" in capitals is written so; "NICE" and "RUSSIA" may be a shouted headline.
_MAX_ACRONYM_CHARS = 5


_WORD_CLASSES = (
    "honorific",
    "particle",
    "saying",
    "strong_place",
    "org_head",
    "org_tail",
    "loc_head",
    "loc_tail",
    "misc_head",
    "misc_tail",
    "place_noun",
    "surname",
    "direction",
    "legal",
    "leading",
)  # fields of a lexicon that are classes of the table of cues


class Hit(NamedTuple):
    """An alias found in a text, as a half-open range of tokens."""

    first: int
    last: int
    alias: Alias


class _Entry(NamedTuple):
    words: tuple[str, ...]
    alias: Alias


AliasIndex = Mapping[str, tuple[_Entry, ...]]  # by first word, longest first
Phrases = frozenset[tuple[str, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Lexicon:
    """Names and cue words of one language; words and phrases in small letters."""

    language: str
    aliases: AliasIndex
    given_names: frozenset[str]  # as written
    common: frozenset[str]  # no names, though a sentence starts with them
    titles: Phrases  # stand before a person
    title_endings: tuple[str, ...]  # a long word with such an ending is a title
    joiners: Phrases  # stand inside a name of several words
    honorific: frozenset[str]  # titles that only persons have
    particle: frozenset[str]  # stand inside the name of a person
    saying: frozenset[str]  # what persons do
    strong_place: frozenset[str]  # stand before a place
    org_head: frozenset[str]
    org_tail: frozenset[str]
    loc_head: frozenset[str]
    loc_tail: frozenset[str]
    misc_head: frozenset[str]
    misc_tail: frozenset[str]
    place_noun: frozenset[str]  # "the port of X", "the X estuary"
    surname: frozenset[str]  # people are called so, though places and bodies are too
    direction: frozenset[str]
    legal: frozenset[str]
    heads: frozenset[str]  # after these "of" goes on with the name
    tails: frozenset[str]  # with these a name is complete
    never: frozenset[str]  # capitalised, and yet no part of a name: days, months, "TV"
    leading: frozenset[str]  # function words that a sentence or headline starts with

    @property
    def heads_first(self) -> bool:
        """Whether "University" always comes before the rest of its name."""
        return self.language in HEADS_FIRST

    @property
    def capitals_tell(self) -> bool:
        """Whether a capital letter inside a sentence marks a name."""
        return self.language not in NOUNS_WITH_CAPITALS


class Lexicons:
    """A lexicon for each language that has rules, and one for all others.

    Each is made when it is first wanted: most workers meet few languages. What does
    not hang on the operator is made once a process.
    """

    def __init__(self, operator: Iterable[Alias] = ()) -> None:
        """Take an operator's aliases, which come before the built-in ones."""
        own = tuple(operator)
        self._operator = _read_entries(own)
        self._own_languages = frozenset(alias.language for alias in own)
        self._made: dict[str, Lexicon] = {}

    def find(self, language: str) -> Lexicon:
        """Return the lexicon of a language.

        That of languages without rules has aliases only: those of the language, or
        where none are known of all that have rules, and the operator's.
        """
        if language not in _tables().languages | self._own_languages:
            language = ANY_LANGUAGE
        if language not in self._made:
            self._made[language] = self._make(language)
        return self._made[language]

    def _make(self, language: str) -> Lexicon:
        is_known = language in _tables().languages
        built_in = _built_in(language if is_known else ANY_LANGUAGE)
        own = index_aliases(self._operator, {language, ANY_LANGUAGE})
        if not own and built_in.language == language:
            return built_in
        aliases = _overlaid(built_in.aliases, own)
        return replace(built_in, language=language, aliases=aliases)


class _Tables(NamedTuple):
    """What stands beside this module, as far as it is shared by lexicons."""

    entries: tuple[_Entry, ...]
    languages: frozenset[str]
    cues: dict[str, dict[str, frozenset[str]]]
    shared_cues: dict[str, frozenset[str]]


@cache
def _tables() -> _Tables:
    aliases, cues = tuple(read_aliases()), read_cues()
    shared = cues.pop(ANY_LANGUAGE)
    languages = frozenset(alias.language for alias in aliases) | cues.keys()
    return _Tables(_read_entries(aliases), languages, cues, shared)


@cache
def _built_in(language: str) -> Lexicon:
    tables, nothing = _tables(), frozenset[str]()
    if language not in tables.cues:
        # Of a text in an unknown language, only what the commonest ones say is safe.
        asked = {*tables.cues} if language == ANY_LANGUAGE else {language}
        index = index_aliases(tables.entries, asked | {ANY_LANGUAGE})
        return _make_lexicon(language, index, {}, nothing, nothing)
    own = tables.cues[language]
    return _make_lexicon(
        language,
        index_aliases(tables.entries, {language, ANY_LANGUAGE}),
        {**tables.shared_cues, **own},
        read_given_names(),
        _common_words(language) | own.get("common", nothing),
    )


def _overlaid(aliases: AliasIndex, own: AliasIndex) -> AliasIndex:
    """Return an index in which the operator's spellings come before ours."""
    overlaid = dict(aliases)
    for first, entries in own.items():
        taken = {entry.words for entry in entries}
        others = [one for one in aliases.get(first, ()) if one.words not in taken]
        overlaid[first] = _longest_first([*entries, *others])
    return overlaid


def index_aliases(entries: Iterable[_Entry], languages: AbstractSet[str]) -> AliasIndex:
    """Index aliases by their first word; of two for one spelling, the first wins."""
    chosen: dict[tuple[str, ...], _Entry] = {}
    for entry in entries:
        if entry.alias.language in languages:
            chosen.setdefault(entry.words, entry)
    index: dict[str, list[_Entry]] = {}
    for entry in chosen.values():
        index.setdefault(entry.words[0], []).append(entry)
    return {first: _longest_first(found) for first, found in index.items()}


def _longest_first(entries: Iterable[_Entry]) -> tuple[_Entry, ...]:
    return tuple(sorted(entries, key=lambda entry: -len(entry.words)))


def _read_entries(aliases: Iterable[Alias]) -> tuple[_Entry, ...]:
    return tuple(
        _Entry(tuple(token.text for token in tokenize(spelling)), alias)
        for alias in aliases
        for spelling in _spellings(alias)
    )


def find_aliases(
    tokens: Sequence[Token], sentences: Sequence[Sentence], aliases: AliasIndex
) -> list[Hit]:
    """Find the longest aliases from left to right.

    They never overlap, and none begins in one sentence and ends in the next.
    """
    hits: list[Hit] = []
    end = 0
    for sentence in sentences:
        for first in range(*sentence):
            if first < end or tokens[first].text not in aliases:
                continue
            for words, alias in aliases[tokens[first].text]:
                last = min(first + len(words), sentence.last)
                if tuple(token.text for token in tokens[first:last]) == words:
                    hits.append(Hit(first, last, alias))
                    end = last
                    break
    return hits


def _common_words(language: str) -> frozenset[str]:
    if language == "en":
        return read_common_words()
    # Of other languages only the stop words are known.
    return frozenset(stopwordsiso.stopwords(language))


def _spellings(alias: Alias) -> set[str]:
    plain = alias.spelling
    if plain.isupper() or len(plain) <= _MAX_ACRONYM_CHARS - 1:
        return {plain}
    return {plain, plain.upper()}


def _make_lexicon(
    language: str,
    aliases: AliasIndex,
    cues: Mapping[str, frozenset[str]],
    given_names: frozenset[str],
    common: frozenset[str],
) -> Lexicon:
    def words(name: str) -> frozenset[str]:
        return cues.get(name, frozenset())

    return Lexicon(
        language=language,
        aliases=aliases,
        given_names=given_names,
        common=common,
        titles=_phrases(words("title")),
        title_endings=tuple(sorted(words("title_ending"))),
        joiners=_phrases(words("joiner")),
        never=words("calendar") | words("blocked"),
        heads=words("org_head") | words("loc_head") | words("misc_head"),
        tails=words("org_tail")
        | words("loc_tail")
        | words("misc_tail")
        | words("legal"),
        **{name: words(name) for name in _WORD_CLASSES},
    )


def _phrases(spellings: frozenset[str]) -> Phrases:
    return frozenset(
        tuple(token.text.lower() for token in tokenize(spelling.title()))
        for spelling in spellings
    )
