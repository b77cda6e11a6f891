"""Entities that may be one are proposed, and no others."""

import pytest

from enrich.entities.keys import make_key
from enrich.entities.suggest import MAX_SHARING, Named, suggest_merges
from enrich.messages import EntityKind


def named(name: str, n_articles: int = 1, kind: EntityKind = EntityKind.PER) -> Named:
    return Named(key=make_key(kind, name), name=name, n_articles=n_articles)


def pairs(
    *entities: Named, merged: dict[str, str] | None = None
) -> set[tuple[str, str]]:
    found = suggest_merges(entities, merged or {}, limit=100)
    return {(one.name, one.into_name) for one in found}


@pytest.mark.parametrize(
    ("rare", "known"),
    [
        ("Sergei Lavrov", "Sergey Lavrov"),
        ("V. Putin", "Vladimir Putin"),
        ("Putin Vladimir", "Vladimir Putin"),
        ("Vladimir Vladimirovich Putin", "Vladimir Putin"),
        ("Zelenskyy", "Zelensky"),
        ("Abdel Fattah al-Sisi", "Abdel Fattah el-Sisi"),
    ],
)
def test_other_spellings_of_a_name_are_proposed(rare: str, known: str) -> None:
    assert pairs(named(rare), named(known, 9)) == {(rare, known)}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Hillary Clinton", "Bill Clinton"),
        ("Bashar al-Assad", "Asma al-Assad"),
        ("Ada Brandt", "Hans Brandt"),
        ("Boris Johnson", "Boris Becker"),
    ],
)
def test_relatives_and_namesakes_are_not(one: str, other: str) -> None:
    assert pairs(named(one), named(other)) == set()


def test_kinds_and_countries_are_kept_apart() -> None:
    person, body = named("Brandt Lee"), named("Brandt Lee", kind=EntityKind.ORG)
    assert pairs(person, body) == set()
    niger = Named(key="country:NE", name="Niger", n_articles=3)
    nigeria = Named(key="country:NG", name="Nigeria", n_articles=3)
    assert pairs(niger, nigeria) == set()


def test_what_is_merged_already_is_not_proposed_again() -> None:
    one, other = named("Sergei Lavrov"), named("Sergey Lavrov", 9)
    assert pairs(one, other, merged={one.key: other.key}) == set()


def test_the_rarer_one_goes_into_the_other_and_the_likeliest_come_first() -> None:
    entities = [
        *(named("Sergei Lavrov", 2), named("Sergey Lavrov", 9)),
        *(named("A. Brandtner", 1), named("Ada Brandtner", 4)),
    ]
    found = suggest_merges(entities, {}, limit=100)
    assert [one.into_name for one in found] == ["Ada Brandtner", "Sergey Lavrov"]
    assert found[0].score > found[1].score
    assert suggest_merges(entities, {}, limit=1) == found[:1]


def test_a_word_that_very_many_names_have_compares_none_of_them() -> None:
    many = [named(f"{chr(97 + n % 26)}{n} Smith") for n in range(MAX_SHARING + 1)]
    assert pairs(*many) == set()
