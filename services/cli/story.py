"""`wireroom story`: one story, its articles, and what happened to it."""

from dataclasses import asdict
from typing import Annotated

import typer

from services.cli.articles import COLUMNS
from services.cli.ask import Limit, asking, print_lines
from store import queries
from store.errors import NotFound

app = typer.Typer()

TURNS = ("at", "kind", "story_id", "other_story_id", "article_id", "title")


@app.command()
def story(
    ctx: typer.Context,
    story: Annotated[int, typer.Argument(help="Its id; one that was merged will do.")],
    limit: Limit = 20,
) -> None:
    """Show a story: its articles, and what happened to it, the latest first.

    Opened, joined, moved from another story, merged into another, split from another.
    """
    with asking(ctx) as question:
        found = queries.find_story(question.session, story)
        if found is None:
            raise NotFound("story", story)
        lines = queries.list_articles(question.session, story_id=found.id, limit=limit)
        turns = queries.story_turns(question.session, found.id, limit=limit)
    if question.output.as_json:
        told = {"articles": list(map(asdict, lines)), "turns": list(map(asdict, turns))}
        question.output.facts(asdict(found) | told)
        return
    question.output.facts(asdict(found))
    question.output.heading("Articles, the newest first")
    print_lines(question.output, lines, columns=COLUMNS)
    question.output.heading("What happened, the latest first")
    print_lines(question.output, turns, columns=TURNS)
