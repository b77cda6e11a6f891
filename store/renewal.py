"""Renewal: a text that is read again from its stored bytes, and is as it was.

The text stands, so there is no new revision; but which version of a reader gives it,
how far it is trusted, and the lines of its page are those of the latest reading.
"""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import and_, bindparam, select, update
from sqlalchemy.orm import Session

from store.batches import update_rows
from store.clauses import chunks
from store.lines import PageLines, replace_lines
from store.models import Article, Entry, Revision, RevisionLines
from store.plain import storable_key
from store.seen import Name, Seen
from store.words import Review

Place = tuple[int, str]  # of an entry: its file, and its key

_RENEW = (
    update(Revision)
    .where(
        Revision.article_id == bindparam("of_article"),
        Revision.number == bindparam("of_number"),
    )
    .values(extractor=bindparam("by"), confidence=bindparam("trust"))
)


class _Same(NamedTuple):
    seen: Seen
    row: Any  # of what is stored


def settle_reread(session: Session, seen: Sequence[Seen]) -> set[Place]:
    """Settle what is to say of entries of stored bytes, before they are written.

    The known articles are locked from here on, in the order of their ids.

    Returns:
        The entries that are not to be written: their article has its text from other
        bytes by now, and an old text must not take the place of one that came later.
        So too where no entry of a file is known: it was moved, and what it held goes
        on under another path.
    """
    known = _stored(session, seen)
    known_files = {one.file_id for one, _ in known}
    late = {place_of(one) for one in seen if one.file_id not in known_files}
    late |= {
        place_of(one)
        for one, row in known
        if one.document_sha256 != row.document_sha256
    }
    same = [
        _Same(one, row)
        for one, row in known
        if place_of(one) not in late
        and row.content_hash == one.draft.content_hash
        and _is_other(one, row)
    ]
    if same:
        _renew(session, same)
    return late


def place_of(seen: Seen) -> Place:
    """Return what no other entry of the files in a message is called."""
    return seen.file_id or 0, seen.entry.key


def _renew(session: Session, same: Sequence[_Same]) -> None:
    session.connection().execute(_RENEW, [_renewed(one) for one in same])
    reviews = [
        {"id": row.article_id, "review": review}
        for one, row in same
        if (review := _review(one, row.review)) != row.review
    ]
    update_rows(session, Article, reviews)
    replace_lines(
        session,
        (
            PageLines(
                *(row.article_id, row.number, one.draft.source),
                *(one.entry.packed_lines, one.draft.extractor),
            )
            for one, row in same
        ),
    )


def _stored(session: Session, seen: Sequence[Seen]) -> list[tuple[Seen, Any]]:
    by_name: defaultdict[Name, list[Seen]] = defaultdict(list)
    for one in seen:
        if one.entry.article is not None:
            by_name[one.feed_id, storable_key(one.entry.key)].append(one)
    found: list[tuple[Seen, Any]] = []
    for some in chunks(sorted({key for _, key in by_name})):
        query = (
            _known_texts()
            .where(Entry.feed_id.in_({feed_id for feed_id, _ in by_name}))
            .where(Entry.key.in_(some))
            .order_by(Article.id)
            .with_for_update(of=Article)
        )
        for row in session.execute(query):
            found += [(one, row) for one in by_name[row.feed_id, row.key]]
    return found


def _known_texts() -> Any:
    return (
        select(
            *(Entry.feed_id, Entry.key, Revision.article_id, Revision.number),
            *(Revision.content_hash, Revision.extractor, Revision.document_sha256),
            *(Article.review, RevisionLines.number.is_not(None).label("has_lines")),
        )
        .join(Article, Article.id == Entry.article_id)
        .join(Revision, _of_current(Revision))
        .outerjoin(RevisionLines, _of_current(RevisionLines))
    )


def _of_current(model: type[Revision | RevisionLines]) -> Any:
    return and_(
        model.article_id == Article.id, model.number == Article.current_revision
    )


def _is_other(seen: Seen, row: Any) -> bool:
    """Say whether another version of a reader gave the text, or without its lines."""
    lacks_lines = bool(seen.entry.packed_lines) and not row.has_lines
    return lacks_lines or row.extractor != seen.draft.extractor


def _renewed(one: _Same) -> dict[str, Any]:
    seen, row = one
    return {
        "of_article": row.article_id,
        "of_number": row.number,
        "by": seen.draft.extractor,
        "trust": seen.draft.confidence,
    }


def _review(seen: Seen, review: str | None) -> str | None:
    return review if review == Review.ACCEPTED else seen.review
