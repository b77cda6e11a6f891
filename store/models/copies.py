"""Tables of what belongs together: fingerprints, copies and stories."""

from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Text,
)
from sqlalchemy.orm import Mapped

from enrich.messages import CopyKind
from store.models.base import Base, BigId, Json, UtcDateTime, col, one_of
from store.words import MemberRole, StoryEventKind


class Fingerprint(Base):
    """Numbers by which copies are found."""

    __tablename__ = "fingerprint"
    __table_args__ = (
        Index("ix_fingerprint_text_hash", "text_hash"),
        {"comment": "Numbers by which copies are found"},
    )

    article_id: Mapped[int] = col(
        ForeignKey("article.id"), primary_key=True, comment="The article"
    )
    pipeline_id: Mapped[int] = col(
        ForeignKey("pipeline.id"), primary_key=True, comment="What made it"
    )
    revision: Mapped[int] = col(Integer, comment="Revision it was made from")
    text_hash: Mapped[bytes] = col(LargeBinary(16), comment="Of the normalised text")
    title_hash: Mapped[bytes] = col(LargeBinary(16), comment="Of the normalised title")
    n_tokens: Mapped[int] = col(Integer, comment="Length of the text in tokens")
    marks: Mapped[bytes] = col(LargeBinary, comment="Sorted 64-bit marks, packed")


class FingerprintKey(Base):
    """The index of thinned marks, to find candidates."""

    __tablename__ = "fingerprint_key"
    __table_args__ = (
        Index("ix_fingerprint_key_article_id", "article_id"),
        {"comment": "The index of thinned marks, to find candidates"},
    )

    pipeline_id: Mapped[int] = col(
        ForeignKey("pipeline.id"), primary_key=True, comment="What made it"
    )
    key: Mapped[int] = col(
        BigInteger, primary_key=True, autoincrement=False, comment="A thinned mark"
    )
    article_id: Mapped[int] = col(
        ForeignKey("article.id"), primary_key=True, comment="An article that has it"
    )


class CopyPair(Base):
    """Two articles that pass as copies: the evidence."""

    __tablename__ = "copy_pair"
    __table_args__ = (
        CheckConstraint(one_of("kind", CopyKind), name="kind"),
        CheckConstraint("low_id < high_id", name="low_below_high"),
        Index("ix_copy_pair_high_id", "high_id"),
        {"comment": "Two articles that pass as copies: the evidence"},
    )

    low_id: Mapped[int] = col(
        ForeignKey("article.id"), primary_key=True, comment="The one with the lower id"
    )
    high_id: Mapped[int] = col(
        ForeignKey("article.id"), primary_key=True, comment="The other"
    )
    pipeline_id: Mapped[int] = col(
        ForeignKey("pipeline.id"), primary_key=True, comment="What judged it"
    )
    kind: Mapped[str] = col(String(16), comment="identical, near or excerpt")
    containment: Mapped[float] = col(
        Float, comment="Share of the shorter text found in the longer, 0 to 1"
    )
    resemblance: Mapped[float] = col(Float, comment="Shared over all marks, 0 to 1")


class Duplicate(Base):
    """The verdict: an article judged a copy of an original."""

    __tablename__ = "duplicate"
    __table_args__ = (
        CheckConstraint(one_of("kind", CopyKind), name="kind"),
        CheckConstraint("article_id <> original_id", name="not_of_itself"),
        Index("ix_duplicate_original_id", "original_id"),
        {"comment": "The verdict: an article judged a copy of an original"},
    )

    article_id: Mapped[int] = col(
        ForeignKey("article.id"), primary_key=True, comment="The copy"
    )
    pipeline_id: Mapped[int] = col(
        ForeignKey("pipeline.id"), primary_key=True, comment="What judged it"
    )
    original_id: Mapped[int] = col(ForeignKey("article.id"), comment="The original")
    kind: Mapped[str] = col(String(16), comment="identical, near or excerpt")
    containment: Mapped[float] = col(
        Float, comment="Share of the shorter text found in the longer, 0 to 1"
    )
    resemblance: Mapped[float] = col(Float, comment="Shared over all marks, 0 to 1")
    settled_at: Mapped[datetime] = col(UtcDateTime, comment="When it was settled")


class Story(Base):
    """Articles on one event."""

    __tablename__ = "story"
    __table_args__ = (
        Index("ix_story_last_at", "last_at"),
        {"comment": "Articles on one event; the id never changes"},
    )

    id: Mapped[int] = col(BigId, primary_key=True, comment="Stable public id")
    pipeline_id: Mapped[int] = col(ForeignKey("pipeline.id"), comment="Clusterer")
    title: Mapped[str] = col(Text, comment="Title of the article that opened it")
    n_articles: Mapped[int] = col(Integer, comment="Members, copies not counted")
    first_at: Mapped[datetime] = col(UtcDateTime, comment="Time of its first article")
    last_at: Mapped[datetime] = col(UtcDateTime, comment="Time of its latest article")
    centroid: Mapped[Any] = col(Json, comment="Mean of its members' features")
    merged_into: Mapped[int | None] = col(
        ForeignKey("story.id"), comment="The story that took it over"
    )
    created_at: Mapped[datetime] = col(UtcDateTime, comment="When it was opened")


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
