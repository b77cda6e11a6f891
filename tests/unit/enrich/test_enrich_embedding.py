"""Sentence embeddings among the features of stories."""

import hashlib
import math
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from enrich.entities.minilmfile import load_pieces
from enrich.entities.spans import Document
from enrich.errors import EncoderUnusable
from enrich.messages import (
    ArticleToEnrich,
    EnrichArticles,
    Lane,
    Stage,
    StoryCandidate,
    StoryFeatures,
)
from enrich.pipeline import EnrichOptions, Tools, enrich, make_tools, pipelines
from enrich.stories import encoder
from enrich.stories.assign import assign, mean
from enrich.stories.embedding import (
    EMBEDDING_SHARE,
    SQUARED_LENGTH,
    add_embedding,
    embed,
)
from enrich.stories.encoder import MAX_PIECES, SentenceEncoder, load_encoder
from enrich.stories.features import EMBEDDED, index_keys, unit_terms
from services.cli.output import ExitCode
from services.cli.program import explain
from services.enricher import enrich_options
from services.settings import load_settings

NOW = datetime(2026, 3, 1, tzinfo=UTC)
WORDS = StoryFeatures(terms=(("quake", 0.8), ("crete", 0.6)), keys=(3, 4))
RULES = EnrichOptions(entity_tier="rules")


class Told:
    """An encoder that says what it is told to."""

    language = "en"

    def __init__(self, *numbers: float) -> None:
        self.numbers = numbers
        self.read: list[tuple[str, str]] = []

    def embed(self, title: str, text: str, /) -> Sequence[float]:
        self.read.append((title, text))
        return self.numbers


def length(terms: Sequence[tuple[str, float]]) -> float:
    return math.fsum(weight * weight for _, weight in terms)


def embedded(terms: Sequence[tuple[str, float]]) -> list[tuple[str, float]]:
    return [(term, weight) for term, weight in terms if term.startswith(EMBEDDED)]


def test_an_embedding_shares_the_length_of_the_vector() -> None:
    found = add_embedding(WORDS, (0.6, -0.8))
    assert [term for term, _ in found.terms] == ["quake", "crete", "~0", "~1"]
    scale = math.sqrt(EMBEDDING_SHARE * SQUARED_LENGTH)
    weights = [weight for _, weight in embedded(found.terms)]
    assert weights == [round(0.6 * scale, 4), round(-0.8 * scale, 4)]
    own = length(embedded(found.terms))
    assert math.isclose(length(found.terms), SQUARED_LENGTH, abs_tol=1e-3)
    assert math.isclose(own, EMBEDDING_SHARE * SQUARED_LENGTH, abs_tol=1e-3)


def test_an_article_is_looked_for_by_words_and_names_alone() -> None:
    assert add_embedding(WORDS, (0.6, -0.8)).keys == WORDS.keys


def test_what_has_no_term_or_another_language_has_no_embedding() -> None:
    nothing = StoryFeatures(terms=(), keys=())
    told = Told(1.0)
    german = Document(title="", text="Erdbeben", language="de")
    english = replace(german, language="en")
    assert embed(nothing, english, told) == nothing
    assert embed(WORDS, german, told) == embed(WORDS, english, None) == WORDS
    assert embed(WORDS, english, told) == add_embedding(WORDS, told.numbers)


def test_the_limit_of_terms_cuts_no_embedding() -> None:
    vector = {"a": 3.0, "~0": -0.4, "b": 2.0, "~1": 0.2, "c": 1.0, "d": -1.0}
    terms = unit_terms(vector, 2)
    assert [term for term, _ in terms] == ["a", "b", "~0", "~1"]
    assert math.isclose(length(terms), 1.0, abs_tol=1e-3)
    assert dict(terms)["~0"] < 0 < dict(terms)["~1"]
    assert index_keys(terms) == index_keys(terms[:2])


def test_a_story_has_the_mean_of_the_embeddings_of_its_articles() -> None:
    one, two = (add_embedding(WORDS, numbers) for numbers in ((1, 0), (0, -1)))
    terms = dict(mean([(one.terms, 1), (two.terms, 3)]))
    assert terms["~0"] == pytest.approx(dict(one.terms)["~0"] / 4)
    assert terms["~1"] == pytest.approx(dict(two.terms)["~1"] * 3 / 4)
    assert terms["quake"] == pytest.approx(dict(one.terms)["quake"])


def test_embeddings_tell_stories_apart_where_words_do_not() -> None:
    stories = [
        StoryCandidate(
            story_id=number,
            centroid=add_embedding(WORDS, numbers).terms,
            n_articles=1,
            first_at=NOW,
            last_at=NOW,
        )
        for number, numbers in ((1, (1, 0)), (2, (0, 1)))
    ]
    assert assign(WORDS, NOW, stories).story_id == 1
    assert assign(add_embedding(WORDS, (0, 1)), NOW, stories).story_id == 2


@cache
def tools() -> Tools:
    return make_tools(RULES)


def features_by(used: Tools, *, title: str = "A quake") -> StoryFeatures | None:
    article = ArticleToEnrich(
        article_id=1,
        revision=1,
        title=title,
        text="A strong earthquake struck the south coast of Crete on Sunday.",
        language="en",
        published_at=None,
    )
    wanted = tuple(one for one in used.pipelines if one.stage is Stage.STORIES)
    command = EnrichArticles(lane=Lane.LIVE, pipelines=wanted, articles=(article,))
    (enriched,) = enrich(command, used, now=NOW).articles
    return enriched.features


