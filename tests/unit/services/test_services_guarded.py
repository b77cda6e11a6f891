"""The guard around tasks: whatever goes wrong, SQL hears of it once."""

import logging
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from billiard.exceptions import WorkerLostError
from celery import Celery, signals
from celery.exceptions import SoftTimeLimitExceeded
from support.queues import empty_queues

from enrich.messages import ArticleToEnrich, EnrichArticles, Lane
from ingest.filemessages import (
    FilePlace,
    FileRead,
    FilesRead,
    FileToRead,
    ReadFiles,
)
from ingest.files import read_files
from ingest.messages import FileOutcome
from services import failures, guarded, routes, wire
from services.app import make_app
from services.failures import NotForThisWorker
from services.guarded import Report, run_guarded
from services.messages import WorkFailed, WorkKind
from services.publish import BrokerUnavailable
from services.settings import Settings
from store.limits import MAX_ASKED_SECONDS

NOW = datetime(2026, 1, 1, tzinfo=UTC)

READ = ReadFiles(
    files=tuple(
        FileToRead(file_id=n, path=f"/{n}", source="s", attempt=1) for n in (1, 2, 3)
    ),
    max_file_bytes=1,
    max_message_bytes=1,
)
ENRICH = EnrichArticles(
    lane=Lane.LIVE,
    pipelines=(),
    articles=(
        ArticleToEnrich(
            article_id=4,
            revision=2,
            title="",
            text="",
            language=None,
            published_at=None,
            attempt=3,
        ),
    ),
)


@pytest.fixture
def app() -> Celery:
    made = make_app(Settings(broker_url="memory://"))
    empty_queues(made, *routes.STORES)
    return made


def waiting(app: Celery) -> list[Any]:
    """Take all payloads that wait for the store: of files first, then of failures."""
    payloads = []
    with app.connection_for_read() as connection:
        for queue in (routes.STORE_BULK, routes.STORE):
            simple = connection.SimpleQueue(queue)
            while simple.qsize():
                message = simple.get(timeout=1)
                message.ack()
                payloads.append(message.payload[0][0])
            simple.close()
    return payloads


def failing(error: BaseException) -> Callable[[wire.Message, Report], None]:
    def run(_command: wire.Message, _report: Report) -> None:
        raise error

    return run


def files_read(*ids: int) -> FilesRead:
    reads = (FileRead(file_id=n, path=f"/{n}", outcome=FileOutcome.EMPTY) for n in ids)
    return FilesRead(read_at=NOW, reads=tuple(reads))


def only_failure(app: Celery) -> WorkFailed:
    (payload,) = waiting(app)
    return wire.decode(WorkFailed, payload)


def test_what_is_reported_goes_to_the_store(app: Celery) -> None:
    event = files_read(1, 2, 3)

    run_guarded(app, ReadFiles, wire.encode(READ), lambda _, report: report(event))

    assert [wire.decode(FilesRead, one) for one in waiting(app)] == [event]


@pytest.mark.parametrize(
    ("error", "permanent"),
    [
        (ValueError("x"), False),
        (OSError("x"), False),
        (MemoryError(), False),
        (SoftTimeLimitExceeded(), False),
        (NotForThisWorker("x"), False),
        (wire.Unsendable("s", "f", "r"), False),
        (wire.WireError("s", "f", "r"), True),
    ],
    ids=lambda value: type(value).__name__,
)
def test_any_error_of_a_task_becomes_an_event(
    app: Celery, error: Exception, *, permanent: bool
) -> None:
    run_guarded(app, ReadFiles, wire.encode(READ), failing(error))

    failed = only_failure(app)
    assert failed.task == "ingest.read"
    assert failed.kind is WorkKind.FILE
    assert failed.ids == ("1:1", "2:1", "3:1")
    assert failed.error == type(error).__name__
    assert failed.permanent is permanent
    assert (failed.retry_after_seconds is None) is permanent
    assert failed.payload is None


def test_work_that_was_reported_already_has_not_failed(app: Celery) -> None:
    def run(_command: ReadFiles, report: Report) -> None:
        report(files_read(1, 3))
        raise OSError("the disk went away")

    run_guarded(app, ReadFiles, wire.encode(READ), run)

    _, failure = waiting(app)
    failed = wire.decode(WorkFailed, failure)
    assert failed.ids == ("2:1",)
    assert failed.detail.startswith("the disk went away at test_services_guarded.py:")


def test_articles_are_named_with_their_revision_and_attempt(app: Celery) -> None:
    run_guarded(app, EnrichArticles, wire.encode(ENRICH), failing(ValueError("x")))

    failed = only_failure(app)
    assert (failed.kind, failed.ids) == (WorkKind.ARTICLE, ("4:2:3",))


