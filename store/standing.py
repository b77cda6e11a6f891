"""Standing: what a poll means for the state of a feed, in words for the operator."""

from typing import Any

from ingest.messages import FeedPolled, PollOutcome
from store.models import Feed
from store.plain import said
from store.words import FeedState

# Time alone will hardly change these: somebody has to look.
FOR_OPERATORS = (
    PollOutcome.DENIED,
    PollOutcome.BLOCKED,
    PollOutcome.HOSTILE,
    PollOutcome.TOO_LARGE,
)
_FINE = {PollOutcome.FETCHED, PollOutcome.NOT_MODIFIED, PollOutcome.UNCHANGED}
ASKS = "for you to look at: "


def standing(feed: Feed, event: FeedPolled) -> dict[str, Any]:
    """Return the new state and reason of a feed, nothing where they stay.

    A reason that an earlier poll has given goes with the first poll that is fine.
    """
    if feed.state != FeedState.ACTIVE:
        return {}
    if event.outcome is PollOutcome.GONE:
        return {"state": FeedState.GONE, "reason": "the server answered 410 Gone"}
    if event.outcome in FOR_OPERATORS:
        return {"reason": said(ASKS + (event.error or event.outcome))}
    asked = (feed.reason or "").startswith(ASKS)
    return {"reason": None} if asked and event.outcome in _FINE else {}
