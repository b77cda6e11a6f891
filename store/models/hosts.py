"""Tables of the servers behind feeds: who asked us to wait, and which feeds moved."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, Text
from sqlalchemy.orm import Mapped

from store.models.base import Base, BigId, UtcDateTime, col, one_of
from store.words import MoveKind


class HostPause(Base):
    """A server that asked us to wait, with all of its feeds."""

    __tablename__ = "host_pause"
    __table_args__ = ({"comment": "A server that asked us to wait"},)

    host: Mapped[str] = col(Text, primary_key=True, comment="As in feed.host")
    since: Mapped[datetime] = col(UtcDateTime, comment="When it last asked")
    until: Mapped[datetime] = col(UtcDateTime, comment="None of its feeds before that")
    reason: Mapped[str] = col(Text, comment="One sentence for the operator")
    feed_id: Mapped[int] = col(ForeignKey("feed.id"), comment="Whose poll was told so")


class FeedMove(Base):
    """A permanent redirect that was followed for good."""

    __tablename__ = "feed_move"
    __table_args__ = (
        CheckConstraint(one_of("kind", MoveKind), name="kind"),
        Index("ix_feed_move_feed_id", "feed_id"),
        {"comment": "A permanent redirect that was followed for good"},
    )

    id: Mapped[int] = col(BigId, primary_key=True, comment="Surrogate key")
    feed_id: Mapped[int] = col(ForeignKey("feed.id"), comment="The feed that moved")
    kind: Mapped[str] = col(
        Text, comment="moved, or merged into a feed that was there already"
    )
    old_url: Mapped[str] = col(Text, comment="Where it was polled before")
    new_url: Mapped[str] = col(Text, comment="Where it is now")
    into_feed_id: Mapped[int | None] = col(
        ForeignKey("feed.id"), comment="The feed that polls that address, if merged"
    )
    at: Mapped[datetime] = col(UtcDateTime, comment="When it was settled")
