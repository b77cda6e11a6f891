"""Tables of what was read: runs, polls, files and raw documents."""

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
    false,
    text,
)
from sqlalchemy.orm import Mapped

from store.models.base import Base, BigId, Json, UtcDateTime, col, one_of
from store.words import FileState, PollState, RunKind


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
        Index(
            "ix_run_file_content_key",
            "content_key",
            sqlite_where=text("feed_id IS NOT NULL"),
            postgresql_where=text("feed_id IS NOT NULL"),
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
    source_is_given: Mapped[bool] = col(
        default=False,
        server_default=false(),
        comment="The operator named the publisher, whatever the file says",
    )
    content_key: Mapped[str | None] = col(
        String(64), comment="What it is known by where it was moved"
    )
    place_member: Mapped[int] = col(
        BigInteger,
        default=0,
        server_default="0",
        comment="Members of it that are stored, where it is read in portions",
    )
    place_piece: Mapped[int] = col(
        Integer,
        default=0,
        server_default="0",
        comment="Articles of the next member that are stored",
    )
    place_offset: Mapped[int] = col(
        BigInteger,
        default=0,
        server_default=text("0"),
        comment="Bytes of it before that member; 0: reading cannot begin there",
    )
    # No foreign key: to add one locks the feeds, and none of them is ever deleted.
    feed_id: Mapped[int | None] = col(
        BigInteger, comment="Folder that it was found in; NULL: it was handed over"
    )
    from_document: Mapped[bool] = col(
        default=False,
        server_default=false(),
        comment="To be read from its stored bytes, not from its path",
    )
    learned_up_to: Mapped[int] = col(
        BigInteger,
        default=0,
        server_default="0",
        comment="Highest number of a learned line that its last reading knew",
    )
    readers: Mapped[str | None] = col(
        String(16),
        comment="Mark of the readers that its stored bytes were last read by",
    )


class FilePortion(Base):
    """A portion of a large file that has been stored, until all of the file is."""

    __tablename__ = "file_portion"
    __table_args__ = (
        {"comment": "A stored portion of a file; goes when all of the file is stored"},
    )

    file_id: Mapped[int] = col(
        ForeignKey("run_file.id"),
        primary_key=True,
        autoincrement=False,
        comment="The file",
    )
    start_member: Mapped[int] = col(
        BigInteger,
        primary_key=True,
        autoincrement=False,
        comment="Members before it",
    )
    start_piece: Mapped[int] = col(
        Integer,
        primary_key=True,
        autoincrement=False,
        comment="Articles of that member before it",
    )
    end_member: Mapped[int | None] = col(
        BigInteger, comment="Where the next one begins; NULL when there is none"
    )
    end_piece: Mapped[int | None] = col(Integer, comment="Likewise, in that member")
    end_offset: Mapped[int | None] = col(
        BigInteger, comment="Bytes of the file before that member, where they are told"
    )
    goes_on: Mapped[bool] = col(comment="The same worker sends the next one as well")
    error: Mapped[str | None] = col(Text, comment="What could not be read of it")
