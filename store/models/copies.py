"""Tables of copies: fingerprints, what was compared, and the verdicts."""

from datetime import datetime

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
    false,
    text,
)
from sqlalchemy.orm import Mapped

from enrich.messages import CopyKind
from store.models.base import Base, BigId, UtcDateTime, col, one_of


class Fingerprint(Base):
    """Numbers by which copies are found."""

    __tablename__ = "fingerprint"
    __table_args__ = (
        Index("ix_fingerprint_text_hash", "text_hash"),
        # Those that are in the index of copies, to find who has to leave it.
        Index(
            "ix_fingerprint_indexed_at",
            "indexed_at",
            postgresql_where=text("indexed_at IS NOT NULL"),
            sqlite_where=text("indexed_at IS NOT NULL"),
        ),
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
    marks: Mapped[bytes] = col(
        LargeBinary, comment="64-bit marks, packed: those of the lead, then the others"
    )
    n_lead_marks: Mapped[int] = col(
        Integer, default=0, server_default="0", comment="So many are of the lead"
    )
    indexed_at: Mapped[datetime | None] = col(
        UtcDateTime, comment="Since when it is in the index of copies; NULL: it is not"
    )
    numbers: Mapped[bytes | None] = col(
        LargeBinary, comment="Sorted 32-bit hashes of its numbers; NULL: not told"
    )


class FingerprintKey(Base):
    """The index of copies: some marks of fingerprints, and who has them.

    It follows from the fingerprints, of which there are few to each row here: foreign
    keys would cost more than the rows.
    """

    __tablename__ = "fingerprint_key"
    __table_args__ = (
        {
            "comment": "The index of copies, made of fingerprints",
            "sqlite_with_rowid": False,  # the table is its own primary key
        },
    )

    pipeline_id: Mapped[int] = col(
        BigId, primary_key=True, autoincrement=False, comment="What made it"
    )
    key: Mapped[int] = col(
        BigInteger, primary_key=True, autoincrement=False, comment="A mark"
    )
    article_id: Mapped[int] = col(
        BigId, primary_key=True, autoincrement=False, comment="An article that has it"
    )


class SourceFurniture(Base):
    """Which marks are furniture of a source, and what is to be done about it."""

    __tablename__ = "source_furniture"
    __table_args__ = (
        {"comment": "Marks that say nothing of copies, as those of a footer"},
    )

    source: Mapped[str] = col(Text, primary_key=True, comment="The publisher")
    pipeline_id: Mapped[int] = col(
        ForeignKey("pipeline.id"), primary_key=True, comment="What made the marks"
    )
    marks: Mapped[bytes] = col(
        LargeBinary, default=b"", comment="Sorted 64-bit marks, packed"
    )
    n_marks: Mapped[int] = col(Integer, default=0, comment="So many they are")
    n_articles: Mapped[int] = col(
        Integer, default=0, comment="Newest articles that were looked at"
    )
    n_new: Mapped[int] = col(
        Integer, default=0, comment="Fingerprints stored since then"
    )
    n_to_judge: Mapped[int] = col(
        Integer, default=0, comment="Of those looked at, to be judged again"
    )
    learned_at: Mapped[datetime | None] = col(
        UtcDateTime, comment="When it was learned; NULL: not yet"
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
    numbers_differ: Mapped[bool] = col(
        default=False,
        server_default=false(),
        comment="Each has numbers in place of the other's",
    )


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
    numbers_differ: Mapped[bool] = col(
        default=False,
        server_default=false(),
        comment="Each has numbers in place of the other's",
    )
    settled_at: Mapped[datetime] = col(UtcDateTime, comment="When it was settled")
