"""`wireroom grants`: the three PostgreSQL roles, as SQL to read or done at once."""

import os
from dataclasses import asdict
from typing import Annotated

import typer

from services.cli.call import Call, call_of
from services.cli.deeds import note_after
from services.cli.output import ExitCode, Failure
from store.engine import open_engine
from store.errors import GrantRefused
from store.grant_steps import Roles
from store.grants import Granted, apply_grants, database_of, grant_script
from store.journal import Action, Deed, about

app = typer.Typer()


PASSWORDS = "POSTGRES_{}_PASSWORD"  # of the environment, for each of the three


@app.command()
def grants(
    ctx: typer.Context,
    *,
    migrate: Annotated[str, typer.Option(help="Owns the tables, changes the schema.")],
    app_: Annotated[str, typer.Option("--app", help="Reads and writes rows.")],
    read: Annotated[str, typer.Option(help="Asks the views, within limits.")],
    apply: Annotated[
        bool, typer.Option("--apply", help="Do it, in place of printing SQL.")
    ] = False,
) -> None:
    """Print the SQL that makes three PostgreSQL roles, or run it with --apply.

    Both may be done again at any time. With --apply, passwords are taken from
    POSTGRES_MIGRATE_PASSWORD, POSTGRES_APP_PASSWORD and POSTGRES_READ_PASSWORD, where
    they are set. Exits with 1 if we had no leave to do a part of it.
    """
    call = call_of(ctx)
    url = call.settings.database_url
    roles = Roles(migrate=migrate, app=app_, read=read)
    try:
        if not apply:
            call.output.text(grant_script(roles, database_of(url)))
            return
        granted = apply_grants(url, roles, passwords=_passwords(roles))
    except GrantRefused as error:
        raise Failure(str(error), ExitCode.USAGE) from None
    _note(call, roles, granted)
    call.output.facts({"done": granted.n_done, "refused": len(granted.refused)})
    for statement, needs in granted.refused:
        call.output.warn(f"not done, it needs {needs}: {statement}")
    if granted.refused:
        raise typer.Exit(ExitCode.PROBLEMS)


def _note(call: Call, roles: Roles, granted: Granted) -> None:
    engine = open_engine(call.settings.database_url)
    n_refused = len(granted.refused)
    after = {**asdict(roles), "done": granted.n_done, "refused": n_refused}
    try:
        subject = about("role", roles.names)
        deed = Deed(action=Action.GRANTS_APPLY, subject=subject, after=after)
        note_after(call, engine, deed)
    finally:
        engine.dispose()


def _passwords(roles: Roles) -> dict[str, str]:
    given = {
        roles.migrate: os.environ.get(PASSWORDS.format("MIGRATE")),
        roles.app: os.environ.get(PASSWORDS.format("APP")),
        roles.read: os.environ.get(PASSWORDS.format("READ")),
    }
    return {role: password for role, password in given.items() if password}
