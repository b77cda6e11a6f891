"""Watched folders: each file is read once as it is, and nothing is lost with a file."""

import os
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import insert, select, text, update
from sqlalchemy.event import listen
from support.desk import POLL_LIMITS, Desk
from support.factories import LIMITS
from support.watched import Watched, text_of

from ingest.messages import FeedPolled, FileOutcome, FolderListing, PollOutcome
from services.planning import plan_poll
from store import feeds, files, folders, polling, rereading
from store.engine import is_postgresql, reading, transaction
from store.foldermoves import MAX_AWAY
from store.folders import HOLD, SETTLE_AHEAD
from store.limits import FileLimits
from store.models import (
    Article,
    Document,
    FolderFile,
    FolderPoll,
    Poll,
    Revision,
    Run,
    RunFile,
)
from store.queries.runs import run_progress
from store.words import RunKind


@pytest.fixture
def desk(sqlite_template: Path, tmp_path: Path) -> Iterator[Desk]:
    file = shutil.copy(sqlite_template, tmp_path / "wireroom.db")
    made = Desk(f"sqlite+pysqlite:///{file}", plan=plan_poll)
    yield made
    made.assert_balanced()
    made.engine.dispose()


@pytest.fixture
def watched(desk: Desk, tmp_path: Path) -> Watched:
    folder = tmp_path / "inbox"
    folder.mkdir()
    return Watched(desk, folder)


def test_the_life_of_a_folder_on_both_engines(
    migrated_url: str, tmp_path: Path
) -> None:
    desk = Desk(migrated_url, plan=plan_poll)
    (tmp_path / "inbox").mkdir()
    watched = Watched(desk, tmp_path / "inbox", max_message_bytes=1)
    names = [f"{n}.txt" for n in range(40)]
    for name in names:
        watched.write(name, f"topic {name}")
    assert watched.look() == sorted(names)
    (watched.path / "done").mkdir()
    (watched.path / names[0]).rename(watched.path / "done" / "moved.txt")
    (watched.path / names[1]).unlink()
    watched.write(names[2], "storm")
    watched.write("new.txt", "harbour")
    events = watched.listed(watched.asked())
    assert sum(map(desk.save_poll, [*events, *reversed(events)])) == len(events)
    assert watched.read() == [names[2], "moved.txt", "new.txt"]
    assert watched.known(names[0]).moved_to == str(watched.path / "done" / "moved.txt")
    assert watched.known(names[1]).gone_at == desk.now
    (watched.path / "done" / "moved.txt").unlink()
    watched.poll()
    shutil.rmtree(watched.path)
    watched.poll()
    assert watched.feed.last_outcome == PollOutcome.NOT_FOUND
    assert desk.count(Article) == 41
    assert desk.count(Revision) == 42
    desk.engine.dispose()


def polls(desk: Desk) -> list[str | None]:
    with reading(desk.engine) as session:
        return list(session.scalars(select(Poll.outcome).order_by(Poll.id)))


def test_new_files_are_read_once_and_belong_to_the_folder(
    desk: Desk, watched: Watched
) -> None:
    watched.write("a.txt", "harbour")
    watched.write("gazette/b.txt", "bridge")
    assert watched.look() == ["a.txt", "b.txt"]
    assert watched.articles() == [("Title of bridge", 1), ("Title of harbour", 1)]
    assert watched.look() == []
    assert polls(desk) == ["fetched", "unchanged"]
    assert desk.count(RunFile, RunFile.feed_id == watched.feed_id) == 2
    run = desk.one(Run)
    assert (run.kind, run.label) == (RunKind.FOLDER, str(watched.path))
    assert desk.one(Article, Article.title.endswith("bridge")).source == "gazette"


def test_a_changed_file_is_a_revision_of_its_article(
    desk: Desk, watched: Watched
) -> None:
    watched.write("a.txt", "harbour")
    watched.write("b.txt", "bridge")
    watched.look()
    (watched.path / "a.txt").write_text(text_of("harbour").replace("Title", "Head"))
    os.utime(watched.path / "a.txt", (desk.now.timestamp(), desk.now.timestamp()))
    assert watched.look() == ["a.txt"]
    assert watched.articles() == [("Head of harbour", 2), ("Title of bridge", 1)]