def test_an_event_that_cannot_be_stored_names_its_work(app: Celery) -> None:
    payload = wire.encode(files_read(2))

    run_guarded(app, FilesRead, payload, failing(ValueError("x")))

    failed = only_failure(app)
    assert (failed.task, failed.ids) == ("store.save_files", ("2:0",))


@pytest.mark.parametrize("payload", ["{broken", "\ud800", wire.encode(ENRICH)])
def test_an_unreadable_payload_is_kept_for_the_quarantine(
    app: Celery, payload: str
) -> None:
    run_guarded(app, ReadFiles, payload, failing(AssertionError("must not run")))

    failed = only_failure(app)
    assert failed.kind is WorkKind.MESSAGE
    assert failed.permanent
    assert failed.error == "WireError"
    assert failed.payload == payload.encode("utf-8", "backslashreplace").decode()


def test_a_broker_that_is_away_is_not_bothered_again(app: Celery) -> None:
    error = BrokerUnavailable("publish", "gone")

    run_guarded(app, ReadFiles, wire.encode(READ), failing(error))

    assert waiting(app) == []


def test_a_failure_to_record_a_failure_does_not_run_in_circles(app: Celery) -> None:
    run_guarded(app, ReadFiles, wire.encode(READ), failing(ValueError("x")))
    (failure,) = waiting(app)

    run_guarded(app, WorkFailed, failure, failing(ValueError("x")))

    assert waiting(app) == []


def test_a_database_that_is_away_puts_the_message_back(
    app: Celery, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(failures, "is_database_away", lambda _: True)
    payload = wire.encode(files_read(1))

    run_guarded(app, FilesRead, payload, failing(ValueError("x")))
    assert waiting(app) == [payload]

    times = failures.DATABASE_AWAY.times
    run_guarded(app, FilesRead, payload, failing(ValueError("x")), held=times)
    assert only_failure(app).ids == ("1:0",)


def test_work_whose_process_was_killed_is_reported_by_its_worker(app: Celery) -> None:
    guarded.register_guarded(app, ReadFiles, failing(AssertionError("must not run")))
    guarded.watch_lost_tasks(app)

    signals.task_failure.send(
        sender=app.tasks["ingest.read"],
        task_id="1",
        exception=WorkerLostError("signal 9"),
        args=[wire.encode(READ)],
        kwargs={},
    )

    failed = only_failure(app)
    assert (failed.error, failed.ids) == ("WorkerLostError", ("1:1", "2:1", "3:1"))


def test_of_many_files_only_the_one_that_is_away_is_to_be_read_again(
    app: Celery, tmp_path: Path
) -> None:
    here, away = tmp_path / "a.txt", tmp_path / "b.txt"
    here.write_text("A text that is no article.")
    begun = FilePlace(member=3, offset=900)
    command = ReadFiles(
        files=(
            FileToRead(file_id=1, path=str(away), source="s", attempt=2, place=begun),
            FileToRead(file_id=2, path=str(here), source="s", attempt=1),
        ),
        max_file_bytes=1_000,
        max_message_bytes=10_000,
    )

    def run(command: ReadFiles, report: Report) -> None:
        for event in read_files(command, now=NOW):
            report(event)

    run_guarded(app, ReadFiles, wire.encode(command), run)

    read, failed = waiting(app)
    (one,) = wire.decode(FilesRead, read).reads
    assert one.file_id == 2
    failure = wire.decode(WorkFailed, failed)
    assert (failure.error, failure.ids) == ("FileAwayError", ("1:2",))
    assert not failure.permanent
    assert "does not exist" in failure.detail


def test_no_text_of_an_article_reaches_the_log(
    app: Celery, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG, logger="wireroom.tasks"):
        run_guarded(
            app, ReadFiles, wire.encode(READ), failing(ValueError("A secret title"))
        )

    ours = [one for one in caplog.records if one.name == "wireroom.tasks"]
    assert [one.getMessage() for one in ours] == ["task.failed"]
    # Nor to the log of a library, whichever of them speak up.
    assert "secret" not in str([vars(one) for one in caplog.records])


def test_a_detail_is_short_and_can_always_be_sent() -> None:
    detail = failures.detail_of(ValueError("\ud800 many\nlines " * 100))

    assert len(detail) <= failures.MAX_DETAIL_CHARS + len("\\ud800") * 100
    assert "\n" not in detail
    detail.encode()


def test_no_failure_asks_for_a_longer_wait_than_wrong_clocks_are_told_by() -> None:
    asked = [one for _, one in failures.POLICIES if isinstance(one, failures.Retry)]
    assert max(one.after_seconds for one in asked) == MAX_ASKED_SECONDS
