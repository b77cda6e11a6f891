"""`wireroom sql`: an operator's own question to the views of docs/sql.md."""

import csv
import sys
from collections import Counter
from collections.abc import Sequence
from typing import Annotated

import typer

from services.cli.call import call_of
from services.cli.output import ExitCode, Failure
from store.errors import BadQuery
from store.readonly import SqlResult, run_sql

app = typer.Typer()


@app.command()
def sql(
    ctx: typer.Context,
    statement: Annotated[
        str, typer.Argument(help="One SELECT; - reads it from standard input.")
    ],
    as_csv: Annotated[bool, typer.Option("--csv", help="Print rows as CSV.")] = False,
) -> None:
    """Run one SQL statement that reads; the limits are settings."""
    call = call_of(ctx)
    settings = call.settings
    try:
        result = run_sql(
            settings.database_url,
            sys.stdin.read() if statement == "-" else statement,
            time_limit_seconds=settings.sql_time_limit_seconds,
            row_limit=settings.sql_row_limit,
        )
    except BadQuery as error:
        raise Failure(str(error), ExitCode.USAGE) from None
    if as_csv:
        _write_csv(result)
    else:
        names = _distinct(result.columns)
        rows = [dict(zip(names, row, strict=True)) for row in result.rows]
        call.output.rows(rows, columns=names)
    if result.truncated:
        call.output.warn(
            f"only the first {settings.sql_row_limit} rows are shown;"
            " sql_row_limit can be raised"
        )


def _write_csv(result: SqlResult) -> None:
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(result.columns)
    writer.writerows(result.rows)


def _distinct(columns: Sequence[str]) -> list[str]:
    """Number the names that come more than once, so that no column hides another."""
    seen: Counter[str] = Counter()
    names = []
    for name in columns:
        seen[name] += 1
        names.append(name if seen[name] == 1 else f"{name}_{seen[name]}")
    return names
