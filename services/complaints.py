"""Complaints about settings: sentences that name the setting and show no value."""

import difflib
from collections.abc import Iterable

from pydantic import ValidationError

# The test suite and the container recipes keep their own switches under our prefix.
FOREIGN = ("TEST_", "CORPORA", "FILES", "TAG")


class SettingsError(Exception):
    """The settings cannot be used; the message names each one and says why."""


def refuse_unknown(names: Iterable[str], *, prefix: str, fields: Iterable[str]) -> None:
    """Refuse variables that look like ours and are not: they are typing errors.

    Raises:
        SettingsError: At least one is unknown; the message names the closest known.
    """
    known = {prefix + field.upper() for field in fields}
    foreign = tuple(prefix + name for name in FOREIGN)
    ours = sorted({name for name in names if name.startswith(prefix)} - known)
    unknown = [name for name in ours if not name.startswith(foreign)]
    if unknown:
        raise SettingsError("; ".join(_is_none(name, known) for name in unknown))


def _is_none(name: str, known: Iterable[str]) -> str:
    matches = difflib.get_close_matches(name, known, n=1)
    hint = f"; did you mean {matches[0]}?" if matches else ""
    return f"{name} is no setting{hint}"


def explain(error: ValidationError, *, prefix: str, fields: Iterable[str]) -> str:
    """Say what is wrong with which setting; a value may be a secret, so show none."""
    sentences = []
    for fault in error.errors(include_input=False, include_url=False):
        name = str(fault["loc"][0]) if fault["loc"] else ""
        if fault["type"] == "extra_forbidden":
            sentences.append(_is_none(name, fields))
        elif fault["type"] != "default_factory_not_called":
            reason = fault["msg"].removeprefix("Value error, ")
            sentences.append(f"{prefix}{name.upper()}: {reason}" if name else reason)
    return "; ".join(sentences)
