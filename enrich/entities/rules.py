"""What kind of thing a candidate names, by rules that are tried in order."""

import re
from collections.abc import Callable
from typing import NamedTuple

from enrich.entities.chunks import Chunk, is_ordinal
from enrich.entities.lexicon import Lexicon
from enrich.messages import EntityKind

PER, ORG, LOC, MISC = EntityKind.PER, EntityKind.ORG, EntityKind.LOC, EntityKind.MISC


class Guess(NamedTuple):
    """A kind and how often the rule that gave it is right."""

    kind: EntityKind
    score: float
    firm: bool  # other mentions in the article do not overrule it


def classify(chunk: Chunk, lexicon: Lexicon) -> Guess | None:
    """Return the guess of the first rule that applies, or None if none does."""
    if chunk.alias is None and (
        chunk.before in _HANDLES or len(chunk.words) > _MAX_WORDS
    ):
        return None
    for rule in _RULES:
        guess = rule(chunk, lexicon)
        if guess is not None:
            return guess
    return None


# Scores are the precision of each rule, rounded, on hand-labelled encyclopaedia
# sentences (other ones than those of the quality test) and on agency news.

_TABLE_SCORES = {MISC: 0.7, ORG: 0.75}


def _by_table(chunk: Chunk, lexicon: Lexicon) -> Guess | None:
    alias = chunk.alias
    if alias is None:
        return None
    if alias.operator:
        return Guess(alias.kind, 1.0, firm=True)
    if chunk.before in lexicon.honorific and alias.kind is LOC:
        return Guess(PER, 0.85, firm=True)  # "Mr. London"
    return Guess(alias.kind, _TABLE_SCORES.get(alias.kind, 0.85), firm=True)


def _by_full_name(chunk: Chunk, lexicon: Lexicon) -> Guess | None:
    """Jack Hill is no hill."""
    if len(chunk.words) != _FULL_NAME:
        return None
    first, last = chunk.words[0], chunk.lowers[1]
    named = first in lexicon.given_names and last in lexicon.surname
    return Guess(PER, 0.8, firm=True) if named else None


def _by_event(chunk: Chunk, lexicon: Lexicon) -> Guess | None:
    if len(chunk.words) == 1:
        return None
    last = _last_word(chunk)
    named = last in lexicon.misc_tail or chunk.lowers[0] in lexicon.misc_head
    return Guess(MISC, 0.5, firm=True) if named else None


def _by_organisation(chunk: Chunk, lexicon: Lexicon) -> Guess | None:
    if len(chunk.words) == 1:
        return None
    last = _last_word(chunk)
    if last in lexicon.legal or last in lexicon.org_tail:
        return Guess(ORG, 0.65, firm=True)
    headed = any(word in lexicon.org_head for word in chunk.lowers[:-1])
    return Guess(ORG, 0.65, firm=True) if headed else None


def _by_landscape(chunk: Chunk, lexicon: Lexicon) -> Guess | None:
    if len(chunk.words) == 1:
        return None
    if chunk.lowers[-1] in lexicon.loc_tail or chunk.lowers[0] in lexicon.loc_head:
        return Guess(LOC, 0.65, firm=True)
    return None


def _by_title(chunk: Chunk, lexicon: Lexicon) -> Guess | None:
    del lexicon
    return (
        Guess(PER, 0.85, firm=True)
        if chunk.titled and len(chunk.words) <= _MAX_NAME
        else None
    )


def _by_given_name(chunk: Chunk, lexicon: Lexicon) -> Guess | None:
    if not 1 < len(chunk.words) <= _MAX_NAME:
        return None
    first = chunk.words[0]
    named = first in lexicon.given_names or first.split("-")[0] in lexicon.given_names
    return Guess(PER, 0.85, firm=True) if named or _is_initial(first) else None


def _by_middle_initial(chunk: Chunk, lexicon: Lexicon) -> Guess | None:
    del lexicon
    inner = chunk.words[1:-1]
    return Guess(PER, 0.7, firm=True) if any(map(_is_initial, inner)) else None


