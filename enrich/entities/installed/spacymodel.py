"""Pipelines of spaCy as recognisers."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import nullcontext
from typing import Any

from enrich.entities.installed.identity import load_library
from enrich.entities.installed.labels import has_kind
from enrich.entities.installed.windows import Named, Window, cover
from enrich.errors import ModelUnusable

LIBRARY = "spacy"
CARD = "meta.json"
ANY_LANGUAGE = "xx"  # what pipelines for many languages state

# Where a model alone finds the names, it needs none of these; rules may. Measured: the
# same scores on English sentences, and twice the speed.
_TRAINED = frozenset({"ner", "beam_ner"})
_UNUSED = frozenset(
    {"tagger", "morphologizer", "attribute_ruler", "parser", "senter"}
    | {"lemmatizer", "trainable_lemmatizer", "textcat", "textcat_multilabel"}
)
_BATCH = 32


class SpacyModel:
    """A pipeline that sets `doc.ents`."""

    def __init__(self, tier: str, source: str) -> None:
        """Load it.

        Raises:
            ModelUnusable: The library is missing, or the pipeline finds no names.
        """
        self._spacy = load_library(tier, LIBRARY)
        self._nlp = self._spacy.load(source)
        pipes = {name: self._nlp.get_pipe_meta(name) for name in self._nlp.pipe_names}
        finders = [name for name, meta in pipes.items() if "doc.ents" in meta.assigns]
        labels = sorted({label for name in finders for label in self._labels(name)})
        if not has_kind(labels):
            raise ModelUnusable(tier, f"it finds none of our labels, only {labels}")
        if all(pipes[name].factory in _TRAINED for name in finders):
            factories = {name: meta.factory for name, meta in pipes.items()}
            unused = [name for name, kind in factories.items() if kind in _UNUSED]
            self._nlp.select_pipes(disable=unused)

    def _labels(self, component: str) -> Iterable[str]:
        return map(str, getattr(self._nlp.get_pipe(component), "labels", ()))

    def find(
        self, windows: Sequence[Window], *, are_cut: bool
    ) -> Iterator[Sequence[Named]]:
        """Find the names in each window."""
        # Else every word that was ever seen is kept.
        with getattr(self._nlp, "memory_zone", nullcontext)():
            texts = [window.text for window in windows]
            given = self._documents(windows) if are_cut else texts
            documents = self._nlp.pipe(given, batch_size=_BATCH)
            for window, document in zip(windows, documents, strict=True):
                yield list(_names(window, document))

    def _documents(self, windows: Sequence[Window]) -> list[Any]:
        make = self._spacy.tokens.Doc
        return [make(self._nlp.vocab, words=window.words) for window in windows]


def _names(window: Window, document: Any) -> Iterator[Named]:
    for name in document.ents:
        words = cover(window, name.start_char, name.end_char)
        if words is not None:
            yield Named(*words, str(name.label_))
