"""Gzip: one or more members, unpacked as they are read, within a budget."""

import io
from typing import BinaryIO

from isal import isal_zlib

from ingest.readers.budget import Budget, require_real

MAGIC = b"\x1f\x8b\x08"
_WINDOW = 31  # zlib's number for "with the header of gzip"
_CHUNK_BYTES = 1 << 16  # what is left of one is copied at the end of each member
# Members whose places are known: more than fit into the buffers of who reads.
_MAX_PLACES = 10_000


class Gunzip(io.RawIOBase):
    """A stream of what gzip members hold; damage ends it, and `error` says so."""

    def __init__(self, packed: BinaryIO, budget: Budget) -> None:
        super().__init__()
        self.error: str | None = None
        self._packed = packed
        self._is_over = False  # nothing more of it is read
        self._budget = budget
        self._n_packed = 0
        self._unpacked = 0
        self._unzip = isal_zlib.decompressobj(_WINDOW)
        self._pending = b""
        self._begins = packed.tell()
        # Bytes of this stream before a member -> bytes of the packed one.
        self._places = {0: self._begins}

    def readable(self) -> bool:
        """Say that it can be read."""
        return True

    def place_of(self, n_bytes: int) -> int:
        """Return the bytes of the packed stream before a member, which begins there.

        Args:
            n_bytes: Of this stream before it; 0 is returned where no member begins.
        """
        return self._places.get(n_bytes, 0)

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
        require_real(packed=self._n_packed, unpacked=self._unpacked)
        buffer[: len(data)] = data
        return len(data)

    def _feed(self) -> bool:
        """Have packed bytes at hand; False where there is nothing any more."""
        if self._unzip.eof:
            self._next_member()
        if not self._pending:
            self._pending = self._more()
        # With no more of it, some that was unpacked may still be held back.
        return bool(self._pending) or not self._unzip.eof

    def _more(self) -> bytes:
        chunk = b"" if self._is_over else self._packed.read(_CHUNK_BYTES)
        self._n_packed += len(chunk)
        return chunk

    def _next_member(self) -> None:
        while len(self._pending) < len(MAGIC) and (more := self._more()):
            self._pending += more
        if self._pending.startswith(MAGIC):
            self._unzip = isal_zlib.decompressobj(_WINDOW)
            self._note_place()
        else:  # padding of tapes and blocks
            self._pending = b""
            self._is_over = True

    def _note_place(self) -> None:
        if len(self._places) == _MAX_PLACES:
            self._places.clear()
        read = self._begins + self._n_packed
        self._places[self._unpacked] = read - len(self._pending)

    def _unpack(self, n_bytes: int) -> bytes:
        try:
            data = self._unzip.decompress(self._pending, n_bytes)
        except isal_zlib.error as error:  # type: ignore[misc]  # a class, whatever its stub says
            self.error = f"The gzip is damaged: {error}."
            return b""
        rest = self._unzip
        if not data and not self._pending and not rest.eof:
            self.error = "The gzip breaks off."
        self._pending = rest.unused_data if rest.eof else rest.unconsumed_tail
        return data
