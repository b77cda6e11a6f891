"""How well names are found in sentences that people have labelled."""

import time
from datetime import UTC, datetime
from functools import cache

import pytest
from support.figures import Figure
from support.shared import shared_path

from enrich.entities.evaluate import Evaluation, evaluate
from enrich.entities.iob2 import LabelledSentence, Scores
from enrich.entities.tiers import TIERS, load_extractor
from enrich.messages import ArticleToEnrich, EnrichArticles, Lane, Stage
from enrich.pipeline import EnrichOptions, enrich, make_tools
from training.entities.corpora import read_gate, read_sentences

pytestmark = pytest.mark.quality

# Nothing was trained, written or tuned on these sentences: the last fifth of one
# corpus, as it asks, and the test part of another. The floors lie a little below
# what was measured; lowering one needs a reason in the commit.
KINDS = ("PER", "ORG", "LOC", "MISC")
FLOORS = {
    ("crf", "wikigold", "words"): (0.83, 0.50, 0.78, 0.53, 0.70),
    ("crf", "wikigold", "text"): (0.83, 0.51, 0.77, 0.52, 0.70),
    ("crf", "wnut17", "words"): (0.49, 0.23, 0.41, 0.13, 0.35),
    ("crf", "wnut17", "text"): (0.49, 0.23, 0.40, 0.13, 0.35),
    ("minilm", "wikigold", "words"): (0.9, 0.6, 0.82, 0.63, 0.77),
    ("minilm", "wikigold", "text"): (0.9, 0.6, 0.82, 0.62, 0.76),
    ("minilm", "wnut17", "words"): (0.61, 0.33, 0.57, 0.23, 0.46),
    ("minilm", "wnut17", "text"): (0.61, 0.33, 0.56, 0.24, 0.46),
    ("rules", "wikigold", "words"): (0.68, 0.44, 0.73, 0.55, 0.63),
    ("rules", "wikigold", "text"): (0.69, 0.44, 0.73, 0.54, 0.63),
    ("rules", "wnut17", "words"): (0.22, 0.21, 0.46, 0.0, 0.22),
    ("rules", "wnut17", "text"): (0.22, 0.21, 0.46, 0.0, 0.22),
}  # PER, ORG, LOC, MISC and all


@cache
def sentences(name: str) -> list[LabelledSentence]:
    title = {"wikigold": "wikigold gate", "wnut17": "WNUT17 test"}[name]
    return read_gate(shared_path("corpora/ner"))[title]


@cache
def result(tier: str, name: str) -> Evaluation:
    return evaluate(load_extractor(tier), sentences(name))


@pytest.mark.parametrize("name", ["wikigold", "wnut17"])
@pytest.mark.parametrize("tier", TIERS)
def test_names_are_found(tier: str, name: str, figure: Figure) -> None:
    found = result(tier, name)
    for way, scores in (("words", found.on_words), ("text", found.on_text)):
        for kind, floor in zip((*KINDS, "all"), FLOORS[tier, name, way], strict=True):
            figure(
                f"names, {tier}, {name}, {way}, F1 {kind}",
                f1(scores, kind),
                floor=floor,
            )
    # Told and not asserted: a busy machine is no fault of the recogniser.
    speed = found.words_per_cpu_second
    figure(f"names, {tier}, {name}, words per CPU second", speed)


def test_the_speed_of_the_whole_stage_is_told(figure: Figure) -> None:
    """Language, names, resolution and salience, on articles of 650 words."""
    tools = make_tools(EnrichOptions())
    stages = {Stage.LANGUAGE, Stage.ENTITIES}
    pipelines = tuple(one for one in tools.pipelines if one.stage in stages)
    read = read_sentences(shared_path("corpora/ner/gmb.iob2.xz"))[:4_000]
    words = [word for found in read for word in (*found.words, "\n")]
    articles = tuple(
        ArticleToEnrich(
            article_id=start,
            revision=1,
            title="",
            text=" ".join(words[start : start + 650]),
            language="en",
            published_at=None,
        )
        for start in range(0, 100 * 650, 650)
    )
    command = EnrichArticles(lane=Lane.BULK, pipelines=pipelines, articles=articles)
    started = time.process_time()
    event = enrich(command, tools, now=datetime(2026, 3, 12, tzinfo=UTC))
    seconds = time.process_time() - started
    assert not event.failed
    figure("names, crf, whole stage, articles per CPU second", len(articles) / seconds)


def f1(scores: Scores, kind: str) -> float:
    return scores.of(KINDS if kind == "all" else [kind])[2]
