"""What the store knows of a feed goes to the schedule, and its plan comes back."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.messages import PollOutcome
from ingest.rhythm import FORMAT
from services.planning import plan_poll
from store.cursor import PollFacts, PollPlan
from store.flags import Flag

NOW = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)
AT = NOW.timestamp()
HOUR = 3_600
DAY = 24 * HOUR


def facts(**changes: Any) -> PollFacts:
    values: dict[str, Any] = {
        "outcome": PollOutcome.FETCHED,
        "now": NOW,
        "news": (),
        "n_changed": 0,
        "n_entries": 20,
        "interval_seconds": HOUR,
        "n_unchanged": 0,
        "n_errors": 0,
        "retry_after_seconds": None,
        "min_interval_seconds": None,
    }
    values |= changes
    return PollFacts(**{"seen_at": values["now"], **values})


def wait(plan: PollPlan) -> float:
    return (plan.next_poll_at - NOW).total_seconds()


def hourly(n: int, *, until: float = AT) -> list[float]:
    return [until - (place + 0.5) * HOUR for place in range(n)]


def test_a_first_document_is_history_to_learn_from() -> None:
    lively = plan_poll(facts(news=hourly(40)))
    idle = plan_poll(facts(news=[AT - place * 9 * DAY for place in range(1, 6)]))
    assert lively.rhythm["entries"] == 40
    assert (lively.cause, lively.liveness) == ("pace", "live")
    assert wait(lively) < 4 * HOUR < wait(idle)


def test_an_entry_without_a_date_counts_too() -> None:
    first = plan_poll(facts(news=[None] * 20))
    more = plan_poll(
        facts(
            news=[None, None, AT + HOUR],
            rhythm=first.rhythm,
            now=NOW + timedelta(hours=2),
        )
    )
    assert more.rhythm["entries"] == pytest.approx(first.rhythm["entries"] + 3, rel=0.1)


@pytest.mark.parametrize("lost", [None, {"format": FORMAT - 1, "hours": "?"}])
def test_a_rhythm_that_cannot_be_read_is_learned_anew_from_what_is_stored(
    lost: Any,
) -> None:
    last = NOW - timedelta(hours=1)

    def earlier() -> Sequence[float]:
        return hourly(60, until=last.timestamp())

    plan = plan_poll(
        facts(rhythm=lost, earlier=earlier, last_polled_at=last, news=[AT - 60])
    )
    assert plan.rhythm["format"] == FORMAT
    assert plan.rhythm["entries"] == pytest.approx(61, rel=0.01)


def test_what_a_document_asks_for_holds_until_another_one_comes() -> None:
    first = plan_poll(
        facts(
            news=hourly(300),
            min_interval_seconds=5 * HOUR,
            skip_hours=(18, 19),
            skip_days=(6,),
        )
    )
    assert first.hints == {
        "min_interval_seconds": 5 * HOUR,
        "skip_hours": [18, 19],
        "skip_days": [6],
    }
    assert (first.cause, first.asked_seconds) == ("publisher", 5 * HOUR)
    again = facts(
        outcome=PollOutcome.NOT_MODIFIED, rhythm=first.rhythm, hints=first.hints
    )
    held = plan_poll(again)
    assert (wait(held), held.hints) == (5 * HOUR, first.hints)
    late = plan_poll(
        facts(
            outcome=PollOutcome.NOT_MODIFIED,
            rhythm=first.rhythm,
            hints=first.hints,
            retry_after_seconds=6 * HOUR + 60,
        )
    )
    assert (wait(late), late.cause) == (8 * HOUR, "skipped")
    freed = plan_poll(facts(rhythm=first.rhythm, hints=first.hints))
    assert freed.hints is None
    assert wait(freed) < 4 * HOUR


def test_a_store_that_lags_does_not_take_its_own_delay_for_silence() -> None:
    busy = plan_poll(facts(news=hourly(100)))
    plan = plan_poll(
        facts(
            rhythm=busy.rhythm,
            now=NOW + timedelta(days=2),
            seen_at=NOW + timedelta(hours=1),
            outcome=PollOutcome.NOT_MODIFIED,
        )
    )
    assert plan.flag is None
    assert plan.rhythm["updated_at"] == AT + HOUR
    assert plan.next_poll_at > NOW + timedelta(days=2, seconds=600)


def test_a_feed_that_falls_silent_is_flagged_and_an_error_does_not_change_that() -> (
    None
):
    busy = plan_poll(facts(news=hourly(100)))
    assert busy.flag is None
    later = NOW + timedelta(days=1)
    silent = plan_poll(
        facts(rhythm=busy.rhythm, now=later, outcome=PollOutcome.NOT_MODIFIED)
    )
    assert silent.flag is not None
    assert silent.flag.name == "quiet"
    assert silent.flag.reason.startswith("nothing since 2026-03-04 11:30 UTC")
    flag = Flag(name="quiet", reason="as before")
    failed = plan_poll(
        facts(rhythm=silent.rhythm, now=later, outcome=PollOutcome.TIMEOUT, flag=flag)
    )
    assert failed.flag is flag
    assert failed.rhythm == silent.rhythm


def test_thirty_errors_make_a_feed_dead_and_one_probe_brings_it_back() -> None:
    broken = facts(outcome=PollOutcome.NOT_FOUND, n_errors=29, n_entries=0)
    dead = plan_poll(broken)
    assert (dead.liveness, dead.cause, dead.n_errors) == ("dead", "probe", 30)
    assert 6 * DAY < wait(dead) <= 7 * DAY
    back = plan_poll(facts(n_errors=30, news=hourly(20), rhythm=dead.rhythm))
    assert (back.liveness, back.n_errors) == ("live", 0)
    assert wait(back) <= DAY


HINTS = st.none() | st.integers(0, 10**12)
POLLS = st.fixed_dictionaries(
    {
        "outcome": st.sampled_from(sorted(PollOutcome)),
        "news": st.lists(st.none() | st.floats(AT - 90 * DAY, AT + 90 * DAY)),
        "n_entries": st.integers(0, 2_000),
        "retry_after_seconds": HINTS,
        "min_interval_seconds": HINTS,
        "skip_hours": st.lists(st.integers(-1, 99)),
        "skip_days": st.lists(st.integers(-1, 9)),
    }
)


@given(st.lists(POLLS, min_size=1, max_size=12))
def test_whatever_has_happened_an_active_feed_is_due_again_in_time(
    polls: list[dict[str, Any]],
) -> None:
    now, kept = NOW, dict[str, Any](interval_seconds=HOUR, n_unchanged=0, n_errors=0)
    for poll in polls:
        plan = plan_poll(facts(**{**poll, **kept, "now": now}))
        wait = plan.next_poll_at - now
        asked = min(poll["retry_after_seconds"] or 0, 7 * DAY)
        assert wait >= timedelta(seconds=max(600, asked))
        longest = 7 * DAY if plan.cause in {"probe", "server"} else DAY
        assert wait <= timedelta(seconds=longest)
        kept = {
            "interval_seconds": plan.interval_seconds,
            "n_unchanged": plan.n_unchanged,
            "n_errors": plan.n_errors,
            "rhythm": plan.rhythm,
            "hints": plan.hints,
            "flag": plan.flag,
        }
        now = plan.next_poll_at
