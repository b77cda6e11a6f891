"""Documents that are made to do harm end in a named outcome, before the parser starts.

What each takes, also what goes to the bound and passes, `make bench-hostile` measures.
"""

import pytest
from support.bombs import BOMBS, LIMIT

from ingest.describe import Given, describe_feed
from ingest.feeds import parse_feed
from ingest.messages import PollOutcome, utc_now
from ingest.preflight import FeedRefusedError, check

REFUSED = {
    "nothing": (PollOutcome.NOT_A_FEED, "empty"),
    "white space": (PollOutcome.NOT_A_FEED, "empty"),
    "billion laughs": (PollOutcome.HOSTILE, "declares entities"),
    "quadratic entity": (PollOutcome.HOSTILE, "declares entities"),
    "external entity": (PollOutcome.HOSTILE, "declares entities"),
    "attributes of one tag": (PollOutcome.HOSTILE, "attributes"),
    "attributes of many tags": (PollOutcome.HOSTILE, "too long"),
    "nested elements": (PollOutcome.HOSTILE, "nested"),
    "empty tags": (PollOutcome.HOSTILE, "tags"),
    "tags to the bound": (PollOutcome.HOSTILE, "tags"),
    "unknown namespaces": (PollOutcome.HOSTILE, "tags"),
    "undeclared prefixes": (PollOutcome.HOSTILE, "tags"),
    "a long author": (PollOutcome.HOSTILE, "author"),
    "categories": (PollOutcome.HOSTILE, "categories"),
    "keywords": (PollOutcome.HOSTILE, "categories"),
    "places": (PollOutcome.HOSTILE, "coordinates"),
    "comments": (PollOutcome.HOSTILE, "tags"),
    "pieces of CDATA": (PollOutcome.HOSTILE, "tags"),
    "letters that expand": (PollOutcome.HOSTILE, "too long"),
    "letters that decompose": (PollOutcome.HOSTILE, "too long"),
    "a web page": (PollOutcome.NOT_A_FEED, "web page"),
    "gzip of nothing": (PollOutcome.TOO_LARGE, "unpacked"),
    "JSON of lists": (PollOutcome.HOSTILE, "objects"),
    "JSON of objects": (PollOutcome.HOSTILE, "objects"),
    "nested JSON": (PollOutcome.HOSTILE, "objects"),
    "items of JSON": (PollOutcome.HOSTILE, "tags"),
}
PASSED = ("external document type", "an author to the bound")


@pytest.mark.parametrize("name", REFUSED)
def test_a_bomb_is_refused_by_name_and_never_parsed(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ingest.feeds.feedparser", None)
    outcome, reason = REFUSED[name]
    with pytest.raises(FeedRefusedError) as caught:
        parse_feed(BOMBS[name](), max_items=2_000)
    assert caught.value.outcome is outcome
    assert reason in caught.value.reason


@pytest.mark.parametrize("name", PASSED)
def test_what_goes_to_the_bound_is_read(name: str) -> None:
    told = describe_feed(Given(body=BOMBS[name]()), now=utc_now())
    assert told["outcome"] == "fetched"
    assert told["entries"]


def test_what_would_cost_too_much_is_cut_after_what_was_cheap_enough() -> None:
    item = f"<item><description><![CDATA[{'<b>' * 5_000}]]></description></item>"
    checked = check(f"<rss><channel>{item * 400}</channel></rss>", max_items=2_000)
    assert 100 < checked.n_items < 300
    assert (checked.cut, checked.complete) == (True, True)
    assert checked.text.count("<item>") == checked.n_items


def test_no_bomb_is_larger_than_what_a_poll_reads() -> None:
    for name in ("deep HTML", "texts of all items", "numbered characters"):
        assert LIMIT // 2 < len(BOMBS[name]()) <= LIMIT
