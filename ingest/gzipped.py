"""Gzip: a document that is stored compressed is unpacked, up to a bound."""

import zlib

from ingest.messages import PollOutcome
from ingest.preflight import FeedRefusedError

_MAGIC = b"\x1f\x8b\x08"
_GZIP_WINDOW = 31  # zlib's number for "with the header of gzip"


def unpacked(body: bytes, *, max_bytes: int) -> bytes:
    """Return a document without its compression; one without any comes back as it is.

    What breaks off is returned as far as it goes.

    Raises:
        FeedRefusedError: It is damaged, or longer than `max_bytes` when unpacked.
    """
    if not body.startswith(_MAGIC):
        return body
    stream = zlib.decompressobj(_GZIP_WINDOW)
    try:
        plain = stream.decompress(body, max_bytes + 1)
    except zlib.error as error:
        reason = f"it is damaged gzip: {error}"
        raise FeedRefusedError(PollOutcome.NOT_A_FEED, reason) from error
    if len(plain) > max_bytes:
        reason = f"it is over {max_bytes} bytes when unpacked"
        raise FeedRefusedError(PollOutcome.TOO_LARGE, reason)
    return plain
