"""The enrichment stage as a whole."""

import pickle
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache

import pytest

from enrich.entities.tiers import TIERS
from enrich.errors import PipelineMismatch, UnknownTier
from enrich.language import LanguageDetector
from enrich.messages import (
    ArticlesEnriched,
    ArticleToEnrich,
    EnrichArticles,
    Lane,
    Pipeline,
    Stage,
)
from enrich.pipeline import (
    MAX_TEXT_CHARS,
    EnrichOptions,
    Tools,
    enrich,
    make_tools,
    pipelines,
    second_mark,
)

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
TEXT = (
    "President Ada Brandt opened the new bridge over the river on Tuesday in France,"
    " where the council had agreed to rebuild it after the storms of the last winter."
    " Engineers said the work had cost less than was expected and took two years."
)


@cache
def tools() -> Tools:
    return make_tools(EnrichOptions())


def article(article_id: int = 1, text: str = TEXT) -> ArticleToEnrich:
    return ArticleToEnrich(
        article_id=article_id,
        revision=2,
        title="Brandt opens bridge",
        text=text,
        language=None,
        published_at=None,
    )


def run(
    *articles: ArticleToEnrich,
    stages: frozenset[Stage] = frozenset(Stage),
    using: Tools | None = None,
    pass_number: int = 1,
) -> ArticlesEnriched:
    used = using or tools()
    wanted = tuple(found for found in used.pipelines if found.stage in stages)
    command = EnrichArticles(
        lane=Lane.BULK, pipelines=wanted, articles=articles, pass_number=pass_number
    )
    return enrich(command, used, now=NOW)


def test_an_article_gains_language_names_fingerprint_and_features() -> None:
    event = run(article())
    assert (event.lane, event.enriched_at, event.failed) == (Lane.BULK, NOW, ())
    (enriched,) = event.articles
    assert (enriched.article_id, enriched.revision) == (1, 2)
    assert enriched.language is not None
    assert enriched.language.code == "en"
    assert enriched.entities is not None
    assert {entity.key for entity in enriched.entities.entities} == {
        "per:ada-brandt",
        "country:FR",
    }
    assert enriched.fingerprint is not None
    assert enriched.features is not None
    assert "per:ada-brandt" in dict(enriched.features.terms)


@pytest.mark.parametrize("stage", list(Stage))
def test_only_the_wanted_stage_is_in_the_result(stage: Stage) -> None:
    event = run(article(), stages=frozenset({stage}))
    (enriched,) = event.articles
    given = {
        Stage.LANGUAGE: enriched.language,
        Stage.ENTITIES: enriched.entities,
        Stage.COPIES: enriched.fingerprint,
        Stage.STORIES: enriched.features,
    }
    assert {name for name, result in given.items() if result is not None} == {stage}
    assert [found.stage for found in event.pipelines] == [stage]
    (everything,) = run(article()).articles
    whole = {
        Stage.LANGUAGE: everything.language,
        Stage.ENTITIES: everything.entities,
        Stage.COPIES: everything.fingerprint,
        Stage.STORIES: everything.features,
    }
    assert given[stage] == whole[stage]


def test_another_version_is_refused_before_any_work() -> None:
    have = next(found for found in tools().pipelines if found.stage is Stage.COPIES)
    wanted = replace(have, version="0")
    command = EnrichArticles(lane=Lane.LIVE, pipelines=(wanted,), articles=(article(),))
    with pytest.raises(PipelineMismatch, match=r"stage copies.*winnowing 0") as caught:
        enrich(command, tools(), now=NOW)
    assert (caught.value.wanted, caught.value.have) == (wanted, have)
    again = pickle.loads(pickle.dumps(caught.value))  # noqa: S301 - our own bytes
    assert again.wanted == wanted


class Broken:
    """An identifier that fails on one text."""

    def classify(self, text: str) -> tuple[str, float]:
        if "storms" in text:
            raise ValueError(f"cannot read '{text}'")
        return "en", 1.0

    def rank(self, text: str) -> list[tuple[str, float]]:
        return [self.classify(text)]


def test_one_article_that_raises_does_not_stop_the_others() -> None:
    broken = replace(tools(), detector=LanguageDetector(identifier=Broken()))
    event = run(article(1), article(2, "x" * 300), article(3), using=broken)
    assert [found.article_id for found in event.articles] == [2]
    assert [found.article_id for found in event.failed] == [1, 3]
    failure = event.failed[0]
    assert (failure.error, failure.revision) == ("ValueError", 2)
    assert failure.detail.startswith("test_enrich_pipeline.py:")
    assert failure.detail.endswith("in classify: cannot read ...")
    assert "bridge" not in failure.detail


@pytest.mark.parametrize("text", ["", "\x00", "\ud800 lone", "😀" * 50, "a" * 3000])
def test_odd_texts_are_enriched(text: str) -> None:
    event = run(article(text=text))
    assert event.failed == ()


