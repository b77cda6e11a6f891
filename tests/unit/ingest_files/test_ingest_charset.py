import codecs

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.charset import binary_reason, decode

TEXT = "Café, naïve “quotes” in Zürich, ¿verdad? Ça va."


@pytest.mark.parametrize(
    ("body", "declared", "encoding"),
    [
        (codecs.BOM_UTF8 + TEXT.encode(), "iso-8859-1", "utf-8"),
        (codecs.BOM_UTF16_LE + TEXT.encode("utf-16-le"), None, "utf-16-le"),
        (codecs.BOM_UTF16_BE + TEXT.encode("utf-16-be"), "utf-8", "utf-16-be"),
        (codecs.BOM_UTF32_LE + TEXT.encode("utf-32-le"), None, "utf-32-le"),
        (TEXT.encode("utf-16-le"), None, "utf-16-le"),
        (TEXT.encode("utf-16-be"), None, "utf-16-be"),
        (TEXT.encode(), None, "utf-8"),
        (TEXT.encode(), "no such charset", "utf-8"),
        (TEXT.encode(), "\0", "utf-8"),
        (TEXT.encode("cp1252"), None, "cp1252"),
        (TEXT.encode("cp1252"), "ISO-8859-1", "cp1252"),
        (TEXT.encode("cp1252"), "utf-8", "cp1252"),
        (TEXT.encode(), "utf-16", "utf-8"),
        (TEXT.encode(), "utf-7", "utf-8"),
        (TEXT.encode(), "hex", "utf-8"),
    ],
)  # fmt: skip
def test_the_surest_sign_of_a_charset_wins(
    body: bytes, declared: str | None, encoding: str
) -> None:
    decoded = decode(body, declared)
    assert decoded.text == TEXT
    assert decoded.encoding == encoding


@pytest.mark.parametrize(
    ("text", "charset"),
    [("Москва сегодня", "koi8-r"), ("東京の天気", "shift_jis"), ("北京新闻", "gb2312")],
)
def test_a_declared_charset_is_used(text: str, charset: str) -> None:
    assert decode(text.encode(charset), charset).text == text


def test_damaged_utf8_keeps_what_is_sound() -> None:
    decoded = decode("Zürich, Genève, Köln".encode() + b"\xff")
    assert decoded.encoding == "utf-8"
    assert decoded.text == "Zürich, Genève, Köln\ufffd"


@given(st.binary(max_size=200), st.sampled_from([None, "utf-8", "koi8-r", "idna"]))
def test_any_bytes_can_be_decoded(body: bytes, declared: str | None) -> None:
    decode(body, declared)
    binary_reason(body)


@pytest.mark.parametrize(
    "body",
    [
        b"%PDF-1.7\n",
        b"PK\x03\x04rest",
        b"\x1f\x8b\x08rest",
        b"\x89PNG\r\n",
        b"\xff\xd8\xff\xe0",
        b"GIF89a",
        b"\x00\x00\x00\x18ftypmp42",
        b"{\\rtf1\\ansi",
        bytes(range(256)) * 10,
        b"text " + bytes(50),
    ],
)
def test_binaries_are_told_from_text(body: bytes) -> None:
    assert binary_reason(body)


@pytest.mark.parametrize(
    "body",
    [b"", TEXT.encode(), TEXT.encode("utf-16-le"), b"one stray \x00 " * 1 + b"a" * 99],
)
def test_text_is_no_binary(body: bytes) -> None:
    assert binary_reason(body) is None
