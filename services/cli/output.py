"""The one way to print: tables on a terminal, plain lines elsewhere, JSON on request.

What a command finds goes to standard output; what it says about its own doing goes to
standard error, so that a pipe receives data alone.
"""

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from enum import IntEnum
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text


class ExitCode(IntEnum):
    """What the shell is told; the documentation lists the same numbers."""

    OK = 0
    PROBLEMS = 1  # the command worked, and what it looked at is not in order
    USAGE = 2  # wrong arguments or settings
    UNREACHABLE = 3  # no database or no broker
    WRONG_SCHEMA = 4  # the database belongs to another version
    INTERRUPTED = 130


class Failure(Exception):
    """A command cannot go on: one sentence for the operator and an exit code."""

    def __init__(self, message: str, code: ExitCode = ExitCode.PROBLEMS) -> None:
        super().__init__(message)
        self.message = message
        self.code = code


Row = Mapping[str, Any]


class Output:
    """Prints rows and facts in the form that fits whoever reads."""

    def __init__(self, *, as_json: bool) -> None:
        self.as_json = as_json
        self._out = Console(highlight=False, soft_wrap=True)
        self._err = Console(stderr=True, highlight=False, soft_wrap=True)

    def rows(self, rows: Iterable[Row], *, columns: Sequence[str]) -> None:
        """Print a table; each row is a mapping with at least these columns."""
        listed = list(rows)
        if self.as_json:
            self._json([{name: row[name] for name in columns} for row in listed])
        elif self._out.is_terminal:
            self._table(listed, columns)
        else:
            self._plain(listed, columns)

    def facts(self, facts: Row) -> None:
        """Print one thing: a line for each name and value."""
        if self.as_json:
            self._json(dict(facts))
            return
        width = max((len(name) for name in facts), default=0)
        for name, value in facts.items():
            self._out.print(Text(f"{name:<{width}}  {_shown(value)}"))

    def text(self, text: str) -> None:
        """Print text that is itself the result."""
        self._out.print(Text(text))

    def heading(self, title: str) -> None:
        """Print the title of what follows, for people."""
        if not self.as_json:
            self._out.print(Text(f"\n{title}", style="bold"))

    def say(self, sentence: str) -> None:
        """Tell the operator what is going on."""
        self._err.print(Text(_one_line(sentence)))

    def warn(self, sentence: str) -> None:
        """Tell the operator what is not in order."""
        self._err.print(Text(f"warning: {_one_line(sentence)}", style="yellow"))

    def error(self, sentence: str) -> None:
        """Tell the operator why the command stopped."""
        self._err.print(Text(f"error: {_one_line(sentence)}", style="bold red"))

    def _json(self, value: Any) -> None:
        # Not through rich, which would wrap and colour it.
        sys.stdout.write(json.dumps(value, ensure_ascii=False, default=_jsonable))
        sys.stdout.write("\n")

    def _table(self, rows: Sequence[Row], columns: Sequence[str]) -> None:
        table = Table(box=None, pad_edge=False, header_style="bold")
        for name in columns:
            table.add_column(name)
        for row in rows:
            table.add_row(*(Text(_shown(row[name])) for name in columns))
        self._out.print(table)

    def _plain(self, rows: Sequence[Row], columns: Sequence[str]) -> None:
        """Print columns that stand apart by two spaces, for people and for awk."""
        lines = [list(columns)]
        lines += [[_shown(row[name]) for name in columns] for row in rows]
        widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
        for line in lines:
            cells = (f"{cell:<{w}}" for cell, w in zip(line, widths, strict=True))
            sys.stdout.write("  ".join(cells).rstrip() + "\n")


def _shown(value: Any) -> str:
    match value:
        case None:
            return "-"
        case bool():
            return "yes" if value else "no"
        case datetime():
            return f"{value.astimezone(UTC):%Y-%m-%d %H:%M:%S}Z"
        case float():
            return f"{value:g}"
        case _:
            return _one_line(str(value))


def _one_line(text: str) -> str:
    # Titles come from strangers: control characters would rewrite the terminal.
    shown = (char if char.isprintable() else " " for char in text)
    return " ".join("".join(shown).split())


def _jsonable(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, set | frozenset):
        return sorted(value)
    return str(value)
