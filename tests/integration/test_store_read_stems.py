"""Words are found by their stem too where the engine can, by the article's language."""

from collections.abc import Iterator

import pytest
from sqlalchemy import text
from support.rows import NOW, Rows, writing

from store.engine import is_postgresql
from store.search import Order, search

pytestmark = pytest.mark.unbalanced("its rows are made by hand")


@pytest.fixture
def rows(migrated_url: str) -> Iterator[Rows]:
    with writing(migrated_url) as made:
        yield made


def ids(rows: Rows, query: str, *, order: Order = Order.NEWEST) -> set[int]:
    return {hit.article.id for hit in search(rows.session, query, now=NOW, order=order)}


def test_a_bare_word_finds_its_stem_on_postgresql_and_itself_on_both(
    rows: Rows,
) -> None:
    feed = rows.feed()
    plural = rows.article(feed, text="Two ships sail.", language="en").id
    single = rows.article(feed, text="A ship sails.", language="en").id
    stems = is_postgresql(rows.session)
    assert ids(rows, "ships") == ({plural, single} if stems else {plural})
    assert ids(rows, "ship") == ({plural, single} if stems else {single})
    assert ids(rows, "ships", order=Order.RELEVANCE) == ids(rows, "ships")
    assert ids(rows, "-ships") == (set() if stems else {single})


def test_what_is_in_quotes_is_found_as_it_is_spelt_on_both(rows: Rows) -> None:
    feed = rows.feed()
    plural = rows.article(feed, text="Two ships sail.", language="en").id
    single = rows.article(feed, text="A ship sails.", language="en").id
    assert ids(rows, '"ships"') == {plural}
    assert ids(rows, '"ship"') == {single}
    assert ids(rows, '"ship sails"') == {single}
    assert ids(rows, '"ships sails"') == set()


def test_words_join_and_part_in_the_same_places_on_both(rows: Rows) -> None:
    feed = rows.feed()
    lead = (
        "See bbc.co.uk/news, a news-desk_2: AT&T <b>up</b> 3.5% at O'Brien's U.S. arm."
    )
    found = rows.article(feed, text=lead).id
    for query in (
        *("co.uk", "uk", "desk", '"desk 2"', "at&t", "t", "b", '"b up"', "3.5", "5"),
        *("o'brien", '"brien s u"', "u.s.", '"co uk news"', "brien"),
    ):
        assert ids(rows, query) == {found}, query
    assert ids(rows, "Sohne") == set()


def test_a_stem_counts_in_the_languages_that_have_it(rows: Rows) -> None:
    feed = rows.feed()
    spanish = rows.article(feed, text="Dos casas blancas.", language="es").id
    english = rows.article(feed, text="The CAS met.", language="en").id
    hindi = rows.article(feed, text="casa", language="xx").id
    # Spanish makes casas and casa one stem: cas. What else has these letters is
    # something else.
    stems = is_postgresql(rows.session)
    assert ids(rows, "casa") == ({spanish, hindi} if stems else {hindi})
    assert ids(rows, "casa language:es") == ({spanish} if stems else set())
    assert ids(rows, "casas language:en") == set()
    assert ids(rows, "cas") == {english} | ({spanish} if stems else set())


def test_stems_follow_the_language_once_it_is_known(rows: Rows) -> None:
    article = rows.article(rows.feed(), text="Two ships sail.")
    stems = is_postgresql(rows.session)
    assert ids(rows, "ship") == set()
    assert ids(rows, "ships") == {article.id}
    article.language = "en"
    rows.session.flush()
    assert ids(rows, "ship") == ({article.id} if stems else set())
    assert ids(rows, "ships language:en") == {article.id}
    article.language = "xx"
    rows.session.flush()
    assert ids(rows, "ship") == set()
    assert ids(rows, "ships language:en") == set()
    assert ids(rows, "ships language:xx") == {article.id}


def test_a_new_time_moves_an_article_in_the_search(rows: Rows) -> None:
    feed = rows.feed()
    first = rows.article(feed, text="ships").id
    second = rows.article(feed, text="ships", sort_at=NOW.replace(year=2020))
    found = search(rows.session, "ships", now=NOW)
    assert [hit.article.id for hit in found] == [first, second.id]
    second.sort_at = NOW.replace(year=2027)
    rows.session.flush()
    found = search(rows.session, "ships", now=NOW)
    assert [hit.article.id for hit in found] == [second.id, first]
    assert ids(rows, "ships since:2027-01-01") == {second.id}


def test_a_deleted_article_leaves_no_words_behind(rows: Rows) -> None:
    rows.article(rows.feed(), text="ships", language="en")
    for table in ("entry", "revision", "article"):
        rows.session.execute(text(f"DELETE FROM {table}"))  # noqa: S608  # our names
    rows.session.expunge_all()
    n_left = "SELECT count(*) FROM fts_article"
    if not is_postgresql(rows.session):
        n_left += " WHERE fts_article MATCH 'ships'"
    assert rows.session.scalar(text(n_left)) == 0
