"""The table of pages: where the full texts of teased articles are looked for."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, Integer, String, Text
from sqlalchemy.orm import Mapped

from store.models.base import Base, UtcDateTime, col, one_of
from store.words import PageState


class Page(Base):
    """The page of an article whose feed gave a part of its text."""

    __tablename__ = "page"
    __table_args__ = (
        CheckConstraint(one_of("state", PageState), name="state"),
        CheckConstraint("state <> 'done' OR outcome IS NOT NULL", name="outcome"),
        Index("ix_page_state_due_at", "state", "due_at"),
        Index("ix_page_feed_id_asked_at", "feed_id", "asked_at"),
        Index("ix_page_document_sha256", "document_sha256", postgresql_using="hash"),
        {"comment": "The page of an article; where its full text was looked for"},
    )

    article_id: Mapped[int] = col(
        ForeignKey("article.id"),
        primary_key=True,
        autoincrement=False,
        comment="The article",
    )
    feed_id: Mapped[int] = col(
        ForeignKey("feed.id"), comment="Feed whose entry wanted it"
    )
    url: Mapped[str] = col(Text, comment="Canonical address")
    host: Mapped[str] = col(Text, comment="Server of url; one asks it at a time")
    state: Mapped[str] = col(String(16), comment="pending, done or quarantined")
    outcome: Mapped[str | None] = col(String(24), comment="Its single named end")
    error: Mapped[str | None] = col(Text, comment="One sentence for the operator")
    ask: Mapped[int] = col(Integer, default=1, comment="Times it was wanted")
    revision: Mapped[int] = col(Integer, comment="Text of the feed that wanted it")
    attempts: Mapped[int] = col(Integer, default=0, comment="Claims since then")
    leased: Mapped[bool] = col(default=False, comment="A worker has it until due_at")
    due_at: Mapped[datetime] = col(UtcDateTime, comment="When it may be dispatched")
    asked_at: Mapped[datetime] = col(UtcDateTime, comment="When it was last wanted")
    fetched_at: Mapped[datetime | None] = col(
        UtcDateTime, comment="When a server was last asked for it"
    )
    http_status: Mapped[int | None] = col(Integer, comment="Status of the last hop")
    final_url: Mapped[str | None] = col(Text, comment="Where redirects led")
    n_words: Mapped[int | None] = col(Integer, comment="Words of its text")
    n_words_said: Mapped[int | None] = col(Integer, comment="Words the feed gave")
    content_hash: Mapped[str | None] = col(
        String(64), comment="Hash of title and text that were accepted last"
    )
    document_sha256: Mapped[str | None] = col(
        ForeignKey("document.sha256"), comment="Its bytes, where it was accepted"
    )
