"""The ceiling on memory and the need of a worker, in processes of their own."""

import platform
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
MB = 1_000_000


def run(code: str) -> subprocess.CompletedProcess[str]:
    prefix = f"import sys; sys.path.insert(0, {str(ROOT)!r})\n"
    prefix += "from services.memory import limit_memory, resident_megabytes\n"
    return subprocess.run(
        [sys.executable, "-c", prefix + code],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


@pytest.mark.skipif(sys.platform != "linux", reason="others may count less")
def test_what_wants_more_gets_an_error_and_the_process_goes_on() -> None:
    done = run(
        "limit_memory(200)\n"
        "small = bytearray(50_000_000)\n"
        "try:\n"
        "    bytearray(400_000_000)\n"
        "except MemoryError:\n"
        "    del small\n"
        "    print(len(bytearray(50_000_000)))\n"
    )
    assert done.stdout.strip() == str(50 * MB), done.stderr


def test_a_ceiling_that_is_there_already_is_never_lifted() -> None:
    done = run(
        "import resource\n"
        "limit_memory(200)\n"
        "limit_memory(900)\n"
        "print(resource.getrlimit(resource.RLIMIT_DATA))\n"
    )
    assert done.stdout.strip() == f"({200 * MB}, {200 * MB})", done.stderr


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="others keep more")
def test_an_enrich_worker_needs_no_more_than_120_mb() -> None:
    done = run(
        "import random\n"
        "from datetime import UTC, datetime\n"
        "import services.process, services.enricher\n"
        "from enrich.entities.tables import read_common_words, read_given_names\n"
        "from enrich.messages import ArticleToEnrich, EnrichArticles, Lane\n"
        "from enrich.pipeline import enrich\n"
        "from services.settings import Settings\n"
        "options = services.enricher.enrich_options(Settings())\n"
        "tools = services.enricher.Bench(options).tools_for('')\n"
        "print(resident_megabytes())\n"
        "draw = random.Random(1)\n"
        "words = sorted(read_common_words()) + 9 * sorted(read_given_names())\n"
        "articles = tuple(\n"
        "    ArticleToEnrich(article_id=number, revision=1, title='', language='en',\n"
        "        text=' '.join(draw.choices(words, k=650)), published_at=None)\n"
        "    for number in range(50)\n"
        ")\n"
        "command = EnrichArticles(\n"
        "    lane=Lane.BULK, pipelines=tools.pipelines, articles=articles)\n"
        "event = enrich(command, tools, now=datetime.now(UTC))\n"
        "assert len(event.articles) == 50 and event.articles[0].entities.entities\n"
        "print(resident_megabytes())\n"
    )
    at_rest, at_work = map(int, done.stdout.split())
    assert 60 < at_rest <= 120, done.stderr
    assert 60 < at_work <= 120, done.stderr
