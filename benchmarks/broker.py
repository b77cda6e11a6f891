"""What a message costs: CPU of client and server, over Redis and over RabbitMQ.

Articles travel as they do on the line, in `EnrichArticles` of 1, 10 or 50. One process
publishes all messages, takes them back and acknowledges each, as a worker does, without
the work itself. CPU time counts, because the clock tells how busy the machine is.
"""

import argparse
import json
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from celery import Celery
from support.rabbitmq import find_rabbitmq, running_rabbitmq
from support.servers import own_redis

from enrich.messages import ArticleToEnrich, EnrichArticles, Lane
from services import routes
from services.app import make_app
from services.publish import publish
from services.settings import Settings

BATCHES = (1, 10, 50)
ARTICLE_WORDS = 350  # some 2,700 characters
PATIENCE_SECONDS = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """CPU milliseconds for each message and each article, at one size of batch."""

    broker: str
    batch: int
    n_messages: int
    publish_ms: float  # of a message, in the process that sends
    take_ms: float  # of a message, in the process that receives
    server_ms: float  # of a message, in the broker
    article_ms: float  # all three, for one article


def main() -> None:
    """Measure both brokers and print a table, then one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, default=300)
    n_messages = parser.parse_args().messages
    costs = []
    for name, server in SERVERS.items():
        with server() as found:
            if found is None:
                print(f"{name}: not on this machine")
                continue
            url, pid = found
            costs += [measure(name, url, pid, batch, n_messages) for batch in BATCHES]
    for cost in costs:
        print(
            f"{cost.broker:9} batch {cost.batch:2}: publish {cost.publish_ms:6.2f} ms,"
            f" take {cost.take_ms:6.2f} ms, server {cost.server_ms:6.2f} ms a message;"
            f" {cost.article_ms:6.3f} ms an article"
        )
    print(json.dumps({"costs": [asdict(cost) for cost in costs]}))


@contextmanager
def redis_server() -> Iterator[tuple[str, int] | None]:
    """Yield URL and process of a Redis that keeps what it takes."""
    with own_redis(durable=True) as server:
        yield server.url, server.pid


@contextmanager
def rabbitmq_server() -> Iterator[tuple[str, int] | None]:
    """Yield URL and process of a RabbitMQ, where there is one."""
    programs = find_rabbitmq()
    if programs is None:
        yield None
        return
    with running_rabbitmq(programs) as server:
        yield server.url, server.pid


SERVERS = {"redis": redis_server, "rabbitmq": rabbitmq_server}


def measure(name: str, url: str, pid: int, batch: int, n_messages: int) -> Cost:
    """Send and take so many messages; a few before them warm both sides up."""
    with TemporaryDirectory() as home:
        app = make_app(Settings(home=Path(home), broker_url=url))
        command = command_of(batch)
        send(app, command, 10)
        take(app, 10)
        before = server_seconds(pid)
        sent = own_seconds(lambda: send(app, command, n_messages))
        taken = own_seconds(lambda: take(app, n_messages))
        served = server_seconds(pid) - before
        app.close()
    each = 1000 / n_messages
    return Cost(
        broker=name,
        batch=batch,
        n_messages=n_messages,
        publish_ms=round(sent * each, 3),
        take_ms=round(taken * each, 3),
        server_ms=round(served * each, 3),
        article_ms=round((sent + taken + served) * each / batch, 4),
    )


def command_of(batch: int) -> EnrichArticles:
    """Return a command for so many articles of the usual length."""
    articles = tuple(
        ArticleToEnrich(
            article_id=n,
            revision=1,
            title=f"The council of town {n} meets",
            text=" ".join(f"word{(n * word) % 997}" for word in range(ARTICLE_WORDS)),
            language="en",
            published_at=None,
        )
        for n in range(1, batch + 1)
    )
    return EnrichArticles(lane=Lane.BULK, pipelines=(), articles=articles)


def send(app: Celery, command: EnrichArticles, n_messages: int) -> None:
    """Publish the command so many times."""
    for _ in range(n_messages):
        publish(app, command)


def take(app: Celery, n_messages: int) -> None:
    """Take so many messages as a worker does, and acknowledge each."""
    n_left = n_messages

    def acknowledge(body: object, message: object) -> None:
        nonlocal n_left
        del body
        message.ack()  # type: ignore[attr-defined]
        n_left -= 1

    queue = app.amqp.queues[routes.ENRICH_BULK]
    with (
        app.connection_for_read() as connection,
        connection.Consumer(
            queue, callbacks=[acknowledge], accept=["json"], prefetch_count=1
        ),
    ):
        deadline = time.monotonic() + PATIENCE_SECONDS
        while n_left > 0 and time.monotonic() < deadline:
            connection.drain_events(timeout=10)
    if n_left:
        raise SystemExit(f"{n_left} of {n_messages} messages did not arrive")


def own_seconds(work: Callable[[], object]) -> float:
    """Return the CPU seconds that the work takes in this process."""
    started = time.process_time()
    work()
    return time.process_time() - started


def server_seconds(pid: int) -> float:
    """Return the CPU seconds that a process has used so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    user, system = int(fields[11]), int(fields[12])
    return (user + system) / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    main()
