"""What holds whatever an article does to its worker: real workers, a real Redis."""

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import redis
from support.line import ROOT, children_of, command_line
from support.poisoned import CRASH, HANG, HOG
from support.workers import Workers, poll_command, read_command, wait_for

from enrich.messages import ArticlesEnriched, ArticleToEnrich, EnrichArticles, Lane
from enrich.pipeline import pipelines
from ingest.filemessages import FilesRead, FileToRead, ReadFiles
from ingest.messages import FeedsPolled
from services import routes, wire
from services.app import make_app
from services.enricher import enrich_options
from services.messages import WorkFailed, WorkKind
from services.publish import publish, queue_length
from services.settings import Settings

pytestmark = pytest.mark.integration

SECRET = "Xylophagous"  # noqa: S105  # a word of no other text
STORY = (
    f"{SECRET} beetles have closed the harbour of Lisbon, Angela Merkel said in Berlin."
    " The port authority expects to open it again on Monday morning, before the first"
    " ships arrive from Hamburg with grain. "
)


@dataclass
class Poisoned(Workers):
    """Workers of the program with poison in it, whose every word is kept."""

    heard: list[Path] = field(default_factory=list)

    def run(self, queues: str, **variables: str) -> "subprocess.Popen[bytes]":
        self.settings.home.mkdir(exist_ok=True)
        self.heard.append(self.settings.home / f"{len(self.heard)}.log")
        env = {
            **os.environ,
            "WIREROOM_HOME": str(self.settings.home),
            "WIREROOM_BROKER_URL": str(self.settings.broker_url),
            "PYTHONPATH": os.pathsep.join((str(ROOT), str(ROOT / "tests"))),
            **variables,
        }
        program = [sys.executable, "-m", "support.poisoned", "worker"]
        argv = [*program, "--queues", queues, "--concurrency", "1"]
        with self.heard[-1].open("wb") as log:
            worker = subprocess.Popen(
                argv, cwd=ROOT, env=env, stdout=log, stderr=log, start_new_session=True
            )
        self.running.append(worker)
        return worker

    def log(self) -> str:
        return "".join(one.read_text(errors="replace") for one in self.heard)


@pytest.fixture
def bench(redis_url: str, tmp_path: Path) -> Iterator[Poisoned]:
    settings = Settings(home=tmp_path / "home", broker_url=redis_url)
    made = Poisoned(settings=settings, app=make_app(settings))
    yield made
    for worker in made.running:
        if worker.poll() is None:
            os.killpg(worker.pid, signal.SIGKILL)
        worker.wait()


def enriching(
    bench: Poisoned, *texts: str, lane: Lane = Lane.LIVE, first: int = 1
) -> EnrichArticles:
    articles = (
        ArticleToEnrich(
            article_id=n,
            revision=1,
            title=f"{SECRET} beetles",
            text=text,
            language="en",
            published_at=None,
            attempt=1,
        )
        for n, text in enumerate(texts, start=first)
    )
    wanted = pipelines(enrich_options(bench.settings))
    return EnrichArticles(lane=lane, pipelines=wanted, articles=tuple(articles))


@pytest.mark.skipif(sys.platform != "linux", reason="other kernels count less memory")
def test_an_article_that_takes_all_memory_fails_alone_with_its_reason(
    bench: Poisoned,
) -> None:
    bench.run("enrich.live", WIREROOM_TASK_MEMORY_MB="500")

    publish(bench.app, enriching(bench, STORY, STORY + HOG, STORY))
    event = bench.next_event()

    assert isinstance(event, ArticlesEnriched)
    assert [one.article_id for one in event.articles] == [1, 3]
    assert [(one.article_id, one.error) for one in event.failed] == [(2, "MemoryError")]


