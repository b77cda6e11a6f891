"""Hands the store what it may not look up: deciding code, and what settings say."""

import random

from enrich.dedup.decide import compare, settle
from enrich.stories.assign import add_member, assign
from ingest.schedule import PollHistory, is_error, next_poll
from services.settings import Settings
from store.judge import Judge
from store.maintenance import Keep
from store.polls import PollFacts, PollPlan

JUDGE = Judge(compare=compare, settle=settle, assign=assign, add_member=add_member)


def keep_of(settings: Settings) -> Keep:
    """Return how long the records of the house's own doing are kept."""
    return Keep(
        polls_days=settings.keep_polls_days,
        audit_log_days=settings.keep_audit_log_days,
    )


def plan_poll(facts: PollFacts) -> PollPlan:
    """Return when a feed is polled next."""
    failed = is_error(facts.outcome)
    n_errors = facts.n_errors + 1 if failed else 0
    n_unchanged = 0 if facts.n_new else facts.n_unchanged + (not failed)
    history = PollHistory(
        interval_seconds=facts.interval_seconds,
        n_unchanged=n_unchanged,
        n_errors=n_errors,
        outcome=facts.outcome,
        retry_after_seconds=facts.retry_after_seconds,
        min_interval_seconds=facts.min_interval_seconds,
        recent_gap_seconds=facts.recent_gap_seconds,
    )
    jitter = random.uniform(-1, 1)  # noqa: S311  # spreads load; no secret
    planned = next_poll(history, now=facts.now, jitter=jitter)
    return PollPlan(
        next_poll_at=planned.at,
        interval_seconds=planned.interval_seconds,
        n_unchanged=n_unchanged,
        n_errors=n_errors,
    )
