"""Sentence embeddings among the features of stories: an extra, and off by default."""

import math
from collections.abc import Sequence
from typing import Protocol

from enrich.entities.spans import Document
from enrich.messages import StoryFeatures
from enrich.stories.features import EMBEDDED, WEIGHT_DIGITS

VERSION = "1"  # raise it with every change that alters what is added to features

# Whatever its package holds by then, this is the model that was measured.
MODEL_SHA256 = "8199be6f699a395f99f89df973f9dc5285fbcfcdb2ae1a4e1201dab014f3d2a6"

# Share of the squared length of the vector, and that length: of two articles on
# different events embeddings have more in common than words, and with less length one
# threshold fits both. Chosen on the tuned topics, in the middle of where they score
# alike.
EMBEDDING_SHARE = 0.2
SQUARED_LENGTH = 0.77


class Encoder(Protocol):
    """Turns the beginning of an article into numbers that are near for near senses."""

    language: str  # the one that it reads

    def embed(self, title: str, text: str, /) -> Sequence[float]:
        """Return a vector of unit length, always of as many numbers."""


def embedding_version() -> str:
    """Return what tells embeddings apart, without looking for the model."""
    return f"{VERSION}-{MODEL_SHA256[:8]}"


def embed(
    features: StoryFeatures, document: Document, encoder: Encoder | None
) -> StoryFeatures:
    """Return features with the embedding of a document that the encoder can read.

    A document in another language, and any where there is no encoder, is told by its
    words and names alone.
    """
    if encoder is None or document.language != encoder.language:
        return features
    return add_embedding(features, encoder.embed(document.title, document.text))


def add_embedding(features: StoryFeatures, embedding: Sequence[float]) -> StoryFeatures:
    """Return features that share their length with an embedding.

    Each of its numbers is one more term. None is a key: stories are found by words and
    names, and told apart with the embedding. Features without any term stay so.
    """
    if not features.terms:
        return features
    own = math.sqrt((1 - EMBEDDING_SHARE) * SQUARED_LENGTH)
    other = math.sqrt(EMBEDDING_SHARE * SQUARED_LENGTH)
    weights = (
        *((term, weight * own) for term, weight in features.terms),
        *((f"{EMBEDDED}{place}", one * other) for place, one in enumerate(embedding)),
    )
    return StoryFeatures(
        terms=tuple((term, round(one, WEIGHT_DIGITS)) for term, one in weights),
        keys=features.keys,
    )
