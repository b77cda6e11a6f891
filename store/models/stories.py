"""Tables of stories: articles on one event, and what happened to them."""

from datetime import datetime

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Text,
    false,
    text,
)
from sqlalchemy.orm import Mapped

from store.models.base import Base, BigId, UtcDateTime, col, one_of
from store.words import MemberRole, StoryEventKind


class Story(Base):
    """Articles on one event."""

    __tablename__ = "story"
    __table_args__ = (
        Index("ix_story_last_at", "last_at"),
        Index(
            "ix_story_due",
            "changed_at",
            sqlite_where=text("is_due"),
            postgresql_where=text("is_due"),
        ),
        Index(
            "ix_story_merged_into",
            "merged_into",
            sqlite_where=text("merged_into IS NOT NULL"),
            postgresql_where=text("merged_into IS NOT NULL"),
        ),
        {"comment": "Articles on one event; the id never changes"},
    )

    id: Mapped[int] = col(BigId, primary_key=True, comment="Stable public id")
    pipeline_id: Mapped[int] = col(ForeignKey("pipeline.id"), comment="Clusterer")
    title: Mapped[str] = col(Text, comment="Title of the article that opened it")
    n_articles: Mapped[int] = col(Integer, comment="Members, copies not counted")
    first_at: Mapped[datetime] = col(UtcDateTime, comment="Time of its first article")
    last_at: Mapped[datetime] = col(UtcDateTime, comment="Time of its latest article")
    centroid: Mapped[bytes] = col(
        LargeBinary,
        default=b"",
        server_default="",
        comment="Mean of its members' vectors, packed as they are",
    )
    merged_into: Mapped[int | None] = col(
        ForeignKey("story.id"), comment="The story that took it over"
    )
    created_at: Mapped[datetime] = col(UtcDateTime, comment="When it was opened")
    changed_at: Mapped[datetime | None] = col(
        UtcDateTime,
        comment="When an article last joined, left or changed; NULL: not told",
    )
    is_due: Mapped[bool] = col(
        Boolean,
        default=False,
        server_default=false(),
        comment="It has changed since it was last reviewed",
    )


class StoryVector(Base):
    """What an article is about, kept as long as its story may be reviewed."""

    __tablename__ = "story_vector"
    __table_args__ = (
        Index("ix_story_vector_stored_at", "stored_at"),
        {"comment": "What an article is about, kept while its story may be reviewed"},
    )

    article_id: Mapped[int] = col(
        ForeignKey("article.id"), primary_key=True, comment="The article"
    )
    pipeline_id: Mapped[int] = col(
        ForeignKey("pipeline.id"), primary_key=True, comment="What made it"
    )
    terms: Mapped[bytes] = col(
        LargeBinary, comment="Terms and weights, heaviest first, packed"
    )
    stored_at: Mapped[datetime] = col(UtcDateTime, comment="When it was stored")


class StoryMember(Base):
    """An article in a story."""

    __tablename__ = "story_member"
    __table_args__ = (
        CheckConstraint(one_of("role", MemberRole), name="role"),
        Index("ix_story_member_story_id", "story_id"),
        {"comment": "An article in a story; one story per article and clusterer"},
    )

    article_id: Mapped[int] = col(
        ForeignKey("article.id"), primary_key=True, comment="The article"
    )
    pipeline_id: Mapped[int] = col(
        ForeignKey("pipeline.id"), primary_key=True, comment="Clusterer"
    )
    story_id: Mapped[int] = col(ForeignKey("story.id"), comment="The story")
    role: Mapped[str] = col(String(16), comment="opener, member or copy")
    score: Mapped[float] = col(Float, comment="Similarity when it joined, 0 to 1")
    joined_at: Mapped[datetime] = col(UtcDateTime, comment="When it joined")


class StoryKey(Base):
    """The index of heavy terms, to find candidate stories."""

    __tablename__ = "story_key"
    __table_args__ = (
        Index("ix_story_key_story_id", "story_id"),
        {"comment": "The index of heavy terms, to find candidate stories"},
    )

    pipeline_id: Mapped[int] = col(
        ForeignKey("pipeline.id"), primary_key=True, comment="Clusterer"
    )
    key: Mapped[int] = col(
        BigInteger, primary_key=True, autoincrement=False, comment="Hash of a term"
    )
    story_id: Mapped[int] = col(
        ForeignKey("story.id"), primary_key=True, comment="A story that has it"
    )


class StoryEvent(Base):
    """What happened to a story, never rewritten, so it may outlive its article."""

    __tablename__ = "story_event"
    __table_args__ = (
        CheckConstraint(one_of("kind", StoryEventKind), name="kind"),
        Index("ix_story_event_story_id", "story_id"),
        Index(
            "ix_story_event_other_story_id",
            "other_story_id",
            sqlite_where=text("other_story_id IS NOT NULL"),
            postgresql_where=text("other_story_id IS NOT NULL"),
        ),
        {"comment": "What happened to a story, never rewritten"},
    )

    id: Mapped[int] = col(BigId, primary_key=True, comment="Surrogate key")
    story_id: Mapped[int] = col(ForeignKey("story.id"), comment="The story")
    kind: Mapped[str] = col(String(16), comment="opened, joined, moved, merged, split")
    article_id: Mapped[int | None] = col(
        BigId, comment="The article it is about, which may be deleted since"
    )
    other_story_id: Mapped[int | None] = col(
        ForeignKey("story.id"), comment="The other story of a merge, split or move"
    )
    at: Mapped[datetime] = col(UtcDateTime, comment="When it happened")
