"""The figures of the quality tests, each beside its floor.

Runs `pytest -m quality` and prints what it measured as a table, and one JSON object at
the end. The exit code is that of the tests.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from rich.console import Console
from rich.table import Table
from support.figures import VARIABLE


def main(arguments: list[str]) -> int:
    """Run the tests and show their figures."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "figures.json"
        program = [sys.executable, "-m", "pytest", "-m", "quality", *arguments]
        status = subprocess.run(
            program, env={**os.environ, VARIABLE: str(file)}, check=False
        ).returncode
        figures = json.loads(file.read_text()) if file.exists() else []
    table = Table(title="Quality")
    table.add_column("figure")
    for name in ("value", "floor"):
        table.add_column(name, justify="right")
    for one in sorted(figures, key=lambda one: str(one["name"])):
        floor = "-" if one["floor"] is None else f"{one['floor']:g}"
        table.add_row(one["name"], f"{one['value']:g}", floor)
    Console().print(table)
    values = {one["name"]: one["value"] for one in figures}
    print(json.dumps({"passed": status == 0, "figures": values}))
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