def test_a_file_that_was_only_touched_brings_nothing(
    desk: Desk, watched: Watched
) -> None:
    path = watched.write("a.txt", "harbour")
    watched.look()
    os.utime(path, (desk.now.timestamp(), desk.now.timestamp()))
    assert watched.look() == ["a.txt"]
    assert desk.count(Revision) == 1
    assert desk.count(RunFile, RunFile.n_unchanged == 1) == 1


def test_a_file_that_is_being_written_waits_for_the_next_poll(
    desk: Desk, watched: Watched
) -> None:
    watched.write("a.txt", "harbour", ago=-timedelta(hours=1))  # as the poll begins
    assert watched.look() == []
    assert desk.one(FolderPoll).n_settling == 1
    assert watched.look() == ["a.txt"]
    watched.write("a.txt", "bridge", ago=-timedelta(hours=1))
    assert watched.look() == []
    assert watched.known("a.txt").gone_at is None
    assert watched.look() == ["a.txt"]


@pytest.mark.parametrize("ahead", [timedelta(hours=5), timedelta(days=40)])
def test_a_file_that_is_ahead_of_the_clock_waits_two_minutes_at_most(
    desk: Desk, watched: Watched, ahead: timedelta
) -> None:
    watched.write("a.txt", "harbour")
    watched.write("ahead.txt", "storm", ago=-ahead)
    assert watched.look() == ["a.txt"]
    desk.now += timedelta(seconds=119)
    assert watched.read() == []
    desk.now += timedelta(seconds=1)
    assert watched.read() == ["ahead.txt"]
    assert watched.look() == []
    assert watched.articles() == [("Title of harbour", 1), ("Title of storm", 1)]


def test_a_file_ahead_of_the_clock_that_comes_in_parts_waits_as_long(
    desk: Desk, watched: Watched
) -> None:
    watched.max_message_bytes = 1
    for n in range(40):
        watched.write(f"{n}.txt", f"topic {n}", ago=-timedelta(hours=5))
    assert len(watched.poll()) > 1
    assert watched.read() == []
    desk.now += SETTLE_AHEAD
    assert len(watched.read()) == 40


def test_deleted_files_change_nothing_and_come_back_unread(
    desk: Desk, watched: Watched
) -> None:
    path = watched.write("a.txt", "harbour")
    watched.write("b.txt", "bridge")
    watched.look()
    kept = shutil.move(path, watched.path.parent / "kept")
    assert watched.look() == []
    assert watched.known("a.txt").gone_at == desk.now
    assert watched.articles() == [("Title of bridge", 1), ("Title of harbour", 1)]
    shutil.move(kept, path)
    assert watched.look() == []
    assert watched.known("a.txt").gone_at is None
    with reading(desk.engine) as session:
        query = select(FolderPoll.n_new, FolderPoll.n_gone, FolderPoll.n_back)
        counts = [tuple(row) for row in session.execute(query.order_by("poll_id"))]
    assert counts == [(2, 0, 0), (0, 1, 0), (0, 0, 1)]


def test_of_files_that_are_gone_only_those_are_looked_at_that_are_listed(
    desk: Desk, watched: Watched
) -> None:
    for n in range(20):
        watched.write(f"{n}.txt", f"topic{n}")
    watched.look()
    for path in watched.path.glob("1?.txt"):
        path.unlink()
    watched.look()
    watched.write("11.txt", "topic11")
    watched.write("new.txt", "harbour")
    (event,) = watched.listed(watched.asked())
    assert event.listing is not None
    with reading(desk.engine) as session:
        known = folders.known_files(session, watched.feed_id, event.listing)
    expected = {str(watched.path / f"{n}.txt") for n in (*range(10), 11)}
    assert set(known) == expected


