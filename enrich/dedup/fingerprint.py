"""Fingerprints: numbers such that near texts share them."""

import struct
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from hashlib import blake2b
from itertools import chain, islice

from xxhash import xxh3_64_intdigest

from enrich.dedup.numbers import pack_numbers
from enrich.dedup.tokens import has_characters, normalise
from enrich.messages import Fingerprint

# Raise it with every change that alters a fingerprint, or what follows from it.
VERSION = "3"

GRAM_TOKENS = 5  # shorter runs are shared by chance, longer ones break at each edit
# Where the script has no spaces. Of grams of 5, one edit in twenty breaks too many in a
# text of 190 characters; those of 3 are so common that they would crowd the index.
GRAM_CHARACTERS = 4
WINDOW = 6  # a shared run of GRAM_TOKENS + WINDOW - 1 = 10 tokens is always found
KEY_MODULUS = 4  # the knee: at 8 short copies are lost, at 2 the index only grows
LEAD_TOKENS = 60  # a feed often gives no more, so keys are not thinned there

# Reached by about 3,000 words. Of longer texts the smallest marks are indexed, which
# is the same choice in both of two copies.
MAX_KEYS = 256
# Marks are kept for so many tokens; a transcript or a filing beyond this is compared
# by its beginning. 20,000 tokens are about 46 KB of marks.
MAX_MARKED_TOKENS = 20_000

HASH_BYTES = 16


def fingerprint(title: str, text: str) -> Fingerprint:
    """Return the fingerprint of an article.

    Texts that differ only in case, quotes, punctuation or spacing have one
    `text_hash`. The marks are chosen by winnowing (Schleimer, Wilkerson and Aiken,
    "Winnowing: local algorithms for document fingerprinting", 2003) over hashed
    grams of 5 words, or of 4 characters where a script has no spaces.
    """
    tokens = normalise(text)
    grams = _hash_grams(tokens[:MAX_MARKED_TOKENS])
    lead = _winnow(grams[: LEAD_TOKENS - GRAM_TOKENS + 1])
    # What is a minimum among the first grams is one of the whole text too.
    marks = [*sorted(lead), *sorted(_winnow(grams) - lead)]
    return Fingerprint(
        text_hash=_digest(tokens),
        title_hash=_digest(normalise(title)),
        n_tokens=len(tokens),
        marks=struct.pack(f">{len(marks)}Q", *marks),
        n_lead_marks=len(lead),
        numbers=pack_numbers(text),
    )


# An article is compared with its candidates one after another.
@lru_cache(maxsize=8)
def unpack_marks(marks: bytes) -> frozenset[int]:
    """Return the marks as numbers."""
    return frozenset(struct.unpack(f">{len(marks) // 8}Q", marks))


def choose_keys(found: Fingerprint) -> tuple[int, ...]:
    """Return the marks to index, as signed 64-bit numbers, sorted.

    All of the lead and a quarter of the others. They depend on what is stored of a
    fingerprint alone, so that an index can be made anew, and cleared, from that.
    """
    marks = struct.unpack(f">{len(found.marks) // 8}Q", found.marks)
    others = (mark for mark in marks[found.n_lead_marks :] if mark % KEY_MODULUS == 0)
    kept = islice(chain(marks[: found.n_lead_marks], others), MAX_KEYS)
    return tuple(sorted(set(map(_signed, kept))))


def _digest(tokens: list[str]) -> bytes:
    # A keyless cryptographic hash, because the texts are written by strangers.
    stream = " ".join(tokens).encode("utf-8", "surrogatepass")
    return blake2b(stream, digest_size=HASH_BYTES).digest()


def _hash_grams(tokens: list[str]) -> list[int]:
    """Return one number for the gram that begins at each token, but for the last."""
    if not tokens:
        return []
    grams: Iterable[Sequence[str]]
    if len(tokens) < GRAM_TOKENS:
        grams = [tokens]  # a text shorter than one gram is one gram
    elif has_characters("".join(tokens)):
        grams = _mixed_grams(tokens)
    else:
        columns = [islice(tokens, start, None) for start in range(GRAM_TOKENS)]
        grams = zip(*columns, strict=False)
    return [
        xxh3_64_intdigest(" ".join(gram).encode("utf-8", "surrogatepass"))
        for gram in grams
    ]


def _mixed_grams(tokens: list[str]) -> Iterator[list[str]]:
    for start, token in enumerate(tokens):
        size = GRAM_CHARACTERS if has_characters(token) else GRAM_TOKENS
        if start + size <= len(tokens):
            yield tokens[start : start + size]


def _winnow(grams: list[int]) -> set[int]:
    # Which of two equal minima is meant matters for positions only; we keep values.
    if len(grams) <= WINDOW:
        return {min(grams)} if grams else set()
    windows = (islice(grams, start, None) for start in range(WINDOW))
    return set(map(min, *windows))


def _signed(mark: int) -> int:
    # SQL has no unsigned 64-bit integer.
    return mark - (1 << 64) if mark >= 1 << 63 else mark
