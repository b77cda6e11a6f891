"""`wireroom feeds hosts` and `feeds lift`: servers that asked us to wait."""

from typing import Annotated

import typer

from ingest.messages import host_of, utc_now
from services.cli.ask import Limit, asking, print_lines
from services.cli.base import ask_for_work, open_store
from services.cli.call import call_of
from services.cli.deeds import note
from store import hosts as store_hosts
from store import queries
from store.engine import transaction
from store.journal import Action, Deed, about

COLUMNS = (
    *("host", "n_feeds", "n_due", "n_polling", "n_failing"),
    *("paused_until", "reason", "last_polled_at"),
)


def hosts(
    ctx: typer.Context,
    paused: Annotated[
        bool, typer.Option("--paused", help="Only hosts that asked us to wait.")
    ] = False,
    limit: Limit = 50,
) -> None:
    """List the hosts of feeds, those that asked us to wait first."""
    with asking(ctx) as question:
        lines = queries.list_hosts(
            question.session, now=utc_now(), paused=paused, limit=limit
        )
    print_lines(question.output, lines, columns=COLUMNS)


def lift(
    ctx: typer.Context,
    host: Annotated[str, typer.Argument(help="As in the list, or any URL of it.")],
) -> None:
    """End the wait that a host asked for; its feeds are polled at once."""
    call = call_of(ctx)
    name, now = host_of(host) or host, utc_now()
    with open_store(call.settings) as engine:
        with transaction(engine) as session:
            until = store_hosts.lift_pause(session, name, now=now)
            deed = Deed(
                action=Action.FEEDS_LIFT,
                subject=about("host", [name]),
                before={"paused_until": until},
                after={"paused_until": None},
            )
            note(session, call.operator, deed)
        ask_for_work(call.settings, call.output)
    call.output.facts({"host": name, "paused_until": until})
