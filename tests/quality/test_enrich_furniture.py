"""What footers do to copies: before they are known as furniture, and afterwards."""

from functools import cache
from itertools import combinations

import pytest
from support.figures import Figure
from support.stories import Row, read_rows

from enrich.dedup.decide import compare
from enrich.dedup.fingerprint import fingerprint
from enrich.dedup.furniture import find_furniture, without
from enrich.messages import Fingerprint

pytestmark = pytest.mark.quality

N_FOOTER = 60  # words
# Of the shortest texts, what is left beside a footer is short, and two of its ten marks
# are half of the footer.
RECALL_FLOORS = {"trim": 0.9, "edit5": 0.99, "lead": 0.58}


def footed(text: str, publisher: str) -> Fingerprint:
    footer = " ".join(f"{publisher}{number}" for number in range(N_FOOTER))
    return fingerprint("", f"{text} {footer}")


def bare(texts: list[Fingerprint]) -> list[Fingerprint]:
    furniture = find_furniture([one.marks for one in texts])
    return [without(one, furniture) for one in texts]


def n_copies(texts: list[Fingerprint]) -> int:
    return sum(compare(one, other) is not None for one, other in combinations(texts, 2))


def test_openings_of_articles_are_no_copies_for_their_footer(figure: Figure) -> None:
    rows = read_rows("ecbplus-stories")[:100]
    openings = [" ".join(row["text"].split()[:40]) for row in rows]
    texts = [footed(text, "publisher") for text in openings]
    n_plain = n_copies([fingerprint("", text) for text in openings])
    figure("furniture, pairs of 100 openings, without a footer", n_plain)
    figure("furniture, the same, with one", n_copies(texts))
    n_left = n_copies(bare(texts))
    figure("furniture, the same, once it is known", n_left)
    assert n_left == n_plain


@cache
def originals() -> dict[str, Fingerprint]:
    rows = read_rows("ecbplus-stories")
    texts = bare([footed(row["text"], "publisher") for row in rows])
    return {row["id"]: text for row, text in zip(rows, texts, strict=True)}


@pytest.mark.parametrize("edit", sorted(RECALL_FLOORS))
def test_copies_with_another_footer_are_found(edit: str, figure: Figure) -> None:
    rows: list[Row] = [row for row in read_rows("ecbplus-neardup") if row["op"] == edit]
    whole = {row["id"]: row["text"] for row in read_rows("ecbplus-stories")}
    texts = [footed(row["text"], "other") for row in rows]
    n_before = sum(
        compare(text, footed(whole[row["of"]], "publisher")) is not None
        for row, text in zip(rows, texts, strict=True)
    )
    n_found = sum(
        compare(text, originals()[row["of"]]) is not None
        for row, text in zip(rows, bare(texts), strict=True)
    )
    figure(f"furniture, recall before, {edit}", n_before / len(rows))
    floor = RECALL_FLOORS[edit]
    figure(f"furniture, recall once known, {edit}", n_found / len(rows), floor=floor)
