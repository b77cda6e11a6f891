"""Hands the store what it may not look up: deciding code, and what settings say."""

from enrich.dedup.decide import compare, settle
from enrich.stories.assign import add_member, assign
from ingest.learning import find_common_packed
from services.settings import Settings
from store.judge import Judge
from store.maintenance import Keep

JUDGE = Judge(
    compare=compare,
    settle=settle,
    assign=assign,
    add_member=add_member,
    learn=find_common_packed,
)


def keep_of(settings: Settings) -> Keep:
    """Return how long the records of the house's own doing are kept."""
    return Keep(
        polls_days=settings.keep_polls_days,
        audit_log_days=settings.keep_audit_log_days,
    )
