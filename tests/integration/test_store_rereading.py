"""Lines are kept, furniture is learned of them, and stored documents are read again."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest
from sqlalchemy import select, update
from support.desk import Desk
from support.factories import JUDGE, LIMITS, article, entry

from ingest.filemessages import FilesRead, ReadFiles, mark_of
from ingest.files import read_files
from ingest.messages import REVIEW_BELOW, KeyMode, utc_now
from ingest.packedlines import pack_lines, unpack_lines
from ingest.readers.registry import list_extractors
from services.cli.program import main
from store import (
    files,
    learned,
    maintenance,
    queries,
    reads,
    rereading,
    retention,
    schema,
)
from store.engine import reading, transaction
from store.errors import NotFound
from store.limits import FileLimits, Limits
from store.lines import find_lines
from store.models import (
    Article,
    Document,
    Entry,
    LearnedLine,
    Revision,
    RevisionLines,
    RunFile,
)
from store.night import Keep
from store.retention import Scope
from store.reviews import accept_articles
from store.words import RunKind

NOTICE = (
    "The Gazette is owned by its readers and has reported from the coast for years."
)
TOPICS = ("harbour", "orchard", "railway", "theatre")
KEEP = Keep(polls_days=90, audit_log_days=730, story_days=30, index_days=90)
EXTRACTORS = frozenset(list_extractors())


def paragraphs(topic: str) -> str:
    return (
        f"The {topic} was the only thing that the council of the town spoke of in May."
        "\n\n"
        f"Nobody on the {topic} side, said the mayor, had been asked about a price."
    )


def dump(topic: str) -> str:
    head = f"fbpx\n\nWhat becomes of the {topic} now\n\n[ssba]"
    return f"{head}\n\n{paragraphs(topic)}\n\n{NOTICE}\n\nLeave a comment\n"


@dataclass
class Office:
    """A store, a reader of files without a queue between them, and a folder."""

    desk: Desk
    folder: Path
    limits: Limits = LIMITS

    def ingest(self, *topics: str, source: str = "gazette") -> None:
        """Write pages into files and read them as `wireroom ingest` would."""
        for topic in topics:
            (self.folder / f"{topic}.txt").write_text(dump(topic), "utf-8")
        self.add(
            *(str(self.folder / f"{topic}.txt") for topic in topics), source=source
        )
        self.work()

    def add(self, *paths: str, source: str = "gazette") -> None:
        """Write down that files are to be read."""
        with transaction(self.desk.engine) as session:
            run = files.start_run(session, RunKind.INGEST, "t", now=self.desk.now)
            new = [
                files.NewFile(path=path, source=source, source_is_given=True)
                for path in paths
            ]
            files.add_files(session, run, new, now=self.desk.now)
            files.close_run(session, run, now=self.desk.now)

    def claim(self) -> list[ReadFiles]:
        with transaction(self.desk.engine) as session:
            return files.claim_files(
                session,
                now=self.desk.now,
                limits=self.limits,
                file_limits=FileLimits(whole=100_000, streamed=100_000),
            )

    def save(self, event: FilesRead) -> int:
        with transaction(self.desk.engine) as session:
            return reads.save_files(session, event, now=self.desk.now)

    def work(self) -> list[FilesRead]:
        """Read all that is due, and enrich it; return the answers."""
        answers = [
            event
            for command in self.claim()
            for event in read_files(command, now=self.desk.now)
        ]
        for event in answers:
            self.save(event)
        self.desk.enrich()
        return answers

    def learn(self) -> int:
        report = maintenance.maintain(
            self.desk.engine, keep=KEEP, judge=JUDGE, now=self.desk.now
        )
        return report.learned

    def stale(self, **wanted: Any) -> list[int]:
        asked = rereading.Wanted(**{"extractors": EXTRACTORS} | wanted)
        with reading(self.desk.engine) as session:
            return rereading.find_stale(session, asked)

    def order(self) -> int:
        ids = self.stale()
        with transaction(self.desk.engine) as session:
            return rereading.order_files(session, ids, now=self.desk.now)

    def text(self, topic: str) -> str:
        query = select(Revision.text).where(
            Revision.article_id == Article.id,
            Revision.number == Article.current_revision,
            Article.title == f"What becomes of the {topic} now",
        )
        with reading(self.desk.engine) as session:
            return session.scalars(query).one()

    def lines(self, article_id: int) -> list[tuple[str, str]]:
        with reading(self.desk.engine) as session:
            return unpack_lines(find_lines(session, article_id))


@pytest.fixture
def office(migrated_url: str, tmp_path: Path) -> Iterator[Office]:
    desk = Desk(migrated_url)
    yield Office(desk, tmp_path)
    desk.assert_balanced()
    desk.engine.dispose()


def books(desk: Desk) -> list[Any]:
    """Return what twice must leave as once did."""
    columns = (RunFile.id, RunFile.state, RunFile.n_seen, RunFile.learned_up_to)
    with reading(desk.engine) as session:
        texts = select(Revision.article_id, Revision.number, Revision.content_hash)
        known = select(LearnedLine.id, LearnedLine.hash, LearnedLine.n_texts)
        lines = select(RevisionLines.article_id, RevisionLines.packed)
        return [
            sorted(map(tuple, session.execute(query)))
            for query in (texts, known, lines, select(*columns))
        ]


def test_a_line_that_was_learned_leaves_the_texts_that_are_stored(
    office: Office,
) -> None:
    desk = office.desk
    office.ingest(*TOPICS[:3])
    assert NOTICE in office.text("harbour")
    assert office.stale() == []
    assert office.learn() == 1
    assert desk.one(LearnedLine).text == NOTICE
    for path in office.folder.glob("*.txt"):
        path.write_text("What stands here now is of no matter.", "utf-8")
    assert office.order() == 3
    (event,) = office.work()
    assert all(read.from_document and read.document is None for read in event.reads)
    for topic in TOPICS[:3]:
        assert office.text(topic) == paragraphs(topic)
    assert desk.count(Revision) == 6
    assert desk.count(Article, Article.current_revision == 2) == 3
    assert desk.count(RunFile, RunFile.n_new == 1, RunFile.n_revised == 1) == 3
    (first, *_) = (kind for kind, text in office.lines(1) if text == NOTICE)
    assert first == "furniture"
    desk.assert_balanced()
    before = books(desk)
    assert (office.learn(), office.order(), office.work()) == (0, 0, [])
    assert office.save(event) == 0
    assert books(desk) == before


def test_what_is_read_later_knows_what_was_learned(office: Office) -> None:
    office.ingest(*TOPICS[:3])
    office.learn()
    office.ingest("theatre")
    assert office.text("theatre") == paragraphs("theatre")
    newest = office.desk.one(RunFile, RunFile.path.endswith("theatre.txt"))
    assert newest.learned_up_to == office.desk.one(LearnedLine).id
    assert newest.id not in office.stale()
    assert len(office.stale()) == 3


def test_a_file_teaches_once_and_its_own_source(office: Office) -> None:
    office.ingest("harbour")
    office.ingest("harbour", "orchard")
    office.ingest(*TOPICS[2:], source="herald")
    assert office.learn() == 0
    with reading(office.desk.engine) as session:
        assert not learned.has_news(session)


def page(topic: str) -> str:
    lines = dump(topic).split("\n\n")[3:]
    body = "".join(f"<p>{line}</p>" for line in lines)
    title = f"What becomes of the {topic} now"
    return f"<html><body><h1>{title}</h1><p>[ssba]</p>{body}</body></html>"


def save_pages(office: Office, *topics: str) -> None:
    for topic in topics:
        (office.folder / f"{topic}.html").write_text(page(topic), "utf-8")
    office.add(*(str(office.folder / f"{topic}.html") for topic in topics))
    office.work()


def test_nothing_is_learned_from_lines_of_which_markup_tells_more(
    office: Office,
) -> None:
    save_pages(office, *TOPICS[:3])
    with reading(office.desk.engine) as session:
        assert not learned.has_news(session)
    assert office.learn() == 0
    # They are kept for people to look at.
    assert NOTICE in [text for _, text in office.lines(1)]
    office.ingest(*TOPICS[2:])
    assert office.learn() == 0


def test_what_was_learned_makes_no_page_stale(office: Office) -> None:
    save_pages(office, "harbour")
    office.ingest(*TOPICS[1:])
    assert office.learn() == 1
    stale = office.stale()
    assert len(stale) == 3
    assert office.desk.one(RunFile, RunFile.path.endswith(".html")).id not in stale
    outdate(office.desk, "html-page/1")
    assert len(office.stale()) == 4


def test_lines_from_before_teach_where_they_are_of_plain_text(office: Office) -> None:
    save_pages(office, "harbour")
    office.ingest("orchard", "railway")
    url = office.desk.url
    schema.downgrade(url, revision="0016")
    schema.upgrade(url)
    taught = [False, True, True]
    with reading(office.desk.engine) as session:
        query = select(RevisionLines.teaches).order_by(RevisionLines.article_id)
        assert session.scalars(query).all() == taught
        query = select(RevisionLines.is_new).order_by(RevisionLines.article_id)
        assert session.scalars(query).all() == taught


def outdate(desk: Desk, version: str = "text-seed/2") -> None:
    with transaction(desk.engine) as session:
        session.execute(update(Revision).values(extractor=version, confidence=0.1))
        session.query(RevisionLines).delete()


def test_a_text_that_a_new_reader_gives_as_well_is_renewed(office: Office) -> None:
    office.ingest("harbour")
    outdate(office.desk)
    assert office.order() == 1
    office.work()
    revision = office.desk.one(Revision)
    assert revision.extractor in EXTRACTORS
    assert revision.confidence > 0.5
    assert (NOTICE in office.text("harbour"), bool(office.lines(1))) == (True, True)
    assert office.desk.one(RunFile).n_seen == 1
    assert office.stale() == []


def test_an_article_that_its_file_no_longer_gives_is_asked_for_once(
    office: Office,
) -> None:
    path = office.folder / "harbour.txt"
    path.write_text(dump("harbour"), "utf-8")
    office.add(str(path))
    (command,) = office.claim()
    (event,) = read_files(command, now=office.desk.now)
    (read,) = event.reads
    older = replace(
        read.entries[0],
        key=f"{read.entries[0].key}#caption",
        article=article("caption", extractor="text-seed/2"),
    )
    both = replace(read, entries=(*read.entries, older))
    office.save(replace(event, reads=(both,)))
    outdate(office.desk)
    assert office.order() == 1
    office.work()
    assert office.stale() == []
    with reading(office.desk.engine) as session:
        extractors = session.scalars(select(Revision.extractor)).all()
    assert sorted(extractors) == ["text-seed/2", "text-seed/3"]
    # Another version might find it again.
    newer = EXTRACTORS - {"text-seed/3"} | {"text-seed/4"}
    assert len(office.stale(extractors=newer)) == 1
    # And so might these readers, if other ones have read the file in between.
    with transaction(office.desk.engine) as session:
        session.execute(update(RunFile).values(readers="0" * 16))
    assert len(office.stale()) == 1


def test_what_the_path_gave_leaves_stored_bytes_to_be_read_again(
    office: Office,
) -> None:
    office.ingest("harbour")
    outdate(office.desk)
    office.ingest("harbour")
    assert office.desk.one(Revision).extractor == "text-seed/2"
    assert office.order() == 1
    office.work()
    assert office.desk.one(Revision).extractor == "text-seed/3"
    assert office.stale() == []


def test_a_stored_archive_is_read_again_in_portions(office: Office) -> None:
    office.limits = replace(LIMITS, max_bytes=6_500)
    path = office.folder / "pages.zip"
    with ZipFile(path, "w") as archive:
        for topic in TOPICS:
            archive.writestr(f"{topic}.txt", dump(topic))
    office.add(str(path))
    assert sum(len(event.reads) for event in office.work()) > 1
    path.unlink()
    assert office.learn() == 1
    assert office.order() == 1
    reads = [read for event in office.work() for read in event.reads]
    assert len(reads) > 1
    assert [office.text(topic) for topic in TOPICS] == list(map(paragraphs, TOPICS))
    row = office.desk.one(RunFile)
    assert (row.n_new, row.n_revised, row.state) == (4, 4, "done")
    assert (row.learned_up_to, row.from_document) == (1, False)
    assert row.readers == mark_of(EXTRACTORS)
    assert office.stale() == []


def test_only_what_was_asked_for_is_stale(office: Office) -> None:
    office.ingest("harbour")
    outdate(office.desk, "text-seed/2+ftfy")
    moment = office.desk.one(Article).sort_at
    assert len(office.stale(source="gazette", since=moment)) == 1
    assert office.stale(source="herald") == []
    assert office.stale(since=moment + timedelta(seconds=1)) == []
    # Of a reader that is not here nobody knows which version is the latest.
    outdate(office.desk, "telex/1")
    assert office.stale() == []


def test_an_old_document_never_replaces_what_came_later(office: Office) -> None:
    office.ingest("harbour")
    outdate(office.desk)
    assert office.order() == 1
    (command,) = office.claim()
    path = office.folder / "harbour.txt"
    text = dump("harbour").replace("in May", "in June")
    path.write_text(text, "utf-8")
    later = replace(command.files[0], file_id=99, document=None)
    desk = office.desk
    with transaction(desk.engine) as session:
        run = files.start_run(session, RunKind.INGEST, "later", now=desk.now)
        new = files.NewFile(path=later.path, source="gazette", source_is_given=True)
        files.add_files(session, run, [new], now=desk.now)
        files.close_run(session, run, now=desk.now)
    office.work()
    assert "in June" in office.text("harbour")
    (late,) = read_files(command, now=desk.now)
    assert office.save(late) == 1
    assert "in June" in office.text("harbour")
    assert desk.count(Revision) == 2


def test_an_answer_from_the_path_is_none_to_an_order(office: Office) -> None:
    office.ingest("harbour")
    outdate(office.desk)
    office.order()
    (command,) = office.claim()
    from_path = replace(command.files[0], document=None)
    (event,) = read_files(replace(command, files=(from_path,)), now=office.desk.now)
    assert office.save(event) == 0
    assert office.desk.one(RunFile).state == "pending"
    office.desk.now += timedelta(seconds=LIMITS.lease_seconds + 11)
    office.work()
    assert office.desk.one(RunFile).state == "done"


def test_an_order_whose_bytes_are_gone_is_done_as_it_was(office: Office) -> None:
    office.ingest("harbour")
    outdate(office.desk)
    office.order()
    with transaction(office.desk.engine) as session:
        for model in (RunFile, Entry, Revision):
            session.execute(update(model).values(document_sha256=None))
        session.query(Document).delete()
    assert office.claim() == []
    row = office.desk.one(RunFile)
    assert (row.state, row.outcome, row.from_document) == ("done", "read", False)


def test_the_bytes_under_way_are_bounded(office: Office) -> None:
    office.ingest(*TOPICS)
    outdate(office.desk)
    assert office.order() == 4
    packed = max(
        len(one.document.body)
        for command in office.claim()
        for one in command.files
        if one.document
    )
    office.desk.now += timedelta(seconds=LIMITS.lease_seconds + 11)
    with transaction(office.desk.engine) as session:
        session.execute(update(RunFile).values(attempts=0, leased=False))
    room = int(packed * 4 / 3 * 1.2)
    office.limits = replace(LIMITS, max_bytes=room, max_batches=2)
    assert [len(command.files) for command in office.claim()] == [1, 1]


def test_what_is_little_trusted_is_listed_until_somebody_has_looked(
    office: Office,
) -> None:
    desk = office.desk
    bad, good = (
        entry(
            name,
            key_mode=KeyMode.FILE,
            aliases=(),
            article=article(name, confidence=confidence),
        )
        for name, confidence in (("bad", 0.4), ("good", 0.9))
    )
    teaser = entry("teaser", article=article("teaser", confidence=0.4))
    desk.poll(bad, good, teaser)

    def to_review() -> list[str]:
        with reading(desk.engine) as session:
            return [one.title for one in queries.list_articles(session, review=True)]

    assert to_review() == ["Title bad"]
    with transaction(desk.engine) as session:
        every = list(session.scalars(select(Article.id)))
        assert len(accept_articles(session, every)) == 1
        assert accept_articles(session, every) == []
        with pytest.raises(NotFound, match="12345"):
            accept_articles(session, [12345])
    assert to_review() == []
    news = article("bad", confidence=0.5, text="Another one.", content_hash="9" * 64)
    desk.poll(replace(bad, article=news))
    assert to_review() == ["Title bad"]


def test_an_article_takes_its_lines_along_when_it_is_deleted(office: Office) -> None:
    office.ingest("harbour")
    desk = office.desk
    assert desk.count(RevisionLines) == 1
    desk.now += timedelta(days=10)
    with transaction(desk.engine) as session:
        retention.set_policy(session, Scope(), 1, now=desk.now)
        due = retention.plan(session, now=desk.now)
    assert list(retention.apply(desk.engine, due, judge=JUDGE, now=desk.now))
    assert desk.count(RevisionLines) == 0
    assert office.stale() == []


def test_learning_keeps_to_its_bounds(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(learned, "MAX_LINES", 2)
    monkeypatch.setattr(learned, "MAX_MARKED", 1)
    office.ingest(*TOPICS[:3])
    names = iter(range(100))

    def learn(pages: Any) -> list[Any]:
        assert len(list(pages)) == 3
        return [_Common(hash=f"{next(names):016x}", text="a\0", n_texts=3)]

    for _ in range(3):
        with transaction(office.desk.engine) as session:
            assert learned.learn_of_next(session, learn=learn, now=office.desk.now) == 1
    with transaction(office.desk.engine) as session:
        assert learned.learn_of_next(session, learn=learn, now=office.desk.now) is None
    assert office.desk.count(LearnedLine) == 2
    with reading(office.desk.engine) as session:
        (found,) = learned.learned_of(session, ["gazette", "herald"]).values()
    assert (found.source, found.up_to, len(found.hashes)) == ("gazette", 3, 2)


@dataclass(frozen=True)
class _Common:
    hash: str
    text: str
    n_texts: int


Run = Callable[..., Any]


@pytest.fixture
def run(
    migrated_url: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> Run:
    monkeypatch.setenv("WIREROOM_DATABASE_URL", migrated_url)
    monkeypatch.setenv("WIREROOM_HOME", str(tmp_path / "home"))
    # Nothing listens there: what is ordered is written down all the same.
    monkeypatch.setenv("WIREROOM_BROKER_URL", "redis://127.0.0.1:1/0")

    def run(*argv: str) -> Any:
        assert main([*argv, "--json"]) == 0
        return json.loads(capsys.readouterr().out)

    return run


def test_an_operator_learns_orders_and_looks(office: Office, run: Run) -> None:
    office.ingest(*TOPICS[:3])
    assert run("reprocess", "--extract") == {"files": 3, "learned_lines": 1}
    office.desk.now = utc_now()
    office.work()
    assert run("reprocess", "--extract") == {"files": 0, "learned_lines": 0}
    page = run("show", "1", "--lines")
    assert ["furniture", NOTICE] in page["lines"]
    assert NOTICE not in page["text"]
    assert page["work"]["standing"] == "enriched"
    assert page["confidence"] >= REVIEW_BELOW
    assert run("articles", "--review") == []
    assert run("review", "1") == {"accepted": 0}


def test_lines_of_a_text_that_is_dropped_go_with_it(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("store.revisions.MAX_REVISIONS", 2)
    desk = office.desk
    packed = pack_lines([("share", "Share"), ("body", "Text.")])
    for n in range(4):
        desk.now += timedelta(hours=2)
        draft = article("a", text=f"Text number {n}.", content_hash=f"{n}" * 64)
        desk.poll(entry("a", article=draft, packed_lines=packed))
    kept = {(1, 1), (1, 4)}
    with reading(desk.engine) as session:
        names = select(RevisionLines.article_id, RevisionLines.number)
        assert set(map(tuple, session.execute(names))) == kept
