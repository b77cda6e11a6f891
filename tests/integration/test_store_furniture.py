"""Furniture among marks: learned each night, and left out of every comparison."""

from collections.abc import Iterator
from dataclasses import replace
from hashlib import sha256

import pytest
from sqlalchemy import select
from support.desk import Desk
from support.factories import HOUR, JUDGE, NOW, article, entry

from services.copies import find_copies, read_text
from store import learned_marks, maintenance
from store.engine import reading, transaction
from store.models import Article, CopyPair, Duplicate, SourceFurniture
from store.night import Keep, Report

KEEP = Keep(polls_days=90, audit_log_days=90, story_days=90, index_days=0)
N_ARTICLES = 30


def words(topic: str, n_words: int) -> str:
    """Return words of which no two stand side by side in another topic."""
    return " ".join(
        sha256(f"{topic} {number}".encode()).hexdigest()[:7]
        for number in range(n_words)
    )


def footed(paper: str, topic: str) -> str:
    return f"{words(topic, 34)} {words(f'footer of {paper}', 60)}"


@pytest.fixture
def desk(migrated_url: str) -> Iterator[Desk]:
    made = Desk(migrated_url)
    yield made
    made.assert_balanced()
    made.engine.dispose()


def print_in(desk: Desk, paper: str, texts: list[str], hour: int = 0) -> None:
    entries = [
        entry(
            name,
            article=article(
                name,
                uid=sha256(name.encode()).hexdigest(),
                source=paper,
                text=text,
                published_at=NOW + (hour - number) * HOUR / 60,
            ),
        )
        for number, text in enumerate(texts)
        for name in [f"{paper} {sha256(text.encode()).hexdigest()[:9]}"]
    ]
    desk.poll(*entries, feed=paper)
    desk.enrich()


def maintain(desk: Desk) -> Report:
    return maintenance.maintain(desk.engine, keep=KEEP, judge=JUDGE, now=desk.now)


def copies(desk: Desk) -> set[tuple[str, str, str, float]]:
    """Return the verdicts by sources, with kind and containment."""
    found = set()
    with reading(desk.engine) as session:
        sources = dict(session.execute(select(Article.id, Article.source)).all())
        for one in session.scalars(select(Duplicate)):
            both = (sources[one.article_id], sources[one.original_id])
            found.add((*both, one.kind, round(one.containment, 4)))
    return found


def n_marks(desk: Desk, paper: str) -> int:
    return int(desk.one(SourceFurniture, SourceFurniture.source == paper).n_marks)


def test_articles_that_share_a_footer_are_copies_until_it_is_learned(
    desk: Desk,
) -> None:
    print_in(desk, "courier", [footed("courier", f"t{n}") for n in range(N_ARTICLES)])
    assert desk.count(Duplicate) > N_ARTICLES / 2
    report = maintain(desk)
    assert (report.furnished, report.left) == (1, [])
    assert 12 <= n_marks(desk, "courier") <= 20
    assert (desk.count(Duplicate), desk.count(CopyPair)) == (0, 0)
    assert maintain(desk) == Report()
    # What comes now is judged without it at once.
    print_in(desk, "courier", [footed("courier", "later")], hour=1)
    assert desk.count(CopyPair) == 0


def test_a_real_copy_between_two_sources_with_footers_is_found(desk: Desk) -> None:
    for paper in ("courier", "herald"):
        texts = [footed(paper, f"{paper}{n}") for n in range(N_ARTICLES)]
        print_in(desk, paper, [*texts, footed(paper, "agency")])
    assert not any(one[:2] == ("herald", "courier") for one in copies(desk))
    maintain(desk)
    assert {one[:2] for one in copies(desk)} == {("herald", "courier")}


def test_a_much_reprinted_article_keeps_its_marks(desk: Desk) -> None:
    whole = words("agency", 200).split()
    edited = [
        " ".join("other" if (n + shift) % 20 == 0 else w for n, w in enumerate(whole))
        for shift in range(20)
    ]
    parts = [" ".join(whole[: 60 + 5 * n]) for n in range(20)]
    more = [f"{' '.join(whole)} {words(f'more {n}', 60)}" for n in range(20)]
    print_in(desk, "courier", [" ".join(whole), *edited, *parts, *more])
    before = copies(desk)
    assert desk.count(Duplicate) > 50
    assert maintain(desk).furnished == 1
    assert n_marks(desk, "courier") == 0
    assert copies(desk) == before


def test_what_is_no_longer_in_the_newest_articles_is_forgotten(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(learned_marks, "SAMPLE", 40)
    monkeypatch.setattr(learned_marks, "STEP", 7)
    print_in(desk, "courier", [footed("courier", f"t{n}") for n in range(N_ARTICLES)])
    maintain(desk)
    assert n_marks(desk, "courier") > 0
    print_in(desk, "courier", [words(f"new {n}", 90) for n in range(40)], hour=9)
    maintain(desk)
    assert n_marks(desk, "courier") == 0
    assert desk.one(SourceFurniture).n_articles == 40


def test_few_articles_teach_nothing_and_little_news_is_not_looked_at(
    desk: Desk,
) -> None:
    print_in(desk, "courier", [footed("courier", f"t{n}") for n in range(20)])
    assert maintain(desk).furnished == 0
    print_in(desk, "herald", [words(f"t{n}", 60) for n in range(220)])
    assert maintain(desk).furnished == 1
    print_in(desk, "herald", [words(f"later{n}", 60) for n in range(21)], hour=2)
    assert maintain(desk).furnished == 0


def test_learning_goes_on_where_the_time_was_up(desk: Desk) -> None:
    texts = [footed("courier", f"t{n}") for n in range(N_ARTICLES)]
    print_in(desk, "courier", texts)

    def one_step() -> Report:
        return maintenance.maintain(
            desk.engine, keep=KEEP, judge=JUDGE, now=desk.now, is_over=lambda: True
        )

    report = one_step()
    assert (report.furnished, report.unfinished) == (0, True)
    assert n_marks(desk, "courier") > 0
    assert desk.count(Duplicate) > 0
    assert one_step().furnished == 1
    assert desk.count(Duplicate) == 0


def test_longer_articles_are_fewer_to_look_at(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    print_in(desk, "courier", [footed("courier", f"t{n}") for n in range(N_ARTICLES)])
    monkeypatch.setattr(learned_marks, "MAX_SAMPLE_BYTES", 4_000)
    maintain(desk)
    assert 10 < desk.one(SourceFurniture).n_articles < N_ARTICLES
    with transaction(desk.engine) as session:
        assert not learned_marks.step(session, "none", judge=JUDGE, now=desk.now)


def test_the_offline_command_learns_the_same(desk: Desk) -> None:
    texts = {
        paper: [footed(paper, topic) for topic in ("agency", *"abcdefghijklmnopqrstu")]
        for paper in ("courier", "herald")
    }
    for paper, some in texts.items():
        print_in(desk, paper, some)
    maintain(desk)
    read = [
        replace(read_text(number, title="", text=text, url="", at=None), source=paper)
        for number, (paper, text) in enumerate(
            (paper, text) for paper, some in texts.items() for text in some
        )
    ]
    sources = {one.number: one.source for one in read}
    found = {
        (sources[link.number], sources[link.other], link.kind, round(link.score, 4))
        for link in find_copies(read)
    }
    assert found == copies(desk)
    assert {one[:2] for one in found} == {("herald", "courier")}
