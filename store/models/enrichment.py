"""Tables of what enrichment found: pipelines, ledger, entities and mentions."""

from datetime import datetime

from sqlalchemy import (
    CheckConstraint,
    Float,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    String,
    Text,
    UniqueConstraint,
)
from sqlalchemy.orm import Mapped

from enrich.messages import EntityKind, Field, Rule, Stage
from store.models.base import Base, BigId, UtcDateTime, col, one_of
from store.words import EnrichStatus


class Pipeline(Base):
    """What made a result: the engine and version of one stage."""

    __tablename__ = "pipeline"
    __table_args__ = (
        CheckConstraint(one_of("stage", Stage), name="stage"),
        UniqueConstraint("stage", "name", "version"),
        {"comment": "What made a result: the engine and version of one stage"},
    )

    id: Mapped[int] = col(BigId, primary_key=True, comment="Surrogate key")
    stage: Mapped[str] = col(String(16), comment="Stage of enrichment")
    name: Mapped[str] = col(String(64), comment="Engine")
    version: Mapped[str] = col(String(128), comment="Version with its parameters")
    n_passes: Mapped[int] = col(
        Integer,
        default=1,
        server_default="1",
        comment="How often it goes over a text; the last pass is the best",
    )
    created_at: Mapped[datetime] = col(UtcDateTime, comment="When first heard of")
    names: Mapped[str | None] = col(
        Text, comment="What operators say of names, as a table, where it goes by one"
    )


class ActivePipeline(Base):
    """Which pipeline's results count, per stage."""

    __tablename__ = "active_pipeline"
    __table_args__ = (
        CheckConstraint(one_of("stage", Stage), name="stage"),
        {"comment": "Which pipeline's results count, per stage"},
    )

    stage: Mapped[str] = col(String(16), primary_key=True, comment="The stage")
    pipeline_id: Mapped[int] = col(ForeignKey("pipeline.id"), comment="The choice")
    since: Mapped[datetime] = col(UtcDateTime, comment="When it was chosen")


class Enrichment(Base):
    """The ledger: a row for each revision that has been through a pipeline."""

    __tablename__ = "enrichment"
    __table_args__ = (
        CheckConstraint(one_of("status", EnrichStatus), name="status"),
        ForeignKeyConstraint(
            ["article_id", "revision"], ["revision.article_id", "revision.number"]
        ),
        Index("ix_enrichment_pipeline_id_article_id", "pipeline_id", "article_id"),
        {"comment": "The ledger: which revision has been through which pipeline"},
    )

    article_id: Mapped[int] = col(
        BigId, primary_key=True, autoincrement=False, comment="The article"
    )
    revision: Mapped[int] = col(
        Integer, primary_key=True, autoincrement=False, comment="The revision"
    )
    pipeline_id: Mapped[int] = col(
        ForeignKey("pipeline.id"), primary_key=True, comment="The pipeline"
    )
    status: Mapped[str] = col(String(16), comment="How it ended")
    enriched_at: Mapped[datetime] = col(UtcDateTime, comment="When it was computed")
    pass_number: Mapped[int] = col(
        Integer,
        default=1,
        server_default="1",
        comment="Pass of the pipeline that the results are of",
    )


class Entity(Base):
    """Who or what mentions resolve to."""

    __tablename__ = "entity"
    __table_args__ = (
        CheckConstraint(one_of("kind", EntityKind), name="kind"),
        {"comment": "Who or what mentions resolve to"},
    )

    id: Mapped[int] = col(BigId, primary_key=True, comment="Surrogate key")
    key: Mapped[str] = col(Text, unique=True, comment="Stable key, country:RU")
    kind: Mapped[str] = col(String(8), comment="PER, ORG, LOC or MISC")
    name: Mapped[str] = col(Text, comment="Name as first seen in full")
    created_at: Mapped[datetime] = col(UtcDateTime, comment="When first found")


class NameRule(Base):
    """One thing that an operator says of a name; in force from a reprocessing on."""

    __tablename__ = "name_rule"
    __table_args__ = (
        CheckConstraint(one_of("rule", Rule), name="rule"),
        UniqueConstraint("rule", "subject", "kind", "detail"),
        {"comment": "One thing that an operator says of a name"},
    )

    id: Mapped[int] = col(BigId, primary_key=True, comment="Surrogate key")
    rule: Mapped[str] = col(String(8), comment="alias, merge, split, stop or qid")
    subject: Mapped[str] = col(Text, comment="A name; of merge, split and qid a key")
    target: Mapped[str] = col(Text, comment="A key, or a number of Wikidata")
    kind: Mapped[str] = col(
        String(8), comment="Of an alias; of a stop name the only one, or empty"
    )
    detail: Mapped[str] = col(
        Text, comment="Language of an alias, word that splits; or empty"
    )
    created_at: Mapped[datetime] = col(UtcDateTime, comment="When it was said")
    created_by: Mapped[str] = col(Text, comment="Who said it")


