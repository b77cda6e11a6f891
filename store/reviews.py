"""Reviews: articles that are little trusted, and that somebody has looked at them."""

from collections.abc import Sequence

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from store.clauses import locked
from store.errors import NotFound
from store.models import Article
from store.words import Review


def accept_articles(session: Session, article_ids: Sequence[int]) -> list[int]:
    """Note that somebody has looked at articles; return those that it was open for.

    A new text is to be reviewed anew.

    Raises:
        NotFound: There is no such article.
    """
    query = select(Article.id, Article.review).where(Article.id.in_(article_ids))
    rows = session.execute(locked(session, query.order_by(Article.id))).all()
    missing = set(article_ids) - {row.id for row in rows}
    if missing:
        raise NotFound("article", min(missing))
    ids = [row.id for row in rows if row.review == Review.OPEN]
    session.execute(
        update(Article).where(Article.id.in_(ids)).values(review=Review.ACCEPTED)
    )
    return ids
