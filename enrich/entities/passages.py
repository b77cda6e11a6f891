"""One field of an article as words, sentences and known names."""

from collections.abc import Sequence
from dataclasses import dataclass

from enrich.entities.lexicon import Hit, Lexicon, find_aliases
from enrich.entities.tokens import Sentence, Token, split_sentences, tokenize


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """One field of an article, cut into words."""

    text: str
    tokens: Sequence[Token]
    lowers: Sequence[str]  # the words in small letters
    sentences: Sequence[Sentence]
    hits: dict[int, Hit]  # by first token


def read_passage(text: str, lexicon: Lexicon) -> Passage:
    """Cut a field into words and sentences and look up the known names in it."""
    tokens = tokenize(text)
    return Passage(
        text=text,
        tokens=tokens,
        lowers=[token.text.lower() for token in tokens],
        sentences=split_sentences(text, tokens),
        hits={hit.first: hit for hit in find_aliases(tokens, lexicon.aliases)},
    )
