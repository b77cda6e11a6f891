"""Logging: events with fields, as lines for people or JSON for machines."""

import json
import logging
import sys
from datetime import UTC, datetime
from typing import Any, TextIO

from celery import signals

# What the standard library puts on each record; all else came through `extra`.
_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime"}
# They speak of every message that they carry; ours say what it meant.
_CHATTY = ("celery", "kombu", "amqp", "redis", "aiohttp", "asyncio", "alembic")
# At the level DEBUG they quote messages, and with them the texts of articles.
_QUOTING = ("celery.pool",)


def set_up_logging(form: str, level: str, *, stream: TextIO | None = None) -> None:
    """Send all logging of this process to one stream, standard error by default.

    Args:
        form: "console" or "json".
        level: Name of the least serious level that is shown.
        stream: Where the lines go.
    """
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(JsonLines() if form == "json" else ConsoleLines())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    quiet = logging.DEBUG if level == "DEBUG" else logging.WARNING
    for name in _CHATTY:
        logging.getLogger(name).setLevel(quiet)
    for name in _QUOTING:
        logging.getLogger(name).setLevel(logging.WARNING)
    # A connected receiver is what tells Celery to leave logging alone.
    signals.setup_logging.connect(_leave_logging_alone, weak=False)


def _leave_logging_alone(**_: Any) -> None:
    pass


class JsonLines(logging.Formatter):
    """One JSON object a line: time, level, logger, event, then the fields."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as one line."""
        line = {
            "time": _moment(record).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "event": record.getMessage(),
            **_fields(record),
        }
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str)


class ConsoleLines(logging.Formatter):
    """Time, level, event and `field=value`, in the order in which people read."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as one line, and the traceback below it."""
        moment = _moment(record).strftime("%H:%M:%S")
        fields = "".join(f" {name}={value}" for name, value in _fields(record).items())
        line = f"{moment} {record.levelname:<7} {record.getMessage()}{fields}"
        # A line break inside a value would let it pose as a line of its own.
        line = line.replace("\r", "\\r").replace("\n", "\\n")
        if record.exc_info:
            line = f"{line}\n{self.formatException(record.exc_info)}"
        return line


def _moment(record: logging.LogRecord) -> datetime:
    return datetime.fromtimestamp(record.created, UTC)


def _fields(record: logging.LogRecord) -> dict[str, Any]:
    return {name: v for name, v in vars(record).items() if name not in _STANDARD}
