"""The labelled corpora: where they are, what they allow, and what is kept apart."""

import lzma
from dataclasses import dataclass
from pathlib import Path

from enrich.entities.iob2 import LabelledSentence, read_labelled

GATE_SHARE = 0.2  # the last sentences of `wikigold`, on which nothing is trained
DEV_SHARE = 0.2  # the last sentences of each set, kept apart while tuning


@dataclass(frozen=True, slots=True, kw_only=True)
class Corpus:
    """One set of labelled sentences."""

    name: str
    origin: str
    licence: str
    has_misc: bool = True  # whether a name of another kind would be labelled
    share: float = 1.0  # of its sentences that are trained on
    times: int = 1


# What each may weigh was chosen on the parts kept apart: hand-made sets count in
# full, silver ones in part.
CORPORA = (
    Corpus(
        name="gmb",
        origin="Groningen Meaning Bank 2.2",
        licence="texts in the public domain; licence of the annotation not stated",
        share=0.5,
    ),
    Corpus(
        name="wikigold",
        origin="Wikigold (Balasuriya and others, 2009), without its last fifth",
        licence="CC BY 4.0",
        times=2,
    ),
    *(
        Corpus(
            name=f"crossner-{domain}",
            origin=f"CrossNER (Liu and others, 2021), {domain}",
            licence="MIT; sentences from Wikipedia, CC BY-SA",
        )
        for domain in ("politics", "science", "literature", "music", "ai")
    ),
    Corpus(
        name="uner-ewt-dev-test",
        origin="Universal NER, English EWT",
        licence="CC BY-SA 4.0",
        has_misc=False,
    ),
    Corpus(
        name="broad-twitter-news",
        origin="Broad Twitter Corpus (Derczynski and others, 2016), news",
        licence="CC BY 4.0",
        has_misc=False,
    ),
    Corpus(
        name="wnut17-train-dev",
        origin="WNUT 2017 (Derczynski and others), without its test part",
        licence="CC BY 4.0",
    ),
    Corpus(
        name="wikiann-en",
        origin="WikiANN, English (Pan and others, 2017)",
        licence="derived from Wikipedia, CC BY-SA",
        has_misc=False,
        share=0.3,
    ),
)


def read_sentences(path: Path) -> list[LabelledSentence]:
    """Read a packed file of labelled sentences."""
    return read_labelled(lzma.decompress(path.read_bytes()).decode("utf-8"))


def read_corpora(
    folder: Path, taught: Path | None = None
) -> dict[Corpus, list[LabelledSentence]]:
    """Read all that may be trained on; the gate is left out.

    Args:
        folder: The sets as they were labelled.
        taught: Sets that a model has labelled anew, taken in place of those.
    """
    read = {
        corpus: read_sentences(_find(f"{corpus.name}.iob2.xz", folder, taught))
        for corpus in CORPORA
    }
    for corpus, sentences in read.items():
        if corpus.name == "wikigold":
            del sentences[int(len(sentences) * (1 - GATE_SHARE)) :]
    return {
        corpus: list(map(_without_accounts, found)) for corpus, found in read.items()
    }


def _find(name: str, folder: Path, taught: Path | None) -> Path:
    anew = taught / name if taught else folder / name
    return anew if anew.exists() else folder / name


def read_gate(folder: Path) -> dict[str, list[LabelledSentence]]:
    """Read what is never trained on and never tuned on."""
    wikigold = read_sentences(folder / "wikigold.iob2.xz")
    return {
        "wikigold gate": wikigold[int(len(wikigold) * (1 - GATE_SHARE)) :],
        "WNUT17 test": read_sentences(folder / "wnut17-test.iob2.xz"),
    }


def _without_accounts(sentence: LabelledSentence) -> LabelledSentence:
    """Take the labels off "@somebody" and "#something", which few sets have."""
    words, tags = sentence
    marked = [word[0] in _MARKS for word in words]
    after = [False, *(word in _MARKS for word in words)]
    kept = [
        "O" if own or behind else tag
        for tag, own, behind in zip(tags, marked, after, strict=False)
    ]
    return LabelledSentence(words, kept)


_MARKS = frozenset("@#")
