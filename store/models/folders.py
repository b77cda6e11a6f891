"""Tables of watched folders: what lies in them, and what their polls have found."""

from datetime import datetime

from sqlalchemy import BigInteger, ForeignKey, Index, Integer, Text, false, text
from sqlalchemy.orm import Mapped

from store.models.base import Base, BigId, UtcDateTime, col


class FolderFile(Base):
    """One file of a watched folder, as polls have seen it from outside."""

    __tablename__ = "folder_file"
    __table_args__ = (
        Index(
            "ix_folder_file_there",
            "feed_id",
            "spot",
            sqlite_where=text("gone_at IS NULL"),
            postgresql_where=text("gone_at IS NULL"),
        ),
        Index(
            "ix_folder_file_unread",
            "feed_id",
            sqlite_where=text("is_unread"),
            postgresql_where=text("is_unread"),
        ),
        {"comment": "One file of a watched folder, as polls have seen it"},
    )

    feed_id: Mapped[int] = col(
        ForeignKey("feed.id"),
        primary_key=True,
        autoincrement=False,
        comment="The folder",
    )
    path: Mapped[str] = col(
        Text, primary_key=True, comment="Absolute path on the worker's host"
    )
    spot: Mapped[int] = col(
        Integer, comment="Where listings tell it (ingest/foldermarks.py)"
    )
    n_bytes: Mapped[int] = col(BigInteger, comment="Its size when last listed")
    mtime_ns: Mapped[int] = col(
        BigInteger, comment="When it was last written, in nanoseconds since 1970"
    )
    run_id: Mapped[int] = col(
        ForeignKey("run.id"), comment="Run that read it, or will, as it now is"
    )
    listed_at: Mapped[datetime] = col(UtcDateTime, comment="When first listed")
    gone_at: Mapped[datetime | None] = col(
        UtcDateTime, comment="When a poll no longer found it; NULL while it is there"
    )
    moved_to: Mapped[str | None] = col(
        Text, comment="Path under which its articles go on, if it was moved"
    )
    is_unread: Mapped[bool] = col(
        default=False,
        server_default=false(),
        comment="It was away when it was to be read: read it where it is listed again",
    )
    n_away: Mapped[int] = col(
        Integer,
        default=0,
        server_default="0",
        comment="Times it was away when it was to be read, as it now is",
    )


class FolderPoll(Base):
    """What one poll of a folder has found, where that was not what was there.

    No foreign key to the poll: a partitioned table has no key of `id` alone.
    """

    __tablename__ = "folder_poll"
    __table_args__ = (
        Index("ix_folder_poll_feed_id_at", "feed_id", "at"),
        {"comment": "What one poll of a folder has found, where that was news"},
    )

    poll_id: Mapped[int] = col(
        BigId, primary_key=True, autoincrement=False, comment="The poll"
    )
    feed_id: Mapped[int] = col(ForeignKey("feed.id"), comment="The folder")
    at: Mapped[datetime] = col(UtcDateTime, index=True, comment="When stored")
    run_id: Mapped[int | None] = col(
        ForeignKey("run.id"), comment="Run that reads what is new or changed"
    )
    n_files: Mapped[int] = col(Integer, comment="Files in the folder")
    n_settling: Mapped[int] = col(Integer, comment="Of those, written just then")
    n_new: Mapped[int] = col(Integer, comment="Files that were not known")
    n_changed: Mapped[int] = col(Integer, comment="Files with another size or time")
    n_back: Mapped[int] = col(Integer, comment="Files that were gone, as they had been")
    n_gone: Mapped[int] = col(Integer, comment="Files that were no longer there")
