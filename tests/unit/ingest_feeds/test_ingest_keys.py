"""An entry has one key, which stays its own from poll to poll."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.keys import Facts, Key, assign_keys, choose_mode
from ingest.messages import KeyMode

SITE = "https://paper.example/"
NEWS = "https://paper.example/news/"


def facts(name: str, **changes: Any) -> Facts:
    values: dict[str, Any] = {
        "guid": f"id-{name}",
        "link": NEWS + name,
        "title": f"Title {name}",
        "date": f"2026-03-0{len(name)}",
        "content": f"hash-{name}",
        "updated_at": None,
    }
    return Facts(**{**values, **changes})


def keys(*items: Facts, mode: KeyMode | None = None) -> list[Key]:
    chosen = choose_mode(items, mode)
    assert chosen is not None
    return assign_keys(items, chosen, site_url=SITE)


def test_a_guid_is_the_key_where_each_item_has_its_own() -> None:
    assert [key.key for key in keys(facts("a"), facts("b"))] == ["id-a", "id-b"]


@pytest.mark.parametrize(
    ("missing", "mode"),
    [
        ({"guid": None}, KeyMode.LINK),
        ({"guid": "same"}, KeyMode.LINK),
        ({"guid": None, "link": NEWS}, KeyMode.TITLE_DATE),
        ({"guid": None, "link": None}, KeyMode.TITLE_DATE),
        ({"guid": None, "link": None, "date": None}, KeyMode.CONTENT),
        ({"guid": None, "link": None, "title": "same", "date": "x"}, KeyMode.CONTENT),
    ],
)
def test_the_mode_is_the_first_that_tells_the_items_apart(
    missing: dict[str, str | None], mode: KeyMode
) -> None:
    items = [facts(name, **missing) for name in "abc"]
    assert choose_mode(items, None) is mode
    made = keys(*items)
    assert len({key.key for key in made}) == 3
    assert {key.mode for key in made} == {mode}


def test_a_few_items_without_a_guid_do_not_change_the_mode() -> None:
    items = [facts(str(n)) for n in range(19)] + [facts("x", guid=None)]
    made = keys(*items)
    assert made[0].mode is KeyMode.GUID
    assert (made[-1].key, made[-1].mode) == (NEWS + "x", KeyMode.LINK)


def test_a_mode_once_chosen_stays_while_it_separates() -> None:
    items = [facts("a"), facts("b"), facts("c", link=None)]
    assert choose_mode(items, KeyMode.LINK) is KeyMode.LINK
    assert choose_mode([facts(name, link=NEWS) for name in "abc"], KeyMode.LINK) is (
        KeyMode.GUID
    )
    assert choose_mode([], KeyMode.LINK) is KeyMode.LINK
    assert choose_mode([], None) is None


def test_one_guid_on_two_pages_is_two_entries() -> None:
    others = [facts(str(n)) for n in range(20)]
    first, second, *_ = keys(
        facts("a", guid="same"), facts("b", guid="same"), *others, mode=KeyMode.GUID
    )
    assert (first.key, second.key) == (f"same {NEWS}a", f"same {NEWS}b")
    assert not first.is_duplicate
    assert "guid:same" not in (*first.aliases, *second.aliases)


def test_of_two_twins_one_is_kept_and_the_other_counted() -> None:
    first, second = keys(facts("a"), facts("a"))
    assert (first.key, first.is_duplicate) == ("id-a", False)
    assert (second.key, second.is_duplicate, second.aliases) == ("id-a#2", True, ())


def test_of_two_twins_the_one_updated_later_is_kept() -> None:
    older = facts("a", updated_at=datetime(2026, 3, 1, tzinfo=UTC))
    newer = replace(older, updated_at=datetime(2026, 3, 2, tzinfo=UTC))
    assert [key.is_duplicate for key in keys(older, newer)] == [True, False]
    assert [key.is_duplicate for key in keys(newer, older)] == [False, True]


def test_an_item_with_nothing_has_only_its_place() -> None:
    nothing = Facts(
        guid=None, link=None, title=None, date=None, content=None, updated_at=None
    )
    made = keys(facts("a"), nothing, nothing)
    assert [key.is_identity for key in made] == [True, False, False]
    assert len({key.key for key in made}) == 3


def test_an_entry_is_also_known_by_its_paths() -> None:
    (key,) = keys(facts("a", guid="http://Paper.example/?p=7"))
    assert key.aliases == ("guid:/?p=7", "link://paper.example/news/a")


def test_the_address_of_a_site_names_no_entry() -> None:
    (key,) = keys(facts("a", guid="https://paper.example/"))
    assert key.aliases == ("link://paper.example/news/a",)


def test_a_path_names_nothing_in_a_feed_of_many_publishers() -> None:
    first, second = keys(
        facts("a", guid="http://a.example/?p=7"),
        facts("b", guid="http://b.example/?p=8"),
    )
    assert first.aliases[0] == "guid:http://a.example/?p=7"
    assert second.aliases[0] == "guid:http://b.example/?p=8"


@pytest.mark.parametrize("front", [SITE, "https://other.example", "https://o.example/"])
def test_a_front_page_is_nobodys_article(front: str) -> None:
    (key,) = keys(facts("a", link=front))
    assert not key.owns_link
    assert not [alias for alias in key.aliases if alias.startswith("link:")]


def test_a_page_that_items_share_is_nobodys_article() -> None:
    first, second, third = keys(
        facts("a", link=NEWS), facts("b", link=NEWS), facts("c")
    )
    assert [key.owns_link for key in (first, second, third)] == [False, False, True]
    assert first.aliases == ("guid:id-a",)


def test_a_long_key_is_cut_and_stays_its_own() -> None:
    long = "x" * 5000
    first, second = keys(facts("a", guid=long + "1"), facts("b", guid=long + "2"))
    assert first.key != second.key
    assert max(len(first.key), len(first.aliases[0])) <= 500


names = st.sampled_from(["", "a", "b", "c", "a#2", "x" * 501])
some = st.none() | names.filter(bool)
anything = st.builds(
    Facts,
    guid=some,
    link=st.none() | st.sampled_from([SITE, NEWS + "a", NEWS + "b"]),
    title=some,
    date=some,
    content=some,
    updated_at=st.none() | st.datetimes(timezones=st.just(UTC)),
)


@given(st.lists(anything, max_size=12), st.none() | st.sampled_from(KeyMode))
def test_no_two_entries_of_a_document_share_a_key_or_an_alias(
    items: list[Facts], kept: KeyMode | None
) -> None:
    mode = choose_mode(items, kept)
    if mode is None:
        return
    made = assign_keys(items, mode, site_url=SITE)
    aliases = [alias for key in made for alias in key.aliases]
    assert len({key.key for key in made}) == len(items)
    assert len(set(aliases)) == len(aliases)
    assert all(0 < len(name) <= 500 for name in (*aliases, *(key.key for key in made)))


@given(st.lists(anything, max_size=12, unique_by=lambda it: it.guid), st.randoms())
def test_the_order_of_a_document_changes_no_key(
    items: list[Facts], random: Any
) -> None:
    items = [item for item in items if item.guid]
    shuffled = list(items)
    random.shuffle(shuffled)
    mode = choose_mode(items, None)
    if mode is None:
        return
    before = dict(zip(items, assign_keys(items, mode, site_url=SITE), strict=True))
    after = dict(zip(shuffled, assign_keys(shuffled, mode, site_url=SITE), strict=True))
    assert {it.guid: before[it].key for it in items if mode is KeyMode.GUID} == {
        it.guid: after[it].key for it in items if mode is KeyMode.GUID
    }


def test_a_page_has_one_name_under_http_and_https() -> None:
    (old,) = keys(facts("a", link="http://paper.example/news/a"))
    (new,) = keys(facts("a"))
    assert old.aliases == new.aliases
