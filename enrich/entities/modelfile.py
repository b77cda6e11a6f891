"""The file of the trained entity model, written by training and read by workers."""

import hashlib
import io
import lzma
from pathlib import Path
from typing import IO

import numpy as np
from numpy.typing import NDArray

from enrich.entities.card import FILES, MODEL, WEIGHTS, read_card
from enrich.entities.features import FEATURES_VERSION, Keys
from enrich.entities.gazetteer import load_gazetteer
from enrich.entities.model import N_TAGS, NameModel, Weights
from enrich.entities.weights import SharedRows
from enrich.errors import ModelDamaged

_KEY_BYTES, _WEIGHT_BYTES, _PAIR_BYTES = 4, 2, 4
_N_PAIR_BYTES = N_TAGS * N_TAGS * _PAIR_BYTES


def load_model() -> NameModel:
    """Load the model that comes with wireroom: about 1.2 CPU-seconds and 30 MB.

    Raises:
        ModelDamaged: A file is not the one of the card, or the model was trained on
            other features.
    """
    card = read_card()
    for name in FILES:
        digest = hashlib.sha256((MODEL / name).read_bytes()).hexdigest()
        if digest != card.sha256[name]:
            raise ModelDamaged(name, "its hash is not the one of its card")
    if card.features != FEATURES_VERSION:
        reason = f"made for features {card.features}, not {FEATURES_VERSION}"
        raise ModelDamaged(WEIGHTS, reason)
    # First, because what it takes for a moment the tables can have afterwards.
    weights = decode_weights((MODEL / WEIGHTS).read_bytes(), card.n_features)
    return NameModel(*weights, load_gazetteer())


def save_weights(
    path: Path, keys: Keys, weights: NDArray[np.int16], pairs: Weights
) -> None:
    """Write the weights, of as many rows as keys; equal ones give equal bytes."""
    # Differences of sorted keys and columns of one tag each compress best.
    steps = np.diff(keys, prepend=np.uint32(0)).astype("<u4")
    columns = np.ascontiguousarray(weights.T).astype("<i2")
    body = pairs.astype("<i4").tobytes() + steps.tobytes() + columns.tobytes()
    path.write_bytes(lzma.compress(body, preset=9, check=lzma.CHECK_CRC32))


def decode_weights(packed: bytes, n_features: int) -> tuple[Keys, SharedRows, Weights]:
    """Return the sorted keys of features, their weights, and those of pairs of tags.

    Of weights there is one row more than of keys: zeros, for features not known.
    """
    # Bit by bit: the whole would be held twice.
    with lzma.open(io.BytesIO(packed)) as body:
        pairs = np.frombuffer(body.read(_N_PAIR_BYTES), "<i4")
        steps = np.frombuffer(body.read(n_features * _KEY_BYTES), "<u4")
        keys = np.cumsum(steps, dtype=np.uint32)
        del steps
        columns = (_read_column(body, n_features) for _ in range(N_TAGS))
        weights = SharedRows.from_columns(columns, n_features + 1)
    return keys, weights, pairs.reshape(N_TAGS, N_TAGS).astype(np.int32)


def _read_column(body: IO[bytes], n_features: int) -> NDArray[np.int16]:
    column = np.zeros(n_features + 1, np.int16)
    content = body.read(n_features * _WEIGHT_BYTES)
    column[:-1] = np.frombuffer(content, "<i2")
    return column
