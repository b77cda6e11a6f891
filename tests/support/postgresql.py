"""A throw-away PostgreSQL server, and fresh databases on it or on a given one."""

import os
import pwd
import secrets
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql
from sqlalchemy import URL, make_url
from support.binaries import PostgresPrograms
from support.processes import GuardedServer, is_open_to_all, make_folder

# Byte order, as SQLite sorts and as the compose file sets up, but with Unicode case.
LOCALE = "C.UTF-8" if sys.platform == "linux" else "en_US.UTF-8"
SETTINGS = {
    # Nothing here has to survive a power cut, and syncing is most of the cost.
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "listen_addresses": "",
    "max_connections": "60",
    "shared_buffers": "32MB",
    "max_wal_size": "128MB",
    # A worker that wakes up inside a template would make cloning it fail.
    "autovacuum": "off",
    # Compiling a query costs more than running it on a handful of rows.
    "jit": "off",
    "timezone": "UTC",
}
# Tables that grow for minutes and whose rows vanish again need what every real server
# does: statistics and vacuum. Without them each look reads the dead rows too.
LONG_RUN = {
    "autovacuum": "on",
    "autovacuum_naptime": "10s",
    "shared_buffers": "256MB",
    "max_wal_size": "4GB",
}


@contextmanager
def running_postgres(
    programs: PostgresPrograms, *, settings: Mapping[str, str] | None = None
) -> Iterator[str]:
    """Run a new, empty server and yield the URL of its maintenance database.

    Args:
        programs: The server's.
        settings: What differs from those of a small server for tests.
    """
    user = unprivileged_user()
    folder = make_folder("pg", user=user, in_memory=settings is None)
    server = None
    try:
        programs = reachable(programs, folder, user)
        make_cluster(programs, folder, user)
        chosen = SETTINGS | dict(settings or {})
        flags = [f"--{name}={value}" for name, value in chosen.items()]
        data, sockets = str(folder / "data"), str(folder)
        server = GuardedServer(
            [str(programs.postgres), "-D", data, "-k", sockets, *flags],
            folder=folder,
            # PostgreSQL's "fast" shutdown: it does not wait for clients to leave.
            stop_signal=signal.SIGINT,
            user=user,
        )
        url = URL.create(
            "postgresql+psycopg",
            username="wireroom",
            database="postgres",
            query={"host": str(folder)},
        )
        server.wait_until(lambda: answers(url))
        yield url.render_as_string(hide_password=False)
    finally:
        if server is not None:
            server.stop()
        shutil.rmtree(folder, ignore_errors=True)


def unprivileged_user() -> tuple[int, int] | None:
    """Return whom to run as where we are root, which PostgreSQL refuses to be."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            account = pwd.getpwnam(name)
        except KeyError:
            continue
        return account.pw_uid, account.pw_gid
    raise LookupError("root needs an account named postgres or nobody beside it")


def reachable(
    programs: PostgresPrograms, folder: Path, user: tuple[int, int] | None
) -> PostgresPrograms:
    """Return programs that the user may run, copied where their place is private."""
    if user is None or is_open_to_all(programs.postgres):
        return programs
    package = programs.prefix.parent
    copy = folder / "site" / package.name / programs.prefix.name
    shutil.copytree(programs.prefix, copy, symlinks=True)
    # A wheel keeps its shared libraries beside the package and finds them from `bin`.
    libraries = package.with_name(f"{package.name}.libs")
    if libraries.is_dir():
        shutil.copytree(libraries, folder / "site" / libraries.name)
    return PostgresPrograms(
        initdb=copy / "bin" / "initdb", postgres=copy / "bin" / "postgres"
    )


def make_cluster(
    programs: PostgresPrograms, folder: Path, user: tuple[int, int] | None
) -> None:
    """Make the data folder of a new server."""
    identity: dict[str, Any] = {}
    if user:
        identity = {"user": user[0], "group": user[1], "extra_groups": []}
    flags = ["--auth=trust", "--no-sync", "--encoding=UTF8", f"--locale={LOCALE}"]
    made = subprocess.run(
        [programs.initdb, "-D", folder / "data", "-U", "wireroom", *flags],
        cwd=folder,
        **identity,
        capture_output=True,
        text=True,
        check=False,
    )
    if made.returncode:
        raise RuntimeError(f"initdb failed: {made.stderr or made.stdout}")


def answers(url: URL) -> bool:
    """Return whether the server takes connections."""
    try:
        psycopg.connect(libpq(url)).close()
    except psycopg.OperationalError:
        return False
    return True


def libpq(url: URL) -> str:
    """Return the URL as PostgreSQL's own library spells it."""
    plain = url.set(drivername="postgresql")
    return plain.render_as_string(hide_password=False)


@dataclass(slots=True)
class Databases:
    """Makes databases on one server, each with a name of its own, and drops them."""

    admin_url: str
    _templates: dict[Callable[[str], object], str] = field(default_factory=dict)
    _names: list[str] = field(default_factory=list)

    def fresh(self, prepare: Callable[[str], object] | None = None) -> str:
        """Return the URL of a new database.

        Args:
            prepare: Called with the URL of a template, once for all databases that
                are asked for with it; they start as clones of what it left.
        """
        if prepare is None:
            return self._create("template0")
        if prepare not in self._templates:
            url = self._create("template0")
            prepare(url)
            self._templates[prepare] = url
        return self._create(database_name(self._templates[prepare]))

    def drop(self, url: str) -> None:
        """Drop a database, throwing out whoever is still connected."""
        name = database_name(url)
        self._names.remove(name)
        self._execute(
            sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)"), sql.Identifier(name)
        )

    def drop_all(self) -> None:
        """Drop every database made here, templates included."""
        for name in list(self._names):
            self.drop(self._url(name))

    def _create(self, template: str) -> str:
        name = f"wireroom_test_{os.getpid()}_{secrets.token_hex(4)}"
        self._execute(
            # Copying files takes half as long as writing pages to the log.
            sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY FILE_COPY"),
            sql.Identifier(name),
            sql.Identifier(template),
        )
        self._names.append(name)
        return self._url(name)

    def _url(self, name: str) -> str:
        url = make_url(self.admin_url).set(database=name)
        return url.render_as_string(hide_password=False)

    def _execute(self, statement: sql.SQL, *names: sql.Identifier) -> None:
        conninfo = libpq(make_url(self.admin_url))
        with psycopg.connect(conninfo, autocommit=True) as connection:
            connection.execute(statement.format(*names))


def database_name(url: str) -> str:
    """Return the database part of a URL."""
    return make_url(url).database or ""
