"""Watched folders on the command line: which ones, how often, and where a file is."""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

import typer

from ingest.steady import EVERY_SECONDS, LONGEST_SECONDS, SHORTEST_SECONDS
from services.cli.ask import asking
from services.cli.output import ExitCode, Failure, Output
from store import feeds as subscriptions
from store.clauses import FEEDS_LOCK, alone
from store.engine import Session
from store.folders import folder_of, overlapping
from store.queries.folders import FolderPollLine, FolderState, find_file
from store.words import FeedKind

# Paths of files are keys of the database, and those end at 2,000 bytes.
MAX_FOLDER_BYTES = 1_000
_EVERY = re.compile(r"(\d{1,6})(s|m|h)?")
_UNITS = {None: 1, "s": 1, "m": 60, "h": 3600}
POLL_COLUMNS = (
    *("at", "n_files", "n_settling", "n_new", "n_changed", "n_back", "n_gone"),
    "run_id",
)


def is_folder(target: str) -> bool:
    """Say whether an operator means a folder and no address on the web."""
    return target.startswith("/") or target.lower().startswith("file:")


def new_folder(
    target: str,
    *,
    source: str | None,
    tags: tuple[str, ...],
    every: str | None,
) -> subscriptions.NewFeed:
    """Return a subscription to a folder; one path has one key.

    Raises:
        Failure: It is no absolute path of a folder, or the pace makes no sense.
    """
    path = _path(target)
    if len(path.encode(errors="surrogateescape")) > MAX_FOLDER_BYTES:
        raise Failure(f"the path is over {MAX_FOLDER_BYTES} bytes", ExitCode.USAGE)
    if Path(path).exists() and not Path(path).is_dir():
        reason = "is a file; `wireroom ingest` reads it"
        raise Failure(f"{path} {reason}", ExitCode.USAGE)
    url = subscriptions.folder_url(path)
    return subscriptions.NewFeed(
        url=url,
        url_key=hashlib.sha256(url.encode()).hexdigest(),
        title=Path(path).name or path,
        source=source,
        tags=tags,
        kind=FeedKind.FOLDER,
        every_seconds=EVERY_SECONDS if every is None else every_seconds(every),
    )


def _path(target: str) -> str:
    if target.startswith("/"):
        return target
    parts = urlsplit(target)
    if parts.netloc not in {"", "localhost"} or not parts.path.startswith("/"):
        raise Failure(f"not the path of a folder: {target}", ExitCode.USAGE)
    return folder_of(target)


def every_seconds(every: str) -> int:
    """Return the seconds of a pace such as 90s, 5m or 1h.

    Raises:
        Failure: It is no pace, or one that is too short or too long.
    """
    found = _EVERY.fullmatch(every.strip().lower())
    seconds = int(found[1]) * _UNITS[found[2]] if found else 0
    if not SHORTEST_SECONDS <= seconds <= LONGEST_SECONDS:
        reason = f"from {SHORTEST_SECONDS}s to {LONGEST_SECONDS // 3600}h"
        raise Failure(f"not a pace {reason}: {every}", ExitCode.USAGE)
    return seconds


def refuse_overlaps(session: Session, new: Sequence[subscriptions.NewFeed]) -> None:
    """Refuse folders that share files with another one, where each had two feeds.

    Raises:
        Failure: There is such a folder; nothing was written.
    """
    urls = [one.url for one in new if one.kind is FeedKind.FOLDER]
    if not urls:
        return
    alone(session, FEEDS_LOCK)
    watched = subscriptions.watched_folders(session)
    for url in overlapping(urls, watched):
        reason = "lies in a folder that is watched, or holds one"
        raise Failure(f"{folder_of(url)} {reason}", ExitCode.USAGE)


def file(
    ctx: typer.Context,
    path: Annotated[Path, typer.Argument(help="A file; it need not be there.")],
) -> None:
    """Tell what became of a file: listed, read, changed, moved or gone, and why.

    Exit code 1: nothing is known of it.
    """
    with asking(ctx) as question:
        found = find_file(question.session, str(path.absolute()))
    if found is None:
        question.output.facts({"path": str(path.absolute()), "standing": "unknown"})
        raise typer.Exit(ExitCode.PROBLEMS)
    facts = asdict(found)
    if not question.output.as_json:
        articles = ", ".join(map(str, found.article_ids))
        facts = {k: v for k, v in facts.items() if v is not None}
        facts |= {"article_ids": articles}
    question.output.facts(facts)


def folder_facts(folder: FolderState | None) -> dict[str, Any]:
    """Return what `feeds why` tells of a folder beside its schedule."""
    return {} if folder is None else {"folder": folder.path, **folder.facts()}


def show_polls(output: Output, polls: Sequence[FolderPollLine]) -> None:
    """Print what the last polls of a folder found, where that was news."""
    output.heading("What the last polls found, where that was news")
    output.rows([asdict(one) for one in polls], columns=POLL_COLUMNS)
