"""Lints the SQL of each migration for locks that would stop a running line.

The SQL is what Alembic prints for PostgreSQL; the judge is squawk. A table that is made
in the same release has no rows and no readers, so the first schema may do more than
those after it.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

from store.revision import revisions
from store.schema import offline_sql

# The oldest server that is supported: what is safe there is safe on all later ones.
POSTGRESQL = "15.0"
SQUAWK = Path(sys.executable).with_name("squawk")

# Rules that do not hold here, and why.
NEVER = {
    # Alembic cannot compare identity columns on SQLite: drift would be found for ever.
    "prefer-identity",
    # Counts and offsets, not keys; all surrogate keys are 64 bits wide.
    "prefer-bigint-over-int",
    # A bound keeps strangers' values short, and is the same on both engines.
    "prefer-text-field",
}
# Revision that builds on tables of the same release -> rules that protect their rows.
FROM_NOTHING = {
    "0003": {"require-concurrent-index-creation"},
    "0004": {"require-concurrent-index-creation"},
    "0007": {"require-concurrent-index-creation"},
    "0008": {"require-concurrent-index-creation", "adding-field-with-default"},
    "0013": {"require-concurrent-index-creation"},
    "0016": {"require-concurrent-index-creation"},
    "0017": {"require-concurrent-index-creation", "require-concurrent-index-deletion"},
    "0021": {"require-concurrent-index-creation", "ban-drop-column"},
    # What it drops follows from other tables, and its index begins without a row.
    "0023": {"ban-drop-table", "require-concurrent-index-creation"},
}
# Revisions that put a wider check in the place of one, on tables of a row for each feed
# or run, or for what is in quarantine -> rules against dropping checks, and against
# looking at all rows for new ones.
_WIDER = frozenset({"ban-drop-constraint", "constraint-missing-not-valid"})
WIDER_CHECKS = dict.fromkeys(("0012", "0014"), _WIDER)


def main() -> int:
    """Lint every revision; print what is unsafe and return how it ended."""
    failed = [revision for revision in revisions() if not is_safe(revision)]
    return 1 if failed else 0


def is_safe(revision: str) -> bool:
    """Return whether squawk has nothing against a revision."""
    excluded = FROM_NOTHING.get(revision, set()) | WIDER_CHECKS.get(revision, set())
    return lint(offline_sql(revision), NEVER | excluded)


def lint(statements: str, excluded: set[str]) -> bool:
    """Return whether squawk has nothing against statements; it prints what it has."""
    with tempfile.TemporaryDirectory(prefix="wireroom-lint-") as folder:
        file = Path(folder) / "migration.sql"
        file.write_text(statements, encoding="utf-8")
        flags = [f"--pg-version={POSTGRESQL}"]
        flags += [f"--exclude={rule}" for rule in sorted(excluded)]
        done = subprocess.run(  # noqa: S603 - our own tool, on our own text
            [SQUAWK, *flags, file], capture_output=True, text=True, check=False
        )
    if done.returncode:
        print(done.stdout + done.stderr, file=sys.stderr)
    return done.returncode == 0


if __name__ == "__main__":
    sys.exit(main())
