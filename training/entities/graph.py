"""The neural network as a graph of ONNX, in floats or in whole numbers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from enrich.entities.iob2 import TAGS
from enrich.entities.windows import MAX_PIECES
from training.entities.rounding import Floats, quantize, round_vectors

Ranges = Mapping[str, tuple[Floats, Floats]]  # least and most of each column

LAYERS, HEADS = 6, 12
EPSILON = 1e-12
OPSET, IR_VERSION = 18, 9
ORT = "com.microsoft"


@dataclass(slots=True)
class Graph:
    """A graph being built; with `ranges` its matrices are of whole numbers."""

    state: Mapping[str, Floats]
    ranges: Ranges | None = None
    nodes: list[Any] = field(default_factory=list)
    constants: list[Any] = field(default_factory=list)
    inputs: list[str] = field(default_factory=list)  # of matrices

    def build(self) -> onnx.ModelProto:
        """Return the model; in floats it gives the inputs of its matrices too."""
        states = self._embed()
        for number in range(LAYERS):
            states = self._layer(states, f"layers.{number}")
        product = self._node("MatMul", [states, self._weight("tags.weight", turn=True)])
        self._node("Add", [product, self._weight("tags.bias")], "scores")
        shown = [] if self.ranges else list(dict.fromkeys(self.inputs))
        number, whole = TensorProto.FLOAT, TensorProto.INT32
        tell = helper.make_tensor_value_info
        graph = helper.make_graph(
            self.nodes,
            "minilm",
            [
                tell("pieces", whole, ["windows", "pieces"]),
                tell("casing", whole, ["windows", "pieces"]),
                tell("lengths", whole, ["windows"]),
            ],
            [
                tell("scores", number, ["windows", "pieces", len(TAGS)]),
                *(tell(name, number, None) for name in shown),
            ],
            self.constants,
        )
        sets = [helper.make_opsetid("", OPSET), helper.make_opsetid(ORT, 1)]
        return helper.make_model(graph, opset_imports=sets, ir_version=IR_VERSION)

    def _embed(self) -> str:
        vectors = self.state["pieces.weight"]
        rounded, scales = round_vectors(vectors)
        whole = self._constant("vectors", rounded)
        found = self._node("Gather", [whole, "pieces"])
        found = self._node("Cast", [found], to=TensorProto.FLOAT)
        scale = self._node("Gather", [self._constant("scales", scales), "pieces"])
        states = self._node("Mul", [found, scale])
        casing = self._node("Gather", [self._weight("casing.weight"), "casing"])
        states = self._node("Add", [states, casing])
        places = self.state["places.weight"][:MAX_PIECES]
        first = self._constant("first", np.array([0], np.int64))
        width = self._node("Shape", ["pieces"], start=1, end=2)
        seen = [self._constant("places", places), first, width, first]
        states = self._node("Add", [states, self._node("Slice", seen)])
        norm = [self._weight("norm.weight"), self._weight("norm.bias")]
        options = {"axis": -1, "epsilon": EPSILON}
        return self._node("LayerNormalization", [states, *norm], "embedded", **options)

    def _layer(self, states: str, name: str) -> str:
        parts = [f"{name}.{part}" for part in ("query", "key", "value")]
        heads = self._linear(states, parts, f"{name}.heads")
        self.nodes.append(
            helper.make_node("Split", [heads], parts, axis=-1, num_outputs=3)
        )
        attended = self._node(
            "MultiHeadAttention",
            [*parts, "", "lengths"],
            f"{name}.seen",
            domain=ORT,
            num_heads=HEADS,
        )
        attended = self._linear(attended, [f"{name}.attended"], f"{name}.told")
        states = self._norm(attended, states, f"{name}.attended_norm")
        inner = self._linear(states, [f"{name}.inner"], f"{name}.grown")
        inner = self._node("Gelu", [inner], f"{name}.bent", domain=ORT)
        outer = self._linear(inner, [f"{name}.outer"], f"{name}.shrunk")
        return self._norm(outer, states, f"{name}.outer_norm")

    def _norm(self, added: str, states: str, name: str) -> str:
        return self._node(
            "SkipLayerNormalization",
            [
                added,
                states,
                self._weight(f"{name}.weight"),
                self._weight(f"{name}.bias"),
            ],
            name,
            domain=ORT,
            epsilon=EPSILON,
        )

    def _linear(self, states: str, parts: Sequence[str], name: str) -> str:
        self.inputs.append(states)
        weights = np.concatenate([self.state[f"{part}.weight"] for part in parts])
        bias = np.concatenate([self.state[f"{part}.bias"] for part in parts])
        added = self._constant(f"{name}.bias", bias)
        if self.ranges is None:
            turned = self._constant(f"{name}.weights", weights.T)
            return self._node(
                "Add", [self._node("MatMul", [states, turned]), added], name
            )
        made = quantize(weights, *self.ranges[states])
        scale = self._constant(f"{name}.input_scale", np.array(made.input_scale))
        zero = self._constant(f"{name}.input_zero", np.array(made.input_zero))
        factors = self._constant(f"{name}.factors", made.factors)
        even = self._node("Mul", [states, factors])
        whole = self._node("QuantizeLinear", [even, scale, zero])
        given = [
            whole,
            self._constant(f"{name}.weights", made.weights),
            scale,
            self._constant(f"{name}.scales", made.scales),
            zero,
            self._constant(f"{name}.zeros", np.zeros(len(bias), np.int8)),
            added,
        ]
        return self._node("MatMulIntegerToFloat", given, name, domain=ORT)

    def _weight(self, name: str, *, turn: bool = False) -> str:
        weight = self.state[name]
        return self._constant(name, weight.T if turn else weight)

    def _constant(self, name: str, value: NDArray[Any]) -> str:
        tensor = numpy_helper.from_array(np.asarray(value, order="C"), name)
        self.constants.append(tensor)
        return name

    def _node(
        self, kind: str, inputs: Sequence[str], name: str = "", **options: Any
    ) -> str:
        name = name or f"{kind}.{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, inputs, [name], name=name, **options))
        return name
