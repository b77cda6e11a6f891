"""Updates: at one address a revision, elsewhere a copy with the flag of numbers."""

from collections.abc import Iterator

import pytest
from sqlalchemy import select
from support.desk import Desk
from support.factories import HOUR, NOW, article, entry

from store.engine import reading
from store.models import Article, CopyPair, Duplicate, Revision

TOLD = (
    "The ferry Nordstern ran aground off Hamburg in the heaviest storm of the winter."
    " Boats of the coast guard brought {} passengers ashore, and a helicopter lifted"
    " the captain from the mast. Divers will look at the wreck as soon as the storm is"
    " over, a spokesman said, and {} of the crew are in hospital."
)
FIRST, UPDATE = TOLD.format("1,240", 3), TOLD.format("1.260", 5)
SAME = TOLD.format("1240", 3).replace("helicopter", "chopper")


@pytest.fixture
def desk(migrated_url: str) -> Iterator[Desk]:
    made = Desk(migrated_url)
    yield made
    made.assert_balanced()
    made.engine.dispose()


def print_in(desk: Desk, paper: str, text: str, hour: int) -> None:
    said = article("ferry", uid=paper, text=text, published_at=NOW + hour * HOUR)
    desk.poll(entry("ferry", article=said), feed=paper)
    desk.enrich()


def verdicts(desk: Desk) -> dict[str, tuple[str, bool]]:
    """Return of each copy, by the identity of the article, kind and flag."""
    query = select(Article.uid, Duplicate.kind, Duplicate.numbers_differ).join(
        Article, Article.id == Duplicate.article_id
    )
    with reading(desk.engine) as session:
        return {row[0]: (row[1], row[2]) for row in session.execute(query)}


def test_a_new_text_at_one_address_is_a_revision_and_no_copy(desk: Desk) -> None:
    print_in(desk, "courier", FIRST, 0)
    desk.now += HOUR / 2
    print_in(desk, "courier", UPDATE, 0)
    assert (desk.count(Article), desk.count(Revision)) == (1, 2)
    assert (desk.count(CopyPair), desk.count(Duplicate)) == (0, 0)


def test_what_another_publisher_prints_with_other_numbers_is_flagged(
    desk: Desk,
) -> None:
    print_in(desk, "courier", FIRST, 0)
    print_in(desk, "herald", UPDATE, 1)
    print_in(desk, "gazette", SAME, 2)
    assert verdicts(desk) == {"herald": ("near", True), "gazette": ("near", False)}
    pair = desk.one(CopyPair, CopyPair.low_id == 1, CopyPair.high_id == 2)
    assert (pair.kind, pair.numbers_differ) == ("near", True)


def test_the_flag_goes_when_a_revision_brings_the_numbers_of_the_original(
    desk: Desk,
) -> None:
    print_in(desk, "courier", FIRST, 0)
    print_in(desk, "herald", UPDATE, 1)
    desk.now += HOUR / 2
    print_in(desk, "herald", SAME, 1)
    assert verdicts(desk) == {"herald": ("near", False)}
