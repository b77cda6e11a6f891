"""Which entries want their pages, and which pages are tried again."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from support.factories import NOW

from ingest.pagemessages import PageFetched
from ingest.pagewords import Fullness, PageOutcome, PagePolicy
from store.page_rules import PageRules, Teased, is_transient, wait_seconds, wish

RULES = PageRules(max_age=timedelta(days=7), most_a_day=100)
YOUNG, OLD = NOW - timedelta(days=6), NOW - timedelta(days=8)
AUTO, ALWAYS, NEVER = PagePolicy.AUTO, PagePolicy.ALWAYS, PagePolicy.NEVER


@pytest.mark.parametrize(
    ("policy", "fullness", "published_at", "wanted"),
    [
        (AUTO, Fullness.SHORT, YOUNG, "fetch"),
        (AUTO, Fullness.CUT_OFF, YOUNG, "fetch"),
        (AUTO, Fullness.HEADLINE, YOUNG, "fetch"),
        (AUTO, Fullness.WHOLE, YOUNG, None),
        (AUTO, None, YOUNG, None),
        (AUTO, Fullness.SHORT, OLD, "too_old"),
        (AUTO, Fullness.WHOLE, OLD, None),
        (ALWAYS, Fullness.WHOLE, YOUNG, "fetch"),
        (ALWAYS, Fullness.WHOLE, OLD, "too_old"),
        (ALWAYS, None, YOUNG, None),
        (NEVER, Fullness.SHORT, YOUNG, None),
        (NEVER, Fullness.SHORT, OLD, None),
    ],
)
def test_a_page_is_wanted_for_what_is_new_and_only_teased(
    policy: PagePolicy,
    fullness: Fullness | None,
    published_at: datetime,
    wanted: str | None,
) -> None:
    entry = Teased(
        fullness=fullness,
        published_at=published_at,
        policy=policy,
        is_first_poll=False,
    )
    assert wish(entry, RULES, now=NOW) == wanted


@pytest.mark.parametrize(("is_first", "wanted"), [(True, "too_old"), (False, "fetch")])
def test_what_has_no_date_is_news_if_the_feed_was_known(
    is_first: bool,  # noqa: FBT001 - of a table
    wanted: str,
) -> None:
    entry = Teased(
        fullness=Fullness.SHORT,
        published_at=None,
        policy=AUTO,
        is_first_poll=is_first,
    )
    assert wish(entry, RULES, now=NOW) == wanted


def ended(outcome: PageOutcome, **changes: Any) -> PageFetched:
    values: dict[str, Any] = {
        "article_id": 1,
        "ask": 1,
        "attempt": 1,
        "url": "https://news.example/a",
        "outcome": outcome,
        "fetched_at": NOW,
    }
    return PageFetched(**values | changes)


def test_only_what_may_change_by_itself_is_tried_again() -> None:
    again = {one for one in PageOutcome if one != "accepted"}
    found = {str(one) for one in again if is_transient(ended(one))}
    assert found == {"throttled", "http_error", "timeout", "unreachable"}
    assert is_transient(ended(PageOutcome.HTTP_ERROR, http_status=502))
    assert not is_transient(ended(PageOutcome.HTTP_ERROR, http_status=418))


def test_each_attempt_waits_longer_than_the_one_before() -> None:
    waits = [wait_seconds(n) for n in range(1, 8)]
    assert waits[:4] == [60, 240, 960, 3840]
    assert waits[-1] == 6 * 3600
