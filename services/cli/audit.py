"""`wireroom audit`: proof that nothing was lost and nothing was done twice."""

from dataclasses import asdict

import typer

from services.cli.ask import asking
from services.cli.output import ExitCode
from store.audit import audit as run_audit

app = typer.Typer()

COLUMNS = ("name", "expected", "found", "balanced", "detail")


@app.command()
def audit(ctx: typer.Context) -> None:
    """Compare what was written down in different places; exit 1 if it differs."""
    with asking(ctx) as question:
        report = run_audit(question.session)
    rows = [asdict(line) | {"balanced": line.balanced} for line in report.lines]
    if question.output.as_json:
        question.output.facts({"balanced": report.balanced, "lines": rows})
    else:
        question.output.rows(rows, columns=COLUMNS)
    if not report.balanced:
        wrong = sum(not line.balanced for line in report.lines)
        question.output.warn(f"{wrong} of {len(rows)} lines do not balance")
        raise typer.Exit(ExitCode.PROBLEMS)
