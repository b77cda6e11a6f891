"""What a piece of work is called in messages about it."""

from datetime import UTC, datetime

import pytest

from enrich.messages import (
    ArticleFailed,
    ArticlesEnriched,
    ArticleToEnrich,
    EnrichArticles,
    EnrichedArticle,
    Lane,
)
from services.messages import WorkKind
from services.work import Item, work_of

NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("kind", "item", "text"),
    [
        (WorkKind.POLL, Item(7), "7"),
        (WorkKind.FILE, Item(5, attempt=2), "5:2"),
        (WorkKind.ARTICLE, Item(4, 2, 3), "4:2:3"),
        (WorkKind.PAGE, Item(4, 2, 3), "4:2:3"),
    ],
)
def test_an_id_is_read_back_as_it_was_written(
    kind: WorkKind, item: Item, text: str
) -> None:
    assert item.text(kind) == text
    assert Item.parse(kind, text) == item


def test_a_command_names_the_attempt_and_its_answer_ends_the_piece() -> None:
    asked = ArticleToEnrich(
        article_id=4,
        revision=2,
        title="",
        text="",
        language=None,
        published_at=None,
        attempt=3,
    )
    command = EnrichArticles(lane=Lane.LIVE, pipelines=(), articles=(asked,))
    answer = ArticlesEnriched(
        lane=Lane.LIVE,
        pipelines=(),
        enriched_at=NOW,
        articles=(EnrichedArticle(article_id=4, revision=2),),
        failed=(ArticleFailed(article_id=5, revision=1, error="E", detail="d"),),
    )

    (item,) = work_of(command)
    good, bad = work_of(answer)

    assert item == Item(4, 2, 3)
    assert item.piece == good.piece
    assert bad.piece == (5, 1)
