"""`wireroom sql`: an operator's own question to the views of docs/sql.md."""

import shutil
import sys
from enum import StrEnum
from typing import Annotated

import typer

from services.cli import answers
from services.cli.call import call_of
from services.cli.output import ExitCode, Failure
from store.errors import BadQuery
from store.readonly import SqlResult, run_sql

app = typer.Typer()


class Form(StrEnum):
    """How the answer is printed."""

    TABLE = "table"
    CSV = "csv"
    JSON = "json"


@app.command()
def sql(
    ctx: typer.Context,
    statement: Annotated[
        str, typer.Argument(help="One SELECT; - reads it from standard input.")
    ],
    form: Annotated[
        Form | None, typer.Option("--format", help="How to print the answer.")
    ] = None,
    as_csv: Annotated[
        bool, typer.Option("--csv", help="The same as --format csv.")
    ] = False,
) -> None:
    """Run one SQL statement that reads; the limits are settings.

    Asks as the role of WIREROOM_READ_DATABASE_URL, where that is set.
    """
    call = call_of(ctx)
    settings = call.settings
    try:
        result = run_sql(
            settings.read_database_url or settings.database_url,
            sys.stdin.read() if statement == "-" else statement,
            time_limit_seconds=settings.sql_time_limit_seconds,
            row_limit=settings.sql_row_limit,
        )
    except BadQuery as error:
        raise Failure(str(error), ExitCode.USAGE) from None
    usual = Form.JSON if call.output.as_json else Form.TABLE
    _print(result, form or (Form.CSV if as_csv else usual))
    if result.truncated:
        call.output.warn(
            f"only the first {settings.sql_row_limit} rows are shown;"
            " sql_row_limit can be raised"
        )


def _print(result: SqlResult, form: Form) -> None:
    columns, rows = result.columns, result.rows
    seen = sys.stdout.isatty()
    match form:
        case Form.JSON:
            sys.stdout.write(answers.as_json(columns, rows) + "\n")
        case Form.CSV:
            for line in answers.as_csv(columns, rows, tame=seen):
                sys.stdout.write(line + "\n")
        case Form.TABLE:
            width = shutil.get_terminal_size().columns if seen else None
            for line in answers.table(columns, rows, width=width):
                sys.stdout.write(line + "\n")
