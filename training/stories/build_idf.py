"""Builds the English word statistics of enrich from tokenised, labelled news text.

Run as `python -m training.stories.build_idf CORPUS.iob2.xz`. Only the tokens are
read, never the labels; what is written are counts of single words.
"""

import argparse
import lzma
import re
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
IDF_TABLE = ROOT / "enrich/stories/tables/idf-en.tsv.xz"
COMMON_TABLE = ROOT / "enrich/entities/tables/common-en.txt.xz"

# The corpus has no article boundaries. Twenty sentences are about 400 words, which
# is the length of the agency reports it was cut from.
SENTENCES_PER_DOCUMENT = 20
MAX_IDF_WORDS = 15_000
MIN_IDF_DOCUMENTS = 2  # a word of one document is as rare as an unseen one

# A word is common when mid-sentence it is written small at least as often as not:
# then a capital at the start of a sentence says nothing about it being a name.
MIN_LOWER_SHARE = 0.5
MIN_LOWER_COUNT = 2

WORD = re.compile(r"[^\W\d_]+(?:['-][^\W\d_]+)*")


def main(arguments: list[str] | None = None) -> None:
    """Read the corpus and write both tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("corpus", type=Path, help="one token and tag a line, xz")
    options = parser.parse_args(arguments)
    sentences = list(read_sentences(options.corpus))
    n_documents, frequencies = count_documents(sentences)
    words = [
        (word, count)
        for word, count in sorted(
            frequencies.items(), key=lambda pair: (-pair[1], pair[0])
        )
        if count >= MIN_IDF_DOCUMENTS
    ][:MAX_IDF_WORDS]
    lines = [
        f"#documents\t{n_documents}",
        *(f"{word}\t{count}" for word, count in words),
    ]
    write_table(IDF_TABLE, lines)
    common = find_common(sentences)
    write_table(COMMON_TABLE, common)
    sys.stdout.write(
        f"{n_documents} documents, {len(words)} words, {len(common)} common\n"
    )


def read_sentences(corpus: Path) -> Iterator[list[str]]:
    """Yield the tokens of each sentence."""
    tokens: list[str] = []
    with lzma.open(corpus, "rt", encoding="utf-8") as lines:
        for line in lines:
            token = line.rstrip("\n").split("\t")[0]
            if token:
                tokens.append(token)
            elif tokens:
                yield tokens
                tokens = []
    if tokens:
        yield tokens


def count_documents(sentences: Iterable[list[str]]) -> tuple[int, Counter[str]]:
    """Count in how many stretches of sentences each small-written word stands."""
    remaining = iter(sentences)
    n_documents = 0
    frequencies: Counter[str] = Counter()
    while stretch := list(islice(remaining, SENTENCES_PER_DOCUMENT)):
        n_documents += 1
        frequencies.update(
            {
                token.casefold()
                for tokens in stretch
                for token in tokens
                if WORD.fullmatch(token)
            }
        )
    return n_documents, frequencies


def find_common(sentences: Iterable[list[str]]) -> list[str]:
    """List the words that are written small wherever a capital is not forced."""
    small: Counter[str] = Counter()
    every: Counter[str] = Counter()
    for tokens in sentences:
        for token in tokens[1:]:
            if WORD.fullmatch(token):
                every[token.lower()] += 1
                small[token.lower()] += token.islower()
    return sorted(
        word
        for word, count in small.items()
        if count >= MIN_LOWER_COUNT and count >= MIN_LOWER_SHARE * every[word]
    )


def write_table(path: Path, lines: list[str]) -> None:
    """Write the lines, compressed so that equal lines give equal bytes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    body = "\n".join(lines) + "\n"
    path.write_bytes(lzma.compress(body.encode(), preset=9, check=lzma.CHECK_CRC32))


if __name__ == "__main__":
    main()
