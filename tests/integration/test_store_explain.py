"""Why an article is where it is, from what the line stored to what is printed."""

import json
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import pytest
from support.desk import Desk
from support.factories import HOUR, NOW, article, enriched, entities, entry
from support.rows import writing

from enrich.dedup.decide import MIN_CONTAINMENT
from enrich.dedup.fingerprint import fingerprint
from enrich.messages import ArticleToEnrich, EnrichedArticle, Lane, Language
from enrich.stories.assign import MIN_SIMILARITY
from enrich.stories.features import WordStatistics, describe, load_statistics
from ingest.articles import article_uid
from ingest.messages import Entry
from services.cli.output import ExitCode
from services.cli.program import main
from services.judging import JUDGE
from store.engine import transaction
from store.queries.explain import MAX_APPEARANCES, get_evidence
from store.results import save_enrichment
from store.words import EntryOutcome

FERRY = (
    "The ferry Nordstern sank off Hamburg on Monday night in the heaviest storm of the"
    " winter. Boats of the coast guard brought all forty passengers ashore, and a"
    " helicopter lifted the captain from the mast. Divers will look at the wreck of the"
    " ferry as soon as the storm is over, a spokesman of the coast guard said."
)
# All but its end, under another headline, with a line of its own.
REPRINT = f"{FERRY[:250]} Our own report, with agencies."
QUOTING = (
    "Insurers expect a costly season. Premiums rose by a tenth for the third year in a"
    " row, brokers in Zurich said, and underwriters want higher deductibles for yachts."
    " Boats of the coast guard brought all forty passengers ashore, and a helicopter"
    " lifted the captain from the mast, an analyst recalled; such rescues are costly,"
    " and reinsurers doubt whether markets price that risk well enough for next year."
)
SEQUEL = (
    "The captain of the ferry Nordstern, which sank in a storm off Hamburg, had been"
    " warned of the storm. Hamburg's coast guard told the captain hours before that the"
    " ferry should stay in port, the log of the coast guard shows. The ferry sailed."
)
CORRECTED = SEQUEL.replace("hours before", "two hours before")

Explain = Callable[[str], Any]


@cache
def statistics() -> WordStatistics:
    return load_statistics()


def said_by(name: str, text: str, **changes: Any) -> Entry:
    uid = article_uid(f"https://news.example/{name}")
    return entry(name, article=article(name, uid=uid, title=name, text=text, **changes))


def answer(one: ArticleToEnrich) -> EnrichedArticle:
    """Return results by the code of the line, but for language and names."""
    found = entities(one.title)
    return EnrichedArticle(
        article_id=one.article_id,
        revision=one.revision,
        language=Language(code="en", score=1.0, origin="declared"),
        entities=found,
        fingerprint=fingerprint(one.title, one.text),
        features=describe(
            title=one.title,
            text=one.text,
            language="en",
            entities=found.entities,
            statistics=statistics(),
        ),
    )


def enrich(desk: Desk) -> None:
    for command in desk.claim_articles(Lane.LIVE):
        event = enriched(command, articles=tuple(map(answer, command.articles)))
        with transaction(desk.engine) as session:
            save_enrichment(session, event, judge=JUDGE, now=desk.now, max_attempts=3)


@pytest.fixture
def desk(migrated_url: str) -> Iterator[Desk]:
    made = Desk(migrated_url)
    yield made
    made.engine.dispose()


@pytest.fixture
def news(desk: Desk) -> dict[str, str]:
    """Return title -> id of articles that came by and by."""
    said = {"Ferry": FERRY, "Reprint": REPRINT, "Quoting": QUOTING, "Sequel": SEQUEL}
    for hours, (name, text) in enumerate(said.items()):
        desk.poll(said_by(name, text, published_at=NOW - HOUR * (9 - hours)))
        enrich(desk)
    return {name: str(number) for number, name in enumerate(said, start=1)}


@pytest.fixture
def explain(
    migrated_url: str,
    news: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path_factory: pytest.TempPathFactory,
) -> Explain:
    monkeypatch.setenv("WIREROOM_DATABASE_URL", migrated_url)
    monkeypatch.setenv("WIREROOM_HOME", str(tmp_path_factory.mktemp("home")))

    def explain(name: str) -> Any:
        assert main(["explain", news.get(name, name), "--json"]) == ExitCode.OK
        return json.loads(capsys.readouterr().out)

    return explain


def test_a_copy_is_explained_by_its_passages_and_its_original(explain: Explain) -> None:
    found = explain("Reprint")["copy_of"]
    assert (found["original_id"], found["title"]) == (1, "Ferry")
    assert found["containment"] >= MIN_CONTAINMENT
    longest = found["passages"][0]
    assert longest["n_tokens"] > 40
    assert longest["in_article"] in REPRINT
    assert longest["in_article"] == longest["in_original"]
    assert explain("Ferry")["copy_of"] is None


