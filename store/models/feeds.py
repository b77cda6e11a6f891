"""Tables of what is watched: feeds, polls, runs, files and raw documents."""

from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped

from ingest.messages import host_of
from store.models.base import Base, BigId, Json, UtcDateTime, col, one_of
from store.words import FeedKind, FeedState, FileState, PollState, RunKind, Trust


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
    kind: Mapped[str] = col(String(16), comment="web, or files for handed-over files")
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
        comment="Server of url; limits and pauses hold for all its feeds",
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


class Run(Base):
    """One batch of work under one id."""

    __tablename__ = "run"
    __table_args__ = (
        CheckConstraint(one_of("kind", RunKind), name="kind"),
        {"comment": "One batch of work under one id"},
    )

    id: Mapped[int] = col(BigId, primary_key=True, comment="Surrogate key")
    kind: Mapped[str] = col(String(16), comment="What started it")
    label: Mapped[str] = col(Text, comment="What it was asked to do")
    started_at: Mapped[datetime] = col(UtcDateTime, comment="When it began")
    listed_at: Mapped[datetime | None] = col(
        UtcDateTime, comment="When all of its work had been written down"
    )


class Document(Base):
    """Raw bytes as fetched or read, stored once."""

    __tablename__ = "document"
    __table_args__ = (
        CheckConstraint("(body IS NULL) <> (uri IS NULL)", name="body_or_uri"),
        {"comment": "Raw bytes as fetched or read, stored once"},
    )

    sha256: Mapped[str] = col(
        String(64), primary_key=True, comment="Hash of the uncompressed bytes"
    )
    media_type: Mapped[str] = col(String(128), comment="Media type, as told or found")
    codec: Mapped[str] = col(String(16), comment="Compression of body")
    n_bytes: Mapped[int] = col(BigInteger, comment="Size before compression")
    body: Mapped[bytes | None] = col(LargeBinary, comment="The compressed bytes")
    uri: Mapped[str | None] = col(Text, comment="Where they are, if not in body")
    created_at: Mapped[datetime] = col(UtcDateTime, comment="When first stored")


class Counts:
    """How the entries of one document ended: seen is the sum of the others."""

    n_seen: Mapped[int] = col(Integer, default=0, comment="Entries in the document")
    n_new: Mapped[int] = col(Integer, default=0, comment="Entries with a new article")
    n_revised: Mapped[int] = col(
        Integer, default=0, comment="Known entries whose text had changed"
    )
    n_unchanged: Mapped[int] = col(
        Integer, default=0, comment="Known entries as they were"
    )
    n_duplicate: Mapped[int] = col(
        Integer, default=0, comment="New entries of articles stored before"
    )
    n_rejected: Mapped[int] = col(Integer, default=0, comment="Entries without article")
    n_quarantined: Mapped[int] = col(
        Integer, default=0, comment="Entries that could not be written"
    )


class Poll(Counts, Base):
    """One attempt to read a feed.

    PostgreSQL keeps it in partitions by month of `started_at`, which its primary key
    there holds as well.
    """

    __tablename__ = "poll"
    __table_args__ = (
        CheckConstraint(one_of("state", PollState), name="state"),
        Index("ix_poll_feed_id_started_at", "feed_id", "started_at"),
        Index("ix_poll_run_id", "run_id"),
        Index("ix_poll_document_sha256", "document_sha256", postgresql_using="hash"),
        {"comment": "One attempt to read a feed; it has one outcome"},
    )

    id: Mapped[int] = col(BigId, primary_key=True, comment="Surrogate key")
    feed_id: Mapped[int] = col(ForeignKey("feed.id"), comment="The feed")
    run_id: Mapped[int | None] = col(
        ForeignKey("run.id"), comment="Run that asked for it"
    )
    state: Mapped[str] = col(String(16), comment="open, done or abandoned")
    started_at: Mapped[datetime] = col(UtcDateTime, comment="When it was dispatched")
    finished_at: Mapped[datetime | None] = col(UtcDateTime, comment="When stored")
    outcome: Mapped[str | None] = col(String(24), comment="Its single named end")
    error: Mapped[str | None] = col(Text, comment="One sentence for the operator")
    http_status: Mapped[int | None] = col(Integer, comment="Status of the last hop")
    elapsed_ms: Mapped[int | None] = col(Integer, comment="Time to fetch and parse")
    n_bytes: Mapped[int] = col(BigInteger, default=0, comment="Size of the body")
    document_sha256: Mapped[str | None] = col(
        ForeignKey("document.sha256"), comment="The body, where one was kept"
    )
    n_parts: Mapped[int | None] = col(Integer, comment="Messages its entries came in")


class PollPart(Base):
    """A part of a large poll that has been stored.

    No foreign key: a partitioned table has no key of `id` alone to point to.
    """

    __tablename__ = "poll_part"
    __table_args__ = ({"comment": "A part of a large poll that has been stored"},)

    poll_id: Mapped[int] = col(
        BigId, primary_key=True, autoincrement=False, comment="The poll"
    )
    part: Mapped[int] = col(
        Integer, primary_key=True, autoincrement=False, comment="Number from 0"
    )
    stored_at: Mapped[datetime] = col(UtcDateTime, index=True, comment="When stored")
    news: Mapped[Any | None] = col(
        Json, comment="When its new entries came, for the poll's last part to count"
    )


class PollMonth(Counts, Base):
    """What the deleted polls of one month had counted."""

    __tablename__ = "poll_month"
    __table_args__ = ({"comment": "What the deleted polls of one month had counted"},)

    month: Mapped[datetime] = col(
        UtcDateTime, primary_key=True, comment="First moment of the month"
    )
    n_polls: Mapped[int] = col(Integer, default=0, comment="Polls deleted")


class RunFile(Counts, Base):
    """One file that a run was asked to read."""

    __tablename__ = "run_file"
    __table_args__ = (
        CheckConstraint(one_of("state", FileState), name="state"),
        UniqueConstraint("run_id", "path"),
        Index("ix_run_file_state_due_at", "state", "due_at"),
        Index(
            "ix_run_file_document_sha256", "document_sha256", postgresql_using="hash"
        ),
        {"comment": "One file that a run was asked to read; it has one outcome"},
    )

    id: Mapped[int] = col(BigId, primary_key=True, comment="Surrogate key")
    run_id: Mapped[int] = col(ForeignKey("run.id"), comment="The run")
    path: Mapped[str] = col(Text, comment="Absolute path on the worker's host")
    source: Mapped[str] = col(Text, comment="Publisher its articles are filed under")
    state: Mapped[str] = col(String(16), comment="pending, done or quarantined")
    outcome: Mapped[str | None] = col(String(24), comment="Its single named end")
    error: Mapped[str | None] = col(Text, comment="One sentence for the operator")
    attempts: Mapped[int] = col(Integer, default=0, comment="Times it was claimed")
    leased: Mapped[bool] = col(default=False, comment="A worker has it until due_at")
    due_at: Mapped[datetime] = col(UtcDateTime, comment="When it may be dispatched")
    document_sha256: Mapped[str | None] = col(
        ForeignKey("document.sha256"), comment="Its bytes, where they were kept"
    )
    finished_at: Mapped[datetime | None] = col(UtcDateTime, comment="When stored")
