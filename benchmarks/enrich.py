"""What enrichment costs: memory of a worker, and articles and words a CPU second.

Each figure is of a process of its own that has all a worker has in memory. The articles
have 650 words each: of labelled sentences where their folder is, else of words drawn by
chance, which is slower, as nearly each word is new. "First": articles that a new
process reads; "later": those after 200 others.
Usage: `python -m benchmarks.enrich [FOLDER [TIER...]]`, or
`make bench-enrich CORPORA=../shared/corpora/ner TIERS="crf rules"`.
"""

import json
import random
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.enrich_worker import ALL, NAMES, STAGE
from enrich.entities.tables import read_common_words, read_given_names
from enrich.entities.tiers import TIERS
from enrich.messages import ArticleToEnrich, EnrichArticles, Lane
from services import wire
from training.entities.corpora import read_sentences

N_WORDS = 650
N_FIRST, N_BEFORE, N_LATER = 50, 200, 200
PER_COMMAND = 10
CORPUS = "gmb.iob2.xz"
KILL_SECONDS = 600.0

Figures = dict[str, float]


def main(arguments: list[str]) -> int:
    """Measure these tiers, or all, and print a table and JSON."""
    folder = Path(arguments[0]) if arguments else Path()
    commands = [wire.encode(one) for one in make_commands(read_words(folder))]
    figures = {tier: measure(tier, commands) for tier in arguments[1:] or TIERS}
    table = Table(title=f"Enrichment of articles of {N_WORDS} words")
    table.add_column("figure")
    for tier in figures:
        table.add_column(tier, justify="right")
    for name in next(iter(figures.values())):
        values = [f"{found[name]:g}" for found in figures.values()]
        table.add_row(name.replace("_", " "), *values)
    Console().print(table)
    print(json.dumps(figures))
    return 0


def measure(tier: str, commands: list[str]) -> Figures:
    """Let one process find names alone, one do the stage, and one do all."""
    took = {work: run(tier, work, commands) for work in (NAMES, STAGE, ALL)}
    whole = took[ALL]
    figures: Figures = {
        "worker_at_rest_mb": whole["at_rest_mb"],
        "worker_while_loading_at_most_mb": whole["loading_peak_mb"],
        "worker_after_its_work_mb": whole["after_work_mb"],
        "worker_at_most_mb": whole["peak_mb"],
        "loading_cpu_seconds": round(whole["loading_cpu_seconds"], 2),
    }
    for work, found in took.items():
        seconds = found["cpu_seconds"]
        first = seconds[: N_FIRST // PER_COMMAND]
        later = seconds[N_BEFORE // PER_COMMAND :]
        for when, part in (("first", first), ("later", later)):
            rate = len(part) * PER_COMMAND / sum(part)
            if work == NAMES:
                figures[f"names_words_{when}"] = round(rate * N_WORDS, -2)
            else:
                figures[f"{work}_articles_{when}"] = round(rate, 1)
    return figures


def run(tier: str, work: str, commands: Iterable[str]) -> dict[str, Any]:
    """Return what a process of its own took."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.enrich_worker", tier, work],
        input="\n".join(commands),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        timeout=KILL_SECONDS,
    )
    took: dict[str, Any] = json.loads(done.stdout)
    return took


def make_commands(words: Iterator[str]) -> Iterator[EnrichArticles]:
    """Yield commands of some articles each."""
    for start in range(0, N_BEFORE + N_LATER, PER_COMMAND):
        articles = tuple(
            ArticleToEnrich(
                article_id=number,
                revision=1,
                title="",
                text=" ".join(next(words) for _ in range(N_WORDS)),
                language="en",
                published_at=None,
            )
            for number in range(start, start + PER_COMMAND)
        )
        yield EnrichArticles(lane=Lane.BULK, pipelines=(), articles=articles)


def read_words(folder: Path) -> Iterator[str]:
    """Yield words of sentences, each of which ends with a line break."""
    path = folder / CORPUS
    if path.exists():
        for sentence in read_sentences(path):
            yield from (*sentence.words, "\n")
    draw = random.Random(1)  # noqa: S311 - no secret
    common, names = sorted(read_common_words()), sorted(read_given_names())
    while True:
        yield from draw.choices(common, k=20)
        yield from (draw.choice(names), draw.choice(names).title() + "sen", ".", "\n")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
