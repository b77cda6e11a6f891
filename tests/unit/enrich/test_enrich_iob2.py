"""Labelled sentences: read, printed as running text, and compared."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from enrich.entities.evaluate import evaluate
from enrich.entities.iob2 import (
    TAGS,
    LabelledSentence,
    Scores,
    labelled_words,
    read_labelled,
    running_text,
)
from enrich.entities.tiers import load_extractor
from enrich.errors import BadLabelledText

FILE = "-DOCSTART- O\n\nAda\tB-PER\nBrandt\tI-PER\n.\tO\n\n\nOslo NNP B-LOC\n"


def test_words_and_tags_are_read_with_tabs_or_spaces() -> None:
    assert read_labelled(FILE) == [
        LabelledSentence(["Ada", "Brandt", "."], ["B-PER", "I-PER", "O"]),
        LabelledSentence(["Oslo"], ["B-LOC"]),
    ]
    assert read_labelled("\n\n") == []


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("Ada\n", "line 1: needs a word and a tag"),
        ("Ada B-PER\nOslo B-GPE\n", "line 2: tag 'B-GPE' is neither"),
        ("Ada PER\n", "tag 'PER' is neither"),
        ("Ada E-PER\n", "tag 'E-PER' is neither"),
    ],
)
def test_a_line_that_cannot_be_used_is_named(text: str, reason: str) -> None:
    with pytest.raises(BadLabelledText, match=reason):
        read_labelled(text)


def test_names_touch_and_end_as_their_tags_say() -> None:
    tags = ["B-PER", "B-PER", "I-PER", "I-LOC", "O", "I-ORG"]
    assert labelled_words(tags) == {
        (0, 1, "PER"),
        (1, 3, "PER"),
        (3, 4, "LOC"),
        (5, 6, "ORG"),
    }


def test_running_text_has_the_labelled_words_at_their_place() -> None:
    words = ["(", "New", "York", ")", "'s", '"', "law", '"', "."]
    tags = ["O", "B-LOC", "I-LOC", *["O"] * 6]
    text, labelled = running_text([LabelledSentence(words, tags)] * 2)
    assert text == '(New York)\'s "law".\n\n(New York)\'s "law".'
    assert labelled == {(1, 9, "LOC"), (22, 30, "LOC")}


@given(st.lists(st.lists(st.tuples(st.text(min_size=1), st.sampled_from(TAGS)))))
def test_each_label_covers_its_words(pairs: list[list[tuple[str, str]]]) -> None:
    sentences = [
        LabelledSentence([word for word, _ in found], [tag for _, tag in found])
        for found in pairs
    ]
    text, labelled = running_text(sentences)
    expected = [
        "".join(words[first:last])
        for words, tags in sentences
        for first, last, _ in labelled_words(tags)
    ]
    covered = [text[start:end] for start, end, _ in sorted(labelled)]
    assert sorted(name.replace(" ", "") for name in covered) == sorted(
        name.replace(" ", "") for name in expected
    )


def test_scores_count_spans_with_their_kind() -> None:
    scores = Scores()
    scores.add({(0, 1, "PER"), (2, 3, "LOC")}, {(0, 1, "PER"), (2, 3, "ORG")})
    assert scores.of(["PER"]) == (1.0, 1.0, 1.0)
    assert scores.of(["PER", "ORG", "LOC"]) == (0.5, 0.5, 0.5)
    assert scores.of(["MISC"]) == (0.0, 0.0, 0.0)


def test_a_recogniser_is_scored_on_words_and_on_running_text() -> None:
    words = ["Mr.", "Kowalczyk", "flew", "from", "Berlin", "to", "Paris", "."]
    tags = ["O", "B-PER", "O", "O", "B-LOC", "O", "B-LOC", "O"]
    result = evaluate(load_extractor("rules"), [LabelledSentence(words, tags)] * 25)
    assert result.on_words.of(["PER", "LOC"]) == (1.0, 1.0, 1.0)
    assert result.on_text.of(["PER", "LOC"]) == (1.0, 1.0, 1.0)
    assert result.on_text.labelled.total() == 75
    assert result.n_words == 200
    assert result.words_per_cpu_second > 0