def test_the_tail_of_a_very_long_text_is_ignored_for_names() -> None:
    text = TEXT + " It went on." * (MAX_TEXT_CHARS // 12) + " Then Japan spoke."
    (enriched,) = run(article(text=text)).articles
    assert enriched.entities is not None
    assert "country:JP" not in {entity.key for entity in enriched.entities.entities}


def test_versions_are_told_without_loading_and_are_those_of_the_tools() -> None:
    assert pipelines(EnrichOptions()) == tools().pipelines
    assert [found.stage for found in tools().pipelines] == list(Stage)
    assert all(len(found.version) <= 100 for found in tools().pipelines)


def changed(options: EnrichOptions) -> set[Stage]:
    before: dict[Stage, Pipeline] = {
        found.stage: found for found in pipelines(EnrichOptions())
    }
    return {found.stage for found in pipelines(options) if found != before[found.stage]}


def test_an_alias_table_is_part_of_the_version_of_what_depends_on_it() -> None:
    options = EnrichOptions(names="Acme\tORG\torg:acme\n")
    assert changed(options) == {Stage.ENTITIES, Stage.STORIES}
    assert changed(EnrichOptions(names=" \n")) == set()


def test_an_alias_table_is_used() -> None:
    options = EnrichOptions(names="the new bridge\tLOC\tloc:bridge\n")
    own = make_tools(options)
    command = EnrichArticles(
        lane=Lane.LIVE, pipelines=own.pipelines, articles=(article(),)
    )
    (enriched,) = enrich(command, own, now=NOW).articles
    assert enriched.entities is not None
    assert "loc:bridge" in {entity.key for entity in enriched.entities.entities}


def test_an_unknown_tier_is_an_error_that_names_the_choices() -> None:
    for call in (pipelines, make_tools):
        with pytest.raises(UnknownTier, match="'bert'; known: crf, minilm, rules"):
            call(EnrichOptions(entity_tier="bert"))
        with pytest.raises(UnknownTier, match="'bert'"):
            call(EnrichOptions(entity_second_tier="bert"))


def test_another_tier_is_another_pipeline_of_what_depends_on_names() -> None:
    assert changed(EnrichOptions(entity_tier="rules")) == {
        Stage.ENTITIES,
        Stage.STORIES,
    }


TWICE = EnrichOptions(entity_tier="rules", entity_second_tier="crf")


@cache
def tools_of(tier: str, second: str | None = None) -> Tools:
    options = EnrichOptions(entity_tier=tier, entity_second_tier=second)
    return make_tools(options)


def test_each_pass_finds_what_its_tier_finds() -> None:
    passes = [
        run(article(), using=tools_of("rules", "crf"), pass_number=number)
        for number in (1, 2)
    ]
    alone = [run(article(), using=tools_of(tier)) for tier in ("rules", "crf")]
    assert [event.pass_number for event in passes] == [1, 2]
    found = [event.articles[0].entities for event in passes]
    assert found == [event.articles[0].entities for event in alone]
    assert found[0] != found[1]


def test_a_second_pass_tells_the_same_stories_as_the_first() -> None:
    both = tools_of("rules", "crf")
    first, second = (run(article(), using=both, pass_number=n) for n in (1, 2))
    (alone,) = run(
        article(), stages=frozenset({Stage.STORIES}), using=both, pass_number=2
    ).articles
    assert alone.features == second.articles[0].features == first.articles[0].features
    assert alone.entities is None


def test_a_second_tier_changes_the_version_of_the_names_and_of_nothing_else() -> None:
    once = pipelines(replace(TWICE, entity_second_tier=None))
    changes = [
        (before, after)
        for before, after in zip(once, pipelines(TWICE), strict=True)
        if before != after
    ]
    ((before, after),) = changes
    assert (before.stage, before.n_passes) == (Stage.ENTITIES, 1)
    assert (after.name, after.n_passes) == ("rules+crf", 2)
    assert after.version.startswith(f"{before.version}+second.")
    assert tools_of("rules", "crf").pipelines == pipelines(TWICE)


def test_the_version_of_a_second_tier_is_bounded() -> None:
    assert second_mark("2-62e8f667") == "second.2-62e8f667"
    long = [second_mark("x" * n) for n in (41, 4_000)]
    assert len(set(map(len, long))) == 1
    assert len(set(long)) == 2


@pytest.mark.parametrize("first", TIERS)
@pytest.mark.parametrize("second", TIERS)
def test_the_version_of_two_tiers_fits_into_its_column(first: str, second: str) -> None:
    options = EnrichOptions(
        entity_tier=first, entity_second_tier=second, names="A\tORG\torg:a\n"
    )
    assert all(len(found.version) <= 128 for found in pipelines(options))
