"""What articles are about, packed: two bytes a weight, then the terms."""

import struct

from store.judge import Centroid

# Weights have four decimals, and none is above 1.
_SCALE = 10_000
_SEPARATOR = "\0"  # in no text that is stored


def pack_terms(terms: Centroid) -> bytes:
    """Return terms and their weights as bytes."""
    weights = [round(weight * _SCALE) for _, weight in terms]
    words = _SEPARATOR.join(term for term, _ in terms)
    packed = struct.pack(f">H{len(weights)}h", len(weights), *weights)
    return packed + words.encode("utf-8", "surrogatepass")


def unpack_terms(packed: bytes) -> Centroid:
    """Return what was packed; nothing, if it was nothing."""
    (n_terms,) = struct.unpack_from(">H", packed) if packed else (0,)
    if not n_terms:
        return ()
    weights = struct.unpack_from(f">{n_terms}h", packed, 2)
    words = packed[2 + 2 * n_terms :].decode("utf-8", "surrogatepass")
    scaled = (weight / _SCALE for weight in weights)
    return tuple(zip(words.split(_SEPARATOR), scaled, strict=True))
