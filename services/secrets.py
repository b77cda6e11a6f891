"""Secrets: read from files where they lie, and masked wherever a URL is shown."""

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

MASK = "***"
MAX_SECRET_BYTES = 10_000  # a URL; anything longer is the wrong file

_SECRET_PARAMETERS = re.compile(r"(?i)\b(\w*password|secret|token|key)=[^&]*")
_NEXT_URL = re.compile(r";(?=\w+://)")


def read_secret_files(data: dict[str, Any], names: Iterable[str]) -> dict[str, Any]:
    """Fill each named field from the file that `<name>_file` points to.

    Raises:
        ValueError: Both the field and its file are set, or the file is unreadable.
    """
    filled = dict(data)
    for name in names:
        file = data.get(f"{name}_file")
        if file is None:
            continue
        if data.get(name) is not None:
            raise ValueError(f"set {name} or {name}_file, not both")
        filled[name] = _read_secret(Path(file), name)
    return filled


def _read_secret(file: Path, name: str) -> str:
    try:
        with file.expanduser().open(encoding="utf-8") as stream:
            secret = stream.read(MAX_SECRET_BYTES + 1).strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"{name}_file cannot be read: {error}") from None
    if not secret or len(secret) > MAX_SECRET_BYTES:
        raise ValueError(f"{name}_file is empty or far too long for a URL")
    return secret


def mask_url(url: str) -> str:
    """Return the URL, or each of several, with its secrets masked."""
    return ";".join(_mask_one(one) for one in _NEXT_URL.split(url))


def _mask_one(url: str) -> str:
    try:
        parts = urlsplit(url)
        password = parts.password
    except ValueError:
        return MASK
    netloc = parts.netloc
    if password is not None:
        user, _, host = netloc.rpartition("@")
        netloc = f"{user.partition(':')[0]}:{MASK}@{host}"
    query = _SECRET_PARAMETERS.sub(rf"\1={MASK}", parts.query)
    tail = f"?{query}" if query else ""
    # Built by hand: urlunsplit drops the empty host of sqlite:///path.
    return f"{parts.scheme}://{netloc}{parts.path}{tail}"


_DATABASE_SCHEMES = {
    "sqlite": "sqlite+pysqlite",
    "sqlite+pysqlite": "sqlite+pysqlite",
    "postgres": "postgresql+psycopg",
    "postgresql": "postgresql+psycopg",
    "postgresql+psycopg": "postgresql+psycopg",
}


def normal_database_url(url: str) -> str:
    """Return the URL with the one driver that we use for its database.

    Raises:
        ValueError: The database is neither SQLite nor PostgreSQL.
    """
    scheme, mark, rest = url.partition("://")
    if not mark or scheme not in _DATABASE_SCHEMES:
        raise ValueError("the URL must start with sqlite:// or postgresql://")
    return f"{_DATABASE_SCHEMES[scheme]}://{rest}"
