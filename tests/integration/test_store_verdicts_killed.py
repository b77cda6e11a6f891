"""Verdicts after kill -9: nothing is half done, and a replay completes it."""

import os
import random
import signal
import subprocess
import sys
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import aliased
from support.desk import Desk
from support.dying import save_all
from support.factories import NOW, article, body, enriched, entry

from enrich.messages import ArticlesEnriched, EnrichArticles, StoryFeatures
from enrich.stories.features import index_keys, unit_terms
from services import wire
from services.judging import JUDGE
from store.engine import reading
from store.models import Article, CopyPair, Duplicate, Story, StoryMember
from store.schema import upgrade

TOPICS = ("storm", "trial", "rain", "vote")
N_ARTICLES = 24


def features(number: int) -> StoryFeatures:
    """Return what the article is about; each fifth is about two things."""
    terms = {TOPICS[number % 4]: 1.0, f"only{number}": 0.6}
    if number % 5 == 0:
        terms[TOPICS[(number + 1) % 4]] = 0.8
    vector = unit_terms(terms, 60)
    return StoryFeatures(terms=vector, keys=index_keys(vector))


def events_of(desk: Desk) -> list[ArticlesEnriched]:
    """Store articles, a third of them copies, and return their results in batches."""
    chance = random.Random(7)  # noqa: S311
    entries = [
        entry(
            f"n{number:02}",
            article=article(
                f"n{number:02}",
                text=body(f"text{number % 16}"),
                published_at=NOW + timedelta(hours=chance.randint(0, 99)),
            ),
        )
        for number in range(N_ARTICLES)
    ]
    desk.poll(*entries)
    return [_described(enriched(command), command) for command in desk.claim_articles()]


def _described(event: ArticlesEnriched, command: EnrichArticles) -> ArticlesEnriched:
    numbers = {
        one.article_id: int(one.title.rsplit("n", maxsplit=1)[1])
        for one in command.articles
    }
    articles = (
        replace(one, features=features(numbers[one.article_id]))
        for one in event.articles
    )
    return replace(event, articles=tuple(articles))


def verdicts(desk: Desk) -> dict[str, set[Any]]:
    """Return pairs, verdicts and stories by the titles of the articles."""
    one, other = aliased(Article), aliased(Article)
    pairs = (
        select(one.title, other.title, CopyPair.kind, CopyPair.containment)
        .join(one, one.id == CopyPair.low_id)
        .join(other, other.id == CopyPair.high_id)
    )
    copies = (
        select(one.title, other.title, Duplicate.kind)
        .join(one, one.id == Duplicate.article_id)
        .join(other, other.id == Duplicate.original_id)
    )
    members = select(Story.id, one.title, StoryMember.role, Story.title).join_from(
        StoryMember, Story, Story.id == StoryMember.story_id
    )
    members = members.join(one, one.id == StoryMember.article_id)
    stories: dict[int, set[Any]] = {}
    with reading(desk.engine) as session:
        for story_id, *member in session.execute(members):
            stories.setdefault(story_id, set()).add(tuple(member))
        return {
            "pairs": set(map(tuple, session.execute(pairs))),
            "copies": set(map(tuple, session.execute(copies))),
            "stories": set(map(frozenset, stories.values())),
        }


@pytest.fixture
def undisturbed(tmp_path: Path) -> dict[str, set[Any]]:
    """What the same results end in where nobody is killed."""
    url = f"sqlite+pysqlite:///{tmp_path / 'undisturbed.db'}"
    upgrade(url)
    desk = Desk(url, judge=JUDGE)
    save_all(url, events_of(desk), JUDGE)
    found = verdicts(desk)
    desk.engine.dispose()
    assert len(found["copies"]) == N_ARTICLES - 16
    assert 4 <= len(found["stories"]) < N_ARTICLES - 16
    return found


@pytest.mark.parametrize(
    ("decision", "number"),
    [("compare", 5), ("settle", 2), ("assign", 9), ("regroup", 2)],
)
def test_a_replay_after_kill_9_ends_where_an_undisturbed_store_does(
    migrated_url: str,
    tmp_path: Path,
    undisturbed: dict[str, set[Any]],
    decision: str,
    number: int,
) -> None:
    desk = Desk(migrated_url, judge=JUDGE)
    events = events_of(desk)
    file = tmp_path / "events"
    file.write_text("\n".join(map(wire.encode, events)), encoding="utf-8")
    killed = subprocess.run(
        [
            *(sys.executable, "-m", "support.dying", migrated_url, str(file)),
            *(decision, str(number)),
        ],
        env={**os.environ, "PYTHONPATH": "tests:."},
        check=False,
        timeout=60,
    )
    assert killed.returncode == -signal.SIGKILL
    assert verdicts(desk) != undisturbed
    save_all(migrated_url, events, JUDGE)
    assert verdicts(desk) == undisturbed
    desk.assert_balanced()
    desk.engine.dispose()
