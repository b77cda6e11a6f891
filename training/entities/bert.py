"""The neural network of the quality tier, as torch trains it."""

import json
import struct
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from enrich.entities.iob2 import TAGS
from enrich.entities.wordpiece import Casing

WIDTH, LAYERS, HEADS, INNER = 384, 6, 12, 1_536
N_PIECES, N_PLACES = 30_522, 512
EPSILON = 1e-12
DROPOUT = 0.1

_DTYPES = {"F32": np.float32, "I64": np.int64}


class Layer(nn.Module):
    """Attention and what follows it."""

    def __init__(self) -> None:
        super().__init__()
        self.query = nn.Linear(WIDTH, WIDTH)
        self.key = nn.Linear(WIDTH, WIDTH)
        self.value = nn.Linear(WIDTH, WIDTH)
        self.attended = nn.Linear(WIDTH, WIDTH)
        self.attended_norm = nn.LayerNorm(WIDTH, eps=EPSILON)
        self.inner = nn.Linear(WIDTH, INNER)
        self.outer = nn.Linear(INNER, WIDTH)
        self.outer_norm = nn.LayerNorm(WIDTH, eps=EPSILON)
        self.dropout = nn.Dropout(DROPOUT)

    def forward(self, states: Tensor, bias: Tensor) -> Tensor:
        """Return states of windows by pieces by width; `bias` hides the padding."""
        n_windows, n_pieces, _ = states.shape
        shape = n_windows, n_pieces, HEADS, WIDTH // HEADS
        query, key, value = (
            part(states).view(shape).transpose(1, 2)
            for part in (self.query, self.key, self.value)
        )
        rate = DROPOUT if self.training else 0.0
        seen = functional.scaled_dot_product_attention(
            query, key, value, attn_mask=bias, dropout_p=rate
        )
        seen = seen.transpose(1, 2).reshape(n_windows, n_pieces, WIDTH)
        states = self.attended_norm(states + self.dropout(self.attended(seen)))
        grown = self.outer(functional.gelu(self.inner(states)))
        return self.outer_norm(states + self.dropout(grown))


class Tagger(nn.Module):
    """Scores of each tag for each piece."""

    def __init__(self) -> None:
        super().__init__()
        self.pieces = nn.Embedding(N_PIECES, WIDTH)
        self.places = nn.Embedding(N_PLACES, WIDTH)
        self.casing = nn.Embedding(len(Casing), WIDTH)
        self.norm = nn.LayerNorm(WIDTH, eps=EPSILON)
        self.dropout = nn.Dropout(DROPOUT)
        self.layers = nn.ModuleList(Layer() for _ in range(LAYERS))
        self.tags = nn.Linear(WIDTH, len(TAGS))
        nn.init.normal_(self.tags.weight, std=0.02)
        nn.init.zeros_(self.tags.bias)

    def forward(self, pieces: Tensor, casing: Tensor, mask: Tensor) -> Tensor:
        """Return scores of windows by pieces by tags."""
        places = self.places.weight[: pieces.shape[1]]
        states = self.pieces(pieces) + places + self.casing(casing)
        states = self.dropout(self.norm(states))
        bias = torch.zeros(mask.shape, dtype=states.dtype)
        bias = bias.masked_fill(~mask, -1e4)[:, None, None, :]
        for layer in self.layers:
            states = layer(states, bias)
        return self.tags(self.dropout(states))


def read_tensors(path: Path) -> dict[str, Tensor]:
    """Read a file of named tensors: length and JSON of a head, then the numbers."""
    content = path.read_bytes()
    (n_head,) = struct.unpack("<Q", content[:8])
    head = json.loads(content[8 : 8 + n_head])
    tensors = {}
    for name, about in head.items():
        if name == "__metadata__":
            continue
        first, last = (8 + n_head + offset for offset in about["data_offsets"])
        numbers = np.frombuffer(content[first:last], _DTYPES[about["dtype"]])
        tensors[name] = torch.from_numpy(numbers.reshape(about["shape"]).copy())
    return tensors


def load_pretrained(tagger: Tagger, tensors: Mapping[str, Tensor]) -> None:
    """Copy the weights of the sentence encoder; the tags' own stay as they are."""
    state = tagger.state_dict()
    for name, theirs in _their_names().items():
        state[name] = tensors[theirs]
    # It knows two kinds of segment, and met the first alone: each class of casing
    # starts there.
    segments = tensors["embeddings.token_type_embeddings.weight"]
    state["casing.weight"] = segments[:1].repeat(len(Casing), 1)
    tagger.load_state_dict(state)


def _their_names() -> dict[str, str]:
    names = {
        "pieces.weight": "embeddings.word_embeddings.weight",
        "places.weight": "embeddings.position_embeddings.weight",
    }
    parts = {"norm": "embeddings.LayerNorm"}
    for number in range(LAYERS):
        theirs = f"encoder.layer.{number}"
        parts |= {
            f"layers.{number}.query": f"{theirs}.attention.self.query",
            f"layers.{number}.key": f"{theirs}.attention.self.key",
            f"layers.{number}.value": f"{theirs}.attention.self.value",
            f"layers.{number}.attended": f"{theirs}.attention.output.dense",
            f"layers.{number}.attended_norm": f"{theirs}.attention.output.LayerNorm",
            f"layers.{number}.inner": f"{theirs}.intermediate.dense",
            f"layers.{number}.outer": f"{theirs}.output.dense",
            f"layers.{number}.outer_norm": f"{theirs}.output.LayerNorm",
        }
    for ours, theirs in parts.items():
        names |= {f"{ours}.{kind}": f"{theirs}.{kind}" for kind in ("weight", "bias")}
    return names
