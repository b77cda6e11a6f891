"""The files of the neural entity model, written by training and read by workers."""

import hashlib
import lzma
import zlib
from collections.abc import Sequence

from enrich.entities.card import MODEL
from enrich.entities.minilmcard import (
    FILES,
    GRAPH,
    VOCABULARY,
    MinilmCard,
    read_minilm_card,
)
from enrich.entities.minilmmodel import PieceModel
from enrich.entities.wordpiece import WordPieces
from enrich.errors import ModelDamaged, ModelUnusable
from enrich.graphs import open_session

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
    content = {name: read_checked(name, card) for name in FILES}
    pieces = WordPieces(unpack_vocabulary(content[VOCABULARY]))
    try:
        session = open_session(unpack_graph(content[GRAPH]))
    except ImportError:
        raise ModelUnusable(EXTRA, "it needs onnxruntime", _ADVICE) from None
    return PieceModel(session, pieces)


def load_pieces() -> WordPieces:
    """Load what cuts words into pieces, and nothing else of the model.

    Raises:
        ModelDamaged: The file is not the one of the card.
    """
    return WordPieces(unpack_vocabulary(read_checked(VOCABULARY, read_minilm_card())))


def read_checked(name: str, card: MinilmCard) -> bytes:
    """Read a file of the model as it is packed.

    Raises:
        ModelDamaged: It is not the one of the card.
    """
    body = (MODEL / name).read_bytes()
    if hashlib.sha256(body).hexdigest() != card.sha256[name]:
        raise ModelDamaged(name, "its hash is not the one of its card")
    return body


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
