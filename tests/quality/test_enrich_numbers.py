"""How many updates of news articles are flagged by their numbers, and what else is."""

from collections import Counter

import pytest
from support.figures import Figure
from support.stories import read_rows

from enrich.dedup.decide import compare
from enrich.dedup.fingerprint import fingerprint

pytestmark = pytest.mark.quality

# Whether the numbers of a copy are told right: an update is flagged, and nothing else
# is. Which share of them makes the flag was chosen on the odd topics; measured on
# either half: 1.00 for each edit. Words that an editor changes are numbers at times.
UPDATE = "update"
FLOORS = {UPDATE: 0.96, "edit5": 0.96}
HALVES = ["chosen on", "held out"]


def is_held_out(name: str) -> bool:
    return int(name.removeprefix("ecb-").partition("_")[0]) % 2 == 0


@pytest.mark.parametrize("half", HALVES)
def test_updates_are_flagged_by_their_numbers_and_no_other_edits(
    half: str, figure: Figure
) -> None:
    originals = {row["id"]: row["text"] for row in read_rows("ecbplus-stories")}
    n_found, n_right = Counter[str](), Counter[str]()
    for row in read_rows("ecbplus-neardup"):
        if HALVES[is_held_out(row["of"])] != half:
            continue
        original = fingerprint("", originals[row["of"]])
        found = compare(fingerprint("", row["text"]), original)
        if found is not None:
            n_found[row["op"]] += 1
            n_right[row["op"]] += found.numbers_differ == (row["op"] == UPDATE)
    for edit, n in n_found.items():
        name = f"copies, numbers told right, {edit}, {half}"
        figure(name, n_right[edit] / n, floor=FLOORS.get(edit, 1.0))
