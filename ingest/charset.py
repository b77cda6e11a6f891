"""Charsets: bytes become text, or are told to be no text at all."""

import codecs
import re
from dataclasses import dataclass, replace
from itertools import islice

from ingest.charsetguess import PLAUSIBLE, guess, plausibility
from ingest.mojibake import repair

_SAMPLE_BYTES = 64 * 1024  # a charset shows itself long before
MAX_CONTROL_SHARE = 0.02  # text has none; programs and pictures have 10 % and more
_SAMPLE_CHARS = 8 * 1024
MIN_SEQUENCES = 4  # four at once make no sense in any other charset
_SEQUENCE = re.compile(rb"[\xc2-\xf4][\x80-\xbf]+")
_UTF16_NULS = 0.3  # of the bytes on one side: Latin letters in UTF-16 have a NUL each

# Longest first: the mark of UTF-16 begins that of UTF-32.
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
# Pages declare the narrow set and use the wide one; browsers decode so, too.
_WIDER = {
    **dict.fromkeys(("ascii", "iso8859-1"), "cp1252"),
    "iso8859-9": "cp1254",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "shift_jis": "cp932",
    "euc_kr": "cp949",
}
# Python knows these as codecs of text, and no document is written in them.
_NO_CHARSETS = {
    *("idna", "punycode", "raw-unicode-escape", "unicode-escape", "undefined", "utf-7"),
}
_MAGIC = (
    (b"%PDF-", "a PDF document"),
    (b"PK\x03\x04", "a zip archive or an office document"),
    (b"\x1f\x8b", "compressed with gzip"),
    (b"BZh", "compressed with bzip2"),
    (b"\xfd7zXZ\x00", "compressed with xz"),
    (b"\x28\xb5\x2f\xfd", "compressed with zstd"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive"),
    (b"Rar!\x1a", "a RAR archive"),
    (b"\xd0\xcf\x11\xe0", "an old office document"),
    (b"{\\rtf", "an RTF document"),
    (b"\x89PNG", "a picture"),
    (b"\xff\xd8\xff", "a picture"),
    (b"GIF8", "a picture"),
    (b"RIFF", "a sound, a film or a picture"),
    (b"ID3", "a sound"),
    (b"OggS", "a sound or a film"),
    (b"\x7fELF", "a program"),
    (b"MZ\x90", "a program"),
    (b"\xca\xfe\xba\xbe", "a program"),
    (b"SQLite format 3\x00", "a database"),
)
_TEXT_CONTROLS = b"\t\n\r\x0c\x1b"  # page feeds and escapes occur in real texts
_CONTROLS = bytes(set(range(0x20)) - set(_TEXT_CONTROLS)) + b"\x7f"


@dataclass(frozen=True, slots=True, kw_only=True)
class Decoded:
    """Text, and the encoding that was used to read it."""

    text: str
    encoding: str
    repaired: bool = False  # some of it had been decoded wrongly before it came to us


def decode(
    body: bytes, declared: str | None = None, *, http: str | None = None
) -> Decoded:
    """Return the text of bytes, by the first sign of their charset that holds.

    In this order: byte-order mark, the charset of the HTTP header, the declaration in
    the document, UTF-8, cp1252. Bytes that can only be UTF-8 are, and a charset that
    makes no words of them gives way to one that does (`charsetguess`). UTF-16 without
    a mark is told by where its NUL bytes stand. The text never fails to be read: what
    no charset explains becomes U+FFFD.
    """
    for mark, encoding in _MARKS:
        if body.startswith(mark):
            text = body[len(mark) :].decode(encoding, "replace")
            return Decoded(text=text, encoding=encoding)
    wide = _unmarked_utf16(body)
    if wide is not None:
        return Decoded(text=body.decode(wide, "replace"), encoding=wide)
    if _is_surely_utf8(body):
        return Decoded(text=body.decode("utf-8"), encoding="utf-8")
    for encoding in filter(None, (_known(http), _known(declared), "utf-8")):
        try:
            text = body.decode(encoding)
        except UnicodeDecodeError:
            continue
        better = None if _makes_words(text) else guess(body)
        if better is None or better == encoding:
            return Decoded(text=text, encoding=encoding)
        return Decoded(text=body.decode(better, "replace"), encoding=better)
    return _guess(body)


def read_text(
    body: bytes, declared: str | None = None, *, http: str | None = None
) -> Decoded:
    """Return the text of bytes as `decode` does, with mojibake in it put right."""
    decoded = decode(body, declared, http=http)
    repaired = repair(decoded.text)
    return replace(decoded, text=repaired.text, repaired=repaired.n_lines > 0)


def binary_reason(body: bytes) -> str | None:
    """Return what kind of binary the bytes are ("a picture"), or None for text."""
    for magic, reason in _MAGIC:
        if body.startswith(magic):
            return reason
    if body[4:8] == b"ftyp":
        return "a film"
    sample = body[:_SAMPLE_BYTES]
    if any(sample.startswith(mark) for mark, _ in _MARKS) or _unmarked_utf16(sample):
        return None
    n_controls = len(sample) - len(sample.translate(None, _CONTROLS))
    if n_controls > MAX_CONTROL_SHARE * len(sample):
        return "made of control characters"
    return None


def _unmarked_utf16(body: bytes) -> str | None:
    sample = body[:_SAMPLE_BYTES]
    half = len(sample) // 2
    if half == 0:
        return None
    even, odd = sample[::2].count(0) / half, sample[1::2].count(0) / half
    # The other side of real text has next to none.
    if odd > _UTF16_NULS and even < odd / 20:
        return "utf-16-le"
    return "utf-16-be" if even > _UTF16_NULS and odd < even / 20 else None


def _is_surely_utf8(body: bytes) -> bool:
    """Say whether bytes hold some sequences of UTF-8, which are none by chance."""
    sequences = islice(_SEQUENCE.finditer(body), MIN_SEQUENCES)
    if sum(1 for _ in sequences) < MIN_SEQUENCES:
        return False
    try:
        body.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _makes_words(text: str) -> bool:
    sample = text[:_SAMPLE_CHARS]
    return sample.isascii() or plausibility(sample) >= PLAUSIBLE


def _known(declared: str | None) -> str | None:
    """Return the charset to decode a declared name with, if it is one."""
    try:
        name = codecs.lookup((declared or "").strip()).name
        "".encode(name)
    except (LookupError, ValueError):  # unknown, with a NUL, or no charset of text
        return None
    # The bytes told already that they are no UTF-16: a copied declaration lies.
    if name in _NO_CHARSETS or name.startswith(("utf-16", "utf-32")):
        return None
    return _WIDER.get(name, name)


def _guess(body: bytes) -> Decoded:
    """Tell damaged UTF-8 from cp1252, which has no sequences of its own."""
    text = body.decode("utf-8", "replace")
    n_damaged = text.count("\ufffd")
    n_good = len(text) - len(text.encode("ascii", "ignore")) - n_damaged
    if n_good > n_damaged:
        return Decoded(text=text, encoding="utf-8")
    guessed = guess(body)
    if guessed is not None:
        return Decoded(text=body.decode(guessed, "replace"), encoding=guessed)
    return Decoded(text=body.decode("cp1252", "replace"), encoding="cp1252")
