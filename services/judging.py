"""Hands the store what it may not look up: deciding code, and what settings say."""

from enrich.dedup.decide import compare, settle
from enrich.dedup.fingerprint import choose_keys
from enrich.dedup.furniture import find_furniture, without
from enrich.stories.assign import assign, mean
from enrich.stories.features import index_keys
from enrich.stories.regroup import MAX_TAKEN_APART, choose_neighbours, regroup
from ingest.learning import find_common_packed
from services.settings import Settings
from store.judge import Clusterer, Judge
from store.night import Keep

CLUSTERER = Clusterer(
    assign=assign,
    mean=mean,
    keys=index_keys,
    neighbours=choose_neighbours,
    regroup=regroup,
    max_taken_apart=MAX_TAKEN_APART,
)

JUDGE = Judge(
    compare=compare,
    settle=settle,
    stories=CLUSTERER,
    learn=find_common_packed,
    find_furniture=find_furniture,
    without=without,
    choose_keys=choose_keys,
)


def keep_of(settings: Settings) -> Keep:
    """Return how long the records of the house's own doing are kept."""
    return Keep(
        polls_days=settings.keep_polls_days,
        audit_log_days=settings.keep_audit_log_days,
        story_days=settings.story_days,
        index_days=settings.copy_index_days,
    )
