"""The program: its commands, its global options and its exit codes.

A command is loaded when it is called and not before, so that `wireroom worker --queues
ingest` never imports SQL. To add one, write a module with a `typer.Typer()` named `app`
and give it a line in `COMMANDS`:

- a command of its own: decorate a function `@app.command()`; the line has its name;
- a group (`wireroom db upgrade`): the line has the name of the group, and all commands
  of the module's `app` become its subcommands.

A command gets `ctx: typer.Context` and asks `call_of(ctx)` for settings and output. It
ends with a `Failure` where it cannot go on; `explain` knows what other errors mean.
"""

import importlib
import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup
from typer.exceptions import TyperException

from enrich.errors import (
    BadNameTable,
    EncoderUnusable,
    ModelDamaged,
    ModelUnusable,
    UnknownTier,
)
from services.away import is_database_away
from services.cli.call import Call
from services.cli.output import ExitCode, Failure, Output
from services.complaints import SettingsError
from services.embedded import NoRedis
from services.importing import importing
from services.publish import BrokerUnavailable
from store.errors import StoreError, WrongSchema

COMMANDS = {
    # run it
    "up": "services.cli.run",
    "demo": "services.cli.demo",
    "worker": "services.cli.run",
    "beat": "services.cli.run",
    "health": "services.cli.run",
    # give it work
    "ingest": "services.cli.ingest",
    "read": "services.cli.read",
    "stories": "services.cli.stories",
    "extract": "services.cli.extract",
    "ner-eval": "services.cli.extract",
    "copies": "services.cli.copies",
    "feeds": "services.cli.feeds",
    "poll": "services.cli.poll",
    "reprocess": "services.cli.reprocess",
    # ask it
    "articles": "services.cli.articles",
    "show": "services.cli.articles",
    "explain": "services.cli.explain",
    "story": "services.cli.story",
    "review": "services.cli.articles",
    "search": "services.cli.search",
    "entities": "services.cli.entities",
    "sql": "services.cli.sql",
    # look after it
    "status": "services.cli.status",
    "audit": "services.cli.audit",
    "quarantine": "services.cli.quarantine",
    "log": "services.cli.log",
    "db": "services.cli.db",
    "grants": "services.cli.grants",
}


class LazyGroup(TyperGroup):
    """Finds commands in the table and loads the one that is called."""

    def list_commands(self, ctx: Any) -> list[str]:
        """Return the names in the order of the table."""
        del ctx
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """Return the command, importing its module; None if there is no such."""
        del ctx
        if cmd_name not in COMMANDS:
            return None
        with importing():
            module = importlib.import_module(COMMANDS[cmd_name])
        group = typer.main.get_group(module.app)
        command = group.commands.get(cmd_name, group)
        command.name = cmd_name
        return command


app = typer.Typer(
    cls=LazyGroup,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    # Plain: our help has brackets in it, which markup would swallow.
    rich_markup_mode=None,
    help="Event-driven news ingestion. Exit codes: 0 all well, 1 problems found, "
    "2 wrong usage or settings, 3 database or broker out of reach, "
    "4 wrong database schema, 130 interrupted.",
)


@app.callback()
def options(
    ctx: typer.Context,
    home: Annotated[
        Path | None, typer.Option(help="Folder of this installation.")
    ] = None,
    log_level: Annotated[
        str | None, typer.Option(help="DEBUG, INFO, WARNING or ERROR.")
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print results as JSON; may stand anywhere.")
    ] = False,
) -> None:
    """Keep what holds for every command; settings are read when they are needed."""
    given = {"home": home, "log_level": log_level}
    overrides = {name: value for name, value in given.items() if value is not None}
    ctx.obj = Call(output=Output(as_json=as_json), overrides=overrides)


def main(argv: list[str] | None = None) -> int:
    """Run one command line; return the exit code."""
    arguments = _json_first(sys.argv[1:] if argv is None else argv)
    try:
        status = app(arguments, standalone_mode=False, prog_name="wireroom")
    except (typer.Abort, KeyboardInterrupt):
        return ExitCode.INTERRUPTED
    except Exception as error:
        problem = explain(error)
        if problem is None:
            raise
        Output(as_json=False).error(problem.message)
        return problem.code
    return status if isinstance(status, int) else ExitCode.OK


def _json_first(argv: list[str]) -> list[str]:
    """Move `--json` to the front: it is one option of all commands, wherever it is."""
    own = argv[: argv.index("--")] if "--" in argv else argv
    if "--json" not in own:
        return argv
    return ["--json", *(one for one in own if one != "--json"), *argv[len(own) :]]


# First match wins, so narrow classes stand above wide ones.
_CODES: tuple[tuple[type[Exception], ExitCode], ...] = (
    (SettingsError, ExitCode.USAGE),
    (UnknownTier, ExitCode.USAGE),
    (ModelUnusable, ExitCode.USAGE),
    (EncoderUnusable, ExitCode.USAGE),
    (BadNameTable, ExitCode.USAGE),
    (ModelDamaged, ExitCode.PROBLEMS),
    (BrokerUnavailable, ExitCode.UNREACHABLE),
    (NoRedis, ExitCode.UNREACHABLE),
    (WrongSchema, ExitCode.WRONG_SCHEMA),
    (StoreError, ExitCode.PROBLEMS),
)


def explain(error: Exception) -> Failure | None:
    """Return what an error means to the operator; None where it is a fault of ours."""
    if isinstance(error, Failure):
        return error
    if isinstance(error, TyperException):
        return Failure(error.format_message(), ExitCode.USAGE)
    for kind, code in _CODES:
        if isinstance(error, kind):
            return Failure(str(error), code)
    if is_database_away(error):
        reason = str(error.__cause__ or error).splitlines()[0]
        message = f"the database cannot be reached: {reason}"
        return Failure(message, ExitCode.UNREACHABLE)
    return None
