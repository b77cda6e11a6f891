"""Marks of items: what the last poll of a feed saw, kept for the next one."""

from sqlalchemy import delete
from sqlalchemy.orm import Session

from store.batches import replace_rows
from store.models import ItemMarks


def keep_marks(session: Session, feed_id: int, packed: bytes) -> None:
    """Replace what is remembered of a feed's items; nothing means: read them all.

    It belongs into the transaction that moves the feed's cursor, because the marks say
    of each item that it has been stored.
    """
    if packed:
        row = {"feed_id": feed_id, "packed": packed}
        replace_rows(session, ItemMarks, [row], key=("feed_id",))
    else:
        session.execute(delete(ItemMarks).where(ItemMarks.feed_id == feed_id))
