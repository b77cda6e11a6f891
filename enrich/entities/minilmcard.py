"""The card of the neural entity model: what it was made from, and its hashes."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import blake2b

from enrich.entities.card import MODEL

CARD = "MINILM_CARD.json"
GRAPH = "minilm.onnx.z"
VOCABULARY = "pieces.txt.xz"
FILES = (GRAPH, VOCABULARY)


@dataclass(frozen=True, slots=True, kw_only=True)
class MinilmCard:
    """What must hold of the model before it is used."""

    sha256: Mapping[str, str]  # of each of its files

    @property
    def version(self) -> str:
        """Return eight hex digits over all files of the model."""
        hashes = "".join(self.sha256[name] for name in FILES)
        return blake2b(hashes.encode(), digest_size=4).hexdigest()


def read_minilm_card() -> MinilmCard:
    """Read the card, and nothing else of the model."""
    return MinilmCard(sha256=json.loads((MODEL / CARD).read_text("utf-8"))["sha256"])
