"""`wireroom explain`: why an article is an article, a copy, and in its story."""

from contextlib import suppress
from dataclasses import asdict
from typing import Annotated, Any

import typer

from enrich.pipeline import load_story_encoder
from enrich.stories.features import load_statistics
from services.cli.ask import asking, print_lines, spellings
from services.cli.call import call_of
from services.cli.output import Output
from services.cli.story import TURNS
from services.enricher import enrich_options
from services.explaining import CopyOf, Explanation, explain, features_of
from services.judging import JUDGE
from store import queries
from store.engine import Session
from store.errors import NotFound

app = typer.Typer()


@app.command(name="explain")
def explain_article(
    ctx: typer.Context,
    article: Annotated[
        str, typer.Argument(help="Its id, the start of its uid, or its address.")
    ],
) -> None:
    """Explain an article: which key made it, what it copies, why it is in its story.

    Also what almost matched: articles that share marks and are no copies, and the
    nearest other stories, as they are now. Work is bounded whatever the archive.
    """
    encoder = load_story_encoder(enrich_options(call_of(ctx).settings))
    with asking(ctx) as question:
        article_id = _find(question.session, article)
        evidence = queries.get_evidence(question.session, article_id, judge=JUDGE)
        features = features_of(evidence, load_statistics(), encoder)
        near = queries.stories_near(
            question.session, article_id, evidence.sort_at, features
        )
    found = explain(evidence, features, near)
    if question.output.as_json:
        question.output.facts(asdict(found))
    else:
        _print(question.output, found)


def _find(session: Session, ref: str) -> int:
    *filed, typed = spellings(ref)
    for spelling in filed:
        with suppress(NotFound):
            return queries.find_article(session, spelling)
    return queries.find_article(session, typed)


def _print(output: Output, found: Explanation) -> None:
    output.facts(
        {
            "id": found.article_id,
            "title": found.title,
            "source": found.source,
            "identity": found.identity.made_of,
            "made_of": found.identity.value,
            "uid": found.identity.uid,
            "n_appearances": found.n_appearances,
        }
    )
    _table(output, "Appearances", found.appearances, APPEARANCE)
    _table(output, "Revisions", found.revisions, REVISION)
    if found.copy_of is not None:
        output.heading("Copy of")
        output.facts(_copy_facts(found.copy_of))
        _table(output, "Longest matching passages", found.copy_of.passages, PASSAGE)
    title = (
        f"Almost copies (most need a containment of {found.min_containment:g}"
        f" or a resemblance of {found.min_resemblance:g})"
    )
    _table(output, title, found.almost_copies, ALMOST)
    if found.story is not None:
        output.heading("Story")
        output.facts(_without(asdict(found.story), "terms", "turns"))
        _table(output, "What article and story share", found.story.terms, TERM)
        _table(output, "What happened, the latest first", found.story.turns, TURNS)
    title = f"Nearest other stories now (to join takes {found.min_similarity:g})"
    _table(output, title, found.other_stories, OTHER)


def _table(
    output: Output, title: str, lines: tuple[Any, ...], columns: tuple[str, ...]
) -> None:
    if lines:
        output.heading(title)
        print_lines(output, lines, columns=columns)


def _copy_facts(found: CopyOf) -> dict[str, Any]:
    facts = _without(asdict(found), "passages")
    for name in ("numbers_only_here", "numbers_only_there"):
        facts[name] = "  ".join(facts[name]) or None
    return facts


def _without(facts: dict[str, Any], *names: str) -> dict[str, Any]:
    return {key: value for key, value in facts.items() if key not in names}


APPEARANCE = ("first_seen_at", "outcome", "key_mode", "key", "feed")
REVISION = ("number", "created_at", "n_chars", "new_title", "new_text", "extractor")
PASSAGE = ("n_tokens", "in_article", "in_original")
ALMOST = (
    *("article_id", "source", "title", "n_shared_keys", "containment", "resemblance"),
)
TERM = ("term", "share")
OTHER = ("story_id", "title", "n_articles", "score")
