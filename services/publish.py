"""Publish: a message goes to the queue that its route names."""

from typing import Any

from celery import Celery
from kombu.exceptions import ChannelError, KombuError, OperationalError
from kombu.transport.virtual import Channel

from services import routes, wire

# Text of articles shrinks to a third; below this size zlib costs more than it saves.
COMPRESS_ABOVE_CHARS = 8_000
# Of RabbitMQ, for one try; Redis answers or fails by itself.
CONFIRM_SECONDS = 5.0


class BrokerUnavailable(Exception):
    """The broker cannot be reached or refuses work; the sweeper will send it again."""

    def __init__(self, action: str, reason: str) -> None:
        super().__init__(action, reason)
        self.action = action
        self.reason = reason

    def __str__(self) -> str:
        """Return one sentence for the operator."""
        return f"the broker is not available to {self.action}: {self.reason}"


def publish(
    app: Celery, message: wire.Message, *, held: int = 0, after_seconds: int = 0
) -> None:
    """Send the message to the task that its route names.

    Args:
        app: Knows the broker and the queues.
        message: What to send.
        held: How often this very message has been put back already.
        after_seconds: Delay before it is worked on; at most a minute, because Redis
            hands a message with a long one out twice.

    Raises:
        BrokerUnavailable: The broker did not take it after a few tries.
        WireError: The message cannot be encoded.
        LookupError: No route carries its class.
    """
    route = routes.route_of(type(message))
    payload = wire.encode(message)
    _send(
        app,
        "publish",
        route.task,
        args=(payload,),
        queue=routes.queue_of(message),
        compression="zlib" if len(payload) > COMPRESS_ABOVE_CHARS else None,
        # By default a kilobyte of article text would travel as a label.
        argsrepr=f"({message.SCHEMA})",
        kwargsrepr="",
        ignore_result=True,
        retries=held,
        countdown=after_seconds or None,
    )


def nudge(app: Celery, task: str = routes.TICK) -> None:
    """Ask the store to look for work now and not when the clock says so.

    Args:
        app: Knows the broker and the queues.
        task: What to run, of the tasks that the clock runs.

    Raises:
        BrokerUnavailable: The broker did not take it after a few tries.
    """
    _send(app, "ask for work", task, queue=routes.SCHEDULED[task])


def _send(app: Celery, action: str, task: str, **options: Any) -> None:
    # RabbitMQ returns what no queue takes, and says when it has the message.
    options |= {"mandatory": True, "confirm_timeout": CONFIRM_SECONDS}
    try:
        with app.producer_or_acquire() as producer:
            try:
                app.send_task(task, producer=producer, **options)
            except ChannelError:
                # The confirmation is still to come, and would be taken for that of
                # the next message on this connection.
                producer.connection.collect()
                raise
    except (OperationalError, KombuError, ChannelError, OSError) as error:
        raise BrokerUnavailable(action, _one_line(error)) from error


def queue_length(app: Celery, queue: str) -> int:
    """Return how many messages wait in the queue, not counting those at work.

    Raises:
        BrokerUnavailable: The broker cannot be asked.
    """
    try:
        with app.connection_or_acquire() as connection:
            connection.ensure_connection(max_retries=1, interval_step=0.2)
            # A passive look at an empty queue fails, and in kombu 5.7 at any queue
            # of a Redis with a key prefix. There an active one makes nothing.
            passive = connection.transport.driver_type != "redis"
            return _count(connection.default_channel, queue, passive=passive)
    except (OperationalError, KombuError, OSError) as error:
        raise BrokerUnavailable("count waiting work", _one_line(error)) from error


def _count(channel: Channel, queue: str, *, passive: bool) -> int:
    try:
        return int(channel.queue_declare(queue, passive=passive).message_count)
    except ChannelError:
        return 0  # the queue is declared by its first worker


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__
