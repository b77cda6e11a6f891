"""`wireroom articles`, `show` and `review`: the list, one of them, a look at some."""

from contextlib import suppress
from dataclasses import asdict
from typing import Annotated

import typer

from ingest.packedlines import DamagedLinesError, unpack_lines
from services.cli.ask import (
    SINCE_HELP,
    UNTIL_HELP,
    Before,
    Limit,
    asking,
    moment,
    print_lines,
    spellings,
)
from services.cli.base import open_store
from services.cli.call import call_of
from services.cli.deeds import note
from services.cli.output import Failure, Output
from services.cli.page_words import page_story
from store import queries
from store.engine import Session, transaction
from store.errors import NotFound
from store.journal import Action, Deed, about
from store.lines import find_lines
from store.queries import Appearance, ArticlePage
from store.reviews import accept_articles

app = typer.Typer()

COLUMNS = ("id", "sort_at", "source", "language", "title", "copy_of", "story_id")


@app.command()
def articles(  # noqa: PLR0913, PLR0917 - one argument an option
    ctx: typer.Context,
    feed: Annotated[int | None, typer.Option(help="Id of a feed.")] = None,
    source: Annotated[str | None, typer.Option(help="Publisher.")] = None,
    language: Annotated[str | None, typer.Option(help="Like en.")] = None,
    since: Annotated[str | None, typer.Option(help=SINCE_HELP)] = None,
    until: Annotated[str | None, typer.Option(help=UNTIL_HELP)] = None,
    entity: Annotated[
        str | None, typer.Option(help="Only those that name it: key or spelling.")
    ] = None,
    story: Annotated[int | None, typer.Option(help="Id of a story.")] = None,
    copies: Annotated[
        bool | None,
        typer.Option("--copies/--no-copies", help="Copies only, or none of them."),
    ] = None,
    review: Annotated[
        bool,
        typer.Option("--review", help="Only those that somebody should look at."),
    ] = False,
    limit: Limit = 20,
    before: Before = None,
) -> None:
    """List articles, newest first."""
    with asking(ctx) as question:
        lines = queries.list_articles(
            question.session,
            feed_id=feed,
            source=source,
            language=language,
            since=moment(since),
            until=moment(until),
            entity=entity,
            story_id=story,
            copies=copies,
            review=review,
            limit=limit,
            before=queries.parse_cursor(before) if before else None,
        )
    print_lines(question.output, lines, columns=COLUMNS)
    if len(lines) == limit:
        question.output.say(f"more with --before {lines[-1].cursor}")


@app.command()
def show(
    ctx: typer.Context,
    article: Annotated[
        str, typer.Argument(help="Its id, the start of its uid, or its address.")
    ],
    lines: Annotated[
        bool, typer.Option("--lines", help="Each line of its page, with its kind.")
    ] = False,
) -> None:
    """Show an article: its text, where it was found, what is known, where it stands."""
    with asking(ctx) as question:
        page = _find(question.session, article)
        packed = find_lines(question.session, page.article.id) if lines else b""
    told = _unpacked(packed)
    if question.output.as_json:
        more = {"lines": told} if lines else {}
        question.output.facts(asdict(page) | more)
        return
    _print(question.output, page)
    if lines:
        question.output.heading("Lines")
        rows = [{"kind": kind, "line": line} for kind, line in told]
        question.output.rows(rows, columns=("kind", "line"))


def _unpacked(packed: bytes) -> list[tuple[str, str]]:
    try:
        return unpack_lines(packed)
    except DamagedLinesError as error:
        raise Failure(f"the stored lines are damaged: {error}") from error


@app.command()
def review(
    ctx: typer.Context,
    articles: Annotated[
        list[int], typer.Argument(help="Ids of articles that you have looked at.")
    ],
) -> None:
    """Settle that articles of little trust are as they should be; see `articles`."""
    call = call_of(ctx)
    with open_store(call.settings) as engine, transaction(engine) as session:
        settled = accept_articles(session, articles)
        if settled:
            subject = about("article", settled)
            deed = Deed(action=Action.REVIEW, subject=subject)
            note(session, call.operator, deed)
    call.output.facts({"accepted": len(settled)})


def _find(session: Session, ref: str) -> ArticlePage:
    """Look for an address as it is filed, then as it was typed."""
    *filed, typed = spellings(ref)
    for spelling in filed:
        with suppress(NotFound):
            return queries.get_article(session, spelling)
    return queries.get_article(session, typed)


def _print(output: Output, page: ArticlePage) -> None:
    output.facts(asdict(page.article))
    output.facts(
        {
            "confidence": page.confidence,
            "published_as": page.published_raw,
            "published_from": page.published_from,
            "language_from": page.language_origin,
            "work": page.work.standing,
            **{
                f"work_{name}": value
                for name, value in asdict(page.work).items()
                if name != "standing" and value not in (None, (), 0)
            },
        }
    )
    if page.story is not None:
        output.facts({"story": page.story.title, "in_story": page.story.n_articles})
    _print_page(output, page)
    output.heading("Text")
    output.text(page.text)
    for title, lines, columns in (
        ("Appearances", page.appearances, ("first_seen_at", "outcome", "feed", "link")),
        ("Revisions", page.revisions, ("number", "created_at", "n_chars", "extractor")),
        ("Entities", page.entities, ("name", "kind", "n_mentions", "key")),
        ("Original", [page.copy_of] if page.copy_of else [], ORIGINAL),
        ("Copies", page.copies, COPY),
        ("Pipelines", page.pipelines, LEDGER),
    ):
        if lines:
            output.heading(title)
            print_lines(output, lines, columns=columns)
    for appearance in page.appearances:
        _print_details(output, appearance)


def _print_page(output: Output, page: ArticlePage) -> None:
    """Print what became of the page behind what a feed teased."""
    if page.page is None:
        return
    told = {name: one for name, one in asdict(page.page).items() if one is not None}
    output.heading("Page")
    output.facts({"why": page_story(page.page), **told})


def _print_details(output: Output, appearance: Appearance) -> None:
    """Print what one feed says beside the article, as far as it says anything."""
    said = {
        "published_at": appearance.published_at,
        "published_as": appearance.published_raw,
        "published_from": appearance.published_from,
        "published_confidence": appearance.published_confidence,
        "updated_at": appearance.updated_at,
        "updated_as": appearance.updated_raw,
        "language": appearance.language,
        "authors": "; ".join(appearance.authors or ()),
        "categories": "; ".join(appearance.categories or ()),
        "enclosures": "  ".join(one["url"] for one in appearance.enclosures or ()),
    }
    told = {name: value for name, value in said.items() if value not in (None, "")}
    if told:
        output.heading(f"As {appearance.feed} has it")
        output.facts(told)


_HOW = ("kind", "containment", "numbers_differ")
ORIGINAL = ("original_id", "original_source", "original_title", *_HOW)
COPY = ("article_id", "source", "title", *_HOW)
LEDGER = (
    *("stage", "name", "version", "active", "revision", "status"),
    *("pass_number", "n_passes", "enriched_at"),
)
