"""Sentences of our own in old charsets, declared rightly, wrongly and not at all."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.charset import decode, read_text
from ingest.mojibake import repair
from ingest.readers.html import HtmlReader

RUSSIAN = (
    "Городской совет во вторник вечером решил снова открыть старый мост через гавань. "
    "Мэр Анна Холм сказала, что работы начнутся весной и продлятся до осени."
)
FRENCH = (
    "Le conseil a décidé mardi soir de rouvrir la vieille gare du port aux voitures. "
    "« Nous avons assez attendu », a déclaré la maire, élue l\u2019été à Genève."
)
CHINESE = (
    "市议会星期二晚上决定重新开放港口的旧桥。市长说,工程将在春天开始,"
    "预计需要四百万元,居民希望在路边修建一条人行道。"
)
JAPANESE = (
    "市議会は火曜日の夜、港の古い橋を再び開くことを決めました。"
    "市長は春に工事を始めると話し、住民は歩道を求めています。"
)
TEXTS = {
    "windows-1251": RUSSIAN,
    "koi8-r": RUSSIAN,
    "windows-1252": FRENCH,
    "gb18030": CHINESE,
    "shift_jis": JAPANESE,
    "utf-16": RUSSIAN,
    "utf-8": JAPANESE,
}
DECLARATIONS = ("utf-8", "iso-8859-1", "windows-1251", "koi8-r", "us-ascii", "klingon")


@pytest.mark.parametrize("charset", TEXTS)
def test_a_right_declaration_is_followed(charset: str) -> None:
    body = TEXTS[charset].encode(charset)
    assert decode(body, charset).text == TEXTS[charset]
    assert decode(body, http=charset).text == TEXTS[charset]


@pytest.mark.parametrize("charset", TEXTS)
def test_text_that_declares_nothing_is_read(charset: str) -> None:
    assert decode(TEXTS[charset].encode(charset)).text == TEXTS[charset]


@pytest.mark.parametrize("declared", DECLARATIONS)
@pytest.mark.parametrize("charset", sorted(set(TEXTS) - {"windows-1252"}))
def test_a_wrong_declaration_is_seen_through(charset: str, declared: str) -> None:
    body = TEXTS[charset].encode(charset)
    assert decode(body, declared).text == TEXTS[charset]
    assert decode(body, http=declared).text == TEXTS[charset]


@pytest.mark.parametrize("declared", ["utf-8", "iso-8859-1", "us-ascii", "klingon"])
def test_latin_text_survives_a_wrong_declaration(declared: str) -> None:
    assert decode(FRENCH.encode("cp1252"), declared).text == FRENCH


def test_a_text_in_capitals_is_left_in_its_charset() -> None:
    body = RUSSIAN.upper().encode("cp1251")
    assert decode(body, "windows-1251").text == RUSSIAN.upper()


def test_the_header_is_trusted_before_the_declaration() -> None:
    # Either makes words of these bytes, so nothing but the order decides.
    body = "Łódź żyje, zażółć gęślą jaźń".encode("cp1250")
    assert decode(body, "iso-8859-1", http="windows-1250").encoding == "cp1250"


@pytest.mark.parametrize("charset", TEXTS)
def test_a_saved_page_is_read_in_any_charset(charset: str) -> None:
    paragraphs = f"<p>{TEXTS[charset]}</p>" * 2
    page = f'<html><head><meta charset="{charset}"></head><body>{paragraphs}'
    (piece,) = HtmlReader().read(page.encode(charset))
    assert TEXTS[charset] in piece.text
    assert not piece.repaired


@pytest.mark.parametrize("wrong", ["cp1252", "latin-1", "cp1251"])
def test_text_that_was_decoded_wrongly_once_is_repaired(wrong: str) -> None:
    text = "L\u2019été dernier, la maire a déclaré que « rien ne sera comme avant »."
    try:
        broken = text.encode().decode(wrong)
    except UnicodeDecodeError:
        pytest.skip("this charset has no letter for one of the bytes")
    decoded = read_text(f"Title\n\n{broken}\n\nEnd".encode())
    assert decoded.text == f"Title\n\n{text}\n\nEnd"
    assert decoded.repaired


@pytest.mark.parametrize("text", [*TEXTS.values(), "Ãngström, naïve façade, 25 °C"])
def test_sound_text_is_left_alone(text: str) -> None:
    assert repair(text).text == text


@given(st.text(max_size=200))
def test_a_repair_changes_lines_and_never_their_number(text: str) -> None:
    repaired = repair(text)
    assert repaired.text.count("\n") >= text.count("\n")
    assert (repaired.n_lines > 0) == (repaired.text != text)
