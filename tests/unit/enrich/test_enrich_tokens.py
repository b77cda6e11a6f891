"""Words, sentences and keys."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from enrich.entities.keys import MAX_SLUG_CHARS, make_key
from enrich.entities.names import clean_surface
from enrich.entities.tokens import split_sentences, tokenize
from enrich.messages import EntityKind

PER, ORG, LOC = EntityKind.PER, EntityKind.ORG, EntityKind.LOC


def words(text: str) -> list[str]:
    return [token.text for token in tokenize(text)]


def sentences(text: str) -> list[str]:
    tokens = tokenize(text)
    return [
        text[tokens[first].start : tokens[last - 1].end]
        for first, last in split_sentences(text, tokens)
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Russian-backed", ["Russian", "-", "backed"]),
        ("Jean-Claude", ["Jean-Claude"]),
        ("Bashar al-Assad\u2019s", ["Bashar", "al-Assad", "'s"]),
        ("O'Brien don't", ["O'Brien", "don't"]),
        (
            "l\u2019Allemagne, d'Emmanuel",
            ["l", "'", "Allemagne", ",", "d", "'", "Emmanuel"],
        ),
        ("U.S.-led, J. K. Rowling", ["U.S.", "-", "led", ",", "J.", "K.", "Rowling"]),
        ("Mr. Smith of AT&T Inc.", ["Mr.", "Smith", "of", "AT&T", "Inc."]),
        ("3.5 per cent", ["3.5", "per", "cent"]),
        ("東京 2020", ["東", "京", "2020"]),
        ("https://example.org/a.b", ["https://example.org/a.b"]),
    ],
)
def test_words(text: str, expected: list[str]) -> None:
    assert words(text) == expected


@given(st.text(max_size=200))
def test_tokens_are_in_order_and_cover_all_but_space(text: str) -> None:
    tokens = tokenize(text)
    assert "".join(token.text for token in tokens) == "".join(
        text.replace("\u2019", "'").split()
    )
    assert all(text[t.start : t.end].replace("\u2019", "'") == t.text for t in tokens)
    bounds = split_sentences(text, tokens)
    assert [index for first, last in bounds for index in range(first, last)] == list(
        range(len(tokens))
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("He left. She stayed.", ["He left.", "She stayed."]),
        ("“Go.” She went.", ["“Go.”", "She went."]),
        ("Mr. Smith met Dr. Jones.", ["Mr. Smith met Dr. Jones."]),
        ("In the U.S. Senate it fell.", ["In the U.S. Senate it fell."]),
        ("He left the U.S. The rest stayed.", ["He left the U.S.", "The rest stayed."]),
        ("World\n\nTwo dead in Crete", ["World", "Two dead in Crete"]),
        ("Photo\nTwo dead in Crete", ["Photo", "Two dead in Crete"]),
        (
            "A strong earthquake struck the south coast of\nCrete on Wednesday",
            ["A strong earthquake struck the south coast of\nCrete on Wednesday"],
        ),
        ("雨だ。風だ。", ["雨だ。", "風だ。"]),
    ],
)
def test_sentences(text: str, expected: list[str]) -> None:
    assert sentences(text) == expected


@pytest.mark.parametrize(
    ("kind", "name", "key"),
    [
        (PER, "Vladimir Putin", "per:vladimir-putin"),
        (PER, "Łukasz  Ørsted-Müller", "per:lukasz-orsted-muller"),
        (ORG, "Apple Inc.", "org:apple"),
        (ORG, "Siemens AG", "org:siemens"),
        (ORG, "Smith & Sons Co. Ltd.", "org:smith-sons"),
        (ORG, "Inc.", "org:inc"),
        (ORG, "U.N.", "org:un"),
        (LOC, "Côte d\u2019Ivoire", "loc:cote-divoire"),
        (LOC, "東京", "loc:東京"),
        (LOC, "--", "loc:--"),
    ],
)
def test_keys(kind: EntityKind, name: str, key: str) -> None:
    assert make_key(kind, name) == key


@given(st.text(min_size=1, max_size=400).filter(lambda name: name.strip() != ""))
def test_keys_are_never_empty_and_never_long(name: str) -> None:
    slug = make_key(ORG, name).removeprefix("org:")
    assert 0 < len(slug) <= MAX_SLUG_CHARS


@pytest.mark.parametrize(
    ("surface", "name"),
    [
        ("the  Hague", "Hague"),
        ("“Putin\u2019s”", "Putin"),
        ("Workers'", "Workers"),
        ("European\nUnion", "European Union"),
        ("'", "'"),
    ],
)
def test_surfaces_are_cleaned(surface: str, name: str) -> None:
    assert clean_surface(surface) == name


@given(st.text(max_size=60))
def test_cleaning_a_surface_is_idempotent(surface: str) -> None:
    assert clean_surface(clean_surface(surface)) == clean_surface(surface)
