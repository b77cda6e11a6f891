"""Tables of sums that are kept in step with the rows they add up."""

from datetime import datetime

from sqlalchemy import Boolean, Computed, Index, Integer, Text, text
from sqlalchemy.orm import Mapped

from store.models.base import Base, BigId, UtcDateTime, col

# Articles in an hour. At 460 articles an hour, 3 rows of 100 reach it.
OFTEN = 4


class EntityHour(Base):
    """How often an entity was in the news in one hour.

    Each row is a sum over `article_entity`, which has the keys; `rollups.repair`
    proves that. Rows are counted up again and again: the free space in their pages
    spares their indexes a new entry each time. An index of `n_articles` would undo
    that; whether it is many changes once in the life of a row.
    """

    __tablename__ = "entity_hour"
    __table_args__ = (
        Index("ix_entity_hour_entity_id_hour", "entity_id", "hour"),
        Index(
            "ix_entity_hour_hour_often",
            "hour",
            postgresql_where=text("is_often"),
            sqlite_where=text("is_often = 1"),
        ),
        {
            "comment": "How often an entity was in the news in one hour",
            "postgresql_with": {"fillfactor": 80},
            "sqlite_with_rowid": False,
        },
    )

    # What leads the key is what the top entities of a time are asked by.
    hour: Mapped[datetime] = col(
        UtcDateTime, primary_key=True, comment="First moment of the hour, by sort_at"
    )
    pipeline_id: Mapped[int] = col(
        BigId, primary_key=True, autoincrement=False, comment="What found it"
    )
    entity_id: Mapped[int] = col(
        BigId, primary_key=True, autoincrement=False, comment="The entity"
    )
    n_articles: Mapped[int] = col(Integer, comment="Articles that name it")
    n_mentions: Mapped[int] = col(Integer, comment="How often they do")
    is_often: Mapped[bool] = col(
        Boolean,
        Computed(f"n_articles >= {OFTEN}", persisted=True),
        comment="Whether many do; the database keeps it",
    )


class IngestHour(Base):
    """How many articles a publisher brought in one hour."""

    __tablename__ = "ingest_hour"
    __table_args__ = ({"comment": "How many articles a publisher brought in one hour"},)

    hour: Mapped[datetime] = col(
        UtcDateTime,
        primary_key=True,
        comment="First moment of the hour, by first_seen_at",
    )
    source: Mapped[str] = col(Text, primary_key=True, comment="Publisher")
    n_articles: Mapped[int] = col(Integer, comment="Articles stored")