def test_a_listing_is_compared_with_what_is_there_by_an_index(
    migrated_url: str, tmp_path: Path
) -> None:
    desk = Desk(migrated_url, plan=plan_poll)
    watched = Watched(desk, tmp_path)
    listing = FolderListing(
        stretches=((0, 64),),
        files=(),
        n_files=20,
        n_settling=0,
        is_whole=True,
        is_complete=True,
    )
    with transaction(desk.engine) as session:
        run_id = files.start_run(session, RunKind.FOLDER, "t", now=desk.now)
        same = {"feed_id": watched.feed_id, "run_id": run_id, "listed_at": desk.now}
        same |= {"n_bytes": 1, "mtime_ns": 1, "is_unread": False, "n_away": 0}
        rows = [
            same
            | {"path": f"/{n}", "spot": n, "gone_at": desk.now if n % 100 else None}
            for n in range(2_000)
        ]
        session.execute(insert(FolderFile), rows)
        if is_postgresql(session):
            session.execute(text("ANALYZE folder_file"))

    plans: list[str] = []

    def explain(connection: Any, _cursor: Any, statement: str, *rest: Any) -> None:
        if "EXPLAIN" not in statement and "FROM folder_file" in statement:
            query = f"{word} {statement}"
            plans.append(str(connection.exec_driver_sql(query, rest[0]).all()))

    with reading(desk.engine) as session:
        word = "EXPLAIN" if is_postgresql(session) else "EXPLAIN QUERY PLAN"
        listen(desk.engine, "before_cursor_execute", explain)
        known = folders.known_files(session, watched.feed_id, listing)

    assert list(known) == ["/0"]
    (plan,) = plans
    assert "ix_folder_file_there" in plan
    desk.engine.dispose()


def test_a_moved_file_is_the_same_article(desk: Desk, watched: Watched) -> None:
    path = watched.write("a.txt", "harbour")
    watched.write("b.txt", "bridge")
    watched.look()
    (watched.path / "done").mkdir()
    moved = path.rename(watched.path / "done" / "a.txt")
    assert watched.look() == ["a.txt"]
    assert watched.known("a.txt").moved_to == str(moved)
    assert (desk.count(Article), desk.count(Revision)) == (2, 2)
    # Another text under the old path is another article, and under the new a revision.
    watched.write("a.txt", "storm")
    watched.write("done/a.txt", "market")
    assert watched.look() == ["a.txt", "a.txt"]
    assert watched.articles() == [
        ("Title of bridge", 1),
        ("Title of market", 2),
        ("Title of storm", 1),
    ]


def test_stored_bytes_of_a_moved_file_that_are_read_again_double_nothing(
    desk: Desk, watched: Watched
) -> None:
    path = watched.write("a.txt", "harbour")
    watched.look()
    path.rename(watched.path / "b.txt")
    watched.look()
    with transaction(desk.engine) as session:
        session.execute(update(Revision).values(extractor="json-record/0"))
        wanted = rereading.Wanted(extractors={"json-record/1"})
        stale = rereading.find_stale(session, wanted)
        assert rereading.order_files(session, stale, now=desk.now) == len(stale) == 2
    assert watched.read() == ["a.txt", "b.txt"]
    assert watched.articles() == [("Title of harbour", 1)]
    with reading(desk.engine) as session:
        assert rereading.find_stale(session, wanted) == []


def test_a_folder_that_is_renamed_takes_its_articles_along(
    desk: Desk, watched: Watched
) -> None:
    watched.max_message_bytes = 1  # as many parts as can be
    topics = [f"topic{n}" for n in range(60)]
    for n, topic in enumerate(topics):
        watched.write(f"monday/{n}.txt", topic)
    watched.look()
    assert desk.one(FolderPoll).n_new == 60
    (watched.path / "monday").rename(watched.path / "tuesday")
    assert len(watched.poll()) > 1
    assert len(watched.read()) == 60
    assert (desk.count(Article), desk.count(Revision)) == (60, 60)
    assert desk.count(FolderFile, FolderFile.moved_to.is_not(None)) == 60


