"""The normalised token stream on which copies are told: words, or single characters."""

import re
import unicodedata

# Scripts that are written without spaces, or, as Korean, with spaces that editors
# move about. There one character is a token, and a few of them are a gram of
# characters; grams of words find next to nothing in such text.
_UNSPACED = (
    "\u0e00-\u0eff"  # Thai, Lao
    "\u1000-\u109f\ua9e0-\ua9ff\uaa60-\uaa7f"  # Myanmar
    "\u1100-\u11ff"  # Hangul letters
    "\u1780-\u17ff"  # Khmer
    "\u3005\u3041-\u30ff\u31f0-\u31ff"  # Kana
    "\u3130-\u318f\ua960-\ua97f\uac00-\ud7ff"  # Hangul
    "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"  # Han
)
_CHARACTER = re.compile(rf"[{_UNSPACED}]")
_TOKEN = re.compile(rf"[{_UNSPACED}]|[^\W{_UNSPACED}]+")

# Invisible marks that systems put into words: soft hyphen, zero-width characters,
# direction marks, byte order mark.
_INVISIBLE = dict.fromkeys(
    [0xAD, *range(0x200B, 0x2010), *range(0x202A, 0x202F), 0x2060, 0xFEFF]
)


def normalise(text: str) -> list[str]:
    """Return the tokens that remain when case, quotes and spacing are ignored.

    Compatibility forms (ligatures, full-width letters) count as their plain
    spelling, Unicode NFKC.
    """
    if text.isascii():
        return _TOKEN.findall(text.lower())
    plain = unicodedata.normalize("NFKC", text.translate(_INVISIBLE))
    # Folding takes some letters apart again.
    return _TOKEN.findall(unicodedata.normalize("NFKC", plain.casefold()))


def has_characters(text: str) -> bool:
    """Tell whether a text has a character of a script without spaces."""
    return not text.isascii() and _CHARACTER.search(text) is not None
