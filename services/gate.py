"""The gate of a worker: what is no message of ours is refused and kept as a failure."""

import logging
import zlib
from collections.abc import Callable, Container, Iterable
from datetime import datetime
from typing import Any

import msgspec
from celery.worker.consumer import Consumer
from kombu import Exchange, compression
from kombu.transport.native_delayed_delivery import CELERY_DELAYED_DELIVERY_EXCHANGE

from ingest.documents import deflate
from ingest.messages import utc_now
from services import routes, wire
from services.broker import DEAD_LETTERS
from services.envelopes import NO_MESSAGE, guard_lists
from services.messages import WorkFailed, WorkKind
from services.publish import BrokerUnavailable, publish

log = logging.getLogger("wireroom.gate")

JSON = "application/json"
ZLIB = "application/x-gzip"
# A payload is a string inside JSON, where each of its quotes takes a second byte.
MAX_BODY_BYTES = 2 * wire.MAX_PAYLOAD_BYTES
MAX_KEPT_CHARS = 100_000  # of what was refused; enough to see where it came from


class TooLarge(ValueError):
    """A body unpacks to more than any message of ours holds."""


class _Labels(msgspec.Struct):
    """What Celery reads of the headers; a stranger's could end the worker."""

    task: str
    id: str
    retries: int = 0
    eta: datetime | None = None
    expires: datetime | None = None


# What Celery would follow: another name for the log, and limits in place of ours. A
# worker that sends a task which it knows itself writes its own there.
NEVER_FOLLOWED = {"shadow": None, "timelimit": [None, None]}


def why_refused(
    headers: object, content_type: object, n_bytes: int, *, tasks: Container[str]
) -> str | None:
    """Return why a message is none of ours, in one sentence; None if it may be one.

    Args:
        headers: Of the message, as they came.
        content_type: What its body claims to be.
        n_bytes: Length of the body, unpacked.
        tasks: Names that this worker knows.
    """
    if content_type == NO_MESSAGE:
        return "it is no message"
    name = headers.get("task") if isinstance(headers, dict) else None
    if not isinstance(name, str):
        return "it names no task"
    if name not in tasks:
        return "this worker has no such task"
    if content_type != JSON:
        return "its body is not JSON"
    if n_bytes > MAX_BODY_BYTES:
        return f"its {n_bytes} bytes are above the limit of {MAX_BODY_BYTES}"
    return None if _are_labels(headers) else "its labels are not those of a call"


def _are_labels(headers: object) -> bool:
    try:
        msgspec.convert(headers, _Labels)
    except msgspec.ValidationError:
        return False
    return True


def inflate(body: bytes) -> bytes:
    """Return the unpacked body.

    Raises:
        TooLarge: It would be larger than any message of ours.
        zlib.error: It was not packed by zlib.
    """
    unpacker = zlib.decompressobj()
    unpacked = unpacker.decompress(body, MAX_BODY_BYTES + 1)
    if len(unpacked) > MAX_BODY_BYTES:
        raise TooLarge(f"it unpacks to more than {MAX_BODY_BYTES} bytes")
    return unpacked


def guard_unpacking() -> None:
    """Unpack what we pack, within bounds, and nothing else.

    A few kilobytes may unpack to gigabytes, before anybody looks at the message.
    """

    def refuse(_: bytes) -> bytes:
        raise ValueError("it is packed in a way that we never use")

    for kind in compression.encoders():
        if kind != ZLIB:
            compression.register(refuse, refuse, kind)
    compression.register(deflate, inflate, ZLIB, aliases=["gzip", "zlib"])


