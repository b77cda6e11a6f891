"""`wireroom extract` and `wireroom ner-eval`: names in texts, without a database."""

import lzma
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer

from enrich.entities.evaluate import evaluate
from enrich.entities.iob2 import LabelledSentence, Scores, read_labelled
from enrich.entities.operators import compile_names, read_names
from enrich.entities.tiers import load_extractor
from enrich.errors import BadLabelledText
from enrich.messages import (
    ArticleToEnrich,
    EnrichArticles,
    EnrichedArticle,
    EntityKind,
    Lane,
    Stage,
)
from enrich.pipeline import MAX_TEXT_CHARS, EnrichOptions, Tools, enrich, make_tools
from ingest.messages import utc_now
from services.cli.call import call_of
from services.cli.output import ExitCode, Failure
from services.cli.tables import read_table
from services.cli.texts import MAX_TITLE_CHARS, Unusable, parse_record, read_lines
from services.enricher import enrich_options
from services.memory import peak_megabytes
from services.settings import Settings

app = typer.Typer()

MAX_LABELLED_BYTES = 200_000_000

COLUMNS = ("id", "language", "field", "start", "end", "label", "text", "key")
SCORES = ("words", "label", "precision", "recall", "f1", "n_labelled")

Tier = Annotated[
    str | None,
    typer.Option(
        help="crf, minilm, rules, spacy:NAME, gliner:NAME, hf:NAME; unset: as set."
    ),
]
Names = Annotated[
    Path | None,
    typer.Option(help="A table of what to know of names, as for entities import."),
]


@app.command()
def extract(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(help="JSON Lines with id and text.")],
    tier: Tier = None,
    names: Names = None,
) -> None:
    """Find who and what texts name, stored nowhere. Exit code 1: some lines gave none.

    A line holds `id` and `text`, and may hold `title` and `language`. With --json one
    object a line for each text; places are characters of the field.
    """
    call = call_of(ctx)
    options = enrich_options_of(call.settings, tier, names)
    tools = make_tools(replace(options, story_embeddings=False))
    n_bad = 0
    rows: list[dict[str, Any]] = []
    for number, line in read_lines(file):
        try:
            found = _extract(line, number, tools)
        except Unusable as error:
            n_bad += 1
            call.output.warn(f"{file}, line {number}: {error}")
            continue
        if call.output.as_json:
            call.output.facts(found)
        else:
            rows += [found | mention for mention in found["mentions"]]
    if not call.output.as_json:
        call.output.rows(rows, columns=COLUMNS)
    if n_bad:
        raise typer.Exit(ExitCode.PROBLEMS)


@app.command()
def ner_eval(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(help="IOB2, also packed with xz.")],
    tier: Tier = None,
    names: Names = None,
) -> None:
    """Compare the names found in English sentences with their labels.

    Twice: on the words as the file has them, and on running text made of them. A name
    counts if its span and its label are right.
    """
    call = call_of(ctx)
    options = enrich_options_of(call.settings, tier, names)
    sentences = _read_labelled(file)
    aliases = compile_names(read_names(options.names)).aliases
    extractor = load_extractor(options.entity_tier, aliases)
    result = evaluate(extractor, sentences)
    facts = {
        "tier": options.entity_tier,
        "version": extractor.info.version,
        "sentences": len(sentences),
        "words": result.n_words,
        "words_per_cpu_second": round(result.words_per_cpu_second),
        "peak_megabytes": peak_megabytes(),
    }
    rows = [*_rows("as labelled", result.on_words), *_rows("raw text", result.on_text)]
    if call.output.as_json:
        call.output.facts(facts | {"scores": rows})
        return
    call.output.rows(rows, columns=SCORES)
    call.output.heading("What it took")
    call.output.facts(facts)


def enrich_options_of(
    settings: Settings, tier: str | None, names: Path | None = None
) -> EnrichOptions:
    """Return what is set, with the tier and the names that a command was given."""
    options = enrich_options(settings)
    return replace(
        options,
        entity_tier=tier or options.entity_tier,
        entity_second_tier=None,  # one is asked for, the other need not be loaded
        names="" if names is None else read_table(names),
    )


def _extract(line: bytes, number: int, tools: Tools) -> dict[str, Any]:
    record = parse_record(line, ("title", "language"))
    title = record.get("title") or ""
    article = ArticleToEnrich(
        article_id=number,
        revision=1,
        title=title[:MAX_TITLE_CHARS],
        text=record["text"],
        language=record.get("language"),
        published_at=None,
    )
    wanted = {Stage.LANGUAGE, Stage.ENTITIES}
    pipelines = tuple(one for one in tools.pipelines if one.stage in wanted)
    command = EnrichArticles(lane=Lane.BULK, pipelines=pipelines, articles=(article,))
    event = enrich(command, tools, now=utc_now())
    if event.failed:
        raise Unusable(f"{event.failed[0].error}: {event.failed[0].detail}")
    return {
        "id": record["id"],
        **_told(event.articles[0]),
        "truncated": len(title) > MAX_TITLE_CHARS or len(article.text) > MAX_TEXT_CHARS,
    }


def _told(article: EnrichedArticle) -> dict[str, Any]:
    mentions = article.entities.mentions if article.entities else ()
    return {
        "language": article.language.code if article.language else None,
        "mentions": [
            {
                "start": mention.start,
                "end": mention.end,
                "text": mention.surface,
                "label": mention.kind.value,
                "key": mention.entity_key,
                "field": mention.field.value,
            }
            for mention in mentions
        ],
    }


def _read_labelled(file: Path) -> list[LabelledSentence]:
    try:
        body = file.read_bytes()
        if file.suffix == ".xz":
            body = _unpack(body)
        sentences = read_labelled(body.decode("utf-8"))
    except (OSError, lzma.LZMAError, ValueError, BadLabelledText) as error:
        raise Failure(f"{file}: {error}", ExitCode.USAGE) from None
    if not sentences:
        raise Failure(f"{file}: holds no sentence", ExitCode.USAGE)
    return sentences


def _unpack(body: bytes) -> bytes:
    unpacker = lzma.LZMADecompressor()
    unpacked = unpacker.decompress(body, MAX_LABELLED_BYTES)
    if not unpacker.eof:
        raise ValueError(f"is cut off, or holds more than {MAX_LABELLED_BYTES} bytes")
    return unpacked


def _rows(words: str, scores: Scores) -> Iterator[dict[str, Any]]:
    kinds = [kind.value for kind in EntityKind]
    for label, counted in [*((kind, [kind]) for kind in kinds), ("all", kinds)]:
        precision, recall, f1 = (round(100 * rate, 1) for rate in scores.of(counted))
        yield {
            "words": words,
            "label": label,
            "precision": precision,
            "recall": recall,
            "f1": f1,
            "n_labelled": sum(scores.labelled[kind] for kind in counted),
        }