def _by_age(chunk: Chunk, lexicon: Lexicon) -> Guess | None:
    del lexicon
    comma, age = chunk.after
    aged = comma == "," and _AGE.fullmatch(age) is not None
    return (
        Guess(PER, 0.7, firm=True) if aged and len(chunk.words) <= _MAX_NAME else None
    )


def _by_place_after(chunk: Chunk, lexicon: Lexicon) -> Guess | None:
    del lexicon
    return Guess(LOC, 0.85, firm=False) if chunk.before_place else None


def _by_place_noun(chunk: Chunk, lexicon: Lexicon) -> Guess | None:
    if not lexicon.capitals_tell or len(chunk.words) > _MAX_PLACE:
        return None
    followed = chunk.after[0] in lexicon.place_noun and not lexicon.heads_first
    return Guess(LOC, 0.75, firm=True) if chunk.place_before or followed else None


def _by_preposition(chunk: Chunk, lexicon: Lexicon) -> Guess | None:
    if not lexicon.capitals_tell or chunk.words[0].isupper():
        return None
    placed = chunk.before in lexicon.strong_place and len(chunk.words) <= _MAX_PLACE
    return Guess(LOC, 0.7, firm=False) if placed else None


def _by_acronym(chunk: Chunk, lexicon: Lexicon) -> Guess | None:
    if len(chunk.words) > 1 or chunk.weak or chunk.lowers[0] in lexicon.common:
        return None
    word = chunk.words[0].replace(".", "")
    fits = _MIN_ACRONYM <= len(word) <= _MAX_ACRONYM
    return Guess(ORG, 0.65, firm=False) if fits and _ACRONYM.fullmatch(word) else None


def _by_saying(chunk: Chunk, lexicon: Lexicon) -> Guess | None:
    if not lexicon.capitals_tell or len(chunk.words) > _MAX_NAME:
        return None
    speaks = chunk.after[0] in lexicon.saying and not chunk.words[0].isupper()
    return Guess(PER, 0.55, firm=False) if speaks else None


def _by_direction(chunk: Chunk, lexicon: Lexicon) -> Guess | None:
    if len(chunk.words) == 1 or chunk.lowers[0] not in lexicon.direction:
        return None
    idle = chunk.lowers[-1] in lexicon.common  # "Northern Wire"
    return None if idle else Guess(LOC, 0.7, firm=False)


def _by_shape(chunk: Chunk, lexicon: Lexicon) -> Guess | None:
    """Two or three words that mean nothing else are most often a person."""
    n_words = len(chunk.words)
    if not lexicon.capitals_tell or n_words == 1:
        return None
    if any(word in lexicon.common for word in chunk.lowers):
        return None
    n_particles = sum(word in lexicon.particle for word in chunk.lowers)
    person = n_words - n_particles <= _MAX_PLACE and "&" not in chunk.words
    return Guess(PER, 0.45, firm=False) if person else None


_HANDLES = frozenset({"@", "#"})  # "@wireroom" names an account
_ACRONYM = re.compile(r"[^\W\d_a-z]+(?:&[A-Z]+)?")
_MAX_WORDS = 12  # no name is longer
_FULL_NAME = 2
_MAX_NAME = 5  # words: "Luiz Inácio Lula da Silva"
_MAX_PLACE = 3
_MIN_ACRONYM = 3  # of two letters, most are units, states and initials
_MAX_ACRONYM = 6
_AGE = re.compile(r"[1-9][0-9]?|1[01][0-9]")


def _last_word(chunk: Chunk) -> str:
    words = [word for word in chunk.lowers if not is_ordinal(word)]
    return words[-1] if len(words) > 1 else ""


def _is_initial(word: str) -> bool:
    return word[-1] == "." and word[:-1].replace(".", "").isupper() and len(word) <= 4  # noqa: PLR2004 - "J.K."


_RULES: tuple[Callable[[Chunk, Lexicon], Guess | None], ...] = (
    _by_table,
    _by_full_name,
    _by_event,
    _by_organisation,
    _by_landscape,
    _by_title,
    _by_given_name,
    _by_middle_initial,
    _by_age,
    _by_place_after,
    _by_place_noun,
    _by_acronym,
    _by_preposition,
    _by_saying,
    _by_direction,
    _by_shape,
)
