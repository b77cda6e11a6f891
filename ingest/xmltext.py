r"""XML text: the bytes of a document, in whatever charset they claim, as clean text.

The pre-flight and the parser must read the same characters, or a hostile document
could show each of them another face. So the charset is settled here, once, and the
parser is given UTF-8.
"""

import codecs
import re
import sys
from collections.abc import Iterator
from email.message import Message

# The longest mark first: UTF-32 begins with the mark of UTF-16.
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
# How "<" looks at the start of a document without a mark (XML 1.0, appendix F).
_STARTS = (
    (b"<\0\0\0", "utf-32-le"),
    (b"\0\0\0<", "utf-32-be"),
    (b"<\0", "utf-16-le"),
    (b"\0<", "utf-16-be"),
    (b"\x4c\x6f\xa7\x94", "cp037"),  # "<?xm" in EBCDIC
)
_DECLARED = re.compile(rb"\s*<\?xml[^>]{0,200}?encoding\s*=\s*[\"']([\w.:-]{1,40})")
_DECLARATION = re.compile(r"\s*<\?xml\b[^>]{0,1000}>")
# Python codecs that are no charset of a document: quadratic, lossy or a disguise.
_NO_CHARSETS = {
    *("idna", "punycode", "utf-7", "unicode_escape", "raw_unicode_escape", "undefined"),
}
# Publishers write the name of the smaller set and use the characters of the larger.
_WIDER = {"gb2312": "gb18030", "iso8859-1": "cp1252", "ascii": "utf-8"}
# Every byte is a letter in these, so they fit anything. Servers claim them by default
# for what is UTF-8, and text in them is never valid UTF-8 by accident.
_FIT_ANYTHING = {"cp1252", "iso8859-15"}
# A text that is nearly all valid UTF-8 is damaged UTF-8, not another charset.
MAX_DAMAGED_SHARE = 0.1

_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\ud800-\udfff]")
# All bytes that UTF-8 may have in a text without any of those below U+0020.
_PLAIN_BYTES = bytes([*b"\t\n\r", *range(0x20, 0x100)])
_CHARACTER_REFERENCE = re.compile(r"&#(?:[xX]([0-9a-fA-F]+)|([0-9]+));")
_MAX_DIGITS = 8  # more cannot be a character, and cost quadratic time to convert


def decode_xml(body: bytes, content_type: str | None) -> str:
    """Return the text of an XML document without its declaration.

    Tried in this order: byte order mark, charset of the Content-Type header, XML
    declaration, UTF-8, Windows-1252. Characters that XML forbids are taken out,
    also where they are written as references, so that a strict parser can go on.
    """
    for mark, charset in _MARKS:
        if body.startswith(mark):
            return _cleaned(body[len(mark) :].decode(charset, "replace"))
    for charset in _claimed(body, content_type):
        text = _decoded(body, charset)
        if text is not None:
            return _cleaned(text)
    return _cleaned(_as_utf8_or_cp1252(body))


def _claimed(body: bytes, content_type: str | None) -> Iterator[str]:
    header = Message()
    header["Content-Type"] = content_type or ""
    charset = header.get_content_charset()
    if charset:
        yield charset
    for start, wide in _STARTS:
        if body.startswith(start):
            yield wide
    declared = _DECLARED.match(body)
    if declared:
        yield declared.group(1).decode("ascii", "replace")


def _decoded(body: bytes, charset: str) -> str | None:
    """Return the text if the bytes keep what the charset promises."""
    try:
        name = codecs.lookup(charset).name
    except (LookupError, ValueError):
        return None
    name = _WIDER.get(name, name)
    if name in _NO_CHARSETS:
        return None
    if name == "utf-8" or name in _FIT_ANYTHING:
        text = _damaged_utf8(body)
        if text is not None or name == "utf-8":
            return text
    try:
        return body.decode(name)
    except (UnicodeError, LookupError):  # the latter from codecs that are no charset
        return None


def _as_utf8_or_cp1252(body: bytes) -> str:
    text = _damaged_utf8(body)
    return body.decode("cp1252", "replace") if text is None else text


def _damaged_utf8(body: bytes) -> str | None:
    """Return the text of UTF-8, of which a few bytes may be wrong."""
    text = body.decode("utf-8", "replace")
    if "\ufffd" not in text:
        return text
    # What others could not read is written as this character, and is no damage here.
    n_damaged = text.count("\ufffd") - body.count(b"\xef\xbf\xbd")
    if n_damaged == 0:
        return text
    n_beyond_ascii = len(text) - len(text.encode("ascii", "ignore"))
    return text if n_damaged <= MAX_DAMAGED_SHARE * n_beyond_ascii else None


def _cleaned(text: str) -> str:
    declaration = _DECLARATION.match(text)
    if declaration:
        text = text[declaration.end() :]
    if _has_forbidden(text):
        text = _FORBIDDEN.sub("", text)
    if "&" in text:
        if "&#" in text:
            text = _CHARACTER_REFERENCE.sub(_checked_reference, text)
        text = text.replace("&nbsp;", "\u00a0")
    return text.strip()


def _has_forbidden(text: str) -> bool:
    # A tenth of what the pattern takes to find nothing.
    try:
        data = text.encode()
    except UnicodeEncodeError:  # surrogates
        return True
    has_controls = bool(data.translate(None, _PLAIN_BYTES))
    return has_controls or "\ufffe" in text or "\uffff" in text


def _checked_reference(match: re.Match[str]) -> str:
    digits, base = (match[1], 16) if match[1] else (match[2], 10)
    digits = digits.lstrip("0") or "0"
    if len(digits) > _MAX_DIGITS:
        return "\ufffd"
    code = int(digits, base)
    if code > sys.maxunicode or _FORBIDDEN.match(chr(code)):
        return "\ufffd"
    # The parser takes white space off a text reference by reference, in quadratic
    # time; written out it is one piece.
    return chr(code) if chr(code).isspace() else match[0]
