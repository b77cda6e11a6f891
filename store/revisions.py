"""Texts of articles: each a numbered revision, of which only so many are kept."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import and_, delete, func, or_, select
from sqlalchemy.orm import Session

from ingest.pagewords import MORE
from store.batches import append_rows, insert_rows, look_up
from store.clauses import chunks
from store.lines import PageLines, keep_lines
from store.models import Article, Revision, RevisionLines
from store.seen import Seen, Sighting

# Texts that are kept of an article. A page that changes with every look at it, such as
# a clock or a live ticker, must not fill the archive.
MAX_REVISIONS = 20


class Change(NamedTuple):
    """A text that an article does not have as its current one."""

    row: Any  # of the article, as it was
    seen: Seen
    number: int  # of the new revision


def write_first(
    session: Session,
    fresh: Mapping[str, Seen],
    found: Mapping[str, int],
    *,
    sighting: Sighting,
) -> None:
    """Write the first texts of articles that are new: uid -> id."""
    firsts = [_revision_row(found[uid], 1, fresh[uid], sighting) for uid in found]
    append_rows(session, Revision, firsts)
    keep_lines(session, (_lines(found[uid], 1, fresh[uid]) for uid in found))


def write_changed(
    session: Session, changed: Sequence[tuple[Any, Seen]], *, sighting: Sighting
) -> list[Change]:
    """Write new texts; return those that are to be the current ones from now on.

    Args:
        session: In a transaction that has locked the articles.
        changed: Rows of articles, with `id`, `is_teaser`, `content_hash` and
            `current_revision`, and what was seen of each.
        sighting: When they were seen.
    """
    if not changed:
        return []
    last = _last_revisions(session, [row.id for row, _ in changed])
    all_changes = [Change(row, seen, last[row.id] + 1) for row, seen in changed]
    stay = _standing(session, all_changes)
    noted = [one for one in all_changes if one.row.id in stay]
    changes = [one for one in all_changes if one.row.id not in stay]
    written = changes + _unknown(session, noted)
    rows = [
        _revision_row(one.row.id, one.number, one.seen, sighting) for one in written
    ]
    insert_rows(session, Revision, rows)
    keep_lines(session, (_lines(one.row.id, one.number, one.seen) for one in written))
    _forget_surplus(session, written, stay)
    return changes


def _standing(session: Session, changes: Sequence[Change]) -> set[int]:
    """Return the articles whose present text stays: the new one is less of it."""
    full = [one for one in changes if one.row.is_teaser is False]
    stay = {one.row.id for one in full if one.seen.is_teaser}
    # A summary may grow as long as articles are, and is a summary still.
    n_chars = {
        one.row.id: len(one.seen.draft.text)
        for one in full
        if one.seen.seems_full and one.row.content_hash != one.seen.replaces
    }
    for some in chunks(n_chars):
        is_current = and_(
            Revision.article_id == Article.id,
            Revision.number == Article.current_revision,
        )
        query = (
            select(Article.id, func.length(Revision.text).label("n_chars"))
            .join(Revision, is_current)
            .where(Article.id.in_(some))
        )
        present = session.execute(query)
        stay |= {row.id for row in present if row.n_chars >= MORE * n_chars[row.id]}
    return stay


def _last_revisions(session: Session, article_ids: list[int]) -> dict[int, int]:
    """Return article -> its highest number; the articles are locked."""
    found: dict[int, int] = {}
    for some in chunks(article_ids):
        query = (
            select(Revision.article_id, func.max(Revision.number).label("number"))
            .where(Revision.article_id.in_(some))
            .group_by(Revision.article_id)
        )
        found |= {one.article_id: one.number for one in session.execute(query)}
    return found


_TEXTS = """
    SELECT revision.article_id, revision.content_hash, MAX(revision.number)
    FROM wanted
    JOIN revision ON revision.article_id = wanted.article_id
      AND revision.content_hash = wanted.content_hash
    GROUP BY revision.article_id, revision.content_hash
"""


def find_revisions(
    session: Session, texts: list[tuple[int, str]]
) -> dict[tuple[int, str], int]:
    """Return article and hash -> number of the latest revision with that text."""
    found = look_up(
        session,
        _TEXTS,
        model=Revision,
        key=("article_id", "content_hash"),
        wanted=texts,
    )
    return {(article_id, hashed): number for article_id, hashed, number in found}


def _unknown(session: Session, noted: list[Change]) -> list[Change]:
    """Return those texts that are no revision yet: many feeds tease with the same."""
    texts = {(one.row.id, one.seen.draft.content_hash): one for one in noted}
    known = find_revisions(session, list(texts))
    return [change for text, change in texts.items() if text not in known]


def _forget_surplus(
    session: Session, changes: list[Change], stay: Collection[int]
) -> None:
    """Delete texts between the first and the latest, the oldest of them first."""
    # With the one that has just been written.
    last = {row.id: number + 1 - MAX_REVISIONS for row, _, number in changes}
    # What is only noted leaves an older text the current one.
    current = {
        one.row.id: one.row.current_revision for one in changes if one.row.id in stay
    }
    for some in chunks(one for one in last if last[one] > 1):
        for model in (RevisionLines, Revision):
            surplus = (
                and_(
                    model.article_id == one,
                    model.number.between(2, last[one]),
                    model.number != current.get(one, 0),
                )
                for one in some
            )
            session.execute(
                delete(model)
                .where(or_(*surplus))
                .execution_options(synchronize_session=False)
            )


def _lines(article_id: int, number: int, seen: Seen) -> PageLines:
    draft, packed = seen.draft, seen.entry.packed_lines
    return PageLines(article_id, number, draft.source, packed, draft.extractor)


def _revision_row(
    article_id: int, number: int, seen: Seen, sighting: Sighting
) -> dict[str, Any]:
    draft = seen.draft
    return {
        "article_id": article_id,
        "number": number,
        "content_hash": draft.content_hash,
        "title": draft.title,
        "text": draft.text,
        "byline": draft.byline,
        "declared_language": draft.language,
        "extractor": draft.extractor,
        "confidence": draft.confidence,
        "document_sha256": seen.document_sha256,
        "created_at": sighting.now,
    }
