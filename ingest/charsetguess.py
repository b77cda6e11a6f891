"""Guesses: the charset of bytes that declare none, or one that makes no words of them.

Tried are the charsets that the web used before UTF-8 for scripts other than Latin. What
tells them is how the letters stand: words are in lower case after their first letter,
Japanese has kana, and Chinese has its common characters far more often than rare ones.
"""

import re

SAMPLE_BYTES = 16 * 1024  # cut at an odd byte, which may cost one character
MIN_HIGH_SHARE = 0.25  # of the bytes above ASCII; Latin scripts stay below 0.15
MIN_HIGH_BYTES = 8
PLAUSIBLE = 0.6  # of the letters above ASCII; wrong charsets reach 0.4
MIN_KANA_SHARE = 0.15  # of a Japanese text; headlines have few
MIN_COMMON_SHARE = 0.6  # of the characters of a Chinese text; rare ones are in names

# GB 2312 sorts its 3,755 common characters into these first bytes.
_COMMON_GB = re.compile(rb"[\xb0-\xd7][\xa1-\xfe]")
_PAIR = re.compile(rb"[\x81-\xfe][\x40-\xfe]")
_KANA = re.compile("[\u3041-\u30ff]")
_HIGH = re.compile("[^\x00-\x7f]")
_CYRILLIC = ("cp1251", "koi8-r", "cp866", "iso8859-5")
_ACCENTS = re.compile("[\u00c0-\u00ff]{4,}")  # no language of Europe writes such words
_WORD = re.compile(r"[^\W\d_]+")


def guess(body: bytes) -> str | None:
    """Return the charset that makes words of some bytes, or None where none does.

    Bytes that are mostly ASCII are in a Latin script and give None.
    """
    sample = body[:SAMPLE_BYTES]
    n_high = len(sample) - len(sample.translate(None, bytes(range(0x80, 0x100))))
    if n_high < max(MIN_HIGH_BYTES, MIN_HIGH_SHARE * len(sample)):
        return None
    return _east_asian(sample) or _cyrillic(sample)


def plausibility(text: str) -> float:
    """Return the share of the letters above ASCII that stand as in words, 0 to 1.

    1 where there are none. In a word only the first letter or all of them are capitals,
    and Latin words have ASCII letters. A wrong charset gives signs, words of nothing
    but accents, or turns the cases round; capitals count for nothing where it does.
    """
    n_letters = len(_HIGH.findall(text))
    if n_letters == 0:
        return 1.0
    words = [word for word in _WORD.findall(text) if not word.isascii()]
    is_turned = any(word[0].islower() and word[1:].isupper() for word in words)
    fine = sum(len(word) for word in words if _is_fine(word, is_turned=is_turned))
    return min(1.0, fine / n_letters)


def _is_fine(word: str, *, is_turned: bool) -> bool:
    if word.isupper():
        return len(word) == 1 or not is_turned
    is_cased = word.lower() == word.upper() or word[1:].islower()
    return is_cased and not _ACCENTS.fullmatch(word)


def _cyrillic(sample: bytes) -> str | None:
    texts = {name: sample.decode(name, "replace") for name in _CYRILLIC}
    scores = {
        name: sum("\u0400" <= char <= "\u04ff" for char in text) * plausibility(text)
        for name, text in texts.items()
    }
    best = max(scores, key=lambda name: scores[name])
    n_high = len(_HIGH.findall(texts[best]))
    return best if scores[best] >= PLAUSIBLE * n_high else None


def _east_asian(sample: bytes) -> str | None:
    japanese = _decoded(sample, "cp932")
    if japanese is not None:
        n_kana = len(_KANA.findall(japanese))
        if n_kana >= MIN_KANA_SHARE * len(_HIGH.findall(japanese)):
            return "cp932"
    if _decoded(sample, "gb18030") is None:
        return None
    n_common = len(_COMMON_GB.findall(sample))
    is_common = n_common >= MIN_COMMON_SHARE * len(_PAIR.findall(sample))
    return "gb18030" if is_common and not _is_of_single_bytes(sample) else None


def _is_of_single_bytes(sample: bytes) -> bool:
    """Say whether bytes stand in words of odd lengths, as pairs never do."""
    words = re.findall(rb"[\x80-\xff]+", sample)
    n_odd = sum(len(word) % 2 for word in words)
    return n_odd > len(words) / 5


def _decoded(sample: bytes, name: str) -> str | None:
    for end in (len(sample), -1, -2, -3):
        try:
            return sample[:end].decode(name)
        except UnicodeDecodeError:
            continue
    return None
