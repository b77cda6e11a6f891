"""One enrich worker under measurement: loads its models, then works on what it is told.

Usage: `python -m benchmarks.enrich_worker TIER WORK`, with a command to enrich on each
line of the input. Imports all that a worker imports, and no broker is asked. WORK is
"names" (the recogniser alone), "stage" (language, names, resolution and salience) or
"all" (copies and stories too). Prints one JSON object.
"""

import json
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import services.process  # noqa: F401 - what a worker has in memory
from enrich.entities.spans import Document
from enrich.messages import EnrichArticles, Stage
from enrich.pipeline import Tools, enrich
from ingest.messages import utc_now
from services import wire
from services.enricher import Bench, enrich_options
from services.memory import peak_megabytes, resident_megabytes
from services.settings import Settings

NAMES, STAGE, ALL = "names", "stage", "all"


def main(tier: str, work: str) -> None:
    """Load and work; print what that took."""
    chosen: dict[str, Any] = {"entity_tier": tier}
    settings = Settings(**chosen)
    started = time.process_time()
    tools = Bench(enrich_options(settings)).tools_for("")
    loading = time.process_time() - started
    at_rest, peak = resident_megabytes(), peak_megabytes()
    run = _work(tools, work)
    seconds = []
    for line in sys.stdin:
        command = wire.decode(EnrichArticles, line)
        started = time.process_time()
        run(command)
        seconds.append(time.process_time() - started)
    took = {
        "loading_cpu_seconds": loading,
        "at_rest_mb": at_rest,
        "loading_peak_mb": peak,
        "after_work_mb": resident_megabytes(),
        "peak_mb": peak_megabytes(),
        "cpu_seconds": seconds,  # of each command
    }
    print(json.dumps(took))


def _work(tools: Tools, work: str) -> Callable[[EnrichArticles], None]:
    stages = {Stage.LANGUAGE, Stage.ENTITIES} if work == STAGE else set(Stage)
    pipelines = tuple(one for one in tools.pipelines if one.stage in stages)

    def find_names(command: EnrichArticles) -> None:
        tools.extractor.extract(
            [
                Document(title=one.title, text=one.text, language="en")
                for one in command.articles
            ]
        )

    def run(command: EnrichArticles) -> None:
        wanted = replace(command, pipelines=pipelines)
        event = enrich(wanted, tools, now=utc_now())
        if event.failed:
            raise RuntimeError(event.failed[0].detail)

    return find_names if work == NAMES else run


if __name__ == "__main__":
    main(*sys.argv[1:])
