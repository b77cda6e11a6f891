"""Search finds the same articles on both engines, and no string can break it."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select, text
from support.rows import NOW, Rows, writing

from store.engine import Session, is_postgresql, open_engine, reading
from store.errors import BadQuery
from store.models import Article
from store.query_language import AllOf, Words
from store.search import Order, SearchHit, search
from store.text_index import text_index

HOUR = timedelta(hours=1)
TEXTS = {
    "storm": ("Storm hits the harbour", "High water in Hamburg. Ships stay in port."),
    "vote": (
        "Council votes on the harbour",
        "The prime minister said no to bbc.co.uk.",
    ),
    "minister": ("Minister resigns", "The minister of the prime region left."),
    "news": ("A news-desk moves", "It's 3.5 percent dearer, says O'Brien & Söhne."),
    "hindi": ("हिन्दी समाचार", "आज की ताज़ा खबर।"),
}


def fill(rows: Rows) -> None:
    feed = rows.feed()
    putin = rows.entity("per:putin", "Vladimir Putin", "PER", "Putin")
    for age, (name, (title, lead)) in enumerate(TEXTS.items()):
        article = rows.article(
            feed,
            title=title,
            text=lead,
            byline=name,
            source="bbc.co.uk" if name == "storm" else "paper.test",
            language="hi" if name == "hindi" else "en",
            sort_at=NOW - age * HOUR,
        )
        if name == "vote":
            rows.names(article, putin)


@pytest.fixture
def session(migrated_url: str) -> Iterator[Session]:
    with writing(migrated_url) as rows:
        fill(rows)
    engine = open_engine(migrated_url)
    with reading(engine) as session:
        yield session
    engine.dispose()


def names(hits: tuple[SearchHit, ...]) -> list[str | None]:
    return [hit.article.byline for hit in hits]


def test_queries_find_what_they_say_newest_first(session: Session) -> None:
    answers = {
        "harbour": ["storm", "vote"],
        "HARBOUR": ["storm", "vote"],
        "harbour votes": ["vote"],
        "harbour -votes": ["storm"],
        "-harbour": ["minister", "news", "hindi"],
        "hamburg OR resigns": ["storm", "minister"],
        "minister hamburg OR resigns": ["minister"],
        '"prime minister"': ["vote"],
        "prime minister": ["vote", "minister"],
        "bbc.co.uk": ["vote"],
        "news-desk": ["news"],
        '"news desk"': ["news"],
        "o'brien": ["news"],
        "3.5": ["news"],
        "Söhne": ["news"],
        "समाचार": ["hindi"],
        "source:bbc.co.uk": ["storm"],
        "-source:paper.test": ["storm"],
        "source:bbc.co.uk OR resigns": ["storm", "minister"],
        "language:hi": ["hindi"],
        "entity:Putin": ["vote"],
        "entity:per:putin harbour": ["vote"],
        "-entity:putin harbour": ["storm"],
        "since:90m": ["storm", "vote"],
        "until:2026-11-22T11:00Z": ["minister", "news", "hindi"],
        "nowhere": [],
    }
    found = {query: names(search(session, query, now=NOW)) for query in answers}
    assert found == answers


def test_pages_follow_each_other(session: Session) -> None:
    (first,) = search(session, "harbour", now=NOW, limit=1)
    (second,) = search(
        session, "harbour", now=NOW, limit=1, before=first.article.cursor
    )
    assert names((first, second)) == ["storm", "vote"]
    assert search(session, "harbour", now=NOW, before=second.article.cursor) == ()


def test_relevance_puts_the_better_match_first(session: Session) -> None:
    hits = search(session, "minister", now=NOW, order=Order.RELEVANCE)
    assert names(hits) == ["minister", "vote"]
    scores = [hit.score or 0 for hit in hits]
    assert scores[0] > scores[1]
    assert search(session, "minister", now=NOW)[0].score is None


def test_relevance_without_words_is_the_order_of_time(session: Session) -> None:
    hits = search(session, "language:en", now=NOW, order=Order.RELEVANCE)
    assert names(hits) == ["storm", "vote", "minister", "news"]


def test_a_story_can_be_searched(migrated_url: str) -> None:
    with writing(migrated_url) as rows:
        feed = rows.feed()
        of_it = [rows.article(feed, text="Storm.", byline=name) for name in "ab"]
        rows.article(feed, text="Storm.", byline="other")
        story = rows.story(*of_it)
        found = search(rows.session, f"storm story:{story.id}", now=NOW)
        assert names(found) == ["b", "a"]
        assert search(rows.session, f"story:{story.id + 1}", now=NOW) == ()


@pytest.mark.parametrize("max_few", [0, 1, 10_000])
def test_many_hits_are_walked_through_and_few_looked_up_with_the_same_answer(
    migrated_url: str, max_few: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("store.text_index.MAX_FEW", max_few)
    texts = (
        *("High water now.", "high-water mark", "Water is high.", "High, water!"),
        *(
            "higher waters",
            "The HIGH\nWATER",
            "high over water",
            "high waters, hiGh wateR",
        ),
    )
    with writing(migrated_url) as rows:
        feed = rows.feed()
        for age, lead in enumerate(texts):
            rows.article(
                feed,
                text=lead,
                byline=str(age),
                source="odd" if age % 2 else "even",
                sort_at=NOW - age * HOUR,
            )
        rows.session.flush()
        whole = search(rows.session, '"high water"', now=NOW)
        assert names(whole) == ["0", "1", "3", "5", "7"]
        page = search(
            rows.session,
            '"high water"',
            now=NOW,
            limit=2,
            before=whole[1].article.cursor,
        )
        assert names(page) == ["3", "5"]
        odd = search(rows.session, '"high water" source:odd', now=NOW, limit=2)
        assert names(odd) == ["1", "3"]
        either = search(rows.session, '"high water" OR waters', now=NOW)
        assert names(either) == ["0", "1", "3", "4", "5", "7"]


def test_letters_that_become_ascii_in_lower_case_are_found(migrated_url: str) -> None:
    with writing(migrated_url) as rows:
        rows.article(rows.feed(), text="\u212alassik in \u0130stanbul")
        condition = text_index(rows.session).matches(Words(text="klassik"))
        indexed = rows.session.scalars(select(Article.id).where(condition)).all()
        found = search(rows.session, "klassik", now=NOW)
        assert [hit.article.id for hit in found] == list(indexed)


def test_relevance_cannot_be_paged(session: Session) -> None:
    (first, _) = search(session, "harbour", now=NOW)
    with pytest.raises(BadQuery, match="only the newest-first order"):
        search(
            session,
            "harbour",
            now=NOW,
            order=Order.RELEVANCE,
            before=first.article.cursor,
        )


def test_a_snippet_shows_the_word_in_its_place(migrated_url: str) -> None:
    with writing(migrated_url) as rows:
        lead = "Before. " * 40 + "The needle lies here. " + "After. " * 40
        rows.article(rows.feed(), text=lead)
        (hit,) = search(rows.session, "NEEDLE", now=NOW)
        assert "The needle lies here." in hit.snippet
        assert hit.snippet.startswith("… Before.")
        assert hit.snippet.endswith(" …")


def test_changed_and_new_texts_are_found_at_once(migrated_url: str) -> None:
    with writing(migrated_url) as rows:
        article = rows.article(rows.feed(), text="Old words.")
        assert search(rows.session, "old", now=NOW)
        article.lead = "New words."
        rows.session.flush()
        assert search(rows.session, "old", now=NOW) == ()
        assert search(rows.session, "new", now=NOW)


def test_the_full_text_index_serves_the_search(session: Session) -> None:
    condition = text_index(session).matches(AllOf(parts=(Words(text="harbour"),)))
    literal = (
        select(Article.id)
        .where(condition)
        .compile(session.get_bind(), compile_kwargs={"literal_binds": True})
    )
    explain, sign = "EXPLAIN QUERY PLAN", "VIRTUAL TABLE INDEX"
    if is_postgresql(session):
        session.execute(text("SET LOCAL enable_seqscan = off"))
        explain, sign = "EXPLAIN", "fts_article"
    plan = session.execute(text(f"{explain} {literal}"))
    assert any(sign in str(row) for row in plan)


PIECES = st.sampled_from(
    [
        *('"', "'", "''", '""', "-", "--", "/*", "*", "^", "+", ":", "(", ")", ";"),
        *(" ", "OR", "AND", "NOT", "NEAR(a b)", "a", "harbour", "\\", "%", "_", "$$"),
        *("source:", "entity:", "since:1d", "lead:", "{a}", "&", "|", "!", "<->", "\0"),
        *("ﬁ", "İ", "\ud800", "😀", "\u0301", "x" * 150, "; DROP TABLE article"),
    ]
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.one_of(st.text(), st.lists(PIECES).map("".join)), st.sampled_from(list(Order))
)
def test_any_string_is_searched_for_or_refused(
    session: Session, query: str, order: Order
) -> None:
    try:
        hits = search(session, query, now=NOW, order=order)
    except BadQuery:
        return
    assert len(hits) <= len(TEXTS)
