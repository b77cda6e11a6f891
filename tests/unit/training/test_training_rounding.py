"""Weights as whole numbers."""

import numpy as np

from training.entities.rounding import (
    PIECE_LEVELS,
    WEIGHT_LEVELS,
    quantize,
    round_vectors,
)


def test_a_rounded_matrix_answers_nearly_as_before_also_to_uneven_inputs() -> None:
    chance = np.random.default_rng(1)
    weights = chance.normal(size=(40, 96)).astype(np.float32)
    inputs = chance.normal(size=(500, 96)).astype(np.float32)
    inputs[:, 3] *= 60  # such columns there are in every trained network
    made = quantize(weights, inputs.min(axis=0), inputs.max(axis=0))
    assert np.abs(made.weights).max() == WEIGHT_LEVELS
    whole = np.rint(inputs * made.factors / made.input_scale) + made.input_zero
    assert whole.min() >= 0
    assert whole.max() <= 255
    sums = (whole - made.input_zero) @ made.weights.astype(np.float32)
    answers = sums * made.input_scale * made.scales
    expected = inputs @ weights.T
    assert np.abs(answers - expected).mean() < 0.05 * np.abs(expected).mean()


def test_rounded_vectors_lie_near_and_empty_ones_stay_empty() -> None:
    chance = np.random.default_rng(1)
    vectors = chance.normal(size=(30, 64)).astype(np.float32)
    vectors[7] = 0
    rounded, scales = round_vectors(vectors)
    assert np.abs(rounded).max() == PIECE_LEVELS
    assert np.abs(rounded * scales - vectors).max() <= scales.max() * 0.5001
    assert not rounded[7].any()
