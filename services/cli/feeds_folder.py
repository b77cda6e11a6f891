"""What a folder would give as a feed, for `wireroom feeds test`; nothing is stored."""

import os
from pathlib import Path
from typing import Any

from ingest.folders import poll_folder
from ingest.messages import FeedToPoll, FolderToList, PollOutcome, utc_now
from services.cli.output import Output
from services.dispatch import poll_limits
from services.settings import Settings

SHOWN_FILES = 5


def describe_folder(path: Path, settings: Settings) -> dict[str, Any]:
    """Return what a first poll of a folder would find, as facts."""
    folder = FolderToList(path=str(path.absolute()))
    feed = FeedToPoll(
        poll_id=0,
        feed_id=0,
        url=path.absolute().as_uri(),
        source=None,
        etag=None,
        last_modified=None,
        body_sha256=None,
        key_mode=None,
        folder=folder,
    )
    told: dict[str, Any] = {"target": folder.path, "format": "folder"}
    first: list[dict[str, Any]] = []
    problems: list[dict[str, Any]] = []
    limits = poll_limits(settings)
    for event in poll_folder(feed, limits, scan=os.scandir, now=utc_now):
        is_usable = event.outcome is PollOutcome.FETCHED
        told |= {"usable": is_usable, "outcome": event.outcome, "error": event.error}
        if (listing := event.listing) is None:
            continue
        told |= {"n_files": listing.n_files, "n_settling": listing.n_settling}
        for file in listing.files:
            found = problems if file.error else first
            if len(found) < SHOWN_FILES:
                found.append(
                    {"path": file.path, "bytes": file.n_bytes, "error": file.error}
                )
    return told | {"files": first, "problems": problems}


def show_folder(output: Output, told: dict[str, Any]) -> None:
    """Print what `describe_folder` found."""
    if output.as_json:
        output.facts(told)
        return
    lists = {"files": "Some of its files", "problems": "What cannot be read"}
    output.facts({name: one for name, one in told.items() if name not in lists})
    for name, heading in lists.items():
        if told[name]:
            output.heading(heading)
            output.rows(told[name], columns=("path", "bytes", "error"))
