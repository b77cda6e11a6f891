"""What operators say of names: kept, and in force from a reprocessing on."""

from collections.abc import Iterator

import pytest
from support.desk import Desk
from support.factories import enriched, entry

from enrich.messages import EntityKind, Lane, NameRule, Rule, Stage
from enrich.pipeline import EnrichOptions, pipelines
from services import naming
from store import names, replay
from store.engine import reading, transaction
from store.models import Job
from store.words import JobState

STOP = NameRule(rule=Rule.STOP, subject="Reuters", kind=EntityKind.ORG)
MERGE = NameRule(rule=Rule.MERGE, subject="per:v-putin", target="per:putin")
OPTIONS = EnrichOptions(entity_tier="rules")


@pytest.fixture
def desk(migrated_url: str) -> Iterator[Desk]:
    made = Desk(migrated_url, pipelines=pipelines(OPTIONS))
    yield made
    made.engine.dispose()


def say(desk: Desk, *rules: NameRule) -> None:
    with transaction(desk.engine) as session:
        names.add_rules(session, rules, by="ada", now=desk.now)


def said(desk: Desk) -> list[NameRule]:
    with reading(desk.engine) as session:
        return [one.said for one in names.list_rules(session)]


def order(desk: Desk, *stages: Stage) -> None:
    with transaction(desk.engine) as session:
        replay.order_job(
            session,
            stages=stages or None,
            since=None,
            now=desk.now,
            names=naming.names_now(session),
        )


def advance(desk: Desk) -> int:
    with transaction(desk.engine) as session:
        return naming.advance_jobs(session, OPTIONS, now=desk.now, max_waiting=100)


def in_force(desk: Desk) -> str:
    with reading(desk.engine) as session:
        return names.names_in_force(session)


def test_a_rule_takes_the_place_of_the_one_on_the_same_name(desk: Desk) -> None:
    other = NameRule(rule=Rule.MERGE, subject="per:v-putin", target="per:other")
    say(desk, STOP, MERGE)
    say(desk, MERGE, other)
    assert said(desk) == [STOP, other]
    with transaction(desk.engine) as session:
        found = names.list_rules(session, rule=Rule.MERGE)
        assert [one.created_by for one in found] == ["ada"]
        gone = names.remove_rules(session, [found[0].id, 10**6])
        assert gone == found
    assert said(desk) == [STOP]
    with transaction(desk.engine) as session:
        names.forget_rules(session)
    assert said(desk) == []


def test_what_is_said_is_in_force_from_the_next_reprocessing_on(desk: Desk) -> None:
    desk.poll(entry("a"))
    desk.enrich()
    say(desk, STOP)
    # What is new goes by what was in force, and so does the one that stands there.
    desk.poll(entry("b"))
    (command,) = desk.claim_articles(Lane.LIVE)
    assert command.names == ""
    desk.save_enrichment(enriched(command))
    order(desk)
    assert in_force(desk) == ""
    assert advance(desk) == 2
    assert in_force(desk) == "stop\tReuters\t\tORG\n"
    (command,) = desk.claim_articles(Lane.BULK)
    assert command.names == in_force(desk)
    stages = {one.stage for one in command.pipelines}
    assert stages == {Stage.ENTITIES, Stage.STORIES}
    desk.save_enrichment(enriched(command))
    assert advance(desk) == 0
    assert desk.one(Job).state == JobState.DONE
    desk.assert_balanced()


def test_a_restart_keeps_the_names_that_are_in_force(desk: Desk) -> None:
    say(desk, STOP)
    order(desk)
    advance(desk)
    say(desk, MERGE)
    with transaction(desk.engine) as session:
        naming.settle_pipelines(session, OPTIONS, now=desk.now)
    assert in_force(desk) == "stop\tReuters\t\tORG\n"
    order(desk)
    advance(desk)
    assert in_force(desk).splitlines() == [
        "merge\tper:v-putin\tper:putin",
        "stop\tReuters\t\tORG",
    ]


def test_a_reprocessing_of_other_stages_leaves_names_alone(desk: Desk) -> None:
    desk.poll(entry("a"))
    desk.enrich()
    say(desk, STOP)
    order(desk, Stage.LANGUAGE)
    assert advance(desk) == 0
    assert in_force(desk) == ""
