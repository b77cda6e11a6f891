"""Tables of what is watched: feeds, and what is remembered of their items."""

from datetime import datetime
from typing import Any

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Text,
    text,
)
from sqlalchemy.orm import Mapped

from ingest.messages import host_of
from ingest.pagewords import PagePolicy
from store.models.base import Base, BigId, Json, UtcDateTime, col, one_of
from store.words import FeedKind, FeedState, Trust


def _host(context: Any) -> str:
    return host_of(context.get_current_parameters()["url"])


class Feed(Base):
    """A polled document, or the place where handed-over files are filed."""

    __tablename__ = "feed"
    __table_args__ = (
        CheckConstraint(one_of("kind", FeedKind), name="kind"),
        CheckConstraint(one_of("state", FeedState), name="state"),
        Index(
            "ix_feed_next_poll_at",
            "next_poll_at",
            sqlite_where=text("state = 'active'"),
            postgresql_where=text("state = 'active'"),
        ),
        Index("ix_feed_host", "host"),
        Index(
            "ix_feed_lease_until",
            "lease_until",
            sqlite_where=text("lease_until IS NOT NULL"),
            postgresql_where=text("lease_until IS NOT NULL"),
        ),
        {"comment": "A polled document, or the place where handed-over files go"},
    )

    id: Mapped[int] = col(BigId, primary_key=True, comment="Surrogate key")
    url: Mapped[str] = col(Text, comment="Address as the operator gave it")
    url_key: Mapped[str] = col(
        String(64), unique=True, comment="Hash of the canonical address"
    )
    kind: Mapped[str] = col(String(16), comment="web, folder, or files for handed-over")
    state: Mapped[str] = col(String(16), comment="What the scheduler does with it")
    reason: Mapped[str | None] = col(Text, comment="Why it is in that state")
    title: Mapped[str | None] = col(Text, comment="Title the feed gives itself")
    site_url: Mapped[str | None] = col(Text, comment="Page the feed belongs to")
    source: Mapped[str | None] = col(Text, comment="Publisher, if the operator says")
    language: Mapped[str | None] = col(String(16), comment="Language it declares")
    tags: Mapped[Any] = col(Json, default=list, comment="Labels of the operator")
    key_mode: Mapped[str | None] = col(
        String(16), comment="What keys of its entries are made of"
    )
    n_churned: Mapped[int] = col(
        Integer,
        default=0,
        server_default="0",
        comment="Polls in a row with new ids on known entries",
    )
    etag: Mapped[str | None] = col(Text, comment="Validator, byte for byte")
    last_modified: Mapped[str | None] = col(Text, comment="Validator, byte for byte")
    body_sha256: Mapped[str | None] = col(
        String(64), comment="Hash of the last body that was parsed"
    )
    interval_seconds: Mapped[int] = col(
        Integer, default=3600, comment="Present distance between polls"
    )
    next_poll_at: Mapped[datetime] = col(UtcDateTime, comment="When it is due")
    lease_until: Mapped[datetime | None] = col(
        UtcDateTime, comment="A poll is under way until then; NULL when none is"
    )
    attempts: Mapped[int] = col(
        Integer, default=0, comment="Polls claimed since the last one that came back"
    )
    requested_run_id: Mapped[int | None] = col(
        ForeignKey("run.id"), comment="Run that asked for the next poll"
    )
    n_unchanged: Mapped[int] = col(
        Integer, default=0, comment="Polls in a row without anything new"
    )
    n_errors: Mapped[int] = col(Integer, default=0, comment="Failed polls in a row")
    last_polled_at: Mapped[datetime | None] = col(
        UtcDateTime, comment="When the last poll came back"
    )
    last_ok_at: Mapped[datetime | None] = col(
        UtcDateTime, comment="When a poll last succeeded"
    )
    last_outcome: Mapped[str | None] = col(
        String(24), comment="Outcome of the last poll"
    )
    last_error: Mapped[str | None] = col(Text, comment="Error of the last poll")
    moved_url: Mapped[str | None] = col(
        Text, comment="Address to which polls are permanently redirected"
    )
    created_at: Mapped[datetime] = col(UtcDateTime, comment="When it was added")
    liveness: Mapped[str] = col(
        String(16),
        default="live",
        server_default="live",
        comment="live, failing, dead (probed weekly) or gone, as polls have shown",
    )
    cause: Mapped[str | None] = col(
        String(16),
        comment="What decided when it is due; NULL: a person, or nothing yet",
    )
    asked_seconds: Mapped[int | None] = col(
        Integer, comment="Wait that its server or publisher asked for at the last poll"
    )
    hints: Mapped[Any | None] = col(
        Json, comment="What its document says on when to come: distance, hours, days"
    )
    rhythm: Mapped[Any | None] = col(
        Json, comment="What its entries let expect, by hour and day of the week"
    )
    unusual: Mapped[str | None] = col(
        String(16), comment="quiet or spiking, against its own hours of the week"
    )
    unusual_since: Mapped[datetime | None] = col(
        UtcDateTime, comment="When that was noticed"
    )
    unusual_reason: Mapped[str | None] = col(Text, comment="What it was noticed by")
    host: Mapped[str] = col(
        Text,
        default=_host,
        server_default="",
        comment="Server of url, with limits for all its feeds; of a folder its url",
    )
    parser: Mapped[str | None] = col(
        Text, comment="What read the last body; another one needs it in full"
    )
    full_at: Mapped[datetime | None] = col(
        UtcDateTime, comment="When a body last came in full"
    )
    n_not_modified: Mapped[int] = col(
        Integer, default=0, server_default="0", comment="304s in a row since then"
    )
    n_ignored: Mapped[int] = col(
        Integer,
        default=0,
        server_default="0",
        comment="Bodies without news in a row although validators were sent",
    )
    validators: Mapped[str] = col(
        String(16),
        default=Trust.TRUSTED,
        server_default="trusted",
        comment="trusted, ignored by its server, or lying and sent no more",
    )
    validators_reason: Mapped[str | None] = col(
        Text, comment="Why its validators are not trusted"
    )
    moved_since: Mapped[datetime | None] = col(
        UtcDateTime, comment="First poll that was redirected to moved_url"
    )
    n_moved: Mapped[int] = col(
        Integer,
        default=0,
        server_default="0",
        comment="Polls in a row that were redirected to moved_url",
    )
    every_seconds: Mapped[int | None] = col(
        Integer, comment="Fixed distance between polls; NULL: by the pace of its news"
    )
    zone: Mapped[str | None] = col(
        String(64), comment="Zone of dates that name none, or UTC; NULL: UTC"
    )
    pages: Mapped[str] = col(
        String(8),
        default=PagePolicy.AUTO,
        server_default="auto",
        comment="auto, always or never: whether pages of its entries are fetched",
    )


class ItemMarks(Base):
    """What the last poll of a feed saw of its items.

    Apart from `feed`, of which every poll writes the row anew, changed or not.
    """

    __tablename__ = "item_marks"
    __table_args__ = (
        {"comment": "What the last poll of a feed saw of its items; may be missing"},
    )

    feed_id: Mapped[int] = col(
        ForeignKey("feed.id"),
        primary_key=True,
        autoincrement=False,
        comment="The feed",
    )
    packed: Mapped[bytes] = col(
        LargeBinary, comment="Short hashes of each item, under a seal (ingest/marks.py)"
    )
