"""Publishing, over the real kombu transport that lives inside the process."""

from datetime import UTC, datetime
from typing import Any

import pytest
from celery import Celery

from enrich.messages import ArticleToEnrich, EnrichArticles, Lane
from services import wire
from services.app import make_app
from services.messages import WorkFailed, WorkKind
from services.publish import BrokerUnavailable, publish, queue_length
from services.settings import Settings


@pytest.fixture
def app() -> Celery:
    made = make_app(Settings(broker_url="memory://"))
    for queue in made.conf.task_queues:
        take(made, queue.name)  # kombu keeps the queues for the whole process
    return made


def take(app: Celery, queue: str) -> list[Any]:
    """Take all messages that wait in a queue."""
    with app.connection_for_read() as connection:
        simple = connection.SimpleQueue(queue)
        messages = []
        while simple.qsize():
            messages.append(simple.get(timeout=1))
            messages[-1].ack()
        simple.close()
    return messages


def command(text: str, lane: Lane = Lane.LIVE) -> EnrichArticles:
    article = ArticleToEnrich(
        article_id=1,
        revision=1,
        title="A title",
        text=text,
        language=None,
        published_at=None,
    )
    return EnrichArticles(lane=lane, pipelines=(), articles=(article,))


def test_a_command_goes_to_the_queue_of_its_lane(app: Celery) -> None:
    publish(app, command("text", Lane.BULK))

    (message,) = take(app, "enrich.bulk")
    assert message.headers["task"] == "enrich.articles"
    assert wire.decode(EnrichArticles, message.payload[0][0]).lane is Lane.BULK


def test_no_text_travels_in_the_headers(app: Celery) -> None:
    publish(app, command("a secret sentence"))

    (message,) = take(app, "enrich.live")
    assert "secret" not in str(message.headers)


@pytest.mark.parametrize(
    ("text", "compression"),
    [("short", None), ("long " * 4000, "application/x-gzip")],
)
def test_long_texts_are_compressed(
    app: Celery, text: str, compression: str | None
) -> None:
    publish(app, command(text))

    (message,) = take(app, "enrich.live")
    assert message.headers.get("compression") == compression
    sent = wire.decode(EnrichArticles, message.payload[0][0])
    assert sent.articles[0].text == text


def test_waiting_messages_are_counted(app: Celery) -> None:
    assert queue_length(app, "enrich.live") == 0

    publish(app, command("text"))
    publish(app, command("text"))

    assert queue_length(app, "enrich.live") == 2


def test_a_broker_that_is_away_is_one_clear_error() -> None:
    app = make_app(Settings(broker_url="redis://127.0.0.1:1/0"))
    event = WorkFailed(
        task="t",
        kind=WorkKind.MESSAGE,
        ids=(),
        error="E",
        detail="",
        permanent=True,
        failed_at=datetime(2026, 1, 1, tzinfo=UTC),
    )

    with pytest.raises(BrokerUnavailable, match="not available to publish"):
        publish(app, event)
    with pytest.raises(BrokerUnavailable, match="not available to count"):
        queue_length(app, "store")