def test_a_batch_that_kills_its_process_is_reported_once_and_not_tried_again(
    bench: Poisoned,
) -> None:
    bench.run("enrich.live")

    publish(bench.app, enriching(bench, STORY, STORY + CRASH))
    # A message behind it shows that the worker went on, and that nothing came between.
    publish(bench.app, enriching(bench, STORY, first=3))
    events = [bench.next_event(), bench.next_event()]

    (lost,) = [one for one in events if isinstance(one, WorkFailed)]
    (done,) = [one for one in events if isinstance(one, ArticlesEnriched)]
    assert (lost.error, lost.kind) == ("WorkerLostError", WorkKind.ARTICLE)
    assert lost.ids == ("1:1:1", "2:1:1")
    assert [one.article_id for one in done.articles] == [3]
    assert queue_length(bench.app, routes.ENRICH_LIVE) == 0


def made_at(event: Any) -> datetime:
    match event:
        case FeedsPolled():
            return event.polls[0].polled_at
        case FilesRead():
            return event.read_at
        case _:
            moment: datetime = event.enriched_at
            return moment


def test_news_passes_archives_and_polls_pass_files_in_one_worker(
    bench: Poisoned, tmp_path: Path
) -> None:
    read = read_command(tmp_path / "none.txt")
    with socket.create_server(("127.0.0.1", 0)) as server:
        poll = poll_command(server)  # refused, for it is no public address
    for n in range(3):
        publish(bench.app, enriching(bench, STORY, lane=Lane.BULK, first=10 + n))
        publish(bench.app, read)
    for n in range(3):
        publish(bench.app, poll)
        publish(bench.app, enriching(bench, STORY, lane=Lane.LIVE, first=20 + n))
    # As stores sent it before files had a queue of their own.
    old = wire.encode(read)
    bench.app.send_task("ingest.read", args=(old,), queue=routes.INGEST)

    bench.run("enrich.bulk,ingest.bulk,ingest,enrich.live")
    # Live and bulk answers wait in two queues; when each was made tells the order.
    events = sorted((bench.next_event() for _ in range(13)), key=made_at)

    assert [getattr(one, "lane", type(one)) for one in events] == (
        [Lane.LIVE] * 3 + [FeedsPolled] * 3 + [FilesRead] * 4 + [Lane.BULK] * 3
    )


def test_what_meets_strangers_needs_no_database_and_touches_none(
    bench: Poisoned, tmp_path: Path
) -> None:
    home = bench.settings.home
    home.mkdir()
    garbage = b"this is no database"
    database = home / "wireroom.db"
    database.write_bytes(garbage)
    database.chmod(0)
    page = tmp_path / "page.txt"
    page.write_text(f"Harbour closed\n\n{STORY * 3}\n")
    file = FileToRead(file_id=1, path=str(page), source="desk", attempt=1)
    read = ReadFiles(files=(file,), max_file_bytes=10**6, max_message_bytes=10**6)

    worker = bench.run("ingest,ingest.bulk,enrich.live,enrich.bulk")
    publish(bench.app, read)
    publish(bench.app, enriching(bench, STORY))
    events = [bench.next_event(), bench.next_event()]

    assert {type(one) for one in events} == {FilesRead, ArticlesEnriched}
    # Root may read what nobody may, so look at what the processes hold, too.
    for pid in (worker.pid, *children_of(worker.pid)):
        variables = Path(f"/proc/{pid}/environ").read_bytes()
        assert b"DATABASE" not in variables
        assert not {"wireroom.db", "_sqlite3", "psycopg"} & names_held(pid)
    database.chmod(0o600)
    assert database.read_bytes() == garbage
    assert sorted(one.name for one in home.glob("wireroom.db*")) == ["wireroom.db"]


def names_held(pid: int) -> set[str]:
    """Return the names of the files that a process has open or has loaded."""
    maps = Path(f"/proc/{pid}/maps").read_text().split()
    held = {Path(one).name.partition(".cpython")[0] for one in maps if "/" in one}
    for link in Path(f"/proc/{pid}/fd").iterdir():
        held.add(link.readlink().name)
    return held


