"""The numbers of a text, and whether those of two texts differ.

Copies keep the numbers of their original, or lose some with a part of the text. An
update puts others in their place: four are dead now, not three. Numbers that are
written as words are not read.
"""

import re
import struct
import unicodedata
from collections.abc import Iterator

from xxhash import xxh3_64_intdigest

# So many are kept of one text: those with the smallest hashes, which is the same choice
# in both of two copies. Most articles have 5 to 30; beyond are tables.
MAX_NUMBERS = 256
# Of the text with fewer numbers: where a smaller share was replaced, an editor was at
# work, and no news came. The lowest that flags no edit on half of the topics of ECB+.
MIN_SHARE = 0.125

_HASH_BITS = 32

# Digits with what may stand between them: signs of all scripts, and narrow spaces.
_PLACE = re.compile(r"\d[\d,.'\u2019 \u00a0\u2009\u202f\u066b\u066c\uff0c\uff0e]*")
_OTHER_DIGIT = re.compile(r"(?![0-9])\d")
# Three digits after one to three others are thousands, by whatever they are kept apart.
_THOUSANDS = re.compile(r"(?<!\d)[1-9]\d{0,2}([,.'\u2019 ])\d{3}(?:\1\d{3})*(?!\d)")
_SEPARATOR = re.compile(r"\D")
_NUMBER = re.compile(r"\d+(?:[.,]\d+)?")
# Arabic script has signs of its own for decimals and for thousands.
_SIGNS = str.maketrans({"\u066b": ".", "\u066c": ","})


def find_numbers(text: str) -> Iterator[str]:
    """Yield the numbers of a text in one spelling each, as `1200` or `3.5`.

    The digits of all scripts count, and zeros that say nothing do not: `07` is `7`.
    """
    for place in _PLACE.findall(text):
        for number in _NUMBER.findall(_THOUSANDS.sub(_join, _plain(place))):
            whole, _, rest = number.replace(",", ".").partition(".")
            whole, rest = whole.lstrip("0") or "0", rest.rstrip("0")
            yield f"{whole}.{rest}" if rest else whole


def pack_numbers(text: str) -> bytes:
    """Return hashes of the numbers of a text: 32 bits each, sorted, big-endian."""
    hashes = sorted(map(_hash, set(find_numbers(text))))[:MAX_NUMBERS]
    return struct.pack(f">{len(hashes)}I", *hashes)


def numbers_differ(one: bytes, other: bytes) -> bool:
    """Tell whether each of two texts has numbers that stand in place of the other's.

    What was only cut or only added is no change. Symmetric.

    Args:
        one: Of one text, from `pack_numbers`.
        other: Of the other.
    """
    mine, theirs = _unpack(one), _unpack(other)
    # Beyond the last number of a full list nobody knows what the text has.
    known = min(_reach(mine), _reach(theirs))
    ours = {number for number in mine if number <= known}
    others = {number for number in theirs if number <= known}
    replaced = min(len(ours - others), len(others - ours))
    return replaced > 0 and replaced >= MIN_SHARE * min(len(ours), len(others))


def numbers_only_in(text: str, other: str, *, most: int) -> tuple[str, ...]:
    """Return the first numbers of a text that another one lacks."""
    lacking = dict.fromkeys(find_numbers(text))
    for number in find_numbers(other):
        lacking.pop(number, None)
    return tuple(lacking)[:most]


def _plain(place: str) -> str:
    if place.isascii():
        return place
    plain = unicodedata.normalize("NFKC", place).translate(_SIGNS)
    return _OTHER_DIGIT.sub(_in_ascii, plain)


def _in_ascii(digit: re.Match[str]) -> str:
    return str(unicodedata.decimal(digit.group()))


def _join(thousands: re.Match[str]) -> str:
    return _SEPARATOR.sub("", thousands.group())


def _hash(number: str) -> int:
    return xxh3_64_intdigest(number.encode()) % (1 << _HASH_BITS)


def _unpack(numbers: bytes) -> tuple[int, ...]:
    return struct.unpack(f">{len(numbers) // 4}I", numbers)


def _reach(numbers: tuple[int, ...]) -> int:
    return numbers[-1] if len(numbers) == MAX_NUMBERS else 1 << _HASH_BITS
