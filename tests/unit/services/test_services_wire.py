"""The wire format refuses what it should, and never repeats what it held."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from ingest.messages import PollFeeds
from services import wire
from services.messages import WorkFailed, WorkKind

FAILED = WorkFailed(
    task="ingest.poll",
    kind=WorkKind.POLL,
    ids=("1",),
    error="OSError",
    detail="disk",
    permanent=False,
    failed_at=datetime(2026, 1, 1, tzinfo=UTC),
)


def envelope(**changes: Any) -> dict[str, Any]:
    return {**json.loads(wire.encode(FAILED)), **changes}


def with_body(**changes: Any) -> str:
    return json.dumps(envelope(body={**envelope()["body"], **changes}))


@pytest.mark.parametrize(
    ("payload", "field"),
    [
        ("", "payload"),
        ("{", "payload"),
        ("[]", "payload"),
        ("[" * 100_000, "payload"),
        (json.dumps(envelope(schema="other")), "schema"),
        (json.dumps(envelope(version=2)), "version"),
        (json.dumps(envelope(version=0)), "version"),
        (json.dumps(envelope(version="1")), "version"),
        (with_body(ids=[1]), "body.ids[0]"),
        (with_body(permanent="no"), "body.permanent"),
        (with_body(kind="feed"), "body.kind"),
        (with_body(failed_at="2026-01-01T00:00:00"), "body"),
        (with_body(failed_at="2026-01-01T00:00:00+02:00"), "body"),
    ],
)
def test_a_wrong_payload_is_refused_with_the_place(payload: str, field: str) -> None:
    with pytest.raises(wire.WireError) as caught:
        wire.decode(WorkFailed, payload)

    assert caught.value.field == field
    assert caught.value.schema == "services.work_failed"


@pytest.mark.parametrize(
    "payload",
    [
        with_body(kind="a secret sentence"),
        with_body(kind='a "secret" sentence'),
        with_body(permanent="a secret sentence"),
        with_body(failed_at="a secret sentence"),
        '{"schema": "a secret sentence", "version": 1, "body": {}}',
        '"a secret sentence"',
    ],
)
def test_an_error_never_repeats_what_the_message_held(payload: str) -> None:
    with pytest.raises(wire.WireError) as caught:
        wire.decode(WorkFailed, payload)

    assert "secret" not in str(caught.value)


def test_a_message_of_another_class_is_refused() -> None:
    with pytest.raises(wire.WireError, match="another schema"):
        wire.decode(PollFeeds, wire.encode(FAILED))


def test_lone_surrogates_are_refused_on_the_way_out() -> None:
    broken = WorkFailed(
        task="\ud800",
        kind=WorkKind.POLL,
        ids=(),
        error="E",
        detail="",
        permanent=False,
        failed_at=FAILED.failed_at,
    )

    with pytest.raises(wire.Unsendable, match="no Unicode"):
        wire.encode(broken)


def test_lone_surrogates_are_refused_on_the_way_in() -> None:
    with pytest.raises(wire.WireError):
        wire.decode(WorkFailed, wire.encode(FAILED).replace("disk", "\ud800"))


def test_a_giant_payload_is_refused_before_it_is_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(wire, "MAX_PAYLOAD_BYTES", 100)

    with pytest.raises(wire.Unsendable, match="above the limit of 100"):
        wire.encode(FAILED)
    with pytest.raises(wire.WireError, match="above the limit of 100"):
        wire.decode(WorkFailed, "x" * 101)
