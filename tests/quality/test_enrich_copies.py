"""How many edited copies of news articles are found, and how many articles wrongly."""

import re
import time
from collections import Counter, defaultdict
from collections.abc import Callable
from difflib import SequenceMatcher
from functools import cache
from typing import NamedTuple

import pytest
from support.figures import Figure
from support.minhash import Alike, Sketches
from support.stories import read_rows

from enrich.dedup.decide import compare
from enrich.dedup.fingerprint import choose_keys, fingerprint
from enrich.messages import Fingerprint

pytestmark = pytest.mark.quality

# Bounds were chosen on the topics with an odd number; the others are held out. Measured
# on either: 1.00 but for update, .97 and .93. What is missing of it was found by its
# keys and has less than four tenths in common with its original.
RECALL_FLOORS = {
    "furniture": 1.0,
    "noise": 1.0,
    "append": 1.0,
    "trim": 0.99,
    "edit5": 0.99,
    "lead": 0.98,
    "update": 0.92,
}

# Two articles are copies by themselves where so much of the shorter one stands in the
# other in runs of at least so many words.
VERBATIM_SHARE, VERBATIM_WORDS = 0.6, 8

# What copies are measured beside, with bounds of the measurements that ours began with.
BESIDE: dict[str, Callable[[Alike], bool]] = {
    "MinHash, resemblance 0.5": lambda alike: alike.resemblance >= 0.5,
    "MinHash, containment 0.6": lambda alike: alike.containment >= 0.6,
}
HALVES = ["chosen on", "held out"]

Find = Callable[[str], set[str]]  # names of the originals that a text is a copy of


@cache
def originals() -> dict[str, Fingerprint]:
    return {
        row["id"]: fingerprint("", row["text"]) for row in read_rows("ecbplus-stories")
    }


@cache
def index() -> dict[int, set[str]]:
    found: dict[int, set[str]] = defaultdict(set)
    for name, marks in originals().items():
        for key in choose_keys(marks):
            found[key].add(name)
    return found


def find_copies(name: str) -> set[str]:
    """Look up by key, then compare, as the store does."""
    marks = originals().get(name) or fingerprint("", texts()[name])
    keys = choose_keys(marks)
    candidates = {other for key in keys for other in index().get(key, ())}
    return {one for one in candidates if compare(marks, originals()[one])} - {name}


@cache
def sketches() -> Sketches:
    made = Sketches(texts())
    for name in originals():
        made.index(name)
    return made


def find_beside(way: str) -> Find:
    is_copy = BESIDE[way]
    return lambda name: {
        other for other, alike in sketches().find(name).items() if is_copy(alike)
    }


def is_held_out(name: str) -> bool:
    return int(name.removeprefix("ecb-").partition("_")[0]) % 2 == 0


@cache
def texts() -> dict[str, str]:
    rows = [*read_rows("ecbplus-stories"), *read_rows("ecbplus-neardup")]
    return {row["id"]: row["text"] for row in rows}


def is_verbatim(name: str, other: str) -> bool:
    """Tell whether most of the shorter text stands in the longer, by words alone."""
    shorter, longer = sorted(
        (re.findall(r"\w+", texts()[one].lower()) for one in (name, other)), key=len
    )
    blocks = SequenceMatcher(None, shorter, longer, autojunk=False)
    n_shared = sum(
        block.size
        for block in blocks.get_matching_blocks()
        if block.size >= VERBATIM_WORDS
    )
    return n_shared >= VERBATIM_SHARE * len(shorter)


def measure_recall(find: Find, half: str) -> dict[str, float]:
    """Return the share of the edits of each kind that are found."""
    n_edits, n_found = Counter[str](), Counter[str]()
    for row in read_rows("ecbplus-neardup"):
        if HALVES[is_held_out(row["of"])] == half:
            n_edits[row["op"]] += 1
            n_found[row["op"]] += row["of"] in find(row["id"])
    return {edit: n_found[edit] / n for edit, n in n_edits.items()}


class Judged(NamedTuple):
    n_right: int
    n_natural: int  # copies that the set does not know of
    wrong: list[tuple[str, str]]

    @property
    def precision(self) -> float:
        n_copies = self.n_right + self.n_natural
        return n_copies / (n_copies + len(self.wrong))


def judge(find: Find) -> Judged:
    """Look at all pairs that are called copies, among originals and edits."""
    n_right, n_natural = 0, 0
    wrong: list[tuple[str, str]] = []
    rows = {row["id"]: row for row in read_rows("ecbplus-neardup")}
    for name in texts():
        row = rows.get(name, {"of": name, "borrowed_from": ""})
        sources = {row["of"], row["borrowed_from"]} & originals().keys()
        for other in find(name):
            if other == row["of"]:
                n_right += 1
            elif other == row["borrowed_from"]:
                continue  # what it says of the line counts neither way
            elif any(is_verbatim(one, other) for one in {name, *sources}):
                n_natural += 1
            else:
                wrong.append((name, other))
    return Judged(n_right, n_natural, wrong)


@cache
def measure_ours(half: str) -> dict[str, float]:
    return measure_recall(find_copies, half)


@pytest.mark.parametrize("half", HALVES)
def test_edited_copies_are_found_by_key_and_comparison(
    half: str, figure: Figure
) -> None:
    for edit, recall in measure_ours(half).items():
        figure(f"copies, recall, {edit}, {half}", recall, floor=RECALL_FLOORS[edit])


@pytest.mark.parametrize("half", HALVES)
@pytest.mark.parametrize("way", BESIDE)
def test_no_kind_of_edit_is_found_more_often_by_minhash(
    way: str, half: str, figure: Figure
) -> None:
    ours = measure_ours(half)
    for edit, recall in measure_recall(find_beside(way), half).items():
        figure(f"copies, recall, {edit}, {half}, {way}", recall)
        assert recall <= ours[edit], edit


def test_copies_are_only_found_within_a_story() -> None:
    stories = {row["id"]: row["story"] for row in read_rows("ecbplus-stories")}
    wrong = [
        (name, other)
        for name in originals()
        for other in find_copies(name)
        if stories[name] != stories[other]
    ]
    assert wrong == []


def test_what_is_called_a_copy_is_one(figure: Figure) -> None:
    found = judge(find_copies)
    # Those read are agency texts in two papers.
    figure("copies, pairs that the set does not know of", found.n_natural)
    figure("copies, precision", found.precision, floor=0.98)
    assert found.wrong == []


@pytest.mark.parametrize("way", BESIDE)
def test_what_minhash_calls_a_copy_is_counted_alike(way: str, figure: Figure) -> None:
    found = judge(find_beside(way))
    figure(f"copies, pairs that the set does not know of, {way}", found.n_natural)
    figure(f"copies, precision, {way}", found.precision)


def test_a_thousand_articles_a_second_have_fingerprints(figure: Figure) -> None:
    found = list(texts().values())
    start = time.process_time()
    for text in found:
        fingerprint("", text)
    rate = len(found) / (time.process_time() - start)
    figure("copies, fingerprints a CPU second", rate, floor=1_000)


def test_the_index_stays_small() -> None:
    sizes = [len(choose_keys(marks)) for marks in originals().values()]
    assert sum(sizes) / len(sizes) <= 45  # 35 measured on articles of 350 words
