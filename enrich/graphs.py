"""Graphs of neural networks, made ready to run."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from numpy.typing import NDArray

if TYPE_CHECKING:
    from onnxruntime import InferenceSession


class Session(Protocol):
    """A graph that is ready to run."""

    def run(self, names: Sequence[str], feed: Mapping[str, NDArray[Any]], /) -> Any:
        """Return the outputs of these names."""


def open_session(graph: bytes) -> "InferenceSession":
    """Make a graph ready to run on one core, without threads of its own.

    Processes that fork afterwards share it.

    Raises:
        ImportError: What runs it is not there: it comes with an extra.
    """
    import onnxruntime  # noqa: PLC0415 - an extra: not there unless asked for

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.enable_cpu_mem_arena = False  # it would keep what the longest text took
    options.log_severity_level = 3
    providers = ["CPUExecutionProvider"]
    return onnxruntime.InferenceSession(graph, options, providers=providers)
