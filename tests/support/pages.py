"""Writes pages as people save them: an article among its furniture."""

from pathlib import Path

PAGE = """News

{title}

[ssba]

The council of {town} met on Tuesday to talk about the bridge over the river {n}.

Mayor Anna Holm of {town} said that work number {n} would begin in the spring, and \
that {cost} million euros had been set aside for the first {cost} metres of it.

Residents of {town} asked for a footpath of {n} metres beside the road, which the \
engineers from Norway called a sound idea that would cost little more.

Share this article on Facebook
"""
# Names apart enough that no two pages pass as copies.
SYLLABLES = ["bar", "den", "fol", "gim", "hur", "jas", "kel", "lom", "nav", "pir"]


def write_pages(folder: Path, n_pages: int) -> list[Path]:
    """Write different articles into a folder; return their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for n in range(n_pages):
        town = "".join(SYLLABLES[int(digit)] for digit in f"{n:05}").capitalize()
        path = folder / f"page-{n:05}.txt"
        title = f"{town} plans a bridge over its river"
        page = PAGE.format(title=title, town=town, n=n, cost=n % 90 + 3)
        path.write_text(page, encoding="utf-8")
        paths.append(path)
    return paths
