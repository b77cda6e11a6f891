"""JSON and JSON Lines: records of articles, one, a list, or one a line."""

import io
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, BinaryIO

from ingest.charset import decode
from ingest.messages import FileOutcome
from ingest.readers.budget import MAX_MEMBER_BYTES, Budget, oversized
from ingest.readers.fields import Problems
from ingest.readers.ninjs import is_ninjs, read_ninjs
from ingest.readers.reader import Piece, UnreadableContentError
from ingest.records import is_record, read_record

# Each value takes 50 bytes and more. Ten thousand articles stay far below.
MAX_VALUES = 1_000_000
# Under these names, objects keep the list of what they are about.
_LISTS = ("articles", "items", "results", "data", "docs", "records", "posts")
_START = re.compile(r"[\ufeff\s]*(?:\{\s*\"|\[\s*\{\s*\")")
_LINE_START = re.compile(rb"(?:\xef\xbb\xbf)?\s*\{[ \t]*\"")
_MARKS = re.compile(r"[,:\[{]")


class JsonReader:
    """Reads records of articles as JSON and as JSON Lines."""

    extractor = "json-record/1"
    media_type = "application/json"

    def sniff(self, head: bytes, path: Path, /) -> bool:  # noqa: ARG002 - content decides
        """Recognise an object or a list; prose in brackets does not begin so."""
        return _START.match(decode(head).text) is not None

    def read(self, body: bytes, /) -> Iterator[Piece]:
        """Yield the article of each record; a record is named by its line or number.

        Raises:
            UnreadableContentError: Malformed, costly, another kind of JSON, or some of
                the records are no articles.
        """
        text = decode(body).text.replace("\0", "")
        lines = text.split("\n")
        if len(lines) > 1 and _is_object(next(filter(str.strip, lines), "")):
            yield from _read_lines(lines)
        else:
            yield from _read_whole(_load(text))


class JsonLinesReader:
    """Reads records of articles, one a line, of which there may be any number."""

    extractor = JsonReader.extractor
    media_type = JsonReader.media_type

    def sniff(self, head: bytes, path: Path, /) -> bool:  # noqa: ARG002 - content decides
        """Recognise an object that does not begin with the end of a line."""
        return is_lines(head)

    def read(self, body: bytes, /) -> Iterator[Piece]:
        """Do as `stream` with what is held as a whole."""
        return self.stream(io.BytesIO(body), Budget())

    def stream(self, stream: BinaryIO, budget: Budget, /) -> Iterator[Piece]:
        """Yield the article of each line; it is named by its number.

        Raises:
            UnreadableContentError: Some lines are no articles.
            PausedError: The time of the budget is over.
        """
        return read_lines(stream, budget)


def is_lines(head: bytes) -> bool:
    """Say whether what begins with these bytes has an object on its first line."""
    return _LINE_START.match(head) is not None


def read_lines(stream: BinaryIO | io.BufferedReader, budget: Budget) -> Iterator[Piece]:
    """Yield the article of each line of a stream, as it is read.

    Raises:
        UnreadableContentError: Some lines are no articles.
        PausedError: The time of the budget is over.
    """
    problems = Problems()
    first = budget.begin(stream)
    for number, (at, line) in enumerate(_lines(stream), start=first):
        offset = at if stream.seekable() else 0
        if budget.begin_member(number, problems.sentence, offset=offset):
            text = decode(line).text.replace("\0", "")
            piece = _read_line(text, number + 1, problems)
            if piece is not None:
                yield replace(piece, member=number, offset=offset)
    problems.settle()


def _lines(stream: BinaryIO | io.BufferedReader) -> Iterator[tuple[int, bytes]]:
    """Yield lines with where they begin; of one too long, a bit more than it may have.

    Only of a stream that can be sought in do the places mean anything.
    """
    at = stream.tell() if stream.seekable() else 0
    while line := stream.readline(MAX_MEMBER_BYTES + 1):
        yield at, line
        at += len(line)
        while len(line) > MAX_MEMBER_BYTES and not line.endswith(b"\n"):
            line = stream.readline(MAX_MEMBER_BYTES + 1)
            at += len(line)


def _load(text: str) -> Any:
    """Return what a JSON text means.

    Raises:
        UnreadableContentError: It is broken, or costs more than any article.
    """
    n_values = sum(map(text.count, ",:[{"))
    # In prose they are many as well, which only the longer look can tell.
    if n_values > MAX_VALUES and _n_marks(text) > MAX_VALUES:
        reason = f"The JSON has more than {MAX_VALUES} values."
        raise UnreadableContentError(FileOutcome.TOO_LARGE, reason)
    try:
        return json.loads(text)
    except RecursionError:
        reason = "The JSON is nested too deep to be read."
        raise UnreadableContentError(FileOutcome.MALFORMED, reason) from None
    except ValueError as error:
        reason = f"The JSON is broken: {str(error)[:200]}."
        raise UnreadableContentError(FileOutcome.MALFORMED, reason) from None


_STRING = re.compile(r'"(?:[^"\\]|\\.)*+"', re.DOTALL)


def _n_marks(text: str) -> int:
    return sum(1 for _ in _MARKS.finditer(_STRING.sub("", text)))


def _is_object(line: str) -> bool:
    try:
        return isinstance(_load(line), dict)
    except UnreadableContentError:
        return False


def _read_lines(lines: list[str]) -> Iterator[Piece]:
    problems = Problems()
    for number, line in enumerate(lines, start=1):
        piece = _read_line(line, number, problems)
        if piece is not None:
            yield piece
    problems.settle()


def _read_line(line: str, number: int, problems: Problems) -> Piece | None:
    """Return the article of a line; None where it is blank, or has none."""
    if not line.strip():
        return None
    try:
        if len(line) > MAX_MEMBER_BYTES:
            raise oversized()
        return _read_one(_load(line), fragment=f"line={number}")
    except UnreadableContentError as error:
        problems.add(f"line {number}", error.reason, error.outcome)
        return None


def _read_whole(content: Any) -> Iterator[Piece]:
    if isinstance(content, dict):
        inside = _list_in(content)
        if inside is None:
            yield _read_one(content, fragment=None)
            return
        content = inside
    problems = Problems()
    for number, one in enumerate(content if isinstance(content, list) else [content]):
        try:
            piece = _read_one(one, fragment=f"item={number}")
        except UnreadableContentError as error:
            problems.add(f"item {number}", error.reason, error.outcome)
        else:
            yield piece
    problems.settle()


def _list_in(content: Mapping[str, Any]) -> list[Any] | None:
    """Return the list that an object wraps, unless the object is a record itself."""
    if _is_feed(content) or is_record(content) or is_ninjs(content):
        return None
    lists = (content.get(name) for name in _LISTS)
    return next((one for one in lists if isinstance(one, list)), None)


def _read_one(content: Any, *, fragment: str | None) -> Piece:
    if not isinstance(content, dict):
        reason = "It is JSON, but no object."
    elif _is_feed(content):
        reason = "This is a feed (JSON Feed) and no article; add its address as a feed."
    elif is_ninjs(content):
        return read_ninjs(content, fragment=fragment)
    elif is_record(content):
        return read_record(content, fragment=fragment)
    else:
        reason = "The JSON has no title and text that can be read as an article."
    raise UnreadableContentError(FileOutcome.MALFORMED, reason)


def _is_feed(content: Mapping[str, Any]) -> bool:
    version = content.get("version")
    return isinstance(version, str) and "jsonfeed.org" in version
