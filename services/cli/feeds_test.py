"""`wireroom feeds test`: what an address or a file gives, what was refused, and why."""

import asyncio
import tempfile
from collections import Counter
from pathlib import Path
from typing import Annotated, Any

import typer

from ingest.fetch import FetchOptions, FetchRequest, Reply, open_fetch
from ingest.fetch_errors import FetchFailedError
from ingest.messages import PollOutcome
from services.cli.call import call_of
from services.cli.feeds_folder import describe_folder, show_folder
from services.cli.output import ExitCode, Output
from services.confined import ConfinedParser
from services.settings import Settings

SHOWN_ENTRIES = 5
SHOWN_ROWS = 20
_OK = range(200, 300)


def test(
    ctx: typer.Context,
    target: Annotated[str, typer.Argument(help="Address, file or folder.")],
) -> None:
    """Explain what an address, a file or a folder gives as a feed; nothing is stored.

    An address is fetched as a poll would fetch it. Of a web page the feeds that it
    names are listed. Exit code 1: there is nothing to subscribe to.
    """
    call = call_of(ctx)
    if Path(target).is_dir():
        told = describe_folder(Path(target), call.settings)
        show_folder(call.output, told)
    else:
        is_address = "://" in target
        told = _fetched(target, call.settings) if is_address else _read(Path(target))
        _show(call.output, told)
    if not told["usable"]:
        raise typer.Exit(ExitCode.PROBLEMS)


def _read(path: Path) -> dict[str, Any]:
    with ConfinedParser() as parser:
        return {"target": str(path)} | _judged(parser.describe(path))


def _fetched(url: str, settings: Settings) -> dict[str, Any]:
    target: dict[str, Any] = {"target": url}
    try:
        reply = asyncio.run(_fetch(url, settings))
    except FetchFailedError as error:
        return target | _refused(error.outcome, error.reason)
    target |= {
        "status": reply.status,
        "final_url": reply.url,
        "redirects": list(reply.redirects),
        "moved_for_good": reply.permanent_url,
        "content_type": reply.content_type,
        "etag": reply.etag,
        "last_modified": reply.last_modified,
        "cache_control": reply.cache_control,
        "retry_after": reply.retry_after,
        "n_bytes": len(reply.body),
        "truncated": reply.truncated,
    }
    if reply.status not in _OK:
        reason = f"the server answered {reply.status}"
        return target | _refused(PollOutcome.HTTP_ERROR, reason)
    with tempfile.NamedTemporaryFile(prefix="wireroom-test-") as file:
        file.write(reply.body)
        file.flush()
        with ConfinedParser() as parser:
            told = parser.describe(
                Path(file.name), url=reply.url, content_type=reply.content_type
            )
    return target | _judged(told)


async def _fetch(url: str, settings: Settings) -> Reply:
    options = FetchOptions(
        user_agent=settings.user_agent, allow_networks=settings.allow_networks
    )
    request = FetchRequest(
        url=url,
        timeout_seconds=settings.poll_timeout_seconds,
        connect_timeout_seconds=settings.connect_timeout_seconds,
        max_body_bytes=settings.max_body_bytes,
    )
    async with open_fetch(options) as fetch:
        return await fetch(request)


def _refused(outcome: PollOutcome, reason: str) -> dict[str, Any]:
    return {
        "usable": False,
        "outcome": outcome.value,
        "format": None,
        "error": reason,
        "n_entries": 0,
        "rejected": {},
        "entries": [],
        "candidates": [],
        "children": [],
    }


def _judged(told: dict[str, Any]) -> dict[str, Any]:
    """Return a description with its sums in the place of most of its entries."""
    entries = told["entries"]
    rejected = Counter(one["rejected"] for one in entries if one["rejected"])
    found = told["children"] or told["format"] is not None
    # A place where feeds usually are is advice; nobody has looked there yet.
    named = any(one["why"] != "a common place" for one in told["candidates"])
    return told | {
        "usable": bool(found or named),
        "n_entries": len(entries),
        "rejected": dict(rejected),
        "entries": entries[:SHOWN_ENTRIES],
    }


_FACTS = (
    *("target", "status", "final_url", "redirects", "moved_for_good", "content_type"),
    *("etag", "last_modified", "cache_control", "retry_after", "n_bytes", "truncated"),
    *("outcome", "format", "title", "site_url", "language", "n_entries", "key_mode"),
    *("rejected", "bozo", "partial", "error"),
)
_ENTRY = ("published_at", "published_confidence", "key_mode", "title", "url")
_CANDIDATE = ("why", "format", "url", "title")


def _show(output: Output, told: dict[str, Any]) -> None:
    if output.as_json:
        output.facts(told)
    else:
        _print(output, told)


def _print(output: Output, told: dict[str, Any]) -> None:
    empty: tuple[object, ...] = (None, [], {})
    output.facts({name: told[name] for name in _FACTS if told.get(name) not in empty})
    children = [{"url": url} for url in told["children"]]
    for heading, rows, columns in (
        ("First entries", told["entries"], _ENTRY),
        ("Feeds that this page names", told["candidates"], _CANDIDATE),
        ("Sitemaps of this index", children, ("url",)),
    ):
        if rows:
            output.heading(heading)
            output.rows(rows[:SHOWN_ROWS], columns=columns)
            if len(rows) > SHOWN_ROWS:
                output.say(f"and {len(rows) - SHOWN_ROWS} more")
