"""How well and how fast a recogniser finds the names of labelled sentences."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from enrich.entities.iob2 import (
    Labelled,
    LabelledSentence,
    Scores,
    labelled_words,
    running_text,
)
from enrich.entities.spans import Document, EntityExtractor

# Files do not say where articles end. Ten sentences stand in for one, so that what
# one sentence says of a name can tell in the next.
SENTENCES_PER_DOCUMENT = 10


@dataclass(slots=True)
class Evaluation:
    """Scores and costs of one recogniser on one set."""

    on_words: Scores = field(default_factory=Scores)  # words as they are labelled
    on_text: Scores = field(default_factory=Scores)  # running text, cut by ourselves
    n_words: int = 0
    cpu_seconds: float = 0.0  # of finding names in running text

    @property
    def words_per_cpu_second(self) -> float:
        """Return the speed on running text."""
        return self.n_words / max(self.cpu_seconds, 1e-9)


def evaluate(
    extractor: EntityExtractor, sentences: Sequence[LabelledSentence]
) -> Evaluation:
    """Find names in English sentences and compare them with the labels."""
    result = Evaluation()
    for stretch in _stretches(sentences):
        # What is timed comes first: the words of the other way would be known already.
        text, labelled = running_text(stretch)
        started = time.process_time()
        document = Document(title="", text=text, language="en")
        (extraction,) = extractor.extract([document])
        result.cpu_seconds += time.process_time() - started
        result.n_words += sum(len(words) for words, _ in stretch)
        result.on_text.add(
            {(span.start, span.end, span.kind.value) for span in extraction.spans},
            labelled,
        )
        spans = extractor.find_in_words([words for words, _ in stretch])
        found = {(span.start, span.end, span.kind.value) for span in spans}
        result.on_words.add(found, _spaced(stretch))
    return result


def _stretches(
    sentences: Sequence[LabelledSentence],
) -> Iterator[list[LabelledSentence]]:
    for start in range(0, len(sentences), SENTENCES_PER_DOCUMENT):
        yield list(sentences[start : start + SENTENCES_PER_DOCUMENT])


def _spaced(sentences: Sequence[LabelledSentence]) -> set[Labelled]:
    """Return the labelled names as characters where single spaces divide all words."""
    labelled: set[Labelled] = set()
    start = 0
    for words, tags in sentences:
        places: list[tuple[int, int]] = []
        for word in words:
            places.append((start, start + len(word)))
            start += len(word) + 1
        labelled |= {
            (places[first][0], places[last - 1][1], kind)
            for first, last, kind in labelled_words(tags)
        }
    return labelled
