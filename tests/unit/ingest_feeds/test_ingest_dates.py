"""Dates are read as feeds spell them, and believed only where they can be true."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.dates import find_update, parse_date, settle_date
from ingest.items import RawDate
from ingest.zones import zone_of

NOW = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)
EVENING = datetime(2006, 2, 9, 23, 59, 45, tzinfo=UTC)


def date(
    raw: str, origin: str = "published", parsed: datetime | None = None
) -> RawDate:
    return RawDate(origin=origin, raw=raw, parsed=parsed)


@pytest.mark.parametrize(
    "raw",
    [
        "Thu, 09 Feb 2006 23:59:45 +0000",
        "09 Feb 2006 23:59:45 GMT",
        "Thu, 9 Feb 06 23:59:45 Z",
        "Thu, 09 Feb 2006 16:59:45 PDT",
        "Fri, 10 Feb 2006 00:59:45 CET",
        "Fri, 10 Feb 2006 01:59:45 CEST",
        "Fri, 10 Feb 2006 08:59:45 jst",
        "Thu, 09 Feb 2006 21:25:45 -0234",
        "tHu , \t 09  fEb\n2006  23:59:45\t +0000",
        "Thu(day), 9(th) Feb(ruary) 2006 23:59:45 +0000(GMT)",
        "Thu, 09 (a (nested) one)Feb(escaped\\)) 2006()23:59:45 +0000",
        "2006-02-09T23:59:45Z",
        "2006-02-09t23:59:45.123z",
        "2006-02-10T05:29:45+05:30",
        "2006-02-10T05:29:45 +0530",
        "2006-02-09 23:59:45",
        "2006-02-09T23:59:45",
        "Thu, 09 Feb 2006 23:59:45",
        "Thu, 09 Feb 2006 23:59:45 XYZ",
    ],
)
def test_every_spelling_of_a_moment_means_that_moment(raw: str) -> None:
    assert parse_date(raw) == EVENING


def test_a_day_without_a_time_begins_at_midnight() -> None:
    assert parse_date("2006-02-09") == datetime(2006, 2, 9, tzinfo=UTC)
    assert parse_date("2006-02") == datetime(2006, 2, 1, tzinfo=UTC)


def test_a_leap_second_is_the_second_before() -> None:
    leap = parse_date("Sat, 31 Dec 2016 23:59:60 GMT")
    assert leap == datetime(2016, 12, 31, 23, 59, 59, tzinfo=UTC)


@pytest.mark.parametrize(
    "raw",
    [
        *("", "yesterday", "2006-13-01", "2006-02-30", "0000-00-00", "10.02.2006"),
        *("2006-02-09T23:59:45+99:00", "Thu, 09 Feb 2006 25:00:00 GMT"),
        *("((((", "1" * 500),
    ],
)
def test_what_is_no_date_is_none(raw: str) -> None:
    assert parse_date(raw) is None


@given(st.text(max_size=120))
def test_no_spelling_raises(raw: str) -> None:
    parsed = parse_date(raw)
    assert parsed is None or parsed.utcoffset() == timedelta(0)


def test_the_first_date_that_can_be_believed_wins() -> None:
    dates = [date("1970-01-01"), date("2026-03-01", "updated"), date("2026-02-01")]
    published = settle_date(dates, now=NOW)
    assert published is not None
    assert published.at == datetime(2026, 3, 1, tzinfo=UTC)
    assert (published.origin, published.raw) == ("updated", "2026-03-01")


@pytest.mark.parametrize("raw", ["1989-12-31", "2026-03-06", "next week"])
def test_a_date_that_cannot_be_believed_keeps_its_spelling(raw: str) -> None:
    published = settle_date([date(raw)], now=NOW)
    assert published is not None
    assert (published.at, published.raw) == (None, raw)


def test_a_clock_that_runs_ahead_is_believed_for_a_day() -> None:
    published = settle_date([date("2026-03-05T11:00:00Z")], now=NOW)
    assert published is not None
    assert published.at == NOW + timedelta(hours=23)


def test_what_the_parser_of_the_format_understood_is_used() -> None:
    published = settle_date([date("2006년 2월 9일", parsed=EVENING)], now=NOW)
    assert published is not None
    assert published.at == EVENING


def test_without_dates_there_is_no_publication() -> None:
    assert settle_date([], now=NOW) is None


@pytest.mark.parametrize(
    ("raw", "confidence"),
    [
        ("Wed, 04 Mar 2026 10:00:00 +0100", 1.0),
        ("Wed, 04 Mar 2026 10:00:00 CET", 1.0),
        ("2026-03-04T10:00:00Z", 1.0),
        ("Wed, 04 Mar 2026 10:00:00", 0.8),
        ("Wed, 04 Mar 2026 10:00:00 IST", 0.8),
        ("2026-03-04T10:00:00", 0.8),
        ("2026-03-04", 0.7),
        ("2031-03-04", 0.0),
        ("soon", 0.0),
    ],
)
def test_the_spelling_of_a_date_says_how_far_it_is_trusted(
    raw: str, confidence: float
) -> None:
    date = RawDate(origin="published", raw=raw, parsed=None)
    settled = settle_date([date], now=NOW)
    assert settled is not None
    assert settled.confidence == confidence
    assert (settled.at is None) == (confidence == 0)


def test_a_date_of_change_is_less_sure_to_be_that_of_publication() -> None:
    raw = "2026-03-04T10:00:00Z"
    changed = [RawDate(origin="updated", raw=raw, parsed=None)]
    settled, update = settle_date(changed, now=NOW), find_update(changed, now=NOW)
    assert settled is not None
    assert update is not None
    assert (settled.confidence, update.confidence) == (0.7, 1.0)
    guessed = [RawDate(origin="published", raw="heute", parsed=NOW)]
    settled = settle_date(guessed, now=NOW)
    assert settled is not None
    assert settled.confidence == 0.6


BERLIN = zone_of("Europe/Berlin")


@pytest.mark.parametrize(
    ("raw", "meant"),
    [
        ("2026-01-09T23:59:45", "2026-01-09T22:59:45"),  # one hour ahead in winter
        ("Fri, 20 Feb 2026 23:59:45 GMT", "2026-02-20T22:59:45"),
        ("2025-07-09 23:59:45 Z", "2025-07-09T21:59:45"),  # and two in summer
        ("2025-07-09", "2025-07-08T22:00:00"),
        ("Wed, 09 Jul 2025 23:59:45 -0500", "2025-07-10T04:59:45"),
        ("2025-07-09T23:59:45+05:30", "2025-07-09T18:29:45"),
    ],
)
def test_dates_without_a_zone_are_of_the_one_that_the_operator_named(
    raw: str, meant: str
) -> None:
    found = settle_date([date(raw)], now=NOW, zone=BERLIN)
    update = find_update([date(raw, "updated")], now=NOW, zone=BERLIN)
    assert found is not None
    assert update is not None
    assert found.at == update.at == datetime.fromisoformat(meant).replace(tzinfo=UTC)
    assert found.raw == raw


def test_the_word_of_an_operator_makes_a_date_surer() -> None:
    (unsaid, said) = (
        settle_date([date("2026-01-09T23:59:45")], now=NOW, zone=zone)
        for zone in (None, BERLIN)
    )
    assert unsaid is not None
    assert said is not None
    assert unsaid.confidence < said.confidence < 1


@pytest.mark.parametrize(
    "raw",
    [
        *("0001-01-01T00:00:00", "0001-01-01", "9999-12-31T23:59:59Z"),
        "Fri, 31 Dec 9999 23:59:59",
    ],
)
@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/Lima", "+14:00", "-12:00"])
def test_a_date_at_the_edge_of_the_calendar_is_believed_in_no_zone(
    raw: str, zone: str
) -> None:
    found = settle_date([date(raw)], now=NOW, zone=zone_of(zone))
    assert (found and found.at, found and found.raw) == (None, raw)
    update = find_update([date(raw, "updated")], now=NOW, zone=zone_of(zone))
    assert update is not None
    assert update.at is None


@pytest.mark.parametrize(
    ("raw", "is_believed"),
    [
        ("1990-01-01T00:30:00", False),  # half an hour earlier in UTC
        ("1990-01-01T01:00:00", True),
        ("2026-03-05T13:00:00", True),
        ("2026-03-05T13:00:01", False),
    ],
)
def test_the_bounds_of_dates_hold_for_what_the_zone_makes_of_them(
    raw: str, *, is_believed: bool
) -> None:
    found = settle_date([date(raw)], now=NOW, zone=BERLIN)
    assert (found is not None and found.at is not None) is is_believed


@pytest.mark.parametrize(
    "name", ["Europe/Atlantis", "+25:00", "+5", "", "../etc", "\0"]
)
def test_a_zone_that_is_none_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match=r"zone|UTC"):
        zone_of(name)


@given(st.integers(-14 * 60, 14 * 60))
def test_an_offset_is_a_zone(minutes: int) -> None:
    sign, span = "-" if minutes < 0 else "+", abs(minutes)
    zone = zone_of(f"{sign}{span // 60:02}:{span % 60:02}")
    assert NOW.astimezone(zone).utcoffset() == timedelta(minutes=minutes)
