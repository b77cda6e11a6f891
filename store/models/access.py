"""Tables of who may do what, and of who did."""

from datetime import datetime
from typing import Any

from sqlalchemy import Index, String, Text
from sqlalchemy.orm import Mapped

from store.models.base import Base, BigId, Json, UtcDateTime, col


class ApiKey(Base):
    """A key of a program; the key itself is not kept."""

    __tablename__ = "api_key"
    __table_args__ = ({"comment": "A key of a program; the key itself is not kept"},)

    id: Mapped[int] = col(BigId, primary_key=True, comment="Surrogate key")
    name: Mapped[str] = col(Text, comment="Who has it")
    prefix: Mapped[str] = col(
        String(16), unique=True, comment="Its beginning, by which it is found"
    )
    sha256: Mapped[str] = col(String(64), comment="Hash of the whole key")
    scopes: Mapped[Any] = col(Json, comment="What it allows: read, operate, admin")
    created_at: Mapped[datetime] = col(UtcDateTime, comment="When it was made")
    expires_at: Mapped[datetime | None] = col(
        UtcDateTime, comment="When it ends; NULL for never"
    )
    last_used_at: Mapped[datetime | None] = col(
        UtcDateTime, comment="When it was last used"
    )
    revoked_at: Mapped[datetime | None] = col(
        UtcDateTime, comment="When an operator ended it"
    )


class AuditLog(Base):
    """What somebody changed by hand, never rewritten.

    PostgreSQL keeps it in partitions by month of `at`, which its primary key there
    holds as well.
    """

    __tablename__ = "audit_log"
    __table_args__ = (
        Index("ix_audit_log_subject_at", "subject", "at"),
        {"comment": "What somebody changed by hand, never rewritten"},
    )

    id: Mapped[int] = col(BigId, primary_key=True, comment="Surrogate key")
    at: Mapped[datetime] = col(UtcDateTime, comment="When")
    actor: Mapped[str] = col(Text, comment="Who: an account, or the prefix of a key")
    action: Mapped[str] = col(String(64), comment="What was done")
    subject: Mapped[str] = col(Text, comment="To what: kind:id")
    before: Mapped[Any] = col(Json, nullable=True, comment="How it was")
    after: Mapped[Any] = col(Json, nullable=True, comment="How it is")
