"""Whatever an enrich worker answers is stored or set aside alone, on both engines."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.desk import Desk
from support.factories import enriched, entry

from enrich.messages import (
    ArticlesEnriched,
    EnrichedArticle,
    Entities,
    EntitiesStatus,
    Entity,
    EntityKind,
    Field,
    Language,
    Mention,
    StoryFeatures,
)
from store.answers import mend_answer
from store.models import (
    ArticleEntity,
    EnrichWork,
    EntityAlias,
    Quarantine,
    StoryMember,
)
from store.models import Enrichment as Ledger
from store.models import Entity as StoredEntity
from store.models import Mention as StoredMention
from store.plain import MAX_KEY_BYTES, UnfitValue

# Each of these has broken some database, driver or index.
PIECES = ["name", "\0", "\ud800", "\udfff", '"', "\\", "{,}", "NULL", "é" * 1_400, "🦊"]
TEXTS = st.lists(st.sampled_from(PIECES), min_size=1, max_size=4).map("".join)


@pytest.fixture
def desk(migrated_url: str) -> Iterator[Desk]:
    made = Desk(migrated_url)
    yield made
    made.assert_balanced()
    made.engine.dispose()


def named(key: str, name: str = "Name", surface: str = "Name") -> Entities:
    """Return one entity with one mention."""
    entity = Entity(key=key, kind=EntityKind.ORG, name=name, n_mentions=1, salience=0.5)
    mention = Mention(
        field=Field.TEXT,
        start=0,
        end=4,
        surface=surface,
        kind=EntityKind.ORG,
        entity_key=key,
        score=None,
    )
    return Entities(
        status=EntitiesStatus.FOUND, mentions=(mention,), entities=(entity,)
    )


def answer(desk: Desk, spoil: Callable[[EnrichedArticle], EnrichedArticle]) -> Any:
    """Let three articles be enriched, the second one with a spoilt answer."""
    names = [f"a{desk.count(Ledger)}-{number}" for number in range(3)]
    desk.poll(*[entry(name) for name in names], feed=names[0])
    (command,) = desk.claim_articles()
    event = enriched(command)
    first, second, third = event.articles
    return replace(event, articles=(first, spoil(second), third))


def spoilt_entities(change: Callable[[Entities], Entities]) -> Any:
    def spoil(article: EnrichedArticle) -> EnrichedArticle:
        assert article.entities is not None
        return replace(article, entities=change(article.entities))

    return spoil


def spoilt_mention(**changes: Any) -> Any:
    return spoilt_entities(
        lambda found: replace(found, mentions=(replace(found.mentions[0], **changes),))
    )


def spoilt_sum(**changes: Any) -> Any:
    return spoilt_entities(
        lambda found: replace(found, entities=(replace(found.entities[0], **changes),))
    )


def is_kept(text: str) -> bool:
    return text.encode(errors="replace").decode() == text and "\0" not in text


@settings(
    max_examples=15,
    suppress_health_check=[
        HealthCheck.too_slow,
        HealthCheck.function_scoped_fixture,
    ],
)
@given(key=TEXTS, name=TEXTS, surface=TEXTS)
def test_names_that_no_database_takes_are_mended_and_stored(
    desk: Desk, key: str, name: str, surface: str
) -> None:
    before = desk.count(Ledger)
    found = named(f"org:{before}:{key}", name, surface)
    saved = desk.save_enrichment(answer(desk, lambda one: replace(one, entities=found)))
    assert (saved.n_saved, saved.n_failed) == (3, 0)
    assert desk.count(EnrichWork) == desk.count(Quarantine) == 0
    stored = desk.one(StoredEntity, StoredEntity.key.startswith(f"org:{before}:"))
    assert len(stored.key.encode()) <= MAX_KEY_BYTES
    spelling = desk.one(EntityAlias, EntityAlias.entity_id == stored.id)
    mention = desk.one(StoredMention, StoredMention.entity_id == stored.id)
    assert spelling.alias == mention.surface
    if is_kept(surface) and len(surface.encode()) <= MAX_KEY_BYTES:
        assert spelling.alias == surface


def test_two_long_keys_with_one_beginning_are_two_entities(desk: Desk) -> None:
    long = "k" * 4_000
    keys = iter([f"{long}1", f"{long}2"])
    event = answer(desk, lambda one: one)
    first, *others = event.articles
    spoilt = [replace(one, entities=named(next(keys))) for one in others]
    desk.save_enrichment(replace(event, articles=(first, *spoilt)))
    assert desk.count(StoredEntity, StoredEntity.key.startswith("kkk")) == 2


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (spoilt_mention(start=5, end=5), "no span"),
        (spoilt_mention(start=-1), "no span"),
        (spoilt_mention(end=2**31), "no span"),
        (spoilt_mention(entity_key="org:other"), "has no sum"),
        (spoilt_mention(score=float("nan")), "the score of a mention is no number"),
        (spoilt_sum(n_mentions=2**31), "the number of mentions is out of range"),
        (spoilt_sum(salience=float("inf")), "the weight of an entity is no number"),
        (
            spoilt_entities(lambda one: replace(one, entities=one.entities * 2)),
            "summed up twice",
        ),
        (
            lambda one: replace(
                one, language=Language(code="e" * 17, score=1.0, origin="detector")
            ),
            "no language",
        ),
        (
            lambda one: replace(
                one, language=Language(code="e\0", score=1.0, origin="detector")
            ),
            "no language",
        ),
        (
            lambda one: replace(
                one, features=StoryFeatures(terms=(("nul\0", 1.0),), keys=(1,))
            ),
            "the term",
        ),
        (
            lambda one: replace(
                one, features=StoryFeatures(terms=(("t", float("nan")),), keys=(1,))
            ),
            "the weight of a term is no number",
        ),
        (
            lambda one: replace(
                one, features=StoryFeatures(terms=(("t", 1.0),), keys=(2**63,))
            ),
            "the key of a term is out of range",
        ),
        (
            lambda one: replace(
                one, fingerprint=replace(one.fingerprint, n_lead_marks=10_000)
            ),
            "the number of marks of the lead is out of range",
        ),
        (
            lambda one: replace(
                one, fingerprint=replace(one.fingerprint, marks=bytes(9))
            ),
            "the marks are cut off",
        ),
        (
            lambda one: replace(
                one, fingerprint=replace(one.fingerprint, n_tokens=2**31)
            ),
            "the length in tokens is out of range",
        ),
    ],
)
def test_an_answer_that_means_nothing_is_quarantined_and_its_neighbours_stored(
    desk: Desk, spoil: Any, reason: str
) -> None:
    event = answer(desk, spoil)
    saved = desk.save_enrichment(event)
    assert (saved.n_saved, saved.n_failed) == (2, 1)
    held = desk.one(Quarantine)
    assert (held.article_id, held.error) == (event.articles[1].article_id, "UnfitValue")
    assert reason in held.detail
    assert desk.count(EnrichWork) == 0
    assert desk.count(ArticleEntity) == desk.count(StoryMember) == 2
    again = desk.save_enrichment(event)
    assert (again.n_saved, desk.count(Quarantine), held.n_times) == (0, 1, 1)


def test_an_answer_that_only_the_database_refuses_is_found_among_the_others(
    desk: Desk,
) -> None:
    # The store has no rule for it, and the column is NOT NULL.
    def spoil(one: EnrichedArticle) -> EnrichedArticle:
        assert one.fingerprint is not None
        broken = replace(one.fingerprint, text_hash=None)  # type: ignore[arg-type]  # on purpose
        return replace(one, fingerprint=broken)

    event: ArticlesEnriched = answer(desk, spoil)
    saved = desk.save_enrichment(event)
    assert (saved.n_saved, saved.n_failed) == (2, 1)
    assert desk.one(Quarantine).error == "IntegrityError"
    assert desk.count(StoredMention) == 2


def test_what_needs_no_mending_is_left_as_it_came() -> None:
    article = EnrichedArticle(article_id=1, revision=1, entities=named("org:a"))
    assert mend_answer(article) == article


def test_a_refusal_names_what_is_wrong_without_the_text() -> None:
    found = replace(named("org:a"), entities=())
    article = EnrichedArticle(article_id=1, revision=1, entities=found)
    with pytest.raises(UnfitValue, match="'org:a', which has no sum"):
        mend_answer(article)
