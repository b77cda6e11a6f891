from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

MODEL_DIR: Path
MODEL_FILE: str

class LanguageIdentifier:
    nb_classes: list[str]
    nb_ptc: Any

    @classmethod
    def from_model_file(cls, model_file: str, *, norm_probs: bool = ...) -> Self: ...
    def __init__(
        self,
        nb_ptc: Any,
        nb_pc: NDArray[np.float32],
        nb_classes: list[str],
        tk_nextmove: Sequence[int],
        tk_output: Sequence[int],
        norm_probs: bool = ...,
        *,
        tk_row: Sequence[int],
    ) -> None: ...
    def _raw_score(self, text: bytes) -> NDArray[np.float32]: ...
    def _sparse_score(
        self, visits: Mapping[int, int], table: Any
    ) -> NDArray[np.float32]: ...
    def classify(self, text: str) -> tuple[str, float]: ...
    def rank(self, text: str) -> list[tuple[str, float]]: ...