def test_a_copy_with_other_numbers_is_explained_by_the_numbers(
    explain: Explain, desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    found = explain("Reprint")["copy_of"]
    assert not found["numbers_differ"]
    assert found["numbers_only_here"] == found["numbers_only_there"] == []
    counted = REPRINT.replace("all forty", "40 of 41")
    desk.poll(said_by("Counted", counted, published_at=NOW))
    desk.poll(
        said_by("Recounted", counted.replace("40", "38"), published_at=NOW - 99 * HOUR)
    )
    enrich(desk)
    found = explain("5")["copy_of"]
    assert found["numbers_differ"]
    assert (found["numbers_only_here"], found["numbers_only_there"]) == (["40"], ["38"])
    assert main(["explain", "5"]) == ExitCode.OK
    assert "numbers_only_there  38" in capsys.readouterr().out


def test_what_shares_a_passage_and_is_no_copy_is_told_with_its_scores(
    explain: Explain,
) -> None:
    found = explain("Quoting")
    assert found["copy_of"] is None
    almost = found["almost_copies"]
    assert {one["article_id"] for one in almost} == {1, 2}
    for one in almost:
        assert 0 < one["containment"] < found["min_containment"] == MIN_CONTAINMENT
        assert one["n_shared_keys"] >= 1
    # The copy is none that almost was one.
    assert [one["article_id"] for one in explain("Ferry")["almost_copies"]] == [3]


def test_a_story_is_explained_by_what_it_shares_with_the_article(
    explain: Explain,
) -> None:
    found = explain("Sequel")
    story = found["story"]
    assert (story["story_id"], story["role"], story["n_articles"]) == (1, "member", 2)
    assert story["score"] >= MIN_SIMILARITY == found["min_similarity"]
    terms = [one["term"] for one in story["terms"]]
    assert {"ferry", "nordstern"} <= set(terms)
    shares = [one["share"] for one in story["terms"]]
    assert shares == sorted(shares, reverse=True)
    assert sum(shares) <= story["similarity"] + 1e-9
    # Of what opened a story, the score is that of the nearest one it did not join.
    found = explain("Quoting")
    assert found["story"]["role"] == "opener"
    assert 0 < found["story"]["score"] < MIN_SIMILARITY
    assert found["other_stories"][0]["title"] == "Ferry"


def test_the_key_and_the_feeds_of_an_article_are_told(
    explain: Explain, desk: Desk
) -> None:
    again = said_by("Ferry", FERRY, published_at=NOW - 9 * HOUR)
    desk.poll(again, feed="paper")
    found = explain("Ferry")
    assert found["n_appearances"] == 2
    assert [(one["feed"], one["outcome"]) for one in found["appearances"]] == [
        ("https://feed.example/feed", "stored"),
        ("https://paper.example/feed", "duplicate"),
    ]
    assert found["identity"] == {
        "uid": article_uid("https://news.example/Ferry"),
        "made_of": "address",
        "value": "https://news.example/Ferry",
    }


@pytest.mark.unbalanced("its rows are made by hand")
def test_an_article_of_many_feeds_is_explained_by_the_first_ones(
    migrated_url: str,
) -> None:
    with writing(migrated_url) as rows:
        feed = rows.feed()
        one = rows.article(feed)
        for _ in range(MAX_APPEARANCES):
            rows.entry(feed, article=one, outcome=EntryOutcome.DUPLICATE)
        found = get_evidence(rows.session, one.id, judge=JUDGE)
    assert (found.n_appearances, len(found.keys)) == (101, MAX_APPEARANCES)
    assert found.keys[0].outcome == EntryOutcome.STORED
    assert (found.membership, found.copy_of, found.nearest) == (None, None, ())


def test_revisions_say_what_is_new_in_them(explain: Explain, desk: Desk) -> None:
    assert [one["new_text"] for one in explain("Sequel")["revisions"]] == [None]
    desk.poll(said_by("Sequel", CORRECTED))
    first, second = explain("Sequel")["revisions"]
    assert (first["number"], second["number"]) == (1, 2)
    assert (second["new_title"], second["new_text"]) == (False, True)


def test_people_get_tables_and_a_reason_where_there_is_nothing(
    explain: Explain, news: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert explain("1")["title"] == "Ferry"
    assert main(["explain", news["Reprint"]]) == ExitCode.OK
    printed = capsys.readouterr().out
    for words in ("Copy of", "Longest matching passages", "Story", "nordstern"):
        assert words in printed
    assert main(["explain", "99"]) == ExitCode.PROBLEMS
    assert "there is no article 99" in capsys.readouterr().err
