from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.datelines import find_byline, find_date, is_name


@pytest.mark.parametrize(
    "line",
    [
        "12 December 2017",
        "Tuesday, December 12, 2017",
        "Dec. 12th, 2017",
        "2017-12-12",
        "12. Dez. 2017",
        "le 12 décembre 2017",
        "12 de diciembre de 2017",
        "12 de dezembro de 2017",
        "12 dicembre 2017",
        "12.12.2017",
        "12/12/2017",
    ],
)
def test_a_day_is_read_in_six_languages(line: str) -> None:
    published = find_date(line)
    assert published is not None
    assert published.at == datetime(2017, 12, 12, tzinfo=UTC)
    assert published.origin == "dateline"


@pytest.mark.parametrize(
    ("line", "at"),
    [
        ("5 March 2026 06:20 GMT", "2026-03-05T06:20"),
        ("Thursday 5 March 2026 18.40 GMT", "2026-03-05T18:40"),
        ("11. März 2026, 21:45 Uhr", "2026-03-11T21:45"),
        ("Publié le 10 mars 2026 à 08h30", "2026-03-10T08:30"),
        ("November 18, 2019 7:45 am PST by Joe Roe", "2019-11-18T15:45"),
        ("2017-12-12T10:00:30.5Z", "2017-12-12T10:00:30"),
        ("2018-05-04 11:00 +0530", "2018-05-04T05:30"),
        ("May 4, 2018 | 12:30 CEST", "2018-05-04T10:30"),
        ("12 Dec 2017 12:15 am", "2017-12-12T00:15"),
        ("31/12/2017 11:20", "2017-12-31T11:20"),
        ("12/31/2017", "2017-12-31T00:00"),
    ],
)
def test_times_are_turned_into_utc(line: str, at: str) -> None:
    published = find_date(line)
    assert published is not None
    assert published.at == datetime.fromisoformat(at).replace(tzinfo=UTC)


@pytest.mark.parametrize("line", ["3/4/2017", "31 February 2017", "2017-13-40"])
def test_a_date_that_cannot_be_told_keeps_its_spelling(line: str) -> None:
    published = find_date(line)
    assert published is not None
    assert published.at is None
    assert published.raw == line


@pytest.mark.parametrize(
    "line", ["", "In 2017 he left", "Sections 12 and 14", "12 December", "page 2 of 4"]
)
def test_what_is_no_full_date_is_none(line: str) -> None:
    assert find_date(line) is None


@pytest.mark.parametrize(
    ("line", "byline"),
    [
        ("By Jane Roe", "Jane Roe"),
        ("By JANE ROE and John O\u2019Neill", "JANE ROE and John O\u2019Neill"),
        ("Von Max von Mustermann", "Max von Mustermann"),
        ("Par Jean-Luc Dupont (avec AFP)", "Jean-Luc Dupont"),
        ("Por María de la Cruz", "María de la Cruz"),
        ("di Giulia Sciacca", "Giulia Sciacca"),
        ("by Regan September 15, 2014", "Regan"),
        ("Posted on March 5, 2026 by Daniel Whitcombe", "Daniel Whitcombe"),
        ("Written by Anna Smith in Berlin", "Anna Smith"),
        ("Reuters", "Reuters"),
    ],
)
def test_names_are_taken_from_bylines(line: str, byline: str) -> None:
    assert find_byline(line) == byline


@pytest.mark.parametrize(
    "line",
    ["By the time he left", "By Monday he had left", "By", "Por la mañana", "Jane Roe"],
)
def test_other_lines_are_no_bylines(line: str) -> None:
    assert find_byline(line) is None


def test_a_name_is_two_to_five_capitalised_words() -> None:
    assert is_name("Sarah E. Needleman")
    assert not is_name("Sarah")
    assert not is_name("Sarah left early")


@given(st.text("0123456789/.-: JanuaryfebTZ+,", max_size=40))
def test_no_line_makes_it_raise(line: str) -> None:
    find_date(line)
    find_byline(line)