class EntityAlias(Base):
    """A spelling under which an entity was found."""

    __tablename__ = "entity_alias"
    __table_args__ = (
        Index("ix_entity_alias_alias", "alias"),
        {
            "comment": "A spelling under which an entity was found",
            "sqlite_with_rowid": False,
        },
    )

    entity_id: Mapped[int] = col(
        ForeignKey("entity.id"), primary_key=True, comment="The entity"
    )
    alias: Mapped[str] = col(Text, primary_key=True, comment="The spelling")


class ArticleEntity(Base):
    """An entity of an article, summed over its mentions.

    The pipeline is the one of the ledger's row that is written with it: a key would
    look it up once more for each of so many rows, and `wireroom audit` compares them.
    """

    __tablename__ = "article_entity"
    __table_args__ = (
        Index("ix_article_entity_entity_id_sort_at", "entity_id", "sort_at"),
        Index("ix_article_entity_sort_at", "sort_at"),
        {
            "comment": "An entity of an article, summed over its mentions",
            "sqlite_with_rowid": False,
        },
    )

    article_id: Mapped[int] = col(
        ForeignKey("article.id"), primary_key=True, comment="The article"
    )
    pipeline_id: Mapped[int] = col(
        BigId, primary_key=True, autoincrement=False, comment="What found it"
    )
    entity_id: Mapped[int] = col(
        ForeignKey("entity.id"), primary_key=True, comment="The entity"
    )
    revision: Mapped[int] = col(Integer, comment="Revision it was found in")
    n_mentions: Mapped[int] = col(Integer, comment="How often it is named")
    salience: Mapped[float] = col(Float, comment="Weight in the article, 0 to 1")
    in_title: Mapped[bool | None] = col(
        comment="Part of the weight: the title names it; NULL: not told"
    )
    in_opening: Mapped[bool | None] = col(
        comment="Part of the weight: the first paragraph names it"
    )
    lateness: Mapped[float | None] = col(
        Float, comment="Part of the weight: share of the text before its first mention"
    )
    sort_at: Mapped[datetime] = col(UtcDateTime, comment="sort_at of the article")


class Mention(Base):
    """A span of an article that names something.

    PostgreSQL keeps it in partitions by month of `sort_at`, which its primary key
    there holds as well. Pipeline and entity are those of a row of `article_entity`
    that is written with it, which `wireroom audit` compares; keys and an index for
    them would cost half of the write, and mentions are asked for by their article.
    """

    __tablename__ = "mention"
    __table_args__ = (
        CheckConstraint(one_of("kind", EntityKind), name="kind"),
        CheckConstraint(one_of("field", Field), name="field"),
        CheckConstraint("start_char < end_char", name="span"),
        ForeignKeyConstraint(
            ["article_id", "revision"], ["revision.article_id", "revision.number"]
        ),
        {
            "comment": "A span of an article that names something",
            "sqlite_with_rowid": False,
        },
    )

    article_id: Mapped[int] = col(
        BigId, primary_key=True, autoincrement=False, comment="The article"
    )
    revision: Mapped[int] = col(
        Integer, primary_key=True, autoincrement=False, comment="The revision"
    )
    pipeline_id: Mapped[int] = col(
        BigId, primary_key=True, autoincrement=False, comment="What found it"
    )
    position: Mapped[int] = col(
        Integer, primary_key=True, autoincrement=False, comment="Order, from 0"
    )
    entity_id: Mapped[int] = col(BigId, comment="What it names")
    field: Mapped[str] = col(String(8), comment="title or text")
    start_char: Mapped[int] = col(Integer, comment="First character of the span")
    end_char: Mapped[int] = col(Integer, comment="One past the last character")
    surface: Mapped[str] = col(Text, comment="The span itself")
    kind: Mapped[str] = col(String(8), comment="PER, ORG, LOC or MISC")
    score: Mapped[float | None] = col(Float, comment="Trust, where the engine says")
    sort_at: Mapped[datetime] = col(UtcDateTime, comment="sort_at of the article")
