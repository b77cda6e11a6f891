"""`wireroom stories`: articles on one event, told without a database."""

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import typer

from enrich.messages import (
    ArticleToEnrich,
    EnrichArticles,
    Lane,
    Stage,
    StoryFeatures,
)
from enrich.pipeline import Tools, enrich, make_tools
from enrich.stories.cluster import Reach, cluster
from ingest.messages import utc_now
from services.cli.call import call_of
from services.cli.extract import Tier, enrich_options_of
from services.cli.output import ExitCode, Output
from services.cli.texts import (
    MAX_TITLE_CHARS,
    Id,
    Unusable,
    parse_article,
    read_lines,
)
from store.live import MAX_CANDIDATES, MAX_POSTINGS, WINDOW

app = typer.Typer()

COLUMNS = ("story", "id", "published_at", "title")

REACH = Reach(window=WINDOW, most_of_key=MAX_POSTINGS, most=MAX_CANDIDATES)


class _Text(NamedTuple):
    """What is kept of a line, about 10 KB: its text is not."""

    number: int
    id: Id
    title: str
    at: datetime | None
    features: StoryFeatures


@app.command()
def stories(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(help="JSON Lines with id and text.")],
    tier: Tier = None,
) -> None:
    """Tell which texts are on one event, stored nowhere. Exit code 1: bad lines.

    A line holds `id` and `text`, and may hold `title`, `published_at` and `language`;
    `url` and `source` say nothing here.
    Texts are placed by time, then by line; without a time, they count as of the latest
    one in the file. With --json one object a line: `id` and the number of its `story`.
    """
    call = call_of(ctx)
    tools = make_tools(enrich_options_of(call.settings, tier))
    texts, n_bad = _read(file, tools, call.output)
    places = _tell_apart(texts)
    if call.output.as_json:
        for text in texts:
            call.output.facts({"id": text.id, "story": places[text.number]})
    else:
        texts.sort(key=lambda text: places[text.number])
        rows = [_row(text, places[text.number]) for text in texts]
        call.output.rows(rows, columns=COLUMNS)
    if n_bad:
        raise typer.Exit(ExitCode.PROBLEMS)


def _row(text: _Text, story: int) -> dict[str, Any]:
    return {
        "story": story,
        "id": text.id,
        "published_at": text.at,
        "title": text.title,
    }


def _read(file: Path, tools: Tools, output: Output) -> tuple[list[_Text], int]:
    """Return what lines say, and how many of them say nothing."""
    texts: list[_Text] = []
    ids: dict[Id, int] = {}
    n_bad = 0
    for number, line in read_lines(file):
        try:
            record = parse_article(line, ids, number)
            texts.append(_describe(record, number, tools))
        except Unusable as error:
            n_bad += 1
            output.warn(f"{file}, line {number}: {error}")
    return texts, n_bad


def _describe(record: Mapping[str, Any], number: int, tools: Tools) -> _Text:
    title = (record.get("title") or "")[:MAX_TITLE_CHARS]
    at = record["published_at"]
    article = ArticleToEnrich(
        article_id=number,
        revision=1,
        title=title,
        text=record["text"],
        language=record.get("language"),
        published_at=at,
    )
    pipelines = tuple(one for one in tools.pipelines if one.stage is Stage.STORIES)
    command = EnrichArticles(lane=Lane.BULK, pipelines=pipelines, articles=(article,))
    event = enrich(command, tools, now=utc_now())
    if event.failed:
        raise Unusable(f"{event.failed[0].error}: {event.failed[0].detail}")
    features = event.articles[0].features or StoryFeatures(terms=(), keys=())
    return _Text(number, record["id"], title, at, features)


def _tell_apart(texts: list[_Text]) -> dict[int, int]:
    """Return the story of each line, counted from 1, by the number of the line."""
    latest = max((text.at for text in texts if text.at), default=utc_now())
    # As the store does with what comes in one message: by time, then by number.
    dated = sorted((text.at or latest, text.number, text.features) for text in texts)
    found = cluster([(features, at) for at, _, features in dated], REACH)
    numbers = (number for _, number, _ in dated)
    return {number: story + 1 for number, story in zip(numbers, found, strict=True)}
