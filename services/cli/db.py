"""`wireroom db`: bring the schema of the database up to date, or check it."""

import typer

from services.cli.call import call_of
from services.cli.output import ExitCode
from services.settings import Settings
from store import schema
from store.engine import open_engine

app = typer.Typer(no_args_is_help=True, help="The schema of the database.")


@app.command()
def upgrade(ctx: typer.Context) -> None:
    """Bring the schema to the revision of this version; at that already, do nothing."""
    call = call_of(ctx)
    call.settings.home.mkdir(mode=0o700, parents=True, exist_ok=True)
    before = _found(call.settings)
    schema.upgrade(call.settings.database_url)
    facts = {"before": before, "now": _found(call.settings)}
    call.output.facts(facts)


@app.command()
def check(ctx: typer.Context) -> None:
    """Compare the revision of the schema with the one needed; exit 4 if it differs."""
    call = call_of(ctx)
    found, wanted = _found(call.settings), schema.wanted_revision()
    call.output.facts({"found": found, "wanted": wanted})
    if found != wanted:
        raise typer.Exit(ExitCode.WRONG_SCHEMA)


def _found(settings: Settings) -> str | None:
    engine = open_engine(settings.database_url)
    try:
        return schema.found_revision(engine)
    finally:
        engine.dispose()
