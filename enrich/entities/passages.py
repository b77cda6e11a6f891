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
    return _make(text, tokens, split_sentences(text, tokens), lexicon)


def join_passage(sentences: Sequence[Sequence[str]], lexicon: Lexicon) -> Passage:
    """Make a passage of sentences that are cut into words, divided by single spaces."""
    tokens: list[Token] = []
    bounds: list[Sentence] = []
    start = 0
    for words in sentences:
        first = len(tokens)
        for word in words:
            tokens.append(Token(start, start + len(word), word))
            start += len(word) + 1
        bounds.append(Sentence(first, len(tokens)))
    text = " ".join(token.text for token in tokens)
    return _make(text, tokens, bounds, lexicon)


def _make(
    text: str, tokens: list[Token], sentences: list[Sentence], lexicon: Lexicon
) -> Passage:
    hits = find_aliases(tokens, sentences, lexicon.aliases)
    return Passage(
        text=text,
        tokens=tokens,
        lowers=[token.text.lower() for token in tokens],
        sentences=sentences,
        hits={hit.first: hit for hit in hits},
    )
