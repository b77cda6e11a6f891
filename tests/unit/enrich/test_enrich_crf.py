"""Names that the trained model and the tables find together."""

import time
from functools import cache
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.names import operator_aliases

from enrich.entities.crf import CrfExtractor
from enrich.entities.recogniser import RulesExtractor
from enrich.entities.spans import Document, EntityExtractor
from enrich.entities.tiers import describe_extractor, load_extractor
from enrich.messages import EntitiesStatus, Field


@cache
def extractor(aliases: str = "") -> EntityExtractor:
    if aliases:
        return extractor().with_aliases(operator_aliases(aliases))
    return load_extractor("crf")


def names(text: str, *, aliases: str = "") -> list[tuple[str, str]]:
    document = Document(title="", text=text, language="en")
    (extraction,) = extractor(aliases).extract([document])
    return [(text[span.start : span.end], span.kind.value) for span in extraction.spans]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "Russian President Vladimir Putin met men of the World Bank in Cairo.",
            [
                ("Russian", "MISC"),
                ("Vladimir Putin", "PER"),
                ("World Bank", "ORG"),
                ("Cairo", "LOC"),
            ],
        ),
        (
            "Nobody had heard of Ismail Qureshi before he came to Karachi.",
            [("Ismail Qureshi", "PER"), ("Karachi", "LOC")],
        ),
        ("The weather was fine and nobody said a word.", []),
        ("It was said that @AdaBrandt and #London are no names.", []),
    ],
)
def test_english_names(text: str, expected: list[tuple[str, str]]) -> None:
    assert names(text) == expected


def test_what_the_tables_know_comes_with_their_key() -> None:
    document = Document(title="", text="Talks in Syria, said NATO.", language="en")
    (extraction,) = extractor().extract([document])
    assert [span.key for span in extraction.spans] == ["country:SY", "org:nato"]
    assert extraction.status is EntitiesStatus.FOUND


def test_an_operator_alias_overrules_the_model() -> None:
    aliases = "the Firm\tORG\torg:firm\nBerlin\tPER\tper:irving\t*\n"
    text = "Irving Berlin and Berlin trust the Firm."
    assert names(text, aliases=aliases) == [
        ("Irving Berlin", "PER"),
        ("Berlin", "PER"),
        ("the Firm", "ORG"),
    ]


@pytest.mark.parametrize("language", ["de", "pl", "und"])
def test_other_languages_are_read_by_rules_and_tables(language: str) -> None:
    document = Document(
        title="", text="Heute sprach Olaf Scholz in Berlin.", language=language
    )
    assert extractor().extract([document]) == RulesExtractor().extract([document])


def test_the_recogniser_is_described_without_loading_it() -> None:
    info = describe_extractor("crf")
    assert info == extractor().info
    assert info.name == "crf"
    assert describe_extractor("rules").version in info.version


PIECES = st.lists(
    st.sampled_from(["Ada", "Brandt", "in", "Paris", "@", "#x", "\n\n", "U.S.", "43"])
    | st.text(max_size=4),
    max_size=25,
)


@pytest.mark.parametrize("tier", [CrfExtractor, RulesExtractor])
def test_a_relative_is_not_who_the_operator_calls_by_the_surname(
    tier: type[CrfExtractor | RulesExtractor],
) -> None:
    text = "Bashar al-Assad met Asma Assad. Assad said that she had called."
    aliases = operator_aliases("Assad\tPER\tper:bashar-al-assad")
    document = Document(title="", text=text, language="en")
    (extraction,) = tier(aliases).extract([document])
    spans = [(text[span.start : span.end], span.key) for span in extraction.spans]
    assert spans == [
        ("Bashar al-Assad", None),
        ("Asma Assad", None),
        ("Assad", "per:bashar-al-assad"),
    ]


@pytest.mark.parametrize("tier", [CrfExtractor, RulesExtractor])
def test_no_known_name_goes_on_in_the_next_sentence(
    tier: type[CrfExtractor | RulesExtractor],
) -> None:
    text = "The way leads to the south\n\nsudan is written small"
    aliases = operator_aliases("south sudan\tLOC\tcountry:SS")
    document = Document(title="", text=text, language="en")
    (extraction,) = tier(aliases).extract([document])
    assert extraction.spans == ()


@settings(max_examples=60, deadline=None)
@given(PIECES, PIECES)
def test_spans_lie_in_their_field_in_order_and_apart(
    title: list[str], text: list[str]
) -> None:
    document = Document(title=" ".join(title), text=" ".join(text), language="en")
    one, again = extractor().extract([document, document])
    assert one == again
    for field in Field:
        content = document.field(field)
        spans = [span for span in one.spans if span.field is field]
        assert all(0 <= span.start < span.end <= len(content) for span in spans)
        assert all(left.end <= right.start for left, right in pairwise(spans))


@pytest.mark.parametrize(
    "piece",
    ["x", "X", "Ada Brandt ", "\U0001f600", "\x00", "\u202e", "A' ", "aЖ中ب", "U.S. "],
    ids=[*("small", "capitals", "names", "emoji", "null", "turn"), "a", "mixed", "us"],
)
def test_hostile_text_costs_no_more_than_its_length(piece: str) -> None:
    text = piece * (50_000 // len(piece))
    document = Document(title=text[:500], text=text, language="en")
    started = time.process_time()
    extractor().extract([document])
    assert time.process_time() - started < 5.0  # seconds; ordinary text takes 0.1
