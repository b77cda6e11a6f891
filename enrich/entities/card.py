"""The card of the trained entity model: what it was made from, and its hashes."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path

MODEL = Path(__file__).parent / "trained"
CARD = "MODEL_CARD.json"
WEIGHTS = "weights.xz"
NAMES = "names.txt.xz"
CLUSTERS = "clusters.txt.xz"
FILES = (WEIGHTS, NAMES, CLUSTERS)


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelCard:
    """What must hold of the model before it is used."""

    sha256: Mapping[str, str]  # of each of its files
    features: str  # version of the features that it was trained on
    n_features: int

    @property
    def version(self) -> str:
        """Return eight hex digits over all files of the model."""
        hashes = "".join(self.sha256[name] for name in FILES)
        return blake2b(hashes.encode(), digest_size=4).hexdigest()


def read_card() -> ModelCard:
    """Read the card, and nothing else of the model."""
    card = json.loads((MODEL / CARD).read_text("utf-8"))
    return ModelCard(
        sha256=card["sha256"],
        features=card["features"],
        n_features=card["n_features"],
    )
