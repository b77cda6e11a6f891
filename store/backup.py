"""Backup and restore: SQLite by its own online copy, PostgreSQL by its own tools."""

import shutil
import sqlite3
import subprocess
import tempfile
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

from sqlalchemy import URL, make_url

from store.errors import StoreError

_MAGIC = {b"SQLite format 3\0": "sqlite", b"PGDMP": "postgresql"}


class BackupFailed(StoreError):
    """A backup or restore could not be made; what was there is as it was."""


def backup(url: str, file: Path, *, environment: Mapping[str, str]) -> int:
    """Write a consistent copy of the database while it is in use.

    Args:
        url: SQLAlchemy URL of the database.
        file: Where to; nothing may be there yet.
        environment: Variables for PostgreSQL's tools, also where they are (PATH).

    Returns:
        Bytes written.

    Raises:
        BackupFailed: There is such a file, or the copy did not succeed.
    """
    if file.exists():
        raise BackupFailed(f"{file} is there already")
    # Under another name until it is whole: half a backup must not look like one.
    part = file.with_name(f"{file.name}.part")
    try:
        part.touch(mode=0o600)
        found = make_url(url)
        if found.get_backend_name() == "sqlite":
            _copy_sqlite(_path(found), part)
        else:
            _run("pg_dump", found, environment, "--format=custom", f"--file={part}")
        part.replace(file)
    except (OSError, sqlite3.Error) as error:
        raise BackupFailed(f"cannot write {file}: {error}") from error
    finally:
        part.unlink(missing_ok=True)
    return file.stat().st_size


def restore(url: str, file: Path, *, environment: Mapping[str, str]) -> None:
    """Put a backup in place of all that the database holds.

    Raises:
        BackupFailed: It is no backup of such a database, or does not fit.
    """
    found = make_url(url)
    kind = _kind(file)
    if kind != found.get_backend_name():
        raise BackupFailed(f"{file} is no backup of {found.get_backend_name()}")
    if kind == "sqlite":
        try:
            _check_sqlite(file)
            _path(found).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            _copy_sqlite(file, _path(found))
        except sqlite3.Error as error:
            raise BackupFailed(f"cannot restore {file}: {error}") from error
        return
    _restore_postgresql(found, file, environment)


def _kind(file: Path) -> str | None:
    try:
        with file.open("rb") as opened:
            head = opened.read(16)
    except OSError as error:
        raise BackupFailed(f"cannot read {file}: {error}") from error
    return next(
        (kind for magic, kind in _MAGIC.items() if head[:16].startswith(magic)), None
    )


def _path(url: URL) -> Path:
    return Path(url.database or "")


def _copy_sqlite(source: Path, target: Path) -> None:
    if not source.is_file():
        raise BackupFailed(f"there is no database {source}")
    with (
        closing(sqlite3.connect(source)) as read,
        closing(sqlite3.connect(target)) as write,
    ):
        read.backup(write)
    _check_sqlite(target)


def _check_sqlite(file: Path) -> None:
    with closing(
        sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True)
    ) as opened:
        (said,) = opened.execute("PRAGMA quick_check(1)").fetchone()
        if said != "ok":
            raise BackupFailed(f"{file} is damaged: {said}")
        opened.execute("SELECT version_num FROM alembic_version").fetchone()


# What `pg_restore --clean` cannot do: it stumbles over partitions. What extensions
# brought is theirs, and stays.
_CLEAR = """
SET client_min_messages = warning;
DO $$ DECLARE one record; BEGIN
  FOR one IN
    SELECT format('%I.%I', schemaname, viewname) AS name, 'VIEW' AS kind
    FROM pg_views WHERE schemaname = current_schema()
    UNION ALL
    SELECT format('%I.%I', relnamespace::regnamespace::text, relname), 'TABLE'
    FROM pg_class WHERE relnamespace = current_schema()::regnamespace
      AND relkind IN ('r', 'p') AND NOT relispartition
    UNION ALL
    SELECT oid::regprocedure::text, 'ROUTINE'
    FROM pg_proc WHERE pronamespace = current_schema()::regnamespace
      AND NOT EXISTS (SELECT FROM pg_depend WHERE objid = pg_proc.oid
        AND classid = 'pg_proc'::regclass AND deptype = 'e')
  LOOP EXECUTE format('DROP %s IF EXISTS %s CASCADE', one.kind, one.name); END LOOP;
END $$;
"""


def _restore_postgresql(url: URL, file: Path, environment: Mapping[str, str]) -> None:
    with tempfile.TemporaryDirectory(prefix="wireroom-restore-") as folder:
        clear, script = Path(folder) / "clear.sql", Path(folder) / "backup.sql"
        clear.write_text(_CLEAR, encoding="utf-8")
        _call("pg_restore", environment, "--no-owner", f"--file={script}", str(file))
        # All or nothing: a restore that fails half-way leaves what was there.
        options = ("--quiet", "--no-psqlrc", "--single-transaction")
        stop = "--set=ON_ERROR_STOP=1"
        files = (f"--file={clear}", f"--file={script}")
        _run("psql", url, environment, *options, stop, *files)


def _run(tool: str, url: URL, environment: Mapping[str, str], *options: str) -> None:
    # Not on the command line, which everybody on the machine can read.
    secret = {"PGPASSWORD": str(url.password)} if url.password else {}
    plain = url.set(drivername="postgresql", password=None)
    target = f"--dbname={plain.render_as_string()}"
    _call(tool, {**environment, **secret}, target, *options)


def _call(tool: str, environment: Mapping[str, str], *arguments: str) -> None:
    program = shutil.which(tool, path=environment.get("PATH"))
    if program is None:
        raise BackupFailed(f"{tool} is not on the PATH; it comes with PostgreSQL")
    done = subprocess.run(  # noqa: S603  # no shell, and our own arguments
        [program, *arguments],
        env=dict(environment),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        said = done.stderr.strip() or f"it ended with {done.returncode}"
        raise BackupFailed(f"{tool}: {said}")
