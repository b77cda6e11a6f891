"""Names that the neural model and the tables find together."""

import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.names import operator_aliases

from enrich.entities import card, minilmfile
from enrich.entities.iob2 import TAGS
from enrich.entities.minilmcard import FILES
from enrich.entities.minilmmodel import MAX_BATCH_PIECES, PieceModel
from enrich.entities.recogniser import RulesExtractor
from enrich.entities.spans import Document, EntityExtractor
from enrich.entities.tiers import describe_extractor, load_extractor
from enrich.entities.wordpiece import WordPieces
from enrich.errors import ModelDamaged, ModelUnusable
from enrich.messages import EntitiesStatus, Field
from services.cli.output import ExitCode
from services.cli.program import explain


@cache
def model() -> PieceModel:
    return minilmfile.load_minilm()


@cache
def extractor(aliases: str = "") -> EntityExtractor:
    if aliases:
        return extractor().with_aliases(operator_aliases(aliases))
    return load_extractor("minilm")


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


@pytest.mark.parametrize("language", ["de", "und"])
def test_other_languages_are_read_by_rules_and_tables(language: str) -> None:
    document = Document(
        title="", text="Heute sprach Olaf Scholz in Berlin.", language=language
    )
    assert extractor().extract([document]) == RulesExtractor().extract([document])


def test_the_recogniser_is_described_without_loading_it() -> None:
    info = describe_extractor("minilm")
    assert info == extractor().info
    assert info.name == "minilm"
    assert describe_extractor("rules").version in info.version


PIECES = st.lists(
    st.sampled_from(["Ada", "Brandt", "in", "Paris", "@", "#x", "\n\n", "U.S.", "43"])
    | st.text(max_size=4),
    max_size=25,
)


@settings(max_examples=25, deadline=None)
@given(PIECES, PIECES)
def test_spans_lie_in_their_field_in_order_and_apart(
    title: list[str], text: list[str]
) -> None:
    document = Document(title=" ".join(title), text=" ".join(text), language="en")
    other = Document(title="Talks", text="Ada Brandt spoke. " * 3, language="en")
    one, _, again = extractor().extract([document, other, document])
    assert one == again
    for field in Field:
        content = document.field(field)
        spans = [span for span in one.spans if span.field is field]
        assert all(0 <= span.start < span.end <= len(content) for span in spans)
        assert all(left.end <= right.start for left, right in pairwise(spans))


SENTENCES = st.lists(
    st.lists(
        st.sampled_from(["Ada", "Brandt", "of", "Oslo", "NATO", ",", "1984", "\ud800"]),
        max_size=40,
    ),
    max_size=5,
)


@settings(max_examples=25, deadline=None)
@given(SENTENCES)
def test_a_sentence_has_its_tags_whatever_is_read_beside_it(
    sentences: list[list[str]],
) -> None:
    together = model().tag(sentences)
    assert together == [model().tag([words])[0] for words in sentences]
    for words, tags in zip(sentences, together, strict=True):
        assert len(tags) == len(words)
        spelt = ["O", *(TAGS[tag] for tag in tags)]
        for earlier, later in pairwise(spelt):
            assert later[0] != "I" or earlier[2:] == later[2:]


class Listener:
    """Stands where the graph stands, and keeps what it is asked."""

    def __init__(self) -> None:
        self.shapes: list[tuple[int, int]] = []

    def run(self, _names: Sequence[str], feed: Mapping[str, Any], /) -> Any:
        shape = feed["pieces"].shape
        assert feed["casing"].shape == shape
        assert feed["lengths"].max() <= shape[1]
        self.shapes.append(shape)
        return [np.zeros((*shape, len(TAGS)), np.float32)]


def test_what_is_read_at_once_is_bounded_and_nothing_is_read_twice() -> None:
    listener = Listener()
    pieces = WordPieces(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "a"])
    sentences = [
        *([["a", str(number)] for number in range(100)]),
        *([["a"] * 1_000]),
        *([["a"] * 60] * 50),  # furniture, the same on each page
        *([["42", ".", "\U0001f600"]] * 1_000),  # no letter, so no name
    ]
    tags = PieceModel(listener, pieces).tag(sentences)
    assert [len(one) for one in tags] == [len(words) for words in sentences]
    assert sum(rows for rows, _ in listener.shapes) == 100 + 1 + 11
    for rows, columns in listener.shapes:
        assert rows == 1 or rows * columns <= MAX_BATCH_PIECES


@pytest.mark.parametrize(
    "piece",
    ["x", "X", "Ada Brandt ", "\U0001f600", "\x00", "\u202e", "A' ", "aЖ中ب", "U.S. "],
    ids=[*("small", "capitals", "names", "emoji", "null", "turn"), "a", "mixed", "us"],
)
def test_hostile_text_costs_no_more_than_its_length(piece: str) -> None:
    text = piece * (5_000 // len(piece))
    document = Document(title=text[:500], text=text, language="en")
    started = time.process_time()
    extractor().extract([document])
    assert time.process_time() - started < 5.0  # seconds; the worst takes 1


def test_a_megabyte_without_a_space_is_one_word() -> None:
    document = Document(title="", text="Ab" * 500_000, language="en")
    started = time.process_time()
    extractor().extract([document])
    assert time.process_time() - started < 2.0  # seconds


@pytest.mark.parametrize("name", FILES)
def test_a_changed_file_of_the_model_is_refused(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for file in FILES:
        (tmp_path / file).write_bytes((card.MODEL / file).read_bytes())
    monkeypatch.setattr(minilmfile, "MODEL", tmp_path)
    (tmp_path / name).write_bytes((card.MODEL / name).read_bytes() + b"x")
    with pytest.raises(ModelDamaged, match=name):
        minilmfile.load_minilm()


def test_a_graph_and_a_vocabulary_are_read_as_they_were_packed() -> None:
    graph = bytes(range(256)) * 50
    assert minilmfile.unpack_graph(minilmfile.pack_graph(graph)) == graph
    pieces = ["[PAD]", "a", "##é", "國"]
    packed = minilmfile.pack_vocabulary(pieces)
    assert minilmfile.unpack_vocabulary(packed) == pieces


def test_without_the_extra_the_tier_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(ModelUnusable, match=r"install wireroom\[minilm\]") as raised:
        load_extractor("minilm")
    failure = explain(raised.value)
    assert failure is not None
    assert failure.code is ExitCode.USAGE
    assert describe_extractor("minilm").name == "minilm"


FORKED = """
import os
from enrich.entities.spans import Document
from enrich.entities.tiers import load_extractor
extractor = load_extractor("minilm")
document = Document(title="", text="Ada Brandt flew to Oslo.", language="en")
expected = extractor.extract([document])
child = os.fork()
if not child:
    os._exit(0 if extractor.extract([document]) == expected else 1)
raise SystemExit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


def test_processes_that_fork_from_one_that_has_loaded_it_share_the_model() -> None:
    ended = subprocess.run([sys.executable, "-c", FORKED], check=False, timeout=60)
    assert ended.returncode == 0