def test_a_moved_file_that_comes_in_portions_is_the_same_articles(
    desk: Desk, watched: Watched
) -> None:
    watched.limits = replace(LIMITS, max_bytes=20_000)
    lines = "\n".join(text_of(f"topic{n}") for n in range(20))
    path = watched.write("lines.jsonl", "")
    path.write_text(lines)
    os.utime(path, (desk.now.timestamp(), desk.now.timestamp()))
    watched.look()
    assert desk.count(Article) == 20
    path.rename(watched.path / "moved.jsonl")
    assert watched.look() == ["moved.jsonl"]
    assert (desk.count(Article), desk.count(Revision)) == (20, 20)


@pytest.mark.parametrize("order", [1, -1], ids=["in order", "last portion first"])
def test_a_moved_file_is_known_again_without_its_bytes_in_any_order(
    desk: Desk, watched: Watched, order: int
) -> None:
    watched.limits = replace(LIMITS, max_bytes=20_000)
    # It is read bit by bit, and its bytes are not kept.
    watched.sizes = FileLimits(whole=1_000, streamed=1_000_000)
    lines = "\n".join(text_of(f"topic{n}") for n in range(20))
    path = watched.write("lines.jsonl", "")
    path.write_text(lines)
    os.utime(path, (desk.now.timestamp(), desk.now.timestamp()))
    watched.look()
    assert (desk.count(Article), desk.count(Document)) == (20, 0)
    path.rename(watched.path / "moved.jsonl")
    watched.poll()
    watched.read(order=order)
    assert (desk.count(Article), desk.count(Revision)) == (20, 20)
    assert desk.one(RunFile, RunFile.path.endswith("moved.jsonl")).n_unchanged == 20


def test_a_copied_file_is_an_article_of_its_own(desk: Desk, watched: Watched) -> None:
    path = watched.write("a.txt", "harbour")
    watched.look()
    shutil.copy2(path, watched.path / "b.txt")
    watched.look()
    assert desk.count(Article) == 2


def test_a_missing_folder_fails_and_comes_back_by_itself(
    desk: Desk, watched: Watched
) -> None:
    watched.write("a.txt", "harbour")
    watched.look()
    away = watched.path.rename(watched.path.parent / "away")
    for _ in range(40):
        watched.poll()
    feed = watched.feed
    assert (feed.state, feed.liveness) == ("active", "failing")
    assert (feed.last_outcome, feed.cause) == (PollOutcome.NOT_FOUND, "errors")
    assert "not there" in (feed.last_error or "")
    assert feed.next_poll_at - desk.now == timedelta(minutes=15)
    assert watched.known("a.txt").gone_at is None
    away.rename(watched.path)
    assert watched.look() == []
    assert watched.feed.liveness == "live"
    assert watched.feed.next_poll_at - desk.now == timedelta(minutes=1)


def test_a_disk_that_is_not_mounted_is_no_deletion(watched: Watched) -> None:
    watched.write("a.txt", "harbour")
    watched.look()
    mounted = watched.path.rename(watched.path.parent / "mounted")
    watched.path.mkdir()
    watched.poll()
    assert watched.known("a.txt").gone_at is None
    assert "empty" in (watched.feed.last_error or "")
    watched.path.rmdir()
    mounted.rename(watched.path)
    assert watched.look() == []
    assert watched.feed.last_error is None


def test_a_file_that_was_away_when_it_was_to_be_read_is_read_when_it_is_back(
    desk: Desk, watched: Watched
) -> None:
    watched.write("a.txt", "harbour")
    watched.write("b.txt", "bridge")
    watched.poll()
    away = watched.path.rename(watched.path.parent / "away")
    assert watched.read() == ["a.txt", "b.txt"]
    assert desk.count(RunFile, RunFile.outcome == FileOutcome.MISSING) == 2
    away.rename(watched.path)
    assert watched.look() == ["a.txt", "b.txt"]
    assert len(watched.articles()) == 2
    assert watched.look() == []


