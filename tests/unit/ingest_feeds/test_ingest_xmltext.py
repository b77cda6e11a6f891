"""A document says the same in every charset, and only what XML allows."""

import codecs

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.xmltext import decode_xml

WORDS = "<a>Привет, мир</a>"


@pytest.mark.parametrize(
    "charset", ["utf-8", "utf-16", "utf-32", "koi8-r", "windows-1251", "iso-8859-5"]
)
def test_the_declared_charset_is_used(charset: str) -> None:
    body = f"<?xml version='1.0' encoding='{charset}'?>{WORDS}".encode(charset)
    assert decode_xml(body, None) == WORDS


@pytest.mark.parametrize(
    "charset", ["utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"]
)
def test_wide_characters_are_seen_without_a_mark(charset: str) -> None:
    assert decode_xml(WORDS.encode(charset), "text/xml") == WORDS


def test_the_header_is_believed_before_the_declaration() -> None:
    body = b"<?xml version='1.0' encoding='utf-8'?>" + WORDS.encode("koi8-r")
    assert decode_xml(body, 'text/xml; charset="KOI8-R"') == WORDS


def test_a_byte_order_mark_is_believed_before_the_header() -> None:
    body = codecs.BOM_UTF8 + WORDS.encode()
    assert decode_xml(body, "text/xml; charset=koi8-r") == WORDS


@pytest.mark.parametrize("charset", ["iso-8859-1", "windows-1252", "us-ascii"])
def test_utf8_is_recognised_where_a_server_claims_latin(charset: str) -> None:
    body = "<a>Café - “ouvert”</a>".encode()
    assert decode_xml(body, f"text/xml; charset={charset}") == "<a>Café - “ouvert”</a>"


def test_latin_is_read_where_a_server_claims_it() -> None:
    assert decode_xml(b"<a>caf\xe9</a>", "text/xml; charset=latin-1") == "<a>café</a>"


def test_latin_without_any_claim_is_windows() -> None:
    assert decode_xml(b"<a>caf\xe9 \x93ok\x94</a>", None) == "<a>café “ok”</a>"


def test_a_cut_character_does_not_change_the_charset() -> None:
    body = ("<a>" + "é“" * 20 + "</a>").encode()
    assert decode_xml(body[:-6], None) == "<a>" + "é“" * 19 + "é\ufffd"


@pytest.mark.parametrize(
    "charset", ["hex", "punycode", "utf-7", "no-such", "idna", "\0"]
)
def test_a_codec_that_is_no_charset_is_passed_over(charset: str) -> None:
    assert decode_xml(b"<a>+ADw-</a>", f"text/xml; charset={charset}") == "<a>+ADw-</a>"


def test_what_xml_forbids_is_gone() -> None:
    body = b"<a>\x00b\x08c&#0;&#x1F;&#xD800;&#99999999999;&#233;</a>"
    assert decode_xml(body, None) == "<a>bc\ufffd\ufffd\ufffd\ufffd&#233;</a>"


def test_every_character_stays_that_xml_allows_and_no_other() -> None:
    # XML 1.0, production 2; the halves of pairs are no characters in UTF-8.
    allowed = {
        *"\t\n\r",
        *map(chr, range(0x20, 0xD800)),
        *map(chr, range(0xE000, 0xFFFE)),
    }
    for code in (*range(0x100), *range(0xE000, 0xE010), *range(0xFFF0, 0x10010)):
        char = chr(code)
        kept = char if char in allowed or code > 0xFFFF else ""
        assert decode_xml(f"<a>{char}b</a>".encode(), None) == f"<a>{kept}b</a>"


def test_white_space_is_written_out() -> None:
    assert (
        decode_xml(b"<a>x&#32;&#x0a;&#160;&nbsp;y</a>", None) == "<a>x \n\xa0\xa0y</a>"
    )


@given(st.binary(max_size=300), st.text(max_size=40))
def test_no_bytes_raise_and_the_text_can_be_stored(body: bytes, claim: str) -> None:
    text = decode_xml(body, f"text/xml; charset={claim}")
    assert "\0" not in text
    text.encode()
