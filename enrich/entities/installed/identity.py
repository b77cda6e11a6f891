"""Where an installed model lies and what it is, found without loading it."""

import hashlib
import json
import re
from collections.abc import Mapping
from functools import lru_cache
from importlib import import_module, metadata
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

from enrich.errors import ModelUnusable

_PATH = re.compile(r"~|\.{0,2}/")
_PACKAGE = re.compile(r"[A-Za-z_]\w*")
_MAX_VERSION_CHARS = 16  # all versions together must fit into a column
_DIGEST_CHARS = 8


class Place(NamedTuple):
    """Where a model lies, and what tells it from others."""

    folder: Path
    source: str  # what its library loads it by
    mark: str  # at most 16 characters: a version of its maker, or a digest


def library_version(tier: str, library: str) -> str:
    """Return the version of an installed library, at most 16 characters.

    Raises:
        ModelUnusable: The library is not installed.
    """
    try:
        return metadata.version(library)[:_MAX_VERSION_CHARS]
    except metadata.PackageNotFoundError:
        raise ModelUnusable(tier, *_missing(library)) from None


def load_library(tier: str, library: str) -> Any:
    """Import a library that is not one of our requirements.

    Raises:
        ModelUnusable: It is not installed, or does not work.
    """
    try:
        return import_module(library)
    except ModuleNotFoundError as error:
        raise ModelUnusable(tier, *_missing(error.name or library)) from None
    except Exception as error:  # a library of native code fails in many ways
        raise ModelUnusable(tier, f"{library} does not work: {error}") from error


def is_path(name: str) -> bool:
    """Tell a folder ("/models/a", "./a", "~/a") from the name of a model."""
    return _PATH.match(name) is not None


def find_in_folder(tier: str, name: str, card: str) -> Place:
    """Find a model that lies in a folder of its own; all its files are its identity.

    Args:
        tier: The tier as it is set, for messages.
        name: The folder.
        card: A file that such a model has.

    Raises:
        ModelUnusable: There is no such folder, or no model in it.
    """
    folder = Path(name).expanduser().resolve()
    if not (folder / card).is_file():
        raise ModelUnusable(tier, f"{folder} holds no {card}", "save a model there")
    return Place(folder, str(folder), digest_folder(folder))


def find_in_package(tier: str, name: str, card: str) -> Place:
    """Find a model that is an installed package, without importing it.

    Raises:
        ModelUnusable: There is no such package, or no model in it.
    """
    spec = find_spec(name) if _PACKAGE.fullmatch(name) else None
    folders = (spec and spec.submodule_search_locations) or ()
    for folder in map(Path, folders):
        if (folder / card).is_file():
            version = str(read_card(folder / card).get("version", ""))
            return Place(folder, name, version[:_MAX_VERSION_CHARS])
    raise ModelUnusable(
        tier,
        f"no package {name!r} with a {card} is installed",
        "install the package of the model, or name a folder (/..., ./...)",
    )


def find_in_hub_cache(tier: str, name: str, card: str) -> Place:
    """Find a model that was downloaded before; its commit is its identity.

    Raises:
        ModelUnusable: There is none.
    """
    hub = load_library(tier, "huggingface_hub")
    try:
        found = hub.try_to_load_from_cache(repo_id=name, filename=card)
    except ValueError as error:  # no name of a model at all
        raise ModelUnusable(tier, str(error)) from None
    if not isinstance(found, str):
        raise ModelUnusable(
            tier,
            f"{name!r} is not in the cache of this machine, and nothing is downloaded",
            f"fetch it with `hf download {name}`, or name a folder (/..., ./...)",
        )
    folder = Path(found).parent
    return Place(folder, str(folder), folder.name[:_DIGEST_CHARS])


def read_card(file: Path) -> Mapping[str, Any]:
    """Read what a model says of itself; nothing where it cannot be read."""
    try:
        card = json.loads(file.read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return card if isinstance(card, dict) else {}


def digest_folder(folder: Path) -> str:
    """Return eight hex digits over names and contents of all files that are shown.

    Contents are read once for each process, and again after a file has changed.
    """
    files = sorted(
        path.relative_to(folder)
        for path in folder.rglob("*")
        if path.is_file() and not _is_hidden(path.relative_to(folder))
    )
    stats = [(folder / file).stat() for file in files]
    states = [(stat.st_size, stat.st_mtime_ns) for stat in stats]
    return _digest(folder, tuple(zip(files, states, strict=True)))


@lru_cache(maxsize=8)
def _digest(folder: Path, files: tuple[tuple[Path, object], ...]) -> str:
    whole = hashlib.sha256()
    for file, _ in files:
        with (folder / file).open("rb") as opened:
            content = hashlib.file_digest(opened, "sha256").hexdigest()
        whole.update(f"{content} {file.as_posix()}\n".encode())
    return whole.hexdigest()[:_DIGEST_CHARS]


def _is_hidden(path: Path) -> bool:
    return any(part.startswith(".") for part in path.parts)


def _missing(library: str) -> tuple[str, str]:
    return f"{library} is not installed", f"pip install {library}"
