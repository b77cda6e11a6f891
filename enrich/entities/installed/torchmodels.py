"""Models of transformers and GLiNER as recognisers; both run on torch."""

from collections.abc import Iterator, Sequence
from typing import Any

from enrich.entities.installed.identity import load_library
from enrich.entities.installed.labels import ASKED, has_kind
from enrich.entities.installed.tags import join_tags, split_tag
from enrich.entities.installed.windows import Named, Window, cover
from enrich.errors import ModelUnusable

_BATCH = 16
_MAX_PIECES = 512  # what models of this kind read at most
_STRIDE = 32  # pieces that two parts of a window share
_SPECIAL_PIECES = 2  # positions that some models count and do not use
_THRESHOLD = 0.5  # what GLiNER takes for a name unless told otherwise


class TransformersModel:
    """A model that labels the pieces of words."""

    def __init__(self, tier: str, source: str) -> None:
        """Load it.

        Raises:
            ModelUnusable: A library is missing, or the model cannot do what is needed.
        """
        self._torch = _load_torch(tier)
        library = load_library(tier, "transformers")
        library.utils.logging.disable_progress_bar()
        offline = {"local_files_only": True, "trust_remote_code": False}
        self._tokenizer = library.AutoTokenizer.from_pretrained(source, **offline)
        if not self._tokenizer.is_fast:
            raise ModelUnusable(tier, "its tokenizer does not tell places in the text")
        kind = library.AutoModelForTokenClassification
        self._model = kind.from_pretrained(source, **offline).eval()
        self._tags = dict(self._model.config.id2label)
        labels = sorted({split_tag(tag)[1] for tag in self._tags.values()})
        if not has_kind(labels):
            raise ModelUnusable(tier, f"it finds none of our labels, only {labels}")
        positions = getattr(self._model.config, "max_position_embeddings", _MAX_PIECES)
        self._max_pieces = min(
            self._tokenizer.model_max_length, positions - _SPECIAL_PIECES, _MAX_PIECES
        )

    def find(
        self, windows: Sequence[Window], *, are_cut: bool
    ) -> Iterator[Sequence[Named]]:
        """Find the names in each window."""
        del are_cut  # pieces are assigned to our words in either case
        found: dict[int, list[Named]] = {}
        # Windows of like length together: what is filled up costs as much as words.
        order = sorted(range(len(windows)), key=lambda place: len(windows[place].text))
        for start in range(0, len(order), _BATCH):
            batch = order[start : start + _BATCH]
            tagged = self._tag([windows[place] for place in batch])
            found |= {
                place: join_tags(tags)
                for place, tags in zip(batch, tagged, strict=True)
            }
        yield from (found[place] for place in range(len(windows)))

    def _tag(self, windows: Sequence[Window]) -> list[list[str]]:
        encoded = self._tokenizer(
            [window.text for window in windows],
            padding=True,
            truncation=True,
            max_length=self._max_pieces,
            stride=min(_STRIDE, self._max_pieces // 4),
            return_overflowing_tokens=True,
            return_offsets_mapping=True,
            return_tensors="pt",
        )
        owners = encoded.pop("overflow_to_sample_mapping").tolist()
        places = encoded.pop("offset_mapping").tolist()
        with self._torch.inference_mode():
            best = self._model(**encoded).logits.argmax(dim=-1).tolist()
        tags = [["O"] * len(window.starts) for window in windows]
        seen: list[set[int]] = [set() for _ in windows]
        for owner, spans, ids in zip(owners, places, best, strict=True):
            firsts = first_pieces(windows[owner], spans)
            for word, piece in firsts.items():
                if word not in seen[owner]:
                    seen[owner].add(word)
                    tags[owner][word] = self._tags[ids[piece]]
        return tags


def first_pieces(window: Window, spans: Sequence[tuple[int, int]]) -> dict[int, int]:
    """Return for each word the first piece that begins in it; both by number.

    Args:
        window: The text of the pieces.
        spans: Start and end of each piece, in order; empty ones stand for marks that
            are not of the text. A piece may have a space before it.
    """
    firsts: dict[int, int] = {}
    word = 0
    for piece, (start, end) in enumerate(spans):
        begin = end - len(window.text[start:end].lstrip())
        while word < len(window.ends) and window.ends[word] <= begin < end:
            word += 1
        if begin < end and word < len(window.ends) and window.starts[word] <= begin:
            firsts.setdefault(word, piece)
    return firsts


class GlinerModel:
    """A model that is asked for labels in words."""

    def __init__(self, tier: str, source: str) -> None:
        """Load it.

        Raises:
            ModelUnusable: A library is missing.
        """
        _load_torch(tier)
        library = load_library(tier, "gliner")
        self._model = library.GLiNER.from_pretrained(
            source, local_files_only=True, map_location="cpu"
        )

    def find(
        self, windows: Sequence[Window], *, are_cut: bool
    ) -> Iterator[Sequence[Named]]:
        """Find the names in each window."""
        del are_cut  # its own words are as good as any
        if not windows:
            return
        answers = self._model.inference(
            [window.text for window in windows],
            list(ASKED),
            flat_ner=True,
            threshold=_THRESHOLD,
            batch_size=_BATCH,
        )
        for window, answer in zip(windows, answers, strict=True):
            yield list(_names(window, answer))


def _names(window: Window, answer: Sequence[dict[str, Any]]) -> Iterator[Named]:
    for name in answer:
        words = cover(window, name["start"], name["end"])
        if words is not None:
            yield Named(*words, name["label"])


def _load_torch(tier: str) -> Any:
    torch = load_library(tier, "torch")
    # A worker has a process for each core, and threads do not survive its fork.
    torch.set_num_threads(1)
    return torch
