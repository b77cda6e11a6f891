"""Logging: one line an event, for machines and for people."""

import io
import json
import logging
from collections.abc import Iterator

import pytest

from services.telemetry import ConsoleLines, JsonLines, set_up_logging


@pytest.fixture
def _same_logging_afterwards() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)


def record(message: str = "task.done", **fields: object) -> logging.LogRecord:
    made = logging.makeLogRecord({"name": "wireroom.tasks", "created": 0.5, **fields})
    made.levelname, made.msg = "INFO", message
    return made


def test_a_machine_gets_one_json_object_with_all_fields() -> None:
    line = json.loads(JsonLines().format(record(task="ingest.poll", seconds=0.2)))

    assert line == {
        "time": "1970-01-01T00:00:00.500+00:00",
        "level": "info",
        "logger": "wireroom.tasks",
        "event": "task.done",
        "task": "ingest.poll",
        "seconds": 0.2,
    }


def test_a_person_gets_a_readable_line() -> None:
    line = ConsoleLines().format(record(task="ingest.poll"))

    assert line == "00:00:00 INFO    task.done task=ingest.poll"


@pytest.mark.parametrize("formatter", [JsonLines(), ConsoleLines()])
def test_a_line_break_cannot_forge_a_line(formatter: logging.Formatter) -> None:
    line = formatter.format(record("poll\nfailed", url="http://x/\r\n00:00 ERROR"))

    assert len(line.splitlines()) == 1


@pytest.mark.usefixtures("_same_logging_afterwards")
def test_a_traceback_is_kept() -> None:
    stream = io.StringIO()
    set_up_logging("json", "INFO", stream=stream)

    try:
        int("x")
    except ValueError:
        logging.getLogger("wireroom").exception("it.broke")

    assert "ValueError" in json.loads(stream.getvalue())["traceback"]


@pytest.mark.usefixtures("_same_logging_afterwards")
def test_the_machinery_is_quiet_unless_asked() -> None:
    stream = io.StringIO()
    set_up_logging("console", "INFO", stream=stream)

    logging.getLogger("celery.worker").info("Task received")
    logging.getLogger("celery.worker").warning("connection lost")

    assert "received" not in stream.getvalue()
    assert "connection lost" in stream.getvalue()
