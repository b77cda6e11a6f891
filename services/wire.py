"""The wire format: messages become JSON text and back, strictly typed.

A payload is `{"schema": ..., "version": ..., "body": ...}`. Unknown fields are ignored,
so a newer producer may add some; everything else that is off is a `WireError`.
"""

from typing import Any, ClassVar, Protocol, TypeVar

import msgspec

# A batch is about 1 MB; the largest that can arise is one file of 10 MB with its
# compressed document in base64. Beyond this a payload is an attack or a mistake.
MAX_PAYLOAD_BYTES = 16_000_000
MAX_REASON_CHARS = 200


class Message(Protocol):
    """What can travel: a frozen dataclass that knows its schema and version."""

    SCHEMA: ClassVar[str]
    VERSION: ClassVar[int]


M = TypeVar("M", bound=Message)


class WireError(Exception):
    """A payload is not what it should be; says where and why, never what it held."""

    def __init__(self, schema: str, field: str, reason: str) -> None:
        super().__init__(schema, field, reason)
        self.schema = schema
        self.field = field  # path of the field, "body.feeds[...].url"
        self.reason = reason

    def __str__(self) -> str:
        """Return the three parts as one sentence."""
        return f"{self.schema}: {self.field}: {self.reason}"


class Unsendable(WireError):
    """A message of ours cannot be put on the wire."""


class _Envelope(msgspec.Struct):
    schema: str
    version: int
    body: msgspec.Raw


def encode(message: Message) -> str:
    """Return the message as JSON text.

    Raises:
        Unsendable: The message holds text that is no Unicode, or is far too large.
    """
    schema = message.SCHEMA
    envelope = {"schema": schema, "version": message.VERSION, "body": message}
    try:
        payload = msgspec.json.encode(envelope)
    except (UnicodeEncodeError, TypeError) as error:
        raise Unsendable(schema, "body", _reason(error)) from None
    if len(payload) > MAX_PAYLOAD_BYTES:
        raise Unsendable(schema, "payload", _too_large(len(payload)))
    return payload.decode()


def decode(cls: type[M], payload: str) -> M:
    """Return the message of this class that the payload holds.

    Raises:
        WireError: The payload is malformed, of another schema or of a newer version,
            or a field is missing or wrong.
    """
    schema = cls.SCHEMA
    if not isinstance(payload, str):
        raise WireError(schema, "payload", "is no text")
    if len(payload) > MAX_PAYLOAD_BYTES:
        raise WireError(schema, "payload", _too_large(len(payload)))
    envelope = _parse(schema, "", payload, _Envelope)
    if envelope.schema != schema:
        raise WireError(schema, "schema", "names another schema")
    if not 1 <= envelope.version <= cls.VERSION:
        reason = f"{envelope.version} is not known here, {cls.VERSION} is the newest"
        raise WireError(schema, "version", reason)
    return _parse(schema, "body", envelope.body, cls)


T = TypeVar("T")


def _parse(schema: str, root: str, data: str | msgspec.Raw, into: type[T]) -> T:
    try:
        return msgspec.json.decode(data, type=into)
    except msgspec.ValidationError as error:
        reason, _, path = str(error).partition(" - at `$")
        field = (root + path.rstrip("`")).removeprefix(".")
        raise WireError(schema, field or "payload", _reason(reason)) from None
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise WireError(schema, root or "payload", _reason(error)) from None


def _too_large(n_bytes: int) -> str:
    return f"{n_bytes} bytes are above the limit of {MAX_PAYLOAD_BYTES}"


def _reason(error: Any) -> str:
    if isinstance(error, UnicodeError):
        return "holds text that is no Unicode"  # its message would quote the text
    text = str(error)
    if text.startswith("Invalid enum value"):
        return "Invalid enum value"  # which may be text of an article
    return text[:MAX_REASON_CHARS]
