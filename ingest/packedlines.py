"""Lines of a page, packed: the kind and the text of each, in order, as JSON in zlib.

Of real pages in plain text they take about as much as the page itself does, packed.
"""

import json
import zlib
from collections.abc import Sequence

from ingest.documents import deflate
from ingest.phrases import Kind

# Above all that is made of a file of 10 MB; what unpacks to more was not made here.
MAX_BYTES = 32_000_000
# Of these alone a page without furniture consists: its article says all of them again.
_ARTICLE = frozenset({Kind.TITLE, Kind.BODY, Kind.BYLINE, Kind.DATELINE})

Lines = Sequence[tuple[str, str]]  # kind and text of each


class DamagedLinesError(ValueError):
    """The bytes are not what `pack_lines` has made."""


def pack_lines(lines: Lines) -> bytes:
    """Return lines packed; nothing where none of them is furniture."""
    if all(kind in _ARTICLE for kind, _ in lines):
        return b""
    told = json.dumps(lines, ensure_ascii=False, separators=(",", ":"))
    return deflate(told.encode("utf-8", "surrogatepass"))


def unpack_lines(packed: bytes) -> list[tuple[str, str]]:
    """Return the kind and the text of each line; none where nothing was packed.

    Raises:
        DamagedLinesError: It cannot be unpacked, or into something else.
    """
    if not packed:
        return []
    inflater = zlib.decompressobj()
    try:
        told = inflater.decompress(packed, MAX_BYTES)
        lines = json.loads(told)
    except (zlib.error, ValueError, RecursionError) as error:
        raise DamagedLinesError(type(error).__name__) from None
    if not isinstance(lines, list) or not all(map(_is_line, lines)):
        raise DamagedLinesError("they are no lines")
    return [(kind, text) for kind, text in lines]


def _is_line(line: object) -> bool:
    return (
        isinstance(line, list)
        and len(line) == 2  # noqa: PLR2004 - kind and text
        and all(isinstance(one, str) for one in line)
    )
