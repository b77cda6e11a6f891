"""`wireroom feeds set`: change what an operator may choose of a feed."""

from typing import Annotated, Any

import typer

from ingest.pagewords import PagePolicy
from ingest.zones import zone_of
from services.cli.base import open_store
from services.cli.call import call_of
from services.cli.deeds import note
from services.cli.output import ExitCode, Failure
from store import feeds as subscriptions
from store.engine import transaction
from store.journal import Action, Deed, about

PAGES_HELP = "Fetch the pages of its entries: where they tease (auto), always, never."
ZONE_HELP = (
    "Zone of its dates that name none, or UTC: Europe/Berlin, or +05:30; none for UTC."
)
NO_ZONE = "none"


def set_command(
    ctx: typer.Context,
    feeds: Annotated[list[str], typer.Argument(help="Ids or addresses of feeds.")],
    pages: Annotated[PagePolicy | None, typer.Option(help=PAGES_HELP)] = None,
    zone: Annotated[str | None, typer.Option(help=ZONE_HELP)] = None,
) -> None:
    """Change options of feeds; they hold from the next entries on."""
    call = call_of(ctx)
    chosen = _chosen(pages, zone)
    with open_store(call.settings) as engine, transaction(engine) as session:
        ids = subscriptions.find_feeds(session, feeds)
        before = {"options": subscriptions.options(session, ids)}
        if pages is not None:
            subscriptions.set_pages(session, ids, pages)
        if zone is not None:
            subscriptions.set_zone(session, ids, chosen["zone"])
        deed = Deed(
            action=Action.FEEDS_SET,
            subject=about("feed", ids),
            before=before,
            after={"n": len(ids), **chosen},
        )
        note(session, call.operator, deed)
    call.output.facts({**chosen, "ids": ids})


def _chosen(pages: PagePolicy | None, zone: str | None) -> dict[str, Any]:
    """Return the options that are to be changed, by name.

    Raises:
        Failure: There are none, or there is no such zone.
    """
    chosen: dict[str, Any] = {}
    if pages is not None:
        chosen["pages"] = pages
    if zone is not None:
        chosen["zone"] = None if zone == NO_ZONE else _existing(zone)
    if not chosen:
        raise Failure("say what to change: --pages, --zone", ExitCode.USAGE)
    return chosen


def _existing(zone: str) -> str:
    try:
        zone_of(zone)
    except ValueError as error:
        raise Failure(str(error), ExitCode.USAGE) from None
    return zone
