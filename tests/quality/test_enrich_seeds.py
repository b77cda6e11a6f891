"""What the seed articles promise of names, copies and stories."""

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from enrich.dedup.decide import compare
from enrich.dedup.fingerprint import choose_keys
from enrich.messages import (
    ArticleToEnrich,
    EnrichArticles,
    EnrichedArticle,
    Entity,
    Lane,
)
from enrich.pipeline import EnrichOptions, enrich, make_tools
from enrich.stories.cluster import cluster

pytestmark = pytest.mark.quality

ROOT = Path(__file__).resolve().parents[2]
NOW = datetime(2026, 3, 12, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Seed:
    path: str
    article: ArticleToEnrich
    enriched: EnrichedArticle


@cache
def load_facts() -> dict[str, Any]:
    path = ROOT / "seeds/facts.json"
    if not path.exists():
        pytest.skip("the seeds are not there")
    facts: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return facts


def read_text(fact: dict[str, Any]) -> str:
    """Cut the article out of its page by what the facts say of its edges."""
    page = (ROOT / fact["path"]).read_text("utf-8")
    for line in fact["inside"]:
        page = page.replace(line, "")
    one_line_each = "\n\n" not in page.strip()
    first, last = (
        r"\s+".join(map(re.escape, fact[edge].split())) for edge in ("first", "last")
    )
    match = re.search(f"{first}.*?{last}", page, re.DOTALL)
    assert match, fact["path"]
    paragraphs = re.split(r"\n" if one_line_each else r"\n\s*\n", match[0])
    return "\n\n".join(" ".join(part.split()) for part in paragraphs if part.strip())


def read_article(number: int, fact: dict[str, Any]) -> ArticleToEnrich:
    published = fact["published"]
    return ArticleToEnrich(
        article_id=number,
        revision=1,
        title=fact["title"],
        text=read_text(fact),
        language=fact["language"],
        published_at=datetime.fromisoformat(published).replace(tzinfo=UTC)
        if published
        else None,
    )


@cache
def enrich_seeds() -> dict[str, Seed]:
    facts = load_facts()["files"]
    articles = tuple(read_article(number, fact) for number, fact in enumerate(facts))
    tools = make_tools(EnrichOptions())
    command = EnrichArticles(
        lane=Lane.LIVE, pipelines=tools.pipelines, articles=articles
    )
    event = enrich(command, tools, now=NOW)
    assert not event.failed
    return {
        fact["path"]: Seed(path=fact["path"], article=article, enriched=enriched)
        for fact, article, enriched in zip(facts, articles, event.articles, strict=True)
    }


def entities_of(path: str) -> tuple[Entity, ...]:
    entities = enrich_seeds()[path].enriched.entities
    assert entities is not None
    return entities.entities


def test_every_seed_is_in_the_language_it_says() -> None:
    found = {
        path: seed.enriched.language.code
        for path, seed in enrich_seeds().items()
        if seed.enriched.language
    }
    assert found == {fact["path"]: fact["language"] for fact in load_facts()["files"]}


def test_the_names_that_must_be_found_are_found() -> None:
    missing = [
        fact
        for fact in load_facts()["entities"]
        if fact["path"].startswith("seeds/articles")
        and not any(
            entity.name == fact["name"]
            and entity.kind.value == fact["kind"]
            and fact.get("key", entity.key) == entity.key
            for entity in entities_of(fact["path"])
        )
    ]
    assert missing == []


def test_copies_are_told_with_their_kind_and_nothing_else_is_a_copy() -> None:
    seeds = enrich_seeds()
    expected = {
        frozenset((fact["copy"], fact["original"])): fact["kind"]
        for fact in load_facts()["copies"]
        if fact["copy"] in seeds
    }
    paths = sorted(seeds)
    found = {}
    for index, path in enumerate(paths):
        for other in paths[:index]:
            one = seeds[path].enriched.fingerprint
            two = seeds[other].enriched.fingerprint
            assert one is not None
            assert two is not None
            comparison = compare(one, two)
            if comparison:
                found[frozenset((path, other))] = comparison.kind.value
                shared = set(choose_keys(one)) & set(choose_keys(two))
                assert shared, "the index would not find them"
    assert found == expected


def test_stories_hold_their_members_and_no_look_alikes() -> None:
    seeds = sorted(
        enrich_seeds().values(),
        key=lambda seed: (seed.article.published_at or NOW, seed.path),
    )
    numbers = cluster(
        [
            (seed.enriched.features, seed.article.published_at or NOW)
            for seed in seeds
            if seed.enriched.features is not None
        ]
    )
    story = {seed.path: number for seed, number in zip(seeds, numbers, strict=True)}
    facts = load_facts()
    split = [
        fact["name"]
        for fact in facts["stories"]
        if len({story[path] for path in fact["members"]}) > 1
    ]
    merged = [
        pair for pair in facts["apart"] if len({story[path] for path in pair}) < 2
    ]
    assert (split, merged) == ([], [])
