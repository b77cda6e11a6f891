"""The files of the project: everything but what tools and runs leave behind."""

from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LEFT_BEHIND = {"__pycache__", "dist", "htmlcov"}
# The one hidden folder that is the project's own.
CI = ".ci"


def project_files(root: Path, pattern: str = "*") -> Iterator[Path]:
    """Yield the files below `root` whose name matches, in a stable order."""
    for path in sorted(root.iterdir()):
        if path.is_symlink():
            continue
        if path.is_dir():
            if is_own(path):
                yield from project_files(path, pattern)
        elif path.name != ".git" and path.match(pattern):  # a file in a worktree
            yield path


def is_own(folder: Path) -> bool:
    """Return whether a folder belongs to the project."""
    if folder.name in LEFT_BEHIND or (folder / "pyvenv.cfg").exists():
        return False
    return folder.name == CI or not folder.name.startswith(".")
