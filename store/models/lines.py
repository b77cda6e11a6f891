"""Tables of the lines of pages: those of each text, and those learned as furniture."""

from datetime import datetime

from sqlalchemy import (
    BigInteger,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Text,
    UniqueConstraint,
    false,
    text,
    true,
)
from sqlalchemy.orm import Mapped

from store.models.base import Base, BigId, UtcDateTime, col


class RevisionLines(Base):
    """The lines of the page that a text of an article was found on.

    Apart from `revision`, whose rows are read far more often, and without lines.
    """

    __tablename__ = "revision_lines"
    __table_args__ = (
        Index(
            "ix_revision_lines_teaches",
            "source",
            "article_id",
            postgresql_where=text("teaches"),
            sqlite_where=text("teaches = 1"),
        ),
        Index(
            "ix_revision_lines_news",
            "source",
            postgresql_where=text("is_new"),
            sqlite_where=text("is_new = 1"),
        ),
        {"comment": "Lines of the page of a text; missing where all of them are text"},
    )

    article_id: Mapped[int] = col(
        ForeignKey("article.id"), primary_key=True, comment="The article"
    )
    number: Mapped[int] = col(
        Integer, primary_key=True, autoincrement=False, comment="Number of the revision"
    )
    source: Mapped[str] = col(Text, comment="Publisher its file was filed under")
    packed: Mapped[bytes] = col(
        LargeBinary, comment="Kind and text of each line (ingest/packedlines.py)"
    )
    is_new: Mapped[bool] = col(
        default=True,
        server_default=true(),
        comment="Nothing has been learned from them so far",
    )
    teaches: Mapped[bool] = col(
        default=False,
        server_default=false(),
        comment="Of plain text, from which furniture is learned",
    )


class LearnedLine(Base):
    """A line that is furniture on the pages of a source."""

    __tablename__ = "learned_line"
    __table_args__ = (
        UniqueConstraint("source", "hash"),
        {
            "comment": "A line that is furniture on the pages of a source",
            # Readings note the highest number they knew; none may come twice.
            "sqlite_autoincrement": True,
        },
    )

    id: Mapped[int] = col(BigId, primary_key=True, comment="Surrogate key, ascending")
    source: Mapped[str] = col(Text, comment="The publisher")
    hash: Mapped[str] = col(
        String(16), comment="Of the line in lower case, without marks around it"
    )
    text: Mapped[str] = col(Text, comment="The line, as one of the pages has it")
    n_texts: Mapped[int] = col(
        BigInteger, comment="Different texts it stood with when last looked at"
    )
    first_seen_at: Mapped[datetime] = col(UtcDateTime, comment="When it was learned")
    last_seen_at: Mapped[datetime] = col(
        UtcDateTime, comment="When it was last found on so many pages"
    )
