"""What is said of many words, in a sixth of the memory of a dictionary."""

import zlib
from array import array
from collections.abc import Mapping


class PackedWords:
    """A dictionary that never changes: one text, and where in it each word stands.

    A word takes 20 bytes and not 120; finding it takes a microsecond.
    """

    def __init__(self, words: Mapping[str, str]) -> None:
        """Pack what is said of each word.

        Raises:
            ValueError: A word or what is said of it has a tab or a line break.
        """
        # No more than half of the slots are taken, so that few words share one.
        self._mask = (1 << (2 * len(words)).bit_length()) - 1
        self._places = array("I", bytes(4 * (self._mask + 1)))  # 0: nothing
        self._text = b""
        lines, place = [b"\n"], 1
        for word, said in words.items():
            name = _encode(word)
            line = name + said.encode() + b"\n"
            if line.count(b"\t") != 1 or line.count(b"\n") != 1:
                raise ValueError(f"{word!r} cannot be packed")
            self._places[self._slot(name)] = place
            lines.append(line)
            place += len(line)
        self._text = b"".join(lines)

    def get(self, word: str, default: str, /) -> str:
        """Return what is said of a word, or else the default."""
        name = _encode(word)
        place = self._places[self._slot(name)]
        if not place:
            return default
        start = place + len(name)
        return self._text[start : self._text.index(b"\n", start)].decode()

    def _slot(self, name: bytes) -> int:
        """Return where a word stands, or else the slot that is free for it."""
        places, text, mask = self._places, self._text, self._mask
        slot = zlib.crc32(name) & mask
        while (place := places[slot]) and not text.startswith(name, place):
            slot = (slot + 1) & mask
        return slot


def _encode(word: str) -> bytes:
    return word.encode("utf-8", "surrogatepass") + b"\t"
