"""`wireroom feeds`: subscribe, list, explain, pause, resume, remove, import, export."""

import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from ingest.feedlists import read_list
from ingest.messages import utc_now
from ingest.opml import OpmlError, Subscription, write_opml
from ingest.pagewords import PagePolicy
from ingest.urls import url_key
from services.cli import why
from services.cli.base import ask_for_work, open_store
from services.cli.call import Call, call_of
from services.cli.deeds import note
from services.cli.feeds_parse import parse
from services.cli.feeds_set import PAGES_HELP, set_command
from services.cli.feeds_test import test
from services.cli.folders import (
    every_seconds,
    file,
    folder_facts,
    is_folder,
    new_folder,
    refuse_overlaps,
    show_polls,
)
from services.cli.hosts import hosts, lift
from services.cli.output import ExitCode, Failure
from store import feeds as subscriptions
from store.engine import reading, transaction
from store.journal import Action, Deed, about
from store.queries.feeds import list_feeds
from store.queries.folders import folder_polls, folder_state
from store.queries.schedule import feed_schedule, last_polls
from store.words import FeedKind, FeedState

app = typer.Typer(no_args_is_help=True, help="Subscriptions: what is polled.")

# Both look at feeds that nobody subscribes to yet, and open no database.
app.command()(parse)
app.command()(test)
app.command()(file)
app.command()(hosts)
app.command()(lift)
app.command("set")(set_command)

Refs = Annotated[list[str], typer.Argument(help="Ids or addresses of feeds.")]


@app.command()
def add(  # noqa: PLR0913, PLR0917 - one argument an option
    ctx: typer.Context,
    urls: Annotated[
        list[str], typer.Argument(help="Addresses of feeds, paths of folders.")
    ],
    source: Annotated[str | None, typer.Option(help="Name of the publisher.")] = None,
    tag: Annotated[list[str] | None, typer.Option(help="A label; repeatable.")] = None,
    pages: Annotated[PagePolicy, typer.Option(help=PAGES_HELP)] = PagePolicy.AUTO,
    every: Annotated[
        str | None, typer.Option(help="Pace of folders, as 90s, 5m, 1h; else 60s.")
    ] = None,
) -> None:
    """Subscribe to feeds; they are polled at once and then by their own pace.

    The absolute path of a folder makes all files in it, and those to come, a feed.
    """
    tags = tuple(tag or ())
    web = [url for url in urls if not is_folder(url)]
    if web and every is not None:
        raise Failure("only folders have a fixed pace (--every)", ExitCode.USAGE)
    new = [
        new_folder(url, source=source, tags=tags, every=every)
        if is_folder(url)
        else new_feed(url, source=source, tags=tags, pages=pages)
        for url in urls
    ]
    pace = None if every is None else every_seconds(every)
    _subscribe(call_of(ctx), new, Action.FEEDS_ADD, every_seconds=pace)


def new_feed(
    url: str,
    *,
    source: str | None = None,
    title: str | None = None,
    tags: tuple[str, ...] = (),
    pages: PagePolicy | None = None,
) -> subscriptions.NewFeed:
    """Return a subscription; addresses of one page have one key.

    Raises:
        Failure: It is not an http or https address.
    """
    key = url_key(url)
    if key is None:
        raise Failure(f"not an http or https address: {url}", ExitCode.USAGE)
    return subscriptions.NewFeed(
        url=url.strip(),
        url_key=key,
        title=title,
        source=source,
        tags=tags,
        pages=pages or PagePolicy.AUTO,
    )


def _subscribe(
    call: Call,
    new: list[subscriptions.NewFeed],
    action: Action,
    **more: object,
) -> None:
    with open_store(call.settings) as engine:
        with transaction(engine) as session:
            refuse_overlaps(session, new)
            ids = subscriptions.add_feeds(session, new, now=utc_now())
            if isinstance(pace := more.get("every_seconds"), int):
                keys = [one.url_key for one in new]
                subscriptions.set_pace(session, keys, pace)
            if ids or pace:
                urls = subscriptions.addresses(session, ids)
                after = {"n": len(ids), "urls": urls, **more}
                deed = Deed(action=action, subject=about("feed", ids), after=after)
                note(session, call.operator, deed)
        ask_for_work(call.settings, call.output)
    facts = {"added": len(ids), "already": len(new) - len(ids), "ids": ids}
    if more.get("left_out"):
        facts |= {"left_out": more["left_out"]}
    call.output.facts(facts)


COLUMNS = (
    *("id", "state", "title", "url", "n_articles", "last_outcome", "last_polled_at"),
    *("next_poll_at", "n_errors", "reason", "liveness", "unusual", "unusual_since"),
    *("unusual_reason", "pages"),
)


