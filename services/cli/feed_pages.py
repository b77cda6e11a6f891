"""`wireroom feeds set`: change what an operator may choose of a feed."""

from typing import Annotated

import typer

from ingest.pagewords import PagePolicy
from services.cli.base import open_store
from services.cli.call import call_of
from services.cli.deeds import note
from store import feeds as subscriptions
from store.engine import transaction
from store.journal import Action, Deed, about

PAGES_HELP = "Fetch the pages of its entries: where they tease (auto), always, never."


def set_command(
    ctx: typer.Context,
    feeds: Annotated[list[str], typer.Argument(help="Ids or addresses of feeds.")],
    pages: Annotated[PagePolicy, typer.Option(help=PAGES_HELP)],
) -> None:
    """Change an option of feeds; it holds from the next entries on."""
    call = call_of(ctx)
    with open_store(call.settings) as engine, transaction(engine) as session:
        ids = subscriptions.find_feeds(session, feeds)
        before = {"pages": subscriptions.policies(session, ids)}
        subscriptions.set_pages(session, ids, pages)
        subject, after = about("feed", ids), {"n": len(ids), "pages": pages}
        deed = Deed(
            action=Action.FEEDS_SET, subject=subject, before=before, after=after
        )
        note(session, call.operator, deed)
    call.output.facts({"pages": pages, "ids": ids})
