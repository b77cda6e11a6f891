"""Marks of items: what the last poll of a feed saw, kept for the next one."""

from collections.abc import Mapping

from sqlalchemy import delete
from sqlalchemy.orm import Session

from store.batches import replace_rows
from store.models import ItemMarks


def keep_marks(session: Session, packed: Mapping[int, bytes]) -> None:
    """Replace what is remembered of the items of feeds; nothing means: read them all.

    It belongs into the transaction that moves the cursors of the feeds, because the
    marks say of each item that it has been stored.
    """
    kept = [
        {"feed_id": feed_id, "packed": packed[feed_id]}
        for feed_id in sorted(packed)
        if packed[feed_id]
    ]
    replace_rows(session, ItemMarks, kept, key=("feed_id",))
    gone = [feed_id for feed_id, marks in packed.items() if not marks]
    if gone:
        session.execute(delete(ItemMarks).where(ItemMarks.feed_id.in_(gone)))
