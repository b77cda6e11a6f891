"""Texts for the offline commands: JSON Lines with `id` and `text`, one at a time."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from services.cli.output import ExitCode, Failure

MAX_LINE_BYTES = 10_000_000
MAX_TITLE_CHARS = 1_000

TEXT_FIELDS = ("text", "title", "language")


class Unusable(Exception):
    """A line that holds no text to read."""


class Line(NamedTuple):
    """A line of the file, cut where it is longer than a line may be."""

    number: int  # from 1
    content: bytes


def read_lines(file: Path) -> Iterator[Line]:
    """Read the lines of a file, and never more than one of them.

    Raises:
        Failure: It cannot be opened.
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


def parse_line(content: bytes) -> dict[str, Any]:
    """Return the object of a line; `text` is a string, `id` a string or a number.

    Raises:
        Unusable: It is no such object; the message says why.
    """
    if len(content) > MAX_LINE_BYTES:
        raise Unusable(f"longer than {MAX_LINE_BYTES} bytes")
    try:
        record = json.loads(content)
    except (ValueError, RecursionError):
        raise Unusable("not JSON in UTF-8") from None
    if not isinstance(record, dict) or not {"id", "text"} <= record.keys():
        raise Unusable("needs an object with id and text")
    if not isinstance(record["id"], str | int):
        raise Unusable("id is neither a string nor a number")
    for name in TEXT_FIELDS:
        if not isinstance(record.get(name) or "", str):
            raise Unusable(f"{name} is no string")
    return record | {"text": record["text"] or ""}
