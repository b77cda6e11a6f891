"""The files of the neural entity model, written by training and read by workers."""

import hashlib
import lzma
import zlib
from collections.abc import Sequence
from typing import TYPE_CHECKING

from enrich.entities.card import MODEL
from enrich.entities.minilmcard import FILES, GRAPH, VOCABULARY, read_minilm_card
from enrich.entities.minilmmodel import PieceModel
from enrich.entities.wordpiece import WordPieces
from enrich.errors import ModelDamaged, ModelUnusable

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

MAX_GRAPH_BYTES = 64_000_000
EXTRA = "minilm"
_ADVICE = f"install wireroom[{EXTRA}]"


def load_minilm() -> PieceModel:
    """Load the neural model that comes with wireroom.

    Raises:
        ModelUnusable: What runs it is not there.
        ModelDamaged: A file is not the one of the card.
    """
    card = read_minilm_card()
    content = {name: (MODEL / name).read_bytes() for name in FILES}
    for name, body in content.items():
        if hashlib.sha256(body).hexdigest() != card.sha256[name]:
            raise ModelDamaged(name, "its hash is not the one of its card")
    pieces = WordPieces(unpack_vocabulary(content[VOCABULARY]))
    return PieceModel(open_session(unpack_graph(content[GRAPH])), pieces)


def open_session(graph: bytes) -> "InferenceSession":
    """Make a graph ready to run on one core, without threads of its own.

    Processes that fork afterwards share it.

    Raises:
        ModelUnusable: What runs it is not there.
    """
    try:
        import onnxruntime  # noqa: PLC0415 - an extra: not there unless asked for
    except ImportError:
        raise ModelUnusable(EXTRA, "it needs onnxruntime", _ADVICE) from None
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.enable_cpu_mem_arena = False  # it would keep what the longest text took
    options.log_severity_level = 3
    providers = ["CPUExecutionProvider"]
    return onnxruntime.InferenceSession(graph, options, providers=providers)


def pack_graph(graph: bytes) -> bytes:
    """Pack a graph: of noise like weights only the uneven use of bytes can be saved."""
    packer = zlib.compressobj(9, memLevel=9, strategy=zlib.Z_HUFFMAN_ONLY)
    return packer.compress(graph) + packer.flush()


def unpack_graph(packed: bytes) -> bytes:
    """Return the graph as it was packed."""
    return zlib.decompressobj().decompress(packed, MAX_GRAPH_BYTES)


def pack_vocabulary(pieces: Sequence[str]) -> bytes:
    """Pack the pieces of words, in the order of their numbers."""
    return lzma.compress("\n".join(pieces).encode(), preset=9, check=lzma.CHECK_CRC32)


def unpack_vocabulary(packed: bytes) -> list[str]:
    """Return the pieces of words, in the order of their numbers."""
    return lzma.decompress(packed).decode("utf-8").split("\n")
