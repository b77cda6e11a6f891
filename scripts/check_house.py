"""Holds the rules of the house that no other tool knows: addresses, paths, lengths."""

import ast
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from scripts.tree import ROOT, project_files

MAX_FILE_LINES = 300
MAX_FUNCTION_LINES = 40
# What a person reads from top to bottom; tests and migrations are lists.
MEASURED = ("ingest", "enrich", "store", "services", "benchmarks", "scripts")
# Texts of others: a link in an article is content.
CONTENT = "seeds"

# Put together here so that this file keeps its own rule. Whoever installs wireroom
# chooses where packages and images come from; no file may choose for them.
REGISTRIES = [
    ".".join(labels)
    for labels in (
        ("pypi", "org"),
        ("pythonhosted", "org"),
        ("npmjs", "(?:org|com)"),
        ("yarnpkg", "com"),
        ("crates", "io"),
        ("rubygems", "org"),
        ("proxy", "golang", "org"),
        ("deb", "debian", "org"),
        ("docker", "io"),
        ("ghcr", "io"),
        ("gcr", "io"),
        ("quay", "io"),
    )
]
REGISTRY = re.compile(
    r"\b(?:" + "|".join(host.replace(".", r"\.") for host in REGISTRIES) + r")\b",
    re.IGNORECASE,
)
# The home and work folders of one machine mean nothing on another.
HOMES = ("home", "root", "work", "Users")
MACHINE_PATH = re.compile(r"(?<![\w.~/-])/(?:" + "|".join(HOMES) + r")/[\w.-]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Breach:
    """One place that breaks a rule."""

    path: Path
    line: int
    rule: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.rule}"


def main() -> int:
    """Print every breach in the project and return how the check ended."""
    found = list(breaches(ROOT))
    for breach in found:
        print(breach, file=sys.stderr)
    return 1 if found else 0


def breaches(root: Path) -> Iterator[Breach]:
    """Yield every breach below a folder."""
    for path in project_files(root):
        name = path.relative_to(root)
        text = read_text(path)
        if text is None:
            continue
        yield from named_places(name, text)
        if path.suffix == ".py" and name.parts[0] in MEASURED:
            yield from lengths(name, text)


def read_text(path: Path) -> str | None:
    """Return the text of a file, or None where it holds no text."""
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return None


def named_places(name: Path, text: str) -> Iterator[Breach]:
    """Yield the lines that name a registry or a folder of one machine."""
    for number, line in enumerate(text.splitlines(), start=1):
        if found := REGISTRY.search(line):
            rule = f"names a package registry: {found.group()}"
            yield Breach(path=name, line=number, rule=rule)
        if name.parts[0] != CONTENT and (found := MACHINE_PATH.search(line)):
            rule = f"names a folder of one machine: {found.group()}"
            yield Breach(path=name, line=number, rule=rule)


def lengths(name: Path, text: str) -> Iterator[Breach]:
    """Yield a file that is too long, and its functions that are."""
    lines = text.splitlines()
    if (n_lines := filled(lines)) > MAX_FILE_LINES:
        rule = f"{n_lines} lines, at most {MAX_FILE_LINES}"
        yield Breach(path=name, line=1, rule=rule)
    for node in ast.walk(ast.parse(text)):
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        body = lines[node.lineno - 1 : node.end_lineno]
        n_lines = filled(body) - filled(docstring(node, lines))
        if n_lines > MAX_FUNCTION_LINES:
            rule = f"{node.name}: {n_lines} lines, at most {MAX_FUNCTION_LINES}"
            yield Breach(path=name, line=node.lineno, rule=rule)


def filled(lines: list[str]) -> int:
    """Count the lines that are not blank."""
    return sum(bool(line.strip()) for line in lines)


def docstring(
    node: ast.FunctionDef | ast.AsyncFunctionDef, lines: list[str]
) -> list[str]:
    """Return the lines of a docstring: explaining must not cost length."""
    if ast.get_docstring(node) is None:
        return []
    first = node.body[0]
    return lines[first.lineno - 1 : first.end_lineno]


if __name__ == "__main__":
    sys.exit(main())