def test_no_text_of_an_article_reaches_logs_labels_or_titles(
    bench: Poisoned, redis_url: str
) -> None:
    publish(bench.app, enriching(bench, STORY, STORY + HOG))
    publish(bench.app, enriching(bench, STORY + CRASH, first=3))
    assert_labels_hide(redis_url, routes.ENRICH_LIVE, n=2)

    worker = bench.run(
        "enrich.live", WIREROOM_LOG_LEVEL="DEBUG", WIREROOM_TASK_MEMORY_MB="500"
    )
    titles: set[str] = set()

    def has_answered() -> bool:
        titles.update(map(command_line, children_of(worker.pid)))
        return queue_length(bench.app, routes.STORE) == 2

    wait_for(has_answered)

    assert titles
    assert not [one for one in titles if SECRET in one]
    assert_labels_hide(redis_url, routes.STORE, n=2)
    log = bench.log()
    assert "task.done" in log
    assert SECRET not in log


def assert_labels_hide(redis_url: str, queue: str, *, n: int) -> None:
    """Look at everything of waiting messages but their bodies."""
    with redis.Redis.from_url(redis_url) as client:
        raw = client.lrange(f"wireroom:{queue}", 0, -1)
    assert len(raw) == n
    for one in raw:
        envelope = decoded(one)
        del envelope["body"]
        assert envelope["headers"]["task"]
        assert SECRET not in str(envelope)


def decoded(raw: bytes) -> dict[str, Any]:
    return dict(json.loads(raw))


@pytest.mark.parametrize("stop", ["SIGTERM", "SIGINT", "Ctrl-C"])
def test_a_worker_that_is_stopped_returns_its_work_at_once(
    bench: Poisoned, stop: str
) -> None:
    worker = bench.run("enrich.live", WIREROOM_SOFT_SHUTDOWN_SECONDS="1")
    for n in range(3):
        publish(bench.app, enriching(bench, STORY + HANG, first=1 + n))
    wait_for(lambda: queue_length(bench.app, routes.ENRICH_LIVE) == 2)
    (child,) = children_of(worker.pid)

    match stop:
        case "Ctrl-C":  # a terminal tells the whole group
            os.killpg(worker.pid, signal.SIGINT)
        case name:
            worker.send_signal(signal.Signals[name])

    worker.wait(60)
    assert queue_length(bench.app, routes.ENRICH_LIVE) == 3
    wait_for(lambda: not Path(f"/proc/{child}/cmdline").exists())


def test_a_pool_process_that_hears_nothing_does_not_hold_up_the_end(
    bench: Poisoned,
) -> None:
    worker = bench.run("enrich.live", WIREROOM_SOFT_SHUTDOWN_SECONDS="1")
    publish(bench.app, enriching(bench, STORY + HANG))
    wait_for(lambda: queue_length(bench.app, routes.ENRICH_LIVE) == 0)
    (child,) = children_of(worker.pid)
    os.kill(child, signal.SIGSTOP)

    worker.send_signal(signal.SIGTERM)

    worker.wait(60)
    assert queue_length(bench.app, routes.ENRICH_LIVE) == 1
    wait_for(lambda: not Path(f"/proc/{child}/cmdline").exists())


@pytest.mark.parametrize("frozen", [False, True])
def test_a_second_interrupt_ends_the_wait(bench: Poisoned, *, frozen: bool) -> None:
    worker = bench.run("enrich.live", WIREROOM_SOFT_SHUTDOWN_SECONDS="600")
    publish(bench.app, enriching(bench, STORY))
    assert isinstance(bench.next_event(), ArticlesEnriched)
    publish(bench.app, enriching(bench, STORY + HANG, first=2))
    wait_for(lambda: queue_length(bench.app, routes.ENRICH_LIVE) == 0)
    (child,) = children_of(worker.pid)
    if frozen:
        os.kill(child, signal.SIGSTOP)

    worker.send_signal(signal.SIGINT)
    wait_for(lambda: "Warm shutdown" in bench.log())
    worker.send_signal(signal.SIGINT)

    worker.wait(60)
    assert queue_length(bench.app, routes.ENRICH_LIVE) == 1
    wait_for(lambda: not Path(f"/proc/{child}/cmdline").exists())
