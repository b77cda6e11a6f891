"""Markdown: a text with front matter, as generators of sites and note apps keep it."""

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml
from markdown_it import MarkdownIt
from markdown_it.token import Token

from ingest.charset import decode
from ingest.messages import FileOutcome
from ingest.readers.reader import Piece, UnreadableContentError
from ingest.records import normal_name, read_record
from ingest.text import clean, collapse, plain_text

# The parser needs up to 40 us for a character of nothing but brackets.
MAX_CHARS = 200_000
MAX_MATTER_CHARS = 20_000  # pages have a tenth; this takes the YAML parser up to 1 s

_YAML = re.compile(
    r"\ufeff?---[ \t]*\r?\n(?P<matter>[\w\"'][^\n]{0,100}?:(?:\s.*?)?)"
    r"\r?\n(?:---|\.\.\.)[ \t]*(?:\r?\n|\Z)",
    re.DOTALL,
)
_TOML = re.compile(
    r"\ufeff?\+\+\+[ \t]*\r?\n(?P<matter>[\w\"'][^\n]{0,100}?=.*?)"
    r"\r?\n\+\+\+[ \t]*(?:\r?\n|\Z)",
    re.DOTALL,
)
_YAML_START = re.compile(r"\ufeff?---[ \t]*\r?\n[\w\"'][\w\"' -]{0,60}:(?:\s|$)")
_TOML_START = re.compile(r"\ufeff?\+\+\+[ \t]*\r?\n[\w\"'][\w\"'.-]{0,60}\s*=")
_SUFFIXES = {".md", ".markdown", ".mdown", ".mkd"}
_PARSER = MarkdownIt("commonmark").enable("table")
_ENDS = {"heading_close", "paragraph_close", "tr_close"}


class MarkdownReader:
    """Reads the text of Markdown, and what its front matter says of it."""

    extractor = "markdown/1"
    media_type = "text/markdown"

    def sniff(self, head: bytes, path: Path, /) -> bool:
        """Recognise front matter; without any, Markdown is text with such a name."""
        text = decode(head).text
        if _YAML_START.match(text) or _TOML_START.match(text):
            return True
        return path.suffix.lower() in _SUFFIXES

    def read(self, body: bytes, /) -> Iterator[Piece]:
        """Yield the article; the first heading is its title where none is stated.

        Raises:
            UnreadableContentError: The front matter is broken, or the text too long.
        """
        text = decode(body).text
        if len(text) > MAX_CHARS:
            reason = f"The Markdown has more than {MAX_CHARS} characters."
            raise UnreadableContentError(FileOutcome.TOO_LARGE, reason)
        fields, text = _matter(text)
        heading, paragraphs = _headed(_blocks(text))
        title = next((_word(fields[name]) for name in _TITLES if name in fields), "")
        if heading and title and collapse(title) != heading:
            paragraphs.insert(0, heading)
        stated = {name: value for name, value in fields.items() if name not in _BODIES}
        record = {**stated, "title": title or heading, "text": "\n\n".join(paragraphs)}
        if record["title"] or record["text"]:
            # What is Markdown has lost its markup; a "<" that is left is one.
            yield replace(read_record(record), text=record["text"])


_TITLES = ("title", "headline")
_BODIES = {"schema", "confidence", "text", "title"}


def _word(value: object) -> str:
    return value.strip() if isinstance(value, str) else ""


def _matter(text: str) -> tuple[dict[str, Any], str]:
    """Return the fields of the front matter, and the text without it."""
    for pattern, load in ((_YAML, _load_yaml), (_TOML, tomllib.loads)):
        match = pattern.match(text)
        if match is not None:
            fields = _loaded(load, match["matter"])
            return _normal(fields), text[match.end() :]
    return {}, text


def _load_yaml(matter: str) -> Any:
    # Strings, lists and mappings and nothing else: no tag makes an object, and a date
    # keeps its spelling.
    return yaml.load(matter, Loader=yaml.BaseLoader)  # noqa: S506


def _loaded(load: Any, matter: str) -> Any:
    if len(matter) > MAX_MATTER_CHARS:
        reason = f"The front matter has more than {MAX_MATTER_CHARS} characters."
        raise UnreadableContentError(FileOutcome.TOO_LARGE, reason)
    try:
        return load(clean(matter))
    except (yaml.YAMLError, ValueError, TypeError, RecursionError) as error:
        reason = f"The front matter is broken: {collapse(str(error))[:200]}."
        raise UnreadableContentError(FileOutcome.MALFORMED, reason) from error


def _normal(fields: Any) -> dict[str, Any]:
    if not isinstance(fields, Mapping):
        return {}
    named = {normal_name(str(name)): value for name, value in fields.items()}
    return {name: _spelt(value) for name, value in named.items()}


def _spelt(value: Any) -> Any:
    """Return dates of TOML as text, as all other formats have them."""
    return value.isoformat() if hasattr(value, "isoformat") else value


def _headed(blocks: Iterable[tuple[str, str]]) -> tuple[str, list[str]]:
    """Return the heading that the text begins with, and the paragraphs behind it."""
    found = list(blocks)
    heading = found.pop(0)[1] if found and found[0][0] == "h1" else ""
    return heading, [text for _, text in found]


def _blocks(text: str) -> Iterator[tuple[str, str]]:
    """Yield the tag and the plain text of each block."""
    pending: list[str] = []
    for token in _PARSER.parse(text):
        if token.type == "inline":
            pending.append(_inline(token.children or ()))
        elif token.type == "html_block":
            yield from (("p", part) for part in plain_text(token.content).split("\n\n"))
        elif token.type in {"fence", "code_block"}:
            yield "pre", token.content.strip("\n")
        elif token.type in _ENDS:
            line = collapse(" ".join(pending))
            pending.clear()
            if line:
                yield token.tag, line


def _inline(tokens: Iterable[Token]) -> str:
    parts = []
    for token in tokens:
        if token.type in {"softbreak", "hardbreak"}:
            parts.append(" ")
        elif token.type in {"text", "code_inline"}:
            parts.append(token.content)
    return "".join(parts)
