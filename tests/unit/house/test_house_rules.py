"""The house's own checkers find what they are for, and nothing else."""

from pathlib import Path

import pytest

from scripts.check_house import REGISTRIES, breaches
from scripts.check_links import broken_links


def rules(root: Path) -> list[str]:
    return [str(breach) for breach in breaches(root)]


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


@pytest.mark.parametrize("host", [host for host in REGISTRIES if "(" not in host])
def test_a_registry_is_found_wherever_it_hides(host: str, tmp_path: Path) -> None:
    write(tmp_path / "docs" / "install.md", f"pip install -i https://files.{host}/x\n")
    assert rules(tmp_path) == [
        f"docs/install.md:1: names a package registry: {host}",
    ]


def test_a_name_that_only_resembles_a_registry_is_left_alone(tmp_path: Path) -> None:
    write(tmp_path / "a.md", "not-a.py" + "pi.organisation and docker.iota\n")
    assert rules(tmp_path) == []


@pytest.mark.parametrize("home", ["home", "root", "work", "Users"])
def test_a_folder_of_one_machine_is_found(home: str, tmp_path: Path) -> None:
    write(tmp_path / "ingest" / "files.py", f'PLACE = "/{home}/me/texts"\n')
    assert rules(tmp_path) == [
        f"ingest/files.py:1: names a folder of one machine: /{home}/me",
    ]


def test_paths_in_addresses_and_in_seeds_are_content(tmp_path: Path) -> None:
    path = "/" + "home/news"
    write(tmp_path / "docs" / "a.md", f"see https://paper.example{path}\n")
    write(tmp_path / "seeds" / "a.txt", f'<a href="{path}">\n')
    assert rules(tmp_path) == []


def test_long_files_and_functions_are_found_where_people_read(tmp_path: Path) -> None:
    long = "def f() -> None:\n" + '    """Say.\n\n    More.\n    """\n'
    long += "    print()\n" * 40
    write(tmp_path / "store" / "long.py", long)
    write(tmp_path / "store" / "fits.py", long.replace("    print()\n", "", 1))
    write(tmp_path / "store" / "list.py", "A = 1\n\n" * 301)
    write(tmp_path / "tests" / "list.py", "A = 1\n" * 301)
    assert rules(tmp_path) == [
        "store/list.py:1: 301 lines, at most 300",
        "store/long.py:1: f: 41 lines, at most 40",
    ]


def test_what_tools_leave_behind_is_not_looked_at(tmp_path: Path) -> None:
    for place in (".venv", "__pycache__", "env"):
        write(tmp_path / place / "a.md", "/" + "root/secret [x](nowhere.md)\n")
    write(tmp_path / "env" / "pyvenv.cfg", "")
    assert rules(tmp_path) == []
    assert list(broken_links(tmp_path)) == []


def test_links_are_followed_to_the_heading(tmp_path: Path) -> None:
    write(
        tmp_path / "README.md",
        "# Wireroom\n\n[a](docs/b.md#the-cli-wireroom-up) [b](#wireroom)\n"
        "[c](docs/b.md#twice-1) [d](docs) [e](https://paper.example/x#y)\n"
        "`[code](is/no/link.md)`\n\n    [nor](is/this.md)\n",
    )
    write(
        tmp_path / "docs" / "b.md",
        "# The CLI: `wireroom up`\n\n## Twice\n\n## Twice\n\n[up](../README.md)\n",
    )
    assert list(broken_links(tmp_path)) == []


def test_links_that_lead_nowhere_are_named_with_the_reason(tmp_path: Path) -> None:
    write(
        tmp_path / "a.md",
        "[x](b.md) [y](#none) [z](../../etc) ![p](p.png)\n\n[r]: c.md\n[r]\n",
    )
    assert sorted(broken_links(tmp_path)) == [
        "a.md: #none: no such heading",
        "a.md: ../../etc: leads out of the project",
        "a.md: b.md: no such file",
        "a.md: c.md: no such file",
        "a.md: p.png: no such file",
    ]