def test_the_pipeline_gives_title_and_text_to_the_encoder() -> None:
    told = Told(0.0, 1.0)
    plain = features_by(tools())
    assert plain is not None
    assert features_by(replace(tools(), encoder=told)) == add_embedding(
        plain, told.numbers
    )
    ((title, text),) = told.read
    assert (title, text.split()[:2]) == ("A quake", ["A", "strong"])


def test_embeddings_are_part_of_the_version_of_stories_and_of_nothing_else() -> None:
    on = replace(RULES, story_embeddings=True)
    changed = [
        (before, after)
        for before, after in zip(pipelines(RULES), pipelines(on), strict=True)
        if before != after
    ]
    ((before, after),) = changed
    assert after.stage is Stage.STORIES
    assert after.version.startswith(f"{before.version}+embedding.")
    assert len(after.version) <= 128


def test_embeddings_are_off_unless_they_are_set(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert not enrich_options(load_settings(home=tmp_path)).story_embeddings
    monkeypatch.setenv("WIREROOM_STORY_EMBEDDINGS", "1")
    assert enrich_options(load_settings(home=tmp_path)).story_embeddings


class Graph:
    """A graph that gives each piece its number and its place."""

    def __init__(self) -> None:
        self.fed: list[Mapping[str, NDArray[Any]]] = []

    def run(self, names: Sequence[str], feed: Mapping[str, NDArray[Any]], /) -> Any:
        assert names == ["last_hidden_state"]
        self.fed.append(feed)
        pieces = feed["input_ids"].astype(np.float32)
        places = np.broadcast_to(np.arange(pieces.shape[1]), pieces.shape)
        return [np.stack([pieces, places], axis=-1)]


def test_an_embedding_is_the_mean_of_the_pieces_at_unit_length() -> None:
    graph, pieces = Graph(), load_pieces()
    found = SentenceEncoder(graph, pieces).embed("Quake", "Crete")
    words = [number for word in ("quake", "crete") for number in pieces.numbers(word)]
    numbers = [pieces.start, *words, pieces.end]
    assert graph.fed[0]["input_ids"].tolist() == [numbers]
    assert graph.fed[0]["attention_mask"].tolist() == [[1] * len(numbers)]
    assert graph.fed[0]["token_type_ids"].tolist() == [[0] * len(numbers)]
    mean = np.array([np.mean(numbers), (len(numbers) - 1) / 2])
    assert found == pytest.approx((mean / np.linalg.norm(mean)).tolist())


@pytest.mark.parametrize("text", ["quake " * 5_000, "x" * 100_000, ""])
def test_what_is_read_of_a_text_is_bounded(text: str) -> None:
    graph = Graph()
    SentenceEncoder(graph, load_pieces()).embed("", text)
    assert graph.fed[0]["input_ids"].shape[1] <= MAX_PIECES


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package with a model that is none, and code that would fail if it ran."""
    folder = tmp_path / encoder.PACKAGE
    folder.mkdir()
    (folder / "__init__.py").write_text("raise RuntimeError", "utf-8")
    (folder / encoder.FILE).write_bytes(b"graph")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(encoder, "MODEL_SHA256", hashlib.sha256(b"graph").hexdigest())
    return folder


@pytest.mark.usefixtures("package")
def test_the_model_is_read_out_of_its_package(monkeypatch: pytest.MonkeyPatch) -> None:
    graphs: dict[bytes, Graph] = {b"graph": Graph()}
    monkeypatch.setattr(encoder, "open_session", graphs.__getitem__)
    made = make_tools(replace(RULES, story_embeddings=True))
    assert made.encoder is not None
    assert len(made.encoder.embed("", "Crete")) == 2
    assert len(graphs[b"graph"].fed) == 1


def test_another_model_in_the_package_is_refused(package: Path) -> None:
    (package / encoder.FILE).write_bytes(b"other")
    with pytest.raises(EncoderUnusable, match="another model"):
        load_encoder()


@pytest.mark.usefixtures("package")
def test_without_what_runs_the_model_the_error_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(EncoderUnusable, match=r"onnxruntime.*wireroom\[embeddings\]"):
        load_encoder()


def test_without_the_extra_no_tools_are_made_and_versions_are_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(encoder, "PACKAGE", "no_such_package")
    options = replace(RULES, story_embeddings=True)
    wanted = r"no_such_package; install wireroom\[embeddings\]"
    with pytest.raises(EncoderUnusable, match=wanted) as raised:
        make_tools(options)
    failure = explain(raised.value)
    assert failure is not None
    assert failure.code is ExitCode.USAGE
    assert pipelines(options) != pipelines(RULES)


@pytest.mark.skipif(
    find_spec(encoder.PACKAGE) is None, reason="wireroom[embeddings] is not installed"
)
def test_sentences_of_one_sense_are_near() -> None:
    made = load_encoder()
    one, near, far = (
        np.array(made.embed("", text))
        for text in (
            "An earthquake struck the island and injured dozens.",
            "Many people were hurt when tremors shook the coast.",
            "The central bank left its interest rate as it was.",
        )
    )
    assert one @ near > one @ far + 0.2