def test_a_file_that_only_polls_can_see_is_not_read_in_vain_for_ever(
    desk: Desk, watched: Watched
) -> None:
    watched.write("a.txt", "harbour")
    n_read = 0
    for _ in range(MAX_AWAY + 2):
        watched.poll()
        away = watched.path.rename(watched.path.parent / "away")
        n_read += len(watched.read())
        away.rename(watched.path)
    assert n_read == MAX_AWAY
    assert desk.count(RunFile) == MAX_AWAY
    with transaction(desk.engine) as session:
        folders.read_unreadable(session, [watched.feed_id])
    assert watched.look() == ["a.txt"]
    assert len(watched.articles()) == 1


def test_what_cannot_be_read_is_told_and_read_again_on_demand(
    desk: Desk, watched: Watched
) -> None:
    (watched.path / "link.txt").symlink_to(watched.path / "nowhere")
    watched.write("b.txt", "bridge")
    assert watched.look() == ["b.txt"]
    link = desk.one(RunFile, RunFile.path.endswith("link.txt"))
    assert (link.outcome, link.error) == ("missing", "The link leads nowhere.")
    with transaction(desk.engine) as session:
        session.execute(update(RunFile).values(outcome=FileOutcome.UNREADABLE))
    assert watched.look() == []
    with transaction(desk.engine) as session:
        run = files.start_run(session, RunKind.POLL, "all", now=desk.now)
        feeds.request_polls(session, [watched.feed_id], run_id=run, now=desk.now)
        folders.read_unreadable(session, [watched.feed_id])
        files.close_run(session, run, now=desk.now)
    events = watched.listed(desk.claim_feeds()[0])
    assert all(map(desk.save_poll, events))
    with reading(desk.engine) as session:
        assert not run_progress(session, run).is_done
    assert watched.read() == ["b.txt"]
    with reading(desk.engine) as session:
        assert run_progress(session, run).is_done
    assert desk.count(Article) == 1


def test_files_of_a_listing_in_parts_are_read_when_all_have_come(
    desk: Desk, watched: Watched
) -> None:
    watched.max_message_bytes = 1
    for n in range(40):
        watched.write(f"{n}.txt", f"topic{n}")
    first, *rest = watched.listed(watched.asked())
    assert rest
    assert desk.save_poll(first)
    assert watched.claim() == []
    assert all(map(desk.save_poll, rest))
    assert len(watched.read()) == 40


def test_what_a_lost_part_leaves_is_read_and_the_next_poll_brings_the_rest(
    desk: Desk, watched: Watched
) -> None:
    watched.max_message_bytes = 1
    for n in range(40):
        watched.write(f"{n}.txt", f"topic{n}")
    asked = watched.asked()
    first, *rest = watched.listed(asked)
    desk.save_poll(first)
    desk.now += HOLD
    n_read = len(watched.read())
    assert n_read == len(first.listing.files if first.listing else ())
    # The poll is given up when its lease has ended; what comes later is too late.
    assert len(watched.look()) == 40 - n_read
    assert not any(map(desk.save_poll, rest))
    assert len(watched.articles()) == 40


@pytest.mark.usefixtures("watched")
def test_a_folder_travels_alone_because_its_disk_may_hang(desk: Desk) -> None:
    desk.add_feed("news")
    with transaction(desk.engine) as session:
        commands = polling.claim_feeds(
            session, now=desk.now, limits=LIMITS, poll_limits=POLL_LIMITS
        )
    assert sorted(len(one.feeds) for one in commands) == [1, 1]
    assert [one.feeds[0].folder is not None for one in commands] == [False, True]


# ---- paths that are longer as addresses ----


_GREEK = str.maketrans("0123456789abcdef", "αβγδεζηθικλμνξοπ")


def long_name(watched: Watched, n_bytes: int) -> str:
    """Return a name under which a file has an address of so many bytes."""
    folders = [watched.path]
    room = n_bytes - len(watched.path.as_uri())
    while room > 400:
        # Letters of two bytes, each of which takes six there.
        name = sha256(b"%d" % room).hexdigest()[:60].translate(_GREEK)
        folders.append(folders[-1] / name)
        room -= 361
    path = folders[-1] / ("n" * (room - len("/.txt")) + ".txt")
    assert len(path.as_uri()) == n_bytes
    return str(path.relative_to(watched.path))