@app.command("list")
def list_command(ctx: typer.Context) -> None:
    """List feeds with their health."""
    call = call_of(ctx)
    with open_store(call.settings) as engine, reading(engine) as session:
        rows = [asdict(feed) for feed in list_feeds(session)]
    call.output.rows(rows, columns=COLUMNS)


@app.command("why")
def why_command(
    ctx: typer.Context,
    feed: Annotated[str, typer.Argument(help="Id or address of a feed.")],
) -> None:
    """Tell when a feed is due and why: last polls, pace, errors, what was asked for."""
    call = call_of(ctx)
    with open_store(call.settings) as engine, reading(engine) as session:
        (feed_id,) = subscriptions.find_feeds(session, [feed])
        found = feed_schedule(session, feed_id)
        polls = last_polls(session, feed_id)
        folder = folder_state(session, feed_id)
        listings = folder_polls(session, feed_id)
    facts = why.explain(found, now=utc_now()) | folder_facts(folder)
    if folder and call.output.as_json:
        facts |= {"listings": [asdict(one) for one in listings]}
    why.show(call.output, facts, polls)
    if folder and not call.output.as_json:
        show_polls(call.output, listings)


@app.command()
def pause(ctx: typer.Context, feeds: Refs) -> None:
    """Stop polling feeds until they are resumed."""
    _set_state(call_of(ctx), feeds, FeedState.PAUSED, Action.FEEDS_PAUSE)


@app.command()
def resume(ctx: typer.Context, feeds: Refs) -> None:
    """Poll feeds again, also those that were gone or quarantined."""
    _set_state(call_of(ctx), feeds, FeedState.ACTIVE, Action.FEEDS_RESUME)


@app.command()
def remove(ctx: typer.Context, feeds: Refs) -> None:
    """Unsubscribe from feeds; their articles stay."""
    _set_state(call_of(ctx), feeds, FeedState.REMOVED, Action.FEEDS_REMOVE)


def _set_state(call: Call, refs: list[str], state: FeedState, action: Action) -> None:
    reason = None if state is FeedState.ACTIVE else "by the operator"
    with open_store(call.settings) as engine, transaction(engine) as session:
        ids = subscriptions.find_feeds(session, refs)
        before = {"states": subscriptions.states(session, ids)}
        subscriptions.set_state(session, ids, state, reason=reason, now=utc_now())
        after = {"n": len(ids), "state": state}
        subject = about("feed", ids)
        deed = Deed(action=action, subject=subject, before=before, after=after)
        note(session, call.operator, deed)
    call.output.facts({"state": state, "ids": ids})


@app.command("import")
def import_command(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(help="A list of feeds in OPML or CSV.")],
) -> None:
    """Subscribe to all feeds of a list. Exit code 1: it names others that cannot be.

    A list is OPML, or CSV with the columns url, title, source and tags, or a text with
    an address in each line; its content says which.
    """
    try:
        outline = read_list(file.read_bytes())
    except (OSError, OpmlError) as error:
        raise Failure(f"{file}: {error}", ExitCode.USAGE) from error
    call = call_of(ctx)
    for one in outline.skipped:
        call.output.warn(f"line {one.line} is left out, {one.reason}: {one.text}")
    if not outline.subscriptions:
        raise Failure(f"{file}: it names no feed", ExitCode.USAGE)
    new = [
        new_feed(s.url, title=s.title, source=s.source, tags=s.tags, pages=s.pages)
        for s in outline.subscriptions
    ]
    n_left_out = len(outline.skipped)
    _subscribe(call, new, Action.FEEDS_IMPORT, file=str(file), left_out=n_left_out)
    if n_left_out:
        raise typer.Exit(ExitCode.PROBLEMS)


@app.command()
def export(
    ctx: typer.Context,
    file: Annotated[Path | None, typer.Argument(help="Else standard output.")] = None,
) -> None:
    """Write all subscriptions as OPML."""
    call = call_of(ctx)
    with open_store(call.settings) as engine, reading(engine) as session:
        listed = [one for one in list_feeds(session) if one.kind == FeedKind.WEB]
    opml = write_opml(
        [
            Subscription(
                url=one.url,
                title=one.title,
                tags=tuple(one.tags),
                pages=None if one.pages == PagePolicy.AUTO else PagePolicy(one.pages),
            )
            for one in listed
            if one.state != FeedState.REMOVED
        ],
        title="wireroom",
    )
    if file is None:
        sys.stdout.buffer.write(opml)
        return
    file.write_bytes(opml)
    call.output.say(f"{file}: {len(listed)} feeds")
