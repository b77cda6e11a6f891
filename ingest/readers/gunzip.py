"""Gzip: one or more members, unpacked as they are read, within a budget."""

import io
import zlib

from ingest.readers.budget import Budget, require_real

MAGIC = b"\x1f\x8b\x08"
_WINDOW = 31  # zlib's number for "with the header of gzip"
_CHUNK_BYTES = 1 << 16  # what is left of one is copied at the end of each member


class Gunzip(io.RawIOBase):
    """A stream of what gzip members hold; damage ends it, and `error` says so."""

    def __init__(self, body: bytes, budget: Budget) -> None:
        super().__init__()
        self.error: str | None = None
        self._body = memoryview(body)
        self._budget = budget
        self._position = 0
        self._unpacked = 0
        self._unzip = zlib.decompressobj(_WINDOW)
        self._pending = b""

    def readable(self) -> bool:
        """Say that it can be read."""
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]  # what BufferedReader gives
        """Fill some of a buffer; 0 at the end.

        Raises:
            SpentError: The budget is spent, or the ratio is that of a bomb.
        """
        data = b""
        while not data and self.error is None and self._feed():
            data = self._unpack(len(buffer))
        self._unpacked += len(data)
        self._budget.take_bytes(len(data))
        require_real(packed=self._position, unpacked=self._unpacked)
        buffer[: len(data)] = data
        return len(data)

    def _feed(self) -> bool:
        """Have some packed bytes at hand; False where there are none any more."""
        if self._unzip.eof:
            self._pending = self._unzip.unused_data + self._pending
            self._next_member()
        if not self._pending:
            chunk = self._body[self._position : self._position + _CHUNK_BYTES]
            self._pending = bytes(chunk)
            self._position += len(chunk)
        return bool(self._pending)

    def _next_member(self) -> None:
        if len(self._pending) < len(MAGIC):
            more = self._body[self._position : self._position + _CHUNK_BYTES]
            self._pending += bytes(more)
            self._position += len(more)
        if self._pending.startswith(MAGIC):
            self._unzip = zlib.decompressobj(_WINDOW)
        else:  # padding of tapes and blocks
            self._pending = b""
            self._position = len(self._body)

    def _unpack(self, n_bytes: int) -> bytes:
        try:
            data = self._unzip.decompress(self._pending, n_bytes)
        except zlib.error as error:
            self.error = f"The gzip is damaged: {error}."
            return b""
        self._pending = self._unzip.unconsumed_tail
        is_over = self._position >= len(self._body) and not self._pending
        if is_over and not data and not self._unzip.eof:
            self.error = "The gzip breaks off."
        return data
