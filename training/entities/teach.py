"""Labels the silver set anew with the neural model, for the linear one to learn from.

Run as `python -m training.entities.teach CORPORA TAUGHT`; `training.entities.crf` takes
what it finds in TAUGHT in place of the set of that name.
"""

import argparse
import lzma
import sys
from collections.abc import Iterable
from pathlib import Path

from enrich.entities.iob2 import TAGS, LabelledSentence
from enrich.entities.minilmfile import load_minilm
from training.entities.corpora import read_sentences

SILVER = "gmb"
SENTENCES_AT_ONCE = 500


def main(arguments: list[str] | None = None) -> None:
    """Write the set with the labels of the model."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("corpora", type=Path, help="folder of *.iob2.xz")
    parser.add_argument("taught", type=Path, help="folder to write to")
    options = parser.parse_args(arguments)
    model = load_minilm()
    file = f"{SILVER}.iob2.xz"
    sentences = read_sentences(options.corpora / file)
    taught: list[LabelledSentence] = []
    for start in range(0, len(sentences), SENTENCES_AT_ONCE):
        words = [one.words for one in sentences[start : start + SENTENCES_AT_ONCE]]
        for found, tags in zip(words, model.tag(words), strict=True):
            taught.append(LabelledSentence(found, [TAGS[tag] for tag in tags]))
    options.taught.mkdir(parents=True, exist_ok=True)
    write_sentences(options.taught / file, taught)
    n_changed = sum(
        one.tags != other.tags for one, other in zip(sentences, taught, strict=True)
    )
    sys.stdout.write(f"{n_changed} of {len(sentences)} sentences have other labels\n")


def write_sentences(path: Path, sentences: Iterable[LabelledSentence]) -> None:
    """Write a packed file of labelled sentences, as `read_sentences` reads it."""
    blocks = (
        "\n".join(f"{word}\t{tag}" for word, tag in zip(*sentence, strict=True))
        for sentence in sentences
    )
    path.write_bytes(lzma.compress("\n\n".join(blocks).encode("utf-8")))


if __name__ == "__main__":
    main()
