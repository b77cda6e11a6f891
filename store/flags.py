"""Flags on feeds: what is unusual about them since when, told to the outside once."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import insert
from sqlalchemy.orm import Session

from store.models import Feed, Outbox


@dataclass(frozen=True, slots=True, kw_only=True)
class Flag:
    """How a feed differs from what it usually does."""

    name: str  # "quiet" or "spiking"
    reason: str  # one sentence for the operator


class FeedEvent(StrEnum):
    """What the outbox says of a feed."""

    UNUSUAL = "feed.unusual"
    USUAL = "feed.usual"


def flag_of(feed: Feed) -> Flag | None:
    """Return the flag that a feed has."""
    if feed.unusual is None:
        return None
    return Flag(name=feed.unusual, reason=feed.unusual_reason or "")


def flag_values(
    session: Session, feed: Feed, flag: Flag | None, *, now: datetime
) -> dict[str, Any]:
    """Return the columns of a feed with a flag or without; say so where that is news.

    Args:
        session: In a transaction that holds the row of the feed.
        feed: As it is stored.
        flag: As it is now.
        now: The present moment.
    """
    name = flag.name if flag else None
    if name == feed.unusual:
        # Counts in the reason grow; since when it is so does not change.
        return {"unusual_reason": flag.reason} if flag else {}
    event = FeedEvent.UNUSUAL if flag else FeedEvent.USUAL
    said = flag or flag_of(feed)
    payload = {
        "feed_id": feed.id,
        "url": feed.url,
        "flag": said.name if said else None,
        "reason": said.reason if said else None,
        "at": now.isoformat(),
    }
    row = {"kind": event, "key": f"feed:{feed.id}", "payload": payload}
    session.execute(insert(Outbox), [row | {"created_at": now}])
    return {
        "unusual": name,
        "unusual_since": now if flag else None,
        "unusual_reason": flag.reason if flag else None,
    }
