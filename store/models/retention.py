"""Tables of what is deleted, and of what must be remembered of it."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Integer, String, Text
from sqlalchemy.orm import Mapped

from store.models.base import Base, UtcDateTime, col, one_of
from store.words import EntryOutcome


class RetentionPolicy(Base):
    """How long articles are kept: of a feed, of feeds with a tag, or of all."""

    __tablename__ = "retention_policy"
    __table_args__ = (
        CheckConstraint("feed_id IS NULL OR tag IS NULL", name="one_scope"),
        CheckConstraint("keep_days > 0", name="keep_days"),
        {"comment": "How long articles are kept; what is most specific counts"},
    )

    scope: Mapped[str] = col(Text, primary_key=True, comment="all, tag:NAME or feed:ID")
    feed_id: Mapped[int | None] = col(ForeignKey("feed.id"), comment="Its feed")
    tag: Mapped[str | None] = col(Text, comment="Its tag")
    keep_days: Mapped[int | None] = col(
        Integer, comment="Days since an article was stored; NULL for ever"
    )
    created_at: Mapped[datetime] = col(UtcDateTime, comment="When it was set")


class Tombstone(Base):
    """A key whose article was deleted, so that it never returns as new."""

    __tablename__ = "tombstone"
    __table_args__ = (
        CheckConstraint(one_of("outcome", EntryOutcome), name="outcome"),
        {"comment": "A key of a deleted entry, which never returns as new"},
    )

    feed_id: Mapped[int] = col(
        ForeignKey("feed.id"), primary_key=True, comment="The feed"
    )
    key: Mapped[str] = col(
        Text, primary_key=True, comment="Key of the entry, or an alias of it"
    )
    outcome: Mapped[str | None] = col(
        String(16), comment="Outcome of the entry; NULL where the key is an alias"
    )
    uid: Mapped[str | None] = col(
        String(64), index=True, comment="Identity of its article"
    )
    deleted_at: Mapped[datetime] = col(UtcDateTime, comment="When it was deleted")
