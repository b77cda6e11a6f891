"""Weights as whole numbers: how matrices and vectors are rounded."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

# Processors without instructions for bytes add two products in sixteen bits; of
# weights of seven bits the sum of two fits. Six changed nothing either.
WEIGHT_LEVELS = 31
PIECE_LEVELS = 15  # of the vocabulary's vectors; more changed nothing

# How much of the unevenness between the columns of an input moves to the weights:
# chosen on what is kept apart.
SMOOTHING = 0.8


@dataclass(frozen=True, slots=True, kw_only=True)
class Linear:
    """A matrix in whole numbers, and how its input becomes whole numbers."""

    weights: NDArray[np.int8]  # inputs by outputs
    scales: Floats  # of each output
    factors: Floats  # by which each column of the input is multiplied
    input_scale: np.float32
    input_zero: np.uint8


def quantize(weights: Floats, least: Floats, most: Floats) -> Linear:
    """Return a matrix of outputs by inputs in whole numbers.

    Args:
        weights: The matrix.
        least: What each column of the input is at least, in ordinary text.
        most: What it is at most.
    """
    reach = np.maximum(np.abs(least), np.abs(most))
    heaviest = np.maximum(np.abs(weights).max(axis=0), 1e-5)
    factors = np.maximum(reach**SMOOTHING / heaviest ** (1 - SMOOTHING), 1e-5)
    scaled = weights * factors
    scales = np.abs(scaled).max(axis=1) / WEIGHT_LEVELS
    low = min(0.0, float((least / factors).min()))
    high = max(0.0, float((most / factors).max()))
    input_scale = (high - low) / 255
    return Linear(
        weights=np.rint(scaled / scales[:, None]).astype(np.int8).T,
        scales=scales.astype(np.float32),
        factors=(1 / factors).astype(np.float32),
        input_scale=np.float32(input_scale),
        input_zero=np.uint8(np.clip(np.rint(-low / input_scale), 0, 255)),
    )


def round_vectors(vectors: Floats) -> tuple[NDArray[np.int8], Floats]:
    """Return vectors in whole numbers, and the scale of each as a column."""
    reach = np.maximum(np.abs(vectors).max(axis=1, keepdims=True), 1e-9)
    scales = (reach / PIECE_LEVELS).astype(np.float32)
    return np.rint(vectors / scales).astype(np.int8), scales
