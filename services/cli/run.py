"""Commands that run wireroom: all of it, a worker, the scheduler, a health check."""

from pathlib import Path
from typing import Annotated

import typer

from services import embedded, routes
from services import health as signs
from services.app import Pool
from services.cli.call import call_of
from services.cli.output import ExitCode, Failure
from services.cli.up import run_all
from services.importing import importing
from services.settings import Settings

app = typer.Typer()

ALL_QUEUES = ",".join(routes.QUEUES)


@app.command()
def up(ctx: typer.Context) -> None:
    """Run everything on this machine until Ctrl-C: queues, workers, scheduler."""
    run_all(call_of(ctx))


@app.command()
def worker(
    ctx: typer.Context,
    queues: Annotated[
        str, typer.Option(help=f"Comma separated: {ALL_QUEUES}.")
    ] = ALL_QUEUES,
    concurrency: Annotated[
        int | None, typer.Option(min=1, help="Processes; the setting if not given.")
    ] = None,
    pool: Annotated[
        str, typer.Option(help="prefork, or solo without time limits.")
    ] = "prefork",
    parent: Annotated[int | None, typer.Option(hidden=True)] = None,
) -> None:
    """Run one worker until SIGTERM: running tasks end, the rest goes back."""
    # The worker machinery is slow to import, and other commands do without it.
    with importing():
        from services import process  # noqa: PLC0415

    settings = call_of(ctx).settings
    names = [name.strip() for name in queues.split(",") if name.strip()]
    try:
        process.role_of(names)
    except ValueError as error:
        raise Failure(str(error), ExitCode.USAGE) from None
    chosen = _pool(pool)
    _require_redis(settings, parent)
    status = process.run_worker(
        settings,
        names,
        concurrency=concurrency,
        pool=chosen,
        parent=parent,
    )
    raise typer.Exit(status)


def _pool(name: str) -> Pool:
    match name:
        case "prefork" | "solo" | "threads":
            return name
        case _:
            message = f"no such pool: {name}; there are prefork, solo and threads"
            raise Failure(message, ExitCode.USAGE)


@app.command()
def beat(
    ctx: typer.Context,
    parent: Annotated[int | None, typer.Option(hidden=True)] = None,
) -> None:
    """Run the scheduler until SIGTERM; one for the whole installation."""
    with importing():
        from services.beat import run_beat  # noqa: PLC0415 - as above

    settings = call_of(ctx).settings
    _require_redis(settings, parent)
    raise typer.Exit(run_beat(settings, parent=parent))


def _require_redis(settings: Settings, parent: int | None) -> None:
    """Refuse to wait for a Redis that nobody is going to start.

    A configured broker is waited for as long as it takes, and so is the one of our
    own under `wireroom up`, which restarts it.
    """
    if parent is None and settings.broker.embedded and not embedded.find(settings):
        message = (
            "no Redis of this home is running: start `wireroom up`, which brings its "
            "own workers, or set WIREROOM_BROKER_URL"
        )
        raise Failure(message, ExitCode.UNREACHABLE)


@app.command()
def health(
    ctx: typer.Context,
    role: Annotated[
        str | None, typer.Argument(help="One process; all of this home if not given.")
    ] = None,
    max_age: Annotated[
        float, typer.Option(help="Seconds without a sign of life that are allowed.")
    ] = signs.MAX_AGE_SECONDS,
    processes: Annotated[
        bool, typer.Option("--processes", help="Leave out alarms about the whole.")
    ] = False,
) -> None:
    """Look at the signs of life of this home's processes, and for alarms."""
    call = call_of(ctx)
    home, limit = call.settings.home, signs.max_idle(call.settings.task_time_limit)
    found = [signs.check(home, r, max_age, limit) for r in _asked(home, role)]
    if not (role or processes) and any(routes.STORE in one.role for one in found):
        found += _alarms(ctx)
    rows = [{"role": h.role, "healthy": h.healthy, "reason": h.reason} for h in found]
    call.output.rows(rows, columns=("role", "healthy", "reason"))
    if not found:
        raise Failure("no process of this home is running")
    if not all(one.healthy for one in found):
        raise typer.Exit(ExitCode.PROBLEMS)


def _alarms(ctx: typer.Context) -> list[signs.Health]:
    """Return what is wrong with the whole, as where it is stored one may know."""
    with importing():
        from services.cli.ask import asking  # noqa: PLC0415 - SQL is slow to import
        from store.alarms import open_alarms  # noqa: PLC0415

    with asking(ctx) as question:
        alarms = open_alarms(question.session)
    return [
        signs.Health(
            role=one.key,
            healthy=False,
            age_seconds=None,
            reason=f"alarm since {one.since}: {', '.join(one.reasons)}",
        )
        for one in alarms
    ]


def _asked(home: Path, role: str | None) -> list[str]:
    return [role] if role else signs.roles(home)
