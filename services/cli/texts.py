"""Texts as lines of JSON, for the commands that look at them without a database."""

import json
from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from ingest.dates import parse_date
from services.cli.output import ExitCode, Failure

MAX_LINE_BYTES = 10_000_000
MAX_TITLE_CHARS = 1_000

# What a line about an article may hold beside its id and its text.
FIELDS = ("title", "url", "published_at", "source", "language")

Id = str | int


class Unusable(Exception):
    """A line that holds no text to read."""


class Line(NamedTuple):
    """A line of a file, cut where it is too long."""

    number: int  # from 1
    content: bytes


def read_lines(file: Path) -> Iterator[Line]:
    """Yield the lines of a file, at most a byte more than MAX_LINE_BYTES of each.

    Raises:
        Failure: The file cannot be opened.
    """
    try:
        opened = file.open("rb")
    except OSError as error:
        raise Failure(f"{file}: {error.strerror}", ExitCode.USAGE) from None
    with opened:
        number = 0
        while content := opened.readline(MAX_LINE_BYTES + 1):
            number += 1
            yield Line(number, content)
            # What is left of a line that is too long is not held.
            while len(content) > MAX_LINE_BYTES and content[-1:] != b"\n":
                content = opened.readline(MAX_LINE_BYTES + 1) or b"\n"


def parse_record(line: bytes, strings: Iterable[str]) -> dict[str, Any]:
    """Return the object of a line: its id, its text, and perhaps more.

    Args:
        line: JSON in UTF-8.
        strings: The other fields that, where they are there, are strings.

    Raises:
        Unusable: No such object.
    """
    if len(line) > MAX_LINE_BYTES:
        raise Unusable(f"longer than {MAX_LINE_BYTES} bytes")
    try:
        record = json.loads(line)
    except (ValueError, RecursionError):
        raise Unusable("not JSON in UTF-8") from None
    if not isinstance(record, dict) or not {"id", "text"} <= record.keys():
        raise Unusable("needs an object with id and text")
    if not isinstance(record["id"], str | int):
        raise Unusable("id is neither a string nor a number")
    for name in ("text", *strings):
        if not isinstance(record.get(name) or "", str):
            raise Unusable(f"{name} is no string")
    return record | {"text": record["text"] or ""}


def parse_article(line: bytes, known: dict[Id, int], number: int) -> dict[str, Any]:
    """Return the object of a line about an article; its time is one, or None.

    Args:
        line: JSON in UTF-8.
        known: The ids of earlier lines with their numbers; that of this line is added.
        number: Of this line.

    Raises:
        Unusable: No such object, or its id is that of an earlier line.
    """
    record = parse_record(line, FIELDS)
    if record["id"] in known:
        raise Unusable(f"its id is that of line {known[record['id']]}")
    read = record | {"published_at": _time(record.get("published_at") or "")}
    known[record["id"]] = number
    return read


def _time(raw: str) -> datetime | None:
    if not raw:
        return None
    at = parse_date(raw)
    if at is None:
        raise Unusable("published_at is no date")
    return at