def test_a_path_that_is_too_long_as_an_address_is_told_when_it_is_listed(
    desk: Desk, watched: Watched
) -> None:
    fits, exceeds = (long_name(watched, n) for n in (2_000, 2_001))
    watched.write(fits, "harbour")
    path = watched.write(exceeds, "storm")
    assert len(str(path).encode()) < 2_000
    assert watched.look() == [Path(fits).name]
    assert watched.articles() == [("Title of harbour", 1)]
    row = desk.one(RunFile, RunFile.path == str(path))
    assert (row.state, row.outcome) == ("done", FileOutcome.UNREADABLE)
    assert "2000 bytes as an address" in (row.error or "")
    assert watched.look() == []


def test_a_move_to_an_address_that_is_too_long_moves_no_key(
    migrated_url: str, tmp_path: Path
) -> None:
    desk = Desk(migrated_url, plan=plan_poll)
    (tmp_path / "inbox").mkdir()
    watched = Watched(desk, tmp_path / "inbox")
    # The address of the file fits, and with it that of its member does not.
    member = "".join(sha256(b"%d" % n).hexdigest() for n in range(15))
    path = watched.write("a.zip", "")
    with ZipFile(path, "w") as archive:
        archive.writestr(f"{member}.json", text_of("harbour"))
    os.utime(path, (desk.now.timestamp(), desk.now.timestamp()))
    watched.look()
    to = watched.path / long_name(watched, 1_990)
    to.parent.mkdir(parents=True)
    path.rename(to)
    watched.write("b.txt", "storm")
    assert watched.look() == ["b.txt", to.name]
    assert watched.articles() == [("Title of harbour", 1), ("Title of storm", 1)]
    assert watched.known("a.zip").moved_to is None
    assert desk.one(RunFile, RunFile.path == str(to)).n_quarantined == 1
    desk.assert_balanced()
    desk.engine.dispose()


# ---- whatever the order in which parts come, and however often ----

FILES = st.dictionaries(
    st.sampled_from([f"{n}.txt" for n in range(8)]),
    st.sampled_from(["harbour", "bridge"]),
    max_size=8,
)


def state(desk: Desk) -> dict[str, Sequence[Any]]:
    hidden = {"run_id"}
    columns = [c for c in FolderFile.__table__.columns if c.name not in hidden]
    queries = {
        "files": select(*columns).order_by(FolderFile.path),
        "polls": select(
            *(FolderPoll.n_files, FolderPoll.n_new, FolderPoll.n_changed),
            *(FolderPoll.n_back, FolderPoll.n_gone),
        ).order_by(FolderPoll.poll_id),
        "read": select(RunFile.path, RunFile.state, RunFile.due_at).order_by(
            RunFile.path, RunFile.id
        ),
    }
    with reading(desk.engine) as session:
        return {name: session.execute(query).all() for name, query in queries.items()}


def replay(watched: Watched, listings: Sequence[Sequence[FeedPolled]]) -> None:
    for events in listings:
        watched.asked()
        for event in events:
            watched.desk.save_poll(event)


@settings(max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(contents=st.lists(FILES, min_size=1, max_size=3), dice=st.randoms())
def test_parts_that_come_twice_and_in_any_order_change_nothing(
    contents: Sequence[dict[str, str]],
    dice: Any,
    sqlite_template: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    root = tmp_path_factory.mktemp("parts")
    desks = [
        Desk(
            f"sqlite+pysqlite:///{shutil.copy(sqlite_template, root / name)}",
            plan=plan_poll,
        )
        for name in ("once.db", "often.db")
    ]
    (root / "inbox").mkdir()
    once, often = (Watched(desk, root / "inbox", max_message_bytes=1) for desk in desks)
    listings = []
    for names in contents:
        shutil.rmtree(root / "inbox")
        (root / "inbox").mkdir()
        for name, topic in names.items():
            once.write(name, topic)
        listings.append(once.poll())
    shuffled = [[*events, *events] for events in listings]
    for events in shuffled:
        dice.shuffle(events)
    replay(often, shuffled)
    assert state(desks[0]) == state(desks[1])
    for desk in desks:
        desk.engine.dispose()
