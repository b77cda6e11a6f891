"""Writes pages as people save them: an article among its furniture."""

import random
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


def _words(line: str) -> list[str]:
    return line.split()


# What an archive has and a template has not: texts that differ word by word.
WHO = _words(
    "baker captain chemist clerk coach cook dentist doctor driver editor farmer"
)
WHO += _words("fisher gardener judge librarian mason miller miner nurse painter pilot")
WHO += _words("plumber printer ranger sailor singer surveyor tailor teacher trader")
DID = _words("admired bought carried checked cleaned closed counted described drew")
DID += _words(
    "fetched finished found guarded hired inspected left measured mended moved"
)
DID += _words("opened ordered painted praised refused repaired sold studied tested")
WHAT = _words("anchor barn barrel basket bell boat book bottle bridge cabin canal cart")
WHAT += _words(
    "chapel clock coat drum engine fence ferry garden gate harbour kiln lamp"
)
WHAT += _words("mill orchard oven piano quay sail school shed sledge stove tower wagon")
LIKE = _words(
    "ancient blue broken busy careful cheap clean cold crooked dusty early empty"
)
LIKE += _words(
    "famous green heavy hidden iron large late light little lonely narrow new"
)
LIKE += _words(
    "noisy odd plain quiet red round rusty silver small steep stone tall wide"
)
SENTENCES_IN_PARAGRAPH = 4


def write_pages(folder: Path, n_pages: int, *, n_paragraphs: int = 0) -> list[Path]:
    """Write different articles into a folder; return their paths.

    Args:
        folder: It is made where it is missing.
        n_pages: How many.
        n_paragraphs: Each text is so many paragraphs of some 400 characters, whose
            words stand in this order on no other page. 0: all are of one template.
    """
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for n in range(n_pages):
        town = "".join(SYLLABLES[int(digit)] for digit in f"{n:05}").capitalize()
        path = folder / f"page-{n:05}.txt"
        page = _page(n, town, n_paragraphs) if n_paragraphs else _template(n, town)
        path.write_text(page, encoding="utf-8")
        paths.append(path)
    return paths


def _template(n: int, town: str) -> str:
    title = f"{town} plans a bridge over its river"
    return PAGE.format(title=title, town=town, n=n, cost=n % 90 + 3)


def _page(n: int, town: str, n_paragraphs: int) -> str:
    draw = random.Random(n)  # noqa: S311  # the same pages in every run
    what = f"{draw.choice(LIKE)} {draw.choice(WHAT)}"
    title = f"{draw.choice(WHO).capitalize()} of {town} {draw.choice(DID)} the {what}"
    lead = f"Mayor Anna Holm of {town}, who came from Norway, spoke of the {what}."
    paragraphs = _paragraphs(draw, n_paragraphs)
    paragraphs[0] = f"{lead} {paragraphs[0]}"
    return "\n\n".join(
        ["News", title, "[ssba]", *paragraphs, "Share this on Facebook\n"]
    )


def _paragraphs(draw: random.Random, n_paragraphs: int) -> list[str]:
    return [
        " ".join(_sentence(draw) for _ in range(SENTENCES_IN_PARAGRAPH))
        for _ in range(n_paragraphs)
    ]


def _sentence(draw: random.Random) -> str:
    who, other = draw.choice(WHO), draw.choice(WHO)
    return (
        f"The {draw.choice(LIKE)} {who} {draw.choice(DID)} a {draw.choice(LIKE)}"
        f" {draw.choice(WHAT)} and the {other} {draw.choice(DID)}"
        f" {draw.randrange(2, 90)} {draw.choice(LIKE)} {draw.choice(WHAT)}s."
    )
