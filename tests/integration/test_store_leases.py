"""Leases: who still works keeps them, who is late touches nothing, two do no harm."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from support.desk import POLL_LIMITS, Desk
from support.factories import FILE_LIMITS, LIMITS, NOW, enriched, entry, polled

from enrich.messages import Lane
from ingest.messages import utc_now
from services.app import make_app
from services.messages import WorkContinues, WorkFailed, WorkKind
from services.settings import Settings
from services.storer import Desk as StoreDesk
from services.work import work_of
from store import claims, files, leases, pending, polling
from store.engine import transaction
from store.limits import Limits
from store.models import Enrichment, EnrichWork, Quarantine

LEASE = timedelta(seconds=LIMITS.lease_seconds)
MOMENT = timedelta(seconds=1)
N_WRITERS = 4


@pytest.fixture
def desk(migrated_url: str) -> Iterator[Desk]:
    made = Desk(migrated_url)
    yield made
    made.engine.dispose()


def claim_feeds(desk: Desk, limits: Limits = LIMITS) -> list[Any]:
    with transaction(desk.engine) as session:
        return list(
            polling.claim_feeds(
                session, now=desk.now, limits=limits, poll_limits=POLL_LIMITS
            )
        )


def claim_files(desk: Desk, limits: Limits = LIMITS) -> list[Any]:
    with transaction(desk.engine) as session:
        return list(
            files.claim_files(
                session, now=desk.now, limits=limits, file_limits=FILE_LIMITS
            )
        )


def claim_articles(desk: Desk, limits: Limits = LIMITS) -> list[Any]:
    with transaction(desk.engine) as session:
        return list(
            claims.claim_articles(session, lane=Lane.LIVE, now=desk.now, limits=limits)
        )


def have_feed(desk: Desk) -> None:
    desk.add_feed()


def have_file(desk: Desk) -> None:
    desk.add_files("/in/a.txt")


def have_article(desk: Desk) -> None:
    desk.poll(entry("a"))


Claim = Callable[..., list[Any]]
KINDS: list[tuple[WorkKind, Callable[[Desk], None], Claim]] = [
    (WorkKind.POLL, have_feed, claim_feeds),
    (WorkKind.FILE, have_file, claim_files),
    (WorkKind.ARTICLE, have_article, claim_articles),
]
each_kind = pytest.mark.parametrize(
    ("kind", "have", "claim"), KINDS, ids=[str(kind) for kind, _, _ in KINDS]
)


def say(desk: Desk, kind: WorkKind, command: Any, *, until: datetime) -> int:
    """Extend the lease of a command as the store does; return how many it knew."""
    held = [leases.Held(*item) for item in work_of(command)]
    with transaction(desk.engine) as session:
        match kind:
            case WorkKind.POLL:
                ids = [one.id for one in held]
                return leases.extend_polls(session, ids, until)
            case WorkKind.FILE:
                return leases.extend_files(session, held, until)
            case _:
                return leases.extend_articles(session, held, until)


@each_kind
def test_a_task_that_outlives_its_lease_is_sent_once_if_it_says_that_it_goes_on(
    desk: Desk, kind: WorkKind, have: Callable[[Desk], None], claim: Claim
) -> None:
    have(desk)
    (command,) = claim(desk)
    for _ in range(5):
        desk.now += LEASE / 2
        assert say(desk, kind, command, until=desk.now + LEASE) == 1
        assert claim(desk) == []

    desk.now += LEASE + MOMENT
    assert len(claim(desk)) == 1  # silence


@each_kind
def test_a_late_word_on_one_attempt_does_not_extend_the_next(
    desk: Desk, kind: WorkKind, have: Callable[[Desk], None], claim: Claim
) -> None:
    have(desk)
    (late,) = claim(desk)
    desk.now += LEASE + MOMENT
    (current,) = claim(desk)

    assert say(desk, kind, late, until=desk.now + 9 * LEASE) == 0
    # Nor does a word of long ago make a lease shorter.
    assert say(desk, kind, current, until=desk.now) == 0


@each_kind
def test_what_may_wait_in_its_queue_is_not_taken_for_lost(
    desk: Desk, kind: WorkKind, have: Callable[[Desk], None], claim: Claim
) -> None:
    del kind
    have(desk)
    assert claim(desk)
    ran_out = desk.now + LEASE
    desk.now += 9 * LEASE

    waits = replace(LIMITS, lost_before=ran_out - MOMENT)
    assert claim(desk, waits) == []
    assert len(claim(desk, replace(LIMITS, lost_before=ran_out))) == 1


def test_what_may_wait_in_its_queue_is_not_given_up_either(desk: Desk) -> None:
    have_feed(desk)
    have_file(desk)
    (asked,) = desk.claim_feeds()
    desk.save_poll(polled(asked.poll_id, asked.feed_id, entry("a")))
    desk.add_feed("other")
    last = replace(LIMITS, max_attempts=1)
    for claim in (claim_feeds, claim_files, claim_articles):
        assert claim(desk, last)
    ran_out = desk.now + LEASE
    desk.now += 9 * LEASE

    sweeps = (polling.sweep_feeds, files.sweep_files, pending.sweep_articles)
    for lost_before, n_swept in ((ran_out - MOMENT, 0), (ran_out, 1)):
        for sweep in sweeps:
            with transaction(desk.engine) as session:
                found = sweep(
                    session, now=desk.now, max_attempts=1, lost_before=lost_before
                )
            assert found == n_swept


@each_kind
def test_each_loss_makes_the_next_attempt_wait_longer(
    desk: Desk, kind: WorkKind, have: Callable[[Desk], None], claim: Claim
) -> None:
    del kind
    have(desk)
    patient = replace(LIMITS, max_attempts=6)
    assert claim(desk, patient)
    waits = []
    for _ in range(5):
        desk.now += LEASE
        ran_out = desk.now
        while not claim(desk, patient):
            desk.now += timedelta(seconds=5)
        waits.append((desk.now - ran_out).total_seconds())
    assert waits == [0, 10, 20, 40, 80]


# ---- the tasks of the store, on rows whose leases run now ----


@pytest.fixture
def store(desk: Desk, tmp_path: Path) -> Iterator[StoreDesk]:
    settings = Settings(home=tmp_path, database_url=desk.url, broker_url="memory://")
    made = StoreDesk(make_app(settings), settings)
    desk.now = utc_now()
    yield made
    made.close()


def report(_event: Any) -> None:
    raise AssertionError("the store reports nothing")


def failed(kind: WorkKind, command: Any) -> WorkFailed:
    return WorkFailed(
        task="test",
        kind=kind,
        ids=tuple(item.text(kind) for item in work_of(command)),
        error="ValueError",
        detail="late",
        permanent=False,
        failed_at=NOW,
    )


@each_kind
def test_a_worker_that_speaks_up_keeps_its_lease(
    desk: Desk,
    store: StoreDesk,
    kind: WorkKind,
    have: Callable[[Desk], None],
    claim: Claim,
) -> None:
    have(desk)
    (command,) = claim(desk)
    ids = tuple(item.text(kind) for item in work_of(command))
    a_minute = replace(LIMITS, lease_seconds=60)
    # The claim was made so long ago that it has nearly run out.
    nearly = desk.now + LEASE - timedelta(seconds=59)
    say(desk, kind, command, until=nearly)

    store.extend_leases(WorkContinues(kind=kind, ids=ids, at=utc_now()), report)

    desk.now += LEASE - MOMENT
    assert claim(desk, a_minute) == []
    desk.now += LEASE
    assert len(claim(desk, a_minute)) == 1


@each_kind
def test_a_clock_that_is_ahead_holds_no_work_back(
    desk: Desk,
    store: StoreDesk,
    kind: WorkKind,
    have: Callable[[Desk], None],
    claim: Claim,
) -> None:
    have(desk)
    (command,) = claim(desk)
    ids = tuple(item.text(kind) for item in work_of(command))
    ahead = utc_now() + timedelta(days=10)

    store.extend_leases(WorkContinues(kind=kind, ids=ids, at=ahead), report)

    desk.now += 2 * LEASE
    assert len(claim(desk)) == 1


@each_kind
def test_a_late_failure_leaves_the_next_attempt_alone(
    desk: Desk,
    store: StoreDesk,
    kind: WorkKind,
    have: Callable[[Desk], None],
    claim: Claim,
) -> None:
    desk.now -= LEASE + MOMENT
    have(desk)
    (late,) = claim(desk)
    desk.now += LEASE + MOMENT
    (current,) = claim(desk)

    store.record_failure(failed(kind, late), report)
    desk.now += LEASE / 2
    assert claim(desk) == []

    store.record_failure(failed(kind, current), report)
    assert len(claim(desk)) == 1  # after the wait of a second failure, 20 s


# ---- two beats, two sweepers ----


def at_once(work: Callable[[], Any]) -> list[Any]:
    """Run the work in some threads at the same moment; return what each got."""
    barrier = threading.Barrier(N_WRITERS)
    got: list[Any] = []
    errors: list[BaseException] = []

    def run() -> None:
        try:
            barrier.wait(timeout=60)
            got.append(work())
        except BaseException as error:  # noqa: BLE001  # shown by the main thread
            errors.append(error)

    threads = [threading.Thread(target=run) for _ in range(N_WRITERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=120)
    assert not errors
    return got


N_ITEMS = 30


def have_many(desk: Desk) -> None:
    desk.poll(*(entry(f"a{n}") for n in range(N_ITEMS)))
    for n in range(N_ITEMS):
        desk.add_feed(f"feed{n}")
    desk.add_files(*(f"/in/{n}.txt" for n in range(N_ITEMS)))


@each_kind
def test_dispatchers_at_the_same_moment_hand_out_each_piece_once(
    desk: Desk, kind: WorkKind, have: Callable[[Desk], None], claim: Claim
) -> None:
    del kind, have
    have_many(desk)

    commands = [one for got in at_once(lambda: claim(desk)) for one in got]

    pieces = [item.piece for command in commands for item in work_of(command)]
    assert len(pieces) == len(set(pieces)) == N_ITEMS


def test_sweepers_at_the_same_moment_quarantine_each_piece_once(desk: Desk) -> None:
    have_many(desk)
    last = replace(LIMITS, max_attempts=1)
    for claim in (claim_feeds, claim_files, claim_articles):
        assert claim(desk, last)
    desk.now += LEASE + MOMENT

    def sweep() -> int:
        n_swept = 0
        for one in (polling.sweep_feeds, files.sweep_files, pending.sweep_articles):
            with transaction(desk.engine) as session:
                n_swept += one(session, now=desk.now, max_attempts=1)
        return n_swept

    assert sum(at_once(sweep)) == 3 * N_ITEMS
    assert desk.count(Quarantine, Quarantine.n_times == 1) == 3 * N_ITEMS
    assert desk.count(EnrichWork) == 0
    desk.assert_balanced()


def test_a_word_and_an_answer_at_the_same_moment_do_no_harm(desk: Desk) -> None:
    have_many(desk)
    commands = claim_articles(desk)
    until = desk.now + 2 * LEASE
    turns = iter(range(N_WRITERS))

    def work() -> None:
        number = next(turns)
        for command in commands if number % 2 else reversed(commands):
            if number % 2:
                say(desk, WorkKind.ARTICLE, command, until=until)
            else:
                desk.save_enrichment(enriched(command))

    at_once(work)

    assert desk.count(EnrichWork) == 0
    assert desk.count(Enrichment) == 4 * N_ITEMS
    desk.assert_balanced()
