"""Response headers are read as servers write them, not only as the RFC says."""

from datetime import UTC, datetime

import pytest

from ingest.headers import (
    fresh_seconds,
    max_age_seconds,
    retry_after_seconds,
    validator,
)

NOW = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("120", 120),
        (" 120 ", 120),
        ("1.5", 1),
        ("0", 0),
        ("99999999", 7 * 86_400),
        ("Wed, 04 Mar 2026 12:10:00 GMT", 600),
        ("Wed, 04 Mar 2026 12:10:00", 600),
        ("Wed, 04 Mar 2026 11:00:00 GMT", 0),
        ("Sat, 04 Mar 2056 11:00:00 GMT", 7 * 86_400),
        ("soon", None),
        ("-5", None),
        ("", None),
        (None, None),
    ],
)
def test_retry_after_is_seconds_or_a_date(value: str | None, seconds: int) -> None:
    assert retry_after_seconds(value, now=NOW) == seconds


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("max-age=300", 300),
        ('public, Max-Age="300"', 300),
        ("s-maxage=9, max-age = 300, must-revalidate", 300),
        ("s-maxage=9", None),
        ("max-age=300, no-cache", None),
        ("no-store, max-age=300", None),
        ("max-age=9999999999", 365 * 86_400),
        ("max-age=soon", None),
        (None, None),
    ],
)
def test_max_age_counts_unless_the_body_must_not_be_kept(
    value: str | None, seconds: int
) -> None:
    assert max_age_seconds(value) == seconds


@pytest.mark.parametrize(
    ("cache_control", "expires", "date", "seconds"),
    [
        (None, "Wed, 04 Mar 2026 12:30:00 GMT", None, 1800),
        (None, "Wed, 04 Mar 2026 12:30:00 GMT", "Wed, 04 Mar 2026 12:20:00 GMT", 600),
        ("public", "Wed, 04 Mar 2026 12:30:00 GMT", "yesterday", 1800),
        ("max-age=60", "Wed, 04 Mar 2026 12:30:00 GMT", None, 60),
        ("no-cache", "Wed, 04 Mar 2026 12:30:00 GMT", None, None),
        (None, "Wed, 04 Mar 2026 11:00:00 GMT", None, None),
        (None, "Sat, 04 Mar 2056 11:00:00 GMT", None, 365 * 86_400),
        (None, "0", None, None),
        (None, None, None, None),
    ],
)
def test_expires_counts_by_the_clock_of_the_server_where_max_age_is_silent(
    cache_control: str | None, expires: str | None, date: str | None, seconds: int
) -> None:
    assert fresh_seconds(cache_control, expires, date=date, now=NOW) == seconds


@pytest.mark.parametrize("value", ['"abc"', 'W/"a b"', "abc", "'x'", '""'])
def test_a_validator_is_kept_byte_for_byte(value: str) -> None:
    assert validator(value) == value


@pytest.mark.parametrize(
    "value", [None, "", "a\nb", "a\x00", "é", "\udce9", "x" * 1025]
)
def test_a_validator_that_cannot_be_sent_back_is_none(value: str | None) -> None:
    assert validator(value) is None
