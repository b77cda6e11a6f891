"""What quality tests share: figures, held against their floors and kept for a table."""

import json
import os
from pathlib import Path

import pytest
from support.figures import VARIABLE, Figure

_figures: list[dict[str, str | float | None]] = []


@pytest.fixture
def figure() -> Figure:
    """Hold measured figures against their floors; without one it is only told."""

    def keep(name: str, value: float, *, floor: float | None = None) -> None:
        _figures.append({"name": name, "value": round(value, 4), "floor": floor})
        assert floor is None or value >= floor, name

    return keep


def pytest_sessionfinish() -> None:
    """Write the figures down where somebody asked for them."""
    if file := os.environ.get(VARIABLE):
        Path(file).write_text(json.dumps(_figures), encoding="utf-8")
