"""`wireroom demo`: the whole line on the sample data, in a scratch home."""

import os
import shutil
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import typer

from ingest.messages import utc_now
from services.cli.base import open_store
from services.cli.call import Call, call_of
from services.cli.feeds import new_feed
from services.cli.ingest import await_run, write_down
from services.cli.line import line_for
from services.cli.output import Failure, Row
from services.cli.poll import ask_for_polls
from services.cli.sample_server import serve_feeds
from services.secrets import mask_url
from store import feeds as subscriptions
from store import queries
from store.engine import Engine, Session, reading, transaction
from store.queries.status import Totals
from store.words import FeedState

app = typer.Typer()

SEEDS = Path(__file__).resolve().parents[2] / "seeds"
# The sample feeds are served here, where polls may not go by default.
LOOPBACK = "127.0.0.0/8"
TIMEOUT_SECONDS = 300.0
TOP = 12


@app.command()
def demo(ctx: typer.Context) -> None:
    """Run the line on the sample files and feeds, and show what it finds.

    Works in WIREROOM_HOME or --home if given, else in a folder for temporary files. A
    second run in the same home adds nothing.
    """
    call = _scratch(call_of(ctx))
    started = time.monotonic()
    call.output.say(f"demo home: {call.settings.home}")
    with line_for(call, own=True), open_store(call.settings) as engine:
        before = _totals(engine)
        working = time.monotonic()
        _ingest(call, engine)
        _poll(call, engine)
        worked = time.monotonic() - working
        after = _totals(engine)
        report = _look(engine)
    seconds = time.monotonic() - started
    n_added = after.articles - before.articles
    summary = {
        **asdict(after),
        "added": n_added,
        "revisions_added": after.revisions - before.revisions,
        "seconds": round(seconds, 2),
        "working_seconds": round(worked, 2),
        "articles_per_second": round(n_added / worked, 2),
        "broker": mask_url(call.settings.broker.url),
        "database": mask_url(call.settings.database_url),
        "home": str(call.settings.home),
    }
    if call.output.as_json:
        call.output.facts(summary)
    else:
        _show(call, summary, report)


def _scratch(call: Call) -> Call:
    """Return the call with a home of its own, and leave to poll on loopback.

    The pages of its articles are nowhere, so nobody looks for them.
    """
    chosen = {**call.overrides, "allow_networks": LOOPBACK, "pages": False}
    if "home" not in chosen and not os.environ.get("WIREROOM_HOME"):
        chosen["home"] = Path(tempfile.gettempdir()) / f"wireroom-demo-{os.getuid()}"
    return Call(output=call.output, overrides=chosen)


def _totals(engine: Engine) -> Totals:
    with reading(engine) as session:
        return queries.counts(session)


def _ingest(call: Call, engine: Engine) -> None:
    """Ingest the sample files, then the later edition of one of them."""
    if not SEEDS.is_dir():
        raise Failure(f"the sample data is not at {SEEDS}")
    folder = call.settings.home / "seeds"
    for edition in ("articles", "updates"):
        for file in sorted((SEEDS / edition).rglob("*.txt")):
            target = folder / file.relative_to(SEEDS / edition)
            target.parent.mkdir(parents=True, exist_ok=True)
            # The later edition of the first run stands; a second run finds it so.
            if edition == "updates" or not target.exists():
                shutil.copyfile(file, target)
        run_id, n_files = write_down(
            engine, [folder], source=None, operator=call.operator
        )
        call.output.say(f"ingesting {n_files} files ({edition})")
        await_run(call, engine, run_id, TIMEOUT_SECONDS)


def _poll(call: Call, engine: Engine) -> None:
    """Poll the sample feeds; their server is only there for as long as we are."""
    with serve_feeds(SEEDS / "feeds", seed=str(call.settings.home)) as urls:
        call.output.say(f"polling {len(urls)} sample feeds on loopback")
        with transaction(engine) as session:
            now = utc_now()
            subscriptions.add_feeds(session, [new_feed(url) for url in urls], now=now)
            ids = subscriptions.find_feeds(session, urls)
            _set(session, ids, FeedState.ACTIVE, None)
        run_id, _ = ask_for_polls(engine, urls, operator=call.operator)
        await_run(call, engine, run_id, TIMEOUT_SECONDS)
        with transaction(engine) as session:
            _set(session, ids, FeedState.PAUSED, "the demo's server is gone")


def _set(
    session: Session, ids: list[int], state: FeedState, reason: str | None
) -> None:
    subscriptions.set_state(session, ids, state, reason=reason, now=utc_now())


@dataclass(frozen=True, slots=True, kw_only=True)
class _Report:
    sources: list[Row]
    entities: list[Row]
    copies: list[Row]
    stories: list[Row]


def _look(engine: Engine) -> _Report:
    with reading(engine) as session:
        sources = queries.articles_per_source(session)
        entities = queries.list_entities(session, limit=TOP)
        copies = queries.list_duplicates(session, limit=TOP)
        stories = queries.list_stories(session, min_articles=2, limit=TOP)
    return _Report(
        sources=[asdict(one) for one in sources],
        entities=[asdict(one) for one in entities],
        copies=[asdict(one) for one in copies],
        stories=[asdict(one) for one in stories],
    )


def _show(call: Call, summary: Row, report: _Report) -> None:
    output = call.output
    output.heading("Articles per source")
    output.rows(report.sources, columns=("source", "n_articles"))
    output.heading("Top entities")
    output.rows(report.entities, columns=("name", "kind", "n_articles", "n_mentions"))
    output.heading("Copies and their originals")
    output.rows(report.copies, columns=("title", "source", "kind", "original_title"))
    output.heading("Stories")
    output.rows(report.stories, columns=("title", "n_articles", "n_sources"))
    output.heading("Summary")
    output.facts(summary)
    if summary["added"] == 0 and summary["revisions_added"] == 0:
        output.text("Nothing was added: all of it was here already.")
    home = summary["home"]
    output.heading("Try next")
    for command in NEXT:
        output.text(f"  wireroom --home {home} {command}")


NEXT = (
    "articles",
    "search harbour",
    "show 1",
    "entities",
    'sql "SELECT source, title FROM v_articles ORDER BY sort_at DESC LIMIT 10"',
    "audit",
)
