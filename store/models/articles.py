"""Tables of what was found: entries, articles and their revisions."""

from datetime import datetime
from typing import Any

from sqlalchemy import (
    CheckConstraint,
    Float,
    ForeignKey,
    Index,
    Integer,
    String,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped

from store.models.base import Base, BigId, Json, UtcDateTime, col, one_of
from store.words import EntryOutcome


class Article(Base):
    """An article, one row however often it appeared."""

    __tablename__ = "article"
    __table_args__ = (
        Index("ix_article_sort_at_id", "sort_at", "id"),
        Index("ix_article_source_sort_at", "source", "sort_at"),
        Index("ix_article_feed_id_sort_at", "feed_id", "sort_at"),
        Index(
            "ix_article_to_review",
            "sort_at",
            "id",
            postgresql_where=text("review = 'open'"),
            sqlite_where=text("review = 'open'"),
        ),
        {
            "comment": "An article, one row however often it appeared",
            # The number of a deleted article must not become that of another one.
            "sqlite_autoincrement": True,
        },
    )

    id: Mapped[int] = col(BigId, primary_key=True, comment="Surrogate key")
    uid: Mapped[str] = col(String(64), unique=True, comment="Hash of its identity")
    url: Mapped[str | None] = col(Text, comment="Canonical address of its page")
    source: Mapped[str] = col(Text, comment="Publisher")
    feed_id: Mapped[int] = col(ForeignKey("feed.id"), comment="Feed that brought it")
    current_revision: Mapped[int] = col(Integer, comment="Number of its latest text")
    content_hash: Mapped[str] = col(
        String(64), comment="Hash of title and text of the current revision"
    )
    title: Mapped[str] = col(Text, comment="Title of the current revision")
    lead: Mapped[str] = col(Text, comment="First 1,000 characters of the text")
    byline: Mapped[str | None] = col(Text, comment="Who wrote it, as printed")
    language: Mapped[str | None] = col(String(16), comment="ISO 639-1, und if unknown")
    language_score: Mapped[float | None] = col(Float, comment="Trust in it, 0 to 1")
    language_origin: Mapped[str | None] = col(
        String(16), comment="declared or detector"
    )
    published_at: Mapped[datetime | None] = col(
        UtcDateTime, comment="When it says it was published"
    )
    published_raw: Mapped[str | None] = col(Text, comment="That date as spelt")
    published_from: Mapped[str | None] = col(
        String(24), comment="Which field or line said so"
    )
    first_seen_at: Mapped[datetime] = col(UtcDateTime, comment="When it was stored")
    sort_at: Mapped[datetime] = col(
        UtcDateTime, comment="published_at, or first_seen_at where that is unknown"
    )
    review: Mapped[str | None] = col(
        String(16), comment="open: little trusted, to be looked at; or accepted"
    )
    is_teaser: Mapped[bool | None] = col(
        comment="Its text is what a feed teased it with; NULL: nobody looked"
    )


class Revision(Base):
    """One text of an article."""

    __tablename__ = "revision"
    __table_args__ = (
        Index(
            "ix_revision_document_sha256", "document_sha256", postgresql_using="hash"
        ),
        {"comment": "One text of an article; numbers start at 1"},
    )

    article_id: Mapped[int] = col(
        ForeignKey("article.id"), primary_key=True, comment="The article"
    )
    number: Mapped[int] = col(
        Integer, primary_key=True, autoincrement=False, comment="1 is the first"
    )
    content_hash: Mapped[str] = col(String(64), comment="Hash of title and text")
    title: Mapped[str] = col(Text, comment="Clean title")
    text: Mapped[str] = col(Text, comment="Clean text")
    byline: Mapped[str | None] = col(Text, comment="Who wrote it, as printed")
    declared_language: Mapped[str | None] = col(
        String(16), comment="Language the document declares"
    )
    extractor: Mapped[str] = col(String(64), comment="What cleaned it, with version")
    confidence: Mapped[float] = col(Float, comment="Trust in title and text, 0 to 1")
    document_sha256: Mapped[str | None] = col(
        ForeignKey("document.sha256"), comment="Raw document it came from"
    )
    created_at: Mapped[datetime] = col(UtcDateTime, comment="When it was stored")


class Entry(Base):
    """One item as a feed or file gave it."""

    __tablename__ = "entry"
    __table_args__ = (
        CheckConstraint(one_of("outcome", EntryOutcome), name="outcome"),
        CheckConstraint(
            "(article_id IS NOT NULL) = (outcome IN ('stored', 'duplicate'))",
            name="article_or_reason",
        ),
        UniqueConstraint("feed_id", "key"),
        Index("ix_entry_article_id", "article_id"),
        Index("ix_entry_document_sha256", "document_sha256", postgresql_using="hash"),
        {"comment": "One item as a feed or file gave it; it has one outcome"},
    )

    id: Mapped[int] = col(BigId, primary_key=True, comment="Surrogate key")
    feed_id: Mapped[int] = col(ForeignKey("feed.id"), comment="The feed")
    key: Mapped[str] = col(Text, comment="Identity within the feed")
    key_mode: Mapped[str] = col(String(16), comment="What the key is made of")
    link: Mapped[str | None] = col(Text, comment="Its link, verbatim")
    outcome: Mapped[str] = col(String(16), comment="Its single named end")
    reason: Mapped[str | None] = col(Text, comment="Why it has no article")
    article_id: Mapped[int | None] = col(
        ForeignKey("article.id"), comment="The article it is an appearance of"
    )
    content_hash: Mapped[str | None] = col(
        String(64), comment="Hash of title and text when last changed"
    )
    document_sha256: Mapped[str | None] = col(
        ForeignKey("document.sha256"), comment="Raw document it was first seen in"
    )
    first_seen_at: Mapped[datetime] = col(UtcDateTime, comment="When first seen")
    changed_at: Mapped[datetime] = col(UtcDateTime, comment="When it last changed")
    published_at: Mapped[datetime | None] = col(
        UtcDateTime, comment="When it says it was published"
    )
    published_raw: Mapped[str | None] = col(Text, comment="That date as spelt")
    published_from: Mapped[str | None] = col(
        String(24), comment="Which field or line said so"
    )
    published_confidence: Mapped[float | None] = col(
        Float, comment="Trust in that date, 0 to 1"
    )
    updated_at: Mapped[datetime | None] = col(
        UtcDateTime, comment="When it says it was changed last"
    )
    updated_raw: Mapped[str | None] = col(Text, comment="That date as spelt")
    language: Mapped[str | None] = col(
        String(64), comment="Language it declares, verbatim"
    )
    authors: Mapped[list[str] | None] = col(
        Json, comment="Names of its authors, a list"
    )
    categories: Mapped[list[str] | None] = col(Json, comment="Its categories, a list")
    enclosures: Mapped[list[dict[str, Any]] | None] = col(
        Json, comment="Files that come with it: url, media_type, n_bytes"
    )


class EntryAlias(Base):
    """Another key by which an entry may come back."""

    __tablename__ = "entry_alias"
    __table_args__ = ({"comment": "Another key by which an entry may come back"},)

    feed_id: Mapped[int] = col(
        ForeignKey("feed.id"), primary_key=True, comment="The feed"
    )
    alias: Mapped[str] = col(Text, primary_key=True, comment="kind:value")
    entry_id: Mapped[int] = col(
        ForeignKey("entry.id"), index=True, comment="The entry it stands for"
    )
