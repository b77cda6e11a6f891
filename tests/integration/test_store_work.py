"""Feeds and files as work: due, leased, failed, swept, replayed, audited."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from support.desk import Desk
from support.factories import (
    FILE_LIMITS,
    LIMITS,
    article,
    entry,
    files_read,
    polled,
    rejected,
)

from ingest.filemessages import ReadFiles
from ingest.files import read_files
from ingest.messages import FileOutcome, PollOutcome
from store import feeds, files, leases, pending, polling, quarantine, reads
from store.engine import transaction
from store.errors import NotFound
from store.models import Article, Entry, Feed, Poll, Quarantine, RunFile
from store.queries.files import list_problems
from store.queries.runs import run_progress
from store.words import FeedState, RunKind

# The wait of what was lost before is part of it.
LEASE = timedelta(seconds=LIMITS.lease_seconds + 11)


@pytest.fixture
def desk(migrated_url: str) -> Iterator[Desk]:
    made = Desk(migrated_url)
    yield made
    made.engine.dispose()


def claim_files(desk: Desk) -> list[ReadFiles]:
    with transaction(desk.engine) as session:
        return files.claim_files(
            session, now=desk.now, limits=LIMITS, file_limits=FILE_LIMITS
        )


def save_files(desk: Desk, *found: tuple[int, str, tuple[object, ...]]) -> int:
    with transaction(desk.engine) as session:
        return reads.save_files(session, files_read(*found), now=desk.now)  # type: ignore[arg-type]  # entries


def test_a_feed_is_polled_once_while_its_lease_runs(desk: Desk) -> None:
    desk.add_feed()
    assert len(desk.claim_feeds()) == 1
    assert desk.claim_feeds() == []
    desk.now += LEASE
    assert len(desk.claim_feeds()) == 1
    assert desk.count(Poll, Poll.state == "abandoned") == 1


def test_a_poll_that_was_asked_for_during_another_one_is_made(desk: Desk) -> None:
    feed_id = desk.add_feed()
    (first,) = desk.claim_feeds()
    with transaction(desk.engine) as session:
        run = files.start_run(session, RunKind.POLL, "test", now=desk.now)
        feeds.request_polls(session, [feed_id], run_id=run, now=desk.now)
        files.close_run(session, run, now=desk.now)
    desk.save_poll(polled(first.poll_id, feed_id, entry("a")))
    with transaction(desk.engine) as session:
        assert not run_progress(session, run).is_done
    (second,) = desk.claim_feeds()
    desk.save_poll(polled(second.poll_id, feed_id, entry("b")))
    desk.enrich()
    with transaction(desk.engine) as session:
        assert run_progress(session, run).is_done
    assert desk.claim_feeds() == []


def test_the_next_poll_carries_the_validators_of_the_last(desk: Desk) -> None:
    desk.poll(entry("a"))
    desk.now += timedelta(hours=2)
    (again,) = desk.claim_feeds()
    assert (again.etag, again.body_sha256) == ('"v1"', "0" * 64)


def test_a_body_that_broke_off_is_parsed_again(desk: Desk) -> None:
    desk.add_feed()
    (asked,) = desk.claim_feeds()
    desk.save_poll(polled(asked.poll_id, asked.feed_id, entry("a"), partial=True))
    assert desk.one(Feed).body_sha256 is None


def test_an_answer_after_its_lease_leaves_the_cursor_to_the_later_poll(
    desk: Desk,
) -> None:
    desk.add_feed()
    (late,) = desk.claim_feeds()
    desk.now += LEASE
    (current,) = desk.claim_feeds()
    assert not desk.save_poll(polled(late.poll_id, late.feed_id, entry("a")))
    assert desk.save_poll(polled(current.poll_id, current.feed_id, entry("a")))
    assert desk.count(Article) == 1
    desk.assert_balanced()


def test_a_feed_that_is_gone_is_polled_no_more(desk: Desk) -> None:
    desk.add_feed()
    (asked,) = desk.claim_feeds()
    gone = polled(asked.poll_id, asked.feed_id, outcome=PollOutcome.GONE, document=None)
    desk.save_poll(gone)
    assert desk.one(Feed).state == FeedState.GONE
    desk.now += timedelta(days=30)
    assert desk.claim_feeds() == []


def test_a_feed_that_kills_its_workers_is_quarantined_alone(desk: Desk) -> None:
    for name in ("good", "bad"):
        desk.add_feed(name)
    for _ in range(LIMITS.max_attempts):
        for asked in desk.claim_feeds():
            if "good" in asked.url:
                desk.save_poll(polled(asked.poll_id, asked.feed_id))
        desk.now += LEASE
    with transaction(desk.engine) as session:
        n_swept = polling.sweep_feeds(session, now=desk.now, max_attempts=3)
    assert n_swept == 1
    assert desk.one(Feed, Feed.state == "quarantined").url == "https://bad.example/feed"
    case = desk.one(Quarantine)
    with transaction(desk.engine) as session:
        quarantine.replay(session, [case.id], now=desk.now)
    assert ["bad" in one.url for one in desk.claim_feeds()].count(True) == 1


def test_a_removed_feed_keeps_its_articles_and_can_come_back(desk: Desk) -> None:
    feed_id = desk.poll(entry("a"))
    with transaction(desk.engine) as session:
        feeds.set_state(
            session, [feed_id], FeedState.REMOVED, reason="test", now=desk.now
        )
    with transaction(desk.engine) as session, pytest.raises(NotFound):
        feeds.find_feeds(session, [str(feed_id)])
    assert desk.count(Article) == 1
    with transaction(desk.engine) as session:
        new = feeds.NewFeed(url="https://feed.example/feed", url_key="feed")
        assert feeds.add_feeds(session, [new], now=desk.now) == [feed_id]
        assert feeds.add_feeds(session, [new], now=desk.now) == []


def test_files_end_in_exactly_one_counted_outcome(desk: Desk) -> None:
    desk.add_files("/in/a.txt", "/in/b.txt", "/in/c.txt")
    (command,) = claim_files(desk)
    a, b, c = (one.file_id for one in command.files)
    n_stored = save_files(
        desk,
        (a, "/in/a.txt", (entry("a"),)),
        (b, "/in/b.txt", (entry("a", key="file:///in/b.txt", aliases=()),)),
        (c, "/in/c.txt", (rejected(),)),
    )
    assert n_stored == 3
    ends = {
        path: (desk.one(RunFile, RunFile.path == path))
        for path in ("/in/a.txt", "/in/b.txt", "/in/c.txt")
    }
    assert ends["/in/a.txt"].n_new == 1
    assert ends["/in/b.txt"].n_duplicate == 1
    assert ends["/in/c.txt"].n_rejected == 1
    assert desk.count(Article) == 1
    desk.assert_balanced()


def test_reading_a_file_again_is_unchanged_and_a_redelivery_is_nothing(
    desk: Desk,
) -> None:
    for _ in range(2):
        desk.add_files("/in/a.txt")
        (command,) = claim_files(desk)
        read = (command.files[0].file_id, "/in/a.txt", (entry("a"),))
        assert save_files(desk, read) == 1
        assert save_files(desk, read) == 0
    assert desk.count(RunFile, RunFile.n_unchanged == 1) == 1
    assert desk.count(Entry) == 1
    desk.assert_balanced()


def test_one_path_in_two_runs_at_once_is_one_entry(desk: Desk) -> None:
    desk.add_files("/in/a.txt")
    desk.add_files("/in/a.txt")
    (command,) = claim_files(desk)
    one, other = (file.file_id for file in command.files)
    newer = entry("a", article=article("a", title="Newer"))
    save_files(desk, (one, "/in/a.txt", (entry("a"),)), (other, "/in/a.txt", (newer,)))
    assert desk.count(Entry) == desk.count(Article) == 1
    assert desk.one(Article).title == "Newer"
    desk.assert_balanced()


def test_a_page_that_several_files_and_lines_tell_of_is_one_article(
    desk: Desk, tmp_path: Path
) -> None:
    lines = [{"url": "https://news.example/1", "title": f"T{n}"} for n in range(2)]
    texts = [
        json.dumps(line | {"text": f"Text of {n}."}) for n, line in enumerate(lines)
    ]
    (tmp_path / "a.jsonl").write_text("\n".join(texts))
    other = texts[0].replace("https://news", "HTTPS://other")
    (tmp_path / "b.json").write_text(other)
    (tmp_path / "c.json").write_text(texts[0].replace("https:", "HTTPS:"))
    desk.add_files(*map(str, sorted(tmp_path.iterdir())))
    for command in claim_files(desk):
        for event in read_files(command, now=desk.now):
            with transaction(desk.engine) as session:
                reads.save_files(session, event, now=desk.now)
    assert desk.count(Entry) == 4
    assert desk.count(Article, Article.url == "https://news.example/1") == 1
    assert desk.count(Article) == 2
    desk.assert_balanced()


def test_a_file_that_kills_its_workers_is_quarantined_and_read_after_a_replay(
    desk: Desk,
) -> None:
    desk.add_files("/in/poison.txt", "/in/good.txt")
    for attempt in range(LIMITS.max_attempts):
        for command in claim_files(desk):
            # After the first attempt each goes alone.
            assert len(command.files) == (2 if attempt == 0 else 1)
            for file in command.files:
                if "good" in file.path and attempt:
                    save_files(desk, (file.file_id, file.path, (entry("good"),)))
        desk.now += LEASE
    with transaction(desk.engine) as session:
        assert files.sweep_files(session, now=desk.now, max_attempts=3) == 1
    case = desk.one(Quarantine)
    assert (case.kind, case.attempts) == ("file", 3)
    desk.assert_balanced()
    with transaction(desk.engine) as session:
        quarantine.replay(session, None, now=desk.now)
    ((command,),) = [claim_files(desk)]
    save_files(desk, (command.files[0].file_id, "/in/poison.txt", (entry("p"),)))
    assert desk.count(Article) == 2
    desk.assert_balanced()


def test_a_failure_is_written_down_and_waits_as_long_as_it_asks(desk: Desk) -> None:
    desk.add_files("/in/a.txt")
    (command,) = claim_files(desk)
    with transaction(desk.engine) as session:
        ids = [command.files[0].file_id]
        files.fail_files(
            session, ids, error="MemoryError: x", now=desk.now, after_seconds=120
        )
    assert desk.one(RunFile).error == "MemoryError: x"
    desk.now += timedelta(seconds=119)
    assert claim_files(desk) == []
    desk.now += timedelta(seconds=2)
    assert len(claim_files(desk)) == 1


def test_a_worker_learns_whether_the_operator_named_the_publisher(desk: Desk) -> None:
    desk.add_files("/in/a.txt")
    with transaction(desk.engine) as session:
        run = files.start_run(session, RunKind.INGEST, "test", now=desk.now)
        new = files.NewFile(path="/in/b.txt", source="given", source_is_given=True)
        files.add_files(session, run, [new], now=desk.now)
    told = [one for command in claim_files(desk) for one in command.files]
    assert [(one.source, one.source_is_given) for one in told] == [
        ("desk", False),
        ("given", True),
    ]


def test_problems_of_a_run_name_path_and_reason(desk: Desk) -> None:
    run = desk.add_files("/in/a.txt", "/in/empty.txt", "/in/torn.warc")
    (command,) = claim_files(desk)
    good, empty, torn = command.files
    event = files_read(
        (good.file_id, good.path, (entry("a"),)),
        (empty.file_id, empty.path, ()),
        (torn.file_id, torn.path, (entry("b"),)),
    )
    whole, none, some = event.reads
    none = replace(none, outcome=FileOutcome.EMPTY, error="the file is empty")
    some = replace(some, error="it breaks off")
    with transaction(desk.engine) as session:
        reads.save_files(
            session, replace(event, reads=(whole, none, some)), now=desk.now
        )
        problems = list_problems(session, run, limit=10)
    assert [(one.path, one.outcome, one.error) for one in problems] == [
        ("/in/empty.txt", "empty", "the file is empty"),
        ("/in/torn.warc", "read", "it breaks off"),
    ]


def test_a_discarded_item_stays_on_record_and_the_books_balance(desk: Desk) -> None:
    desk.poll(entry("a"))
    for _ in range(LIMITS.max_attempts):
        desk.claim_articles()
        desk.now += LEASE
    with transaction(desk.engine) as session:
        pending.sweep_articles(session, now=desk.now, max_attempts=3)
        quarantine.discard(session, None, now=desk.now)
    assert desk.one(Quarantine).state == "discarded"
    desk.assert_balanced()
    with transaction(desk.engine) as session, pytest.raises(NotFound):
        quarantine.replay(session, [desk.one(Quarantine).id], now=desk.now)


def test_leases_of_a_line_that_died_are_given_back_at_once(desk: Desk) -> None:
    desk.poll(entry("a"))
    desk.add_feed("other")
    desk.add_files("/in/a.txt")
    assert desk.claim_feeds()
    assert claim_files(desk)
    assert desk.claim_articles()
    with transaction(desk.engine) as session:
        leases.release_all(session, now=desk.now)
    assert desk.claim_feeds()
    assert claim_files(desk)
    assert desk.claim_articles()
