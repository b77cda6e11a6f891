"""The forms in which the answer to an operator's SQL is printed: table, CSV and JSON.

In a table NULL is told from an empty text, cells are kept short and on one line, and
rows that are wider than the terminal are printed as records. CSV and JSON have it all.
"""

import json
import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

from rich.cells import cell_len, set_cell_size

Rows = Sequence[Sequence[Any]]

NULL = "NULL"
MAX_CELL = 120  # cells on a line of a table; a text of an article has thousands
SHOWN_BYTES = 8  # of a binary value; its length says more than its content
_NEEDS_QUOTES = re.compile(r'[",\r\n]|^\s|\s$|^$')


def table(columns: Sequence[str], rows: Rows, *, width: int | None) -> Iterator[str]:
    """Yield the lines of a table.

    Args:
        columns: Names, as the statement gave them.
        rows: Values of the database.
        width: Cells of a line of the terminal; None where the output goes elsewhere.
    """
    cells = [[_short(value) for value in row] for row in rows]
    widths = [max(map(cell_len, one)) for one in zip(columns, *cells, strict=True)]
    if width is not None and sum(widths) + 2 * (len(widths) - 1) > width:
        yield from _records(columns, cells, width)
        return
    for line in ([*columns], *cells):
        padded = (set_cell_size(cell, w) for cell, w in zip(line, widths, strict=True))
        yield "  ".join(padded).rstrip()


def _records(
    columns: Sequence[str], cells: Sequence[Sequence[str]], width: int
) -> Iterator[str]:
    """Yield a block for each row, and a line for each of its columns."""
    name_width = max(map(cell_len, columns))
    for number, row in enumerate(cells, start=1):
        yield f"row {number}"
        for name, cell in zip(columns, row, strict=True):
            room = max(width - name_width - 4, 10)
            yield f"  {set_cell_size(name, name_width)}  {_cut(cell, room)}".rstrip()


def as_csv(columns: Sequence[str], rows: Rows, *, tame: bool) -> Iterator[str]:
    """Yield the lines of a CSV file: NULL is nothing, an empty text is `""`.

    Args:
        columns: Names, as the statement gave them.
        rows: Values of the database.
        tame: Leave out what would rewrite a terminal.
    """
    for row in (columns, *rows):
        cells = [_csv_cell(value, tame=tame) for value in row]
        # A line without anything would be skipped by whoever reads it.
        yield ",".join(cells) if cells != [""] else '""'


def _csv_cell(value: Any, *, tame: bool) -> str:
    if value is None:
        return ""
    text = _text(value)
    if tame:
        text = "".join(char if _is_tame(char) else " " for char in text)
    if not isinstance(value, int | float) and _NEEDS_QUOTES.search(text):
        return '"' + text.replace('"', '""') + '"'
    return text


def as_json(columns: Sequence[str], rows: Rows) -> str:
    """Return an array of objects; a name that comes twice is numbered."""
    names = _distinct(columns)
    objects = [
        {name: _jsonable(value) for name, value in zip(names, row, strict=True)}
        for row in rows
    ]
    return json.dumps(objects, ensure_ascii=False, allow_nan=False, default=_text)


def _jsonable(value: Any) -> Any:
    # JSON has no word for these two.
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, bytes | memoryview | datetime):
        return _text(value)
    return value


def _distinct(columns: Iterable[str]) -> list[str]:
    """Number the names that come more than once, so that no column hides another."""
    seen: Counter[str] = Counter()
    names = []
    for name in columns:
        seen[name] += 1
        names.append(name if seen[name] == 1 else f"{name}_{seen[name]}")
    return names


def _text(value: Any) -> str:
    """Return a value as text, whole but for binary ones."""
    match value:
        case datetime():
            # The time stands in UTC, and says so.
            moment = value.astimezone(UTC) if value.tzinfo else value
            return moment.isoformat(sep="T").replace("+00:00", "Z")
        case bytes() | memoryview():
            start = bytes(value[:SHOWN_BYTES]).hex()
            more = "..." if len(value) > SHOWN_BYTES else ""
            return f"\\x{start}{more} ({len(value)} bytes)"
        case bool():
            return "true" if value else "false"
        case dict() | list():
            return json.dumps(value, ensure_ascii=False, default=_text)
        case _:
            return str(value)


def _short(value: Any) -> str:
    match value:
        case None:
            return NULL
        case datetime():
            text = f"{value:%H:%M:%S}"
            return f"{value.date()} {text}{'Z' if value.tzinfo else ''}"
        case float():
            return f"{value:g}"
        case _:
            # Cut first: a text of a megabyte is not looked at to its end.
            text = _text(value)[: 4 * MAX_CELL]
            spaced = "".join(char if char.isprintable() else " " for char in text)
            return _cut(" ".join(spaced.split()), MAX_CELL)


def _cut(text: str, width: int) -> str:
    if cell_len(text) <= width:
        return text
    return f"{set_cell_size(text, width - 1).rstrip()}…"


def _is_tame(char: str) -> bool:
    return char.isprintable() or char in "\n\t"
