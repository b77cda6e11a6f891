"""What commands share that only read: the question, the page, the form of an answer."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from typing import Annotated, Any

import typer

from ingest.articles import article_uid
from ingest.messages import utc_now
from ingest.urls import canonical_url
from services.cli.base import open_store
from services.cli.call import call_of
from services.cli.output import ExitCode, Failure, Output
from store.engine import Session, reading
from store.errors import BadQuery
from store.query_language import parse_moment

Limit = Annotated[int, typer.Option(min=1, max=10_000, help="Most rows to print.")]
Before = Annotated[
    str | None, typer.Option(help="Go on where a page ended; it prints what to give.")
]
SINCE_HELP = "Only from then on: 7d, 24h, 2026-11-20 or 2026-11-20T08:30Z."
UNTIL_HELP = "Only before then, in the same spelling."


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """An open database, and where the answer goes."""

    session: Session
    output: Output


@contextmanager
def asking(ctx: typer.Context) -> Iterator[Question]:
    """Open the database for reading; what cannot be asked is a usage error."""
    call = call_of(ctx)
    try:
        with open_store(call.settings) as engine, reading(engine) as session:
            yield Question(session=session, output=call.output)
    except BadQuery as error:
        raise Failure(str(error), ExitCode.USAGE) from None


def moment(text: str | None) -> datetime | None:
    """Return the moment an option names, if it is given."""
    return None if text is None else parse_moment(text, now=utc_now())


def spellings(ref: str) -> tuple[str, ...]:
    """Return how an article is looked for: as it is filed, then as it was typed."""
    canonical = canonical_url(ref) if "://" in ref else None
    # A page's address is the identity of its article, and identities are indexed;
    # addresses are not, and looking for one reads every article.
    return (article_uid(canonical), canonical, ref) if canonical else (ref,)


def print_lines(
    output: Output, lines: Sequence[Any], *, columns: Sequence[str]
) -> None:
    """Print dataclasses: these columns for people, every field as JSON."""
    if output.as_json and lines:
        columns = [one.name for one in fields(lines[0])]
    output.rows([asdict(line) for line in lines], columns=columns)