class Gate(Consumer):
    """Celery's consumer, which would drop such messages and print them to the log."""

    strategies: dict[str, Any]  # what to do with a message, by the name of its task
    connection_errors: tuple[type[Exception], ...]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        guard_unpacking()
        super().__init__(*args, **kwargs)

    def connect(self) -> Any:
        """Connect, with every queue of the line there, and nothing read unseen."""
        connection = super().connect()
        channel: Any = connection.default_channel
        match connection.transport.driver_type:
            case "amqp":
                _declare(channel, self.app.amqp.queues.values())
            case "redis":
                guard_lists(channel)
        return connection

    def create_task_handler(self, *args: Any, **kwargs: Any) -> Callable[[Any], None]:
        """Return what takes each message as it arrives."""
        take = super().create_task_handler(*args, **kwargs)
        # Celery brings tasks of its own, which call others by name.
        ours = {name for name in self.strategies if not name.startswith("celery.")}

        def look(message: Any) -> None:
            size = len(message.body or b"")
            kind, headers = message.content_type, message.headers
            reason = why_refused(headers, kind, size, tasks=ours)
            if reason:
                self._refuse(message, "MessageRefused", reason)
            elif not _is_call(message):
                self._refuse(message, "MessageRefused", "it is no call of a task")
            else:
                headers.update(NEVER_FOLLOWED)
                take(message)

        return look

    def call_soon_ack(self, p: Any, *args: Any, **kwargs: Any) -> Any:
        """Acknowledge or reject a message; connect anew if the broker cannot hear it.

        Celery only logs that. The message would stay in hand for ever and take up a
        place, and a worker without places takes no work while it looks healthy.
        """
        logger, errors, *rest = args
        consumer: Any = self  # the stubs know little of it
        # One of an earlier connection takes no place in this one.
        if p.__self__.channel is consumer.task_consumer.channel:
            errors = ()
        soon = super().call_soon_ack  # type: ignore[misc]  # unknown to the stubs
        return soon(p, logger, errors, *rest, **kwargs)

    def on_decode_error(self, message: Any, exc: Exception) -> None:
        """Refuse what cannot be decoded."""
        told = isinstance(exc, TooLarge)
        reason = str(exc) if told else "its body cannot be decoded"
        self._refuse(message, type(exc).__name__, reason)

    def on_invalid_task(self, body: Any, message: Any, exc: Exception) -> None:
        """Refuse what is no call of a task."""
        del body
        self._refuse(message, type(exc).__name__, "it is no call of a task")

    def _refuse(self, message: Any, error: str, reason: str) -> None:
        task = _name_of(message.headers)
        log.warning("message.refused", extra={"task": task, "reason": reason})
        if _is_of_a_gate(task, message.headers):
            # It would be refused and told of again and again.
            message.ack()
            return
        failed = WorkFailed(
            task=task,
            kind=WorkKind.MESSAGE,
            ids=(),
            error=error,
            detail=reason,
            permanent=True,
            failed_at=utc_now(),
            payload=_text_of(message.body),
        )
        try:
            publish(self.app, failed, held=1)
        except wire.WireError as unsent:
            log.warning("task.failure_unsent", extra={"reason": str(unsent)})
        except BrokerUnavailable as unsent:
            log.warning("task.failure_unsent", extra={"reason": str(unsent)})
            # It comes again when the broker is back, and until then must take no place
            # in this worker: with a new connection it does not.
            raise ConnectionError(str(unsent)) from unsent
        message.ack()


def _declare(channel: Any, queues: Iterable[Any]) -> None:
    """Make what RabbitMQ must have before the first message.

    It gives back what is held only to queues that exist and are bound to the way out.
    Celery makes the way in first, and what is held before it is done would be lost.
    """
    durable = {"durable": True, "auto_delete": False}
    kind = {"x-queue-type": "quorum"}
    channel.queue_declare(DEAD_LETTERS, arguments=kind, **durable)
    way_out = Exchange(CELERY_DELAYED_DELIVERY_EXCHANGE, type="topic")(channel)
    way_out.declare()
    for one in queues:
        queue, key = one(channel), f"#.{one.routing_key}"
        queue.declare()
        queue.exchange.bind_to(way_out.name, routing_key=key)
        queue.bind_to(queue.exchange.name, routing_key=key)


def _is_call(message: Any) -> bool:
    """Say whether the body is what we send: a payload, or nothing, and no names."""
    try:
        body = message.payload  # decoded once and kept, Celery looks at it again
    except Exception:  # noqa: BLE001 - whatever a stranger's body makes a decoder do
        return False
    takes_payload = routes.message_of(message.headers["task"]) is not None
    match body:
        case [[str()], dict() as names, dict() as calls] if takes_payload:
            pass
        case [[], dict() as names, dict() as calls] if not takes_payload:
            pass
        case _:
            return False
    # Celery would call what a message wants to be called after it.
    return not names and not any(calls.values())


def _name_of(headers: object) -> str:
    name = headers.get("task") if isinstance(headers, dict) else None
    # A name that a stranger has made up goes neither to SQL nor to the log.
    known = isinstance(name, str) and (
        routes.message_of(name) is not None or name in routes.SCHEDULED
    )
    return str(name) if known else "unknown"


def _is_of_a_gate(task: str, headers: dict[str, Any]) -> bool:
    """Say whether this tells of a message that was refused; those come as held once."""
    return task == routes.route_of(WorkFailed).task and headers.get("retries") == 1


def _text_of(body: object) -> str:
    raw = body if isinstance(body, bytes) else str(body).encode("utf-8", "replace")
    return raw[:MAX_KEPT_CHARS].decode("utf-8", "backslashreplace")
