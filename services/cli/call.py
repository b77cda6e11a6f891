"""One call of the program: what every command is handed."""

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import typer

from services.cli.output import Output
from services.operator import operator_name
from services.settings import PREFIX, Settings, load_settings


@dataclass
class Call:
    """The global options, and the settings once somebody asks for them."""

    output: Output
    overrides: dict[str, Any] = field(default_factory=dict)

    @cached_property
    def settings(self) -> Settings:
        """The settings, read once."""
        return load_settings(**self.overrides)

    @property
    def operator(self) -> str:
        """Who calls, as the operators' log names them."""
        return operator_name(self.settings.operator)

    @property
    def environment(self) -> dict[str, str]:
        """The overrides as variables, for processes that this one starts."""
        return {PREFIX + name.upper(): str(v) for name, v in self.overrides.items()}


def call_of(ctx: typer.Context) -> Call:
    """Return the call that a command belongs to."""
    call: Call = ctx.obj
    return call
