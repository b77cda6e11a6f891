"""Tables of what leaves the house: events, watch rules, alerts, webhooks."""

from datetime import datetime
from typing import Any

from sqlalchemy import (
    CheckConstraint,
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
from store.words import DeliveryState

UNSENT = "sent_at IS NULL"


class Outbox(Base):
    """An event for the outside, written with what it tells of."""

    __tablename__ = "outbox"
    __table_args__ = (
        # The id last: the latest event of a subject is found without a look at rows.
        Index("ix_outbox_kind_key_id", "kind", "key", "id"),
        Index(
            "ix_outbox_unsent",
            "id",
            sqlite_where=text(UNSENT),
            postgresql_where=text(UNSENT),
        ),
        {"comment": "An event for the outside, written with what it tells of"},
    )

    id: Mapped[int] = col(BigId, primary_key=True, comment="Order of the events")
    kind: Mapped[str] = col(String(32), comment="What happened")
    key: Mapped[str] = col(Text, comment="What it happened to")
    payload: Mapped[Any] = col(Json, comment="The event as receivers get it")
    created_at: Mapped[datetime] = col(UtcDateTime, comment="When it happened")
    sent_at: Mapped[datetime | None] = col(
        UtcDateTime, comment="When it had been handed to every receiver"
    )


class WatchRule(Base):
    """A question that is asked of every new article."""

    __tablename__ = "watch_rule"
    __table_args__ = ({"comment": "A question that is asked of every new article"},)

    id: Mapped[int] = col(BigId, primary_key=True, comment="Surrogate key")
    name: Mapped[str] = col(Text, unique=True, comment="What the operator calls it")
    query: Mapped[str] = col(Text, comment="The question, in the language of search")
    active: Mapped[bool] = col(default=True, comment="Whether it is asked")
    created_at: Mapped[datetime] = col(UtcDateTime, comment="When it was made")


class Alert(Base):
    """An article that met a rule, once however often it is enriched."""

    __tablename__ = "alert"
    __table_args__ = (
        UniqueConstraint("rule_id", "article_id"),
        Index("ix_alert_article_id", "article_id"),
        {"comment": "An article that met a rule, once however often it is enriched"},
    )

    id: Mapped[int] = col(BigId, primary_key=True, comment="Surrogate key")
    rule_id: Mapped[int] = col(ForeignKey("watch_rule.id"), comment="The rule")
    article_id: Mapped[int] = col(ForeignKey("article.id"), comment="The article")
    created_at: Mapped[datetime] = col(UtcDateTime, comment="When it was raised")
    seen_at: Mapped[datetime | None] = col(
        UtcDateTime, comment="When an operator had seen it"
    )


class WebhookEndpoint(Base):
    """An address that wants to be told of events."""

    __tablename__ = "webhook_endpoint"
    __table_args__ = ({"comment": "An address that wants to be told of events"},)

    id: Mapped[int] = col(BigId, primary_key=True, comment="Surrogate key")
    url: Mapped[str] = col(Text, unique=True, comment="Where events are posted")
    secret: Mapped[str] = col(Text, comment="Key of the signatures")
    kinds: Mapped[Any] = col(
        Json, nullable=True, comment="Kinds of events it wants; NULL for all"
    )
    created_at: Mapped[datetime] = col(UtcDateTime, comment="When it was added")
    disabled_at: Mapped[datetime | None] = col(
        UtcDateTime, comment="Since when it gets nothing"
    )
    reason: Mapped[str | None] = col(Text, comment="Why it gets nothing")


class WebhookDelivery(Base):
    """One event on its way to one address."""

    __tablename__ = "webhook_delivery"
    __table_args__ = (
        CheckConstraint(one_of("state", DeliveryState), name="state"),
        UniqueConstraint("outbox_id", "endpoint_id"),
        Index("ix_webhook_delivery_endpoint_id", "endpoint_id"),
        Index("ix_webhook_delivery_state_next_at", "state", "next_at"),
        {"comment": "One event on its way to one address"},
    )

    id: Mapped[int] = col(BigId, primary_key=True, comment="Surrogate key")
    outbox_id: Mapped[int] = col(ForeignKey("outbox.id"), comment="The event")
    endpoint_id: Mapped[int] = col(
        ForeignKey("webhook_endpoint.id"), comment="The address"
    )
    state: Mapped[str] = col(String(16), comment="pending, delivered or given_up")
    attempts: Mapped[int] = col(Integer, default=0, comment="Times it was tried")
    next_at: Mapped[datetime] = col(UtcDateTime, comment="When it is tried next")
    http_status: Mapped[int | None] = col(Integer, comment="Last answer")
    error: Mapped[str | None] = col(Text, comment="How the last attempt failed")
    delivered_at: Mapped[datetime | None] = col(
        UtcDateTime, comment="When it was accepted"
    )
