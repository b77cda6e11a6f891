"""The search language: what is understood, and how the rest is refused."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from store.errors import BadQuery
from store.query_language import (
    MAX_PARTS,
    MAX_QUERY_CHARS,
    MAX_VALUE_CHARS,
    AllOf,
    AnyOf,
    LanguageIs,
    Names,
    Not,
    Part,
    Since,
    SourceIs,
    Until,
    Words,
    parse_moment,
    parse_query,
    split_words,
)

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


def parts(query: str) -> tuple[Part, ...]:
    return parse_query(query, now=NOW).parts


def words(text: str) -> Words:
    return Words(text=text, exact=False)


def exactly(text: str) -> Words:
    return Words(text=text, exact=True)


def test_words_stand_together() -> None:
    assert parts("storm  harbour") == (words("storm"), words("harbour"))


def test_quotes_make_one_phrase() -> None:
    assert parts('"prime minister" vote') == (exactly("prime minister"), words("vote"))


def test_or_binds_closer_than_standing_together() -> None:
    assert parts("a b OR c OR d e") == (
        words("a"),
        AnyOf(parts=(words("b"), words("c"), words("d"))),
        words("e"),
    )


def test_or_is_a_word_in_lower_case_and_in_quotes() -> None:
    assert parts('this or "OR"') == (words("this"), words("or"), exactly("OR"))


def test_a_minus_excludes_words_phrases_and_filters() -> None:
    assert parts('-storm -"high water" -source:bbc.co.uk') == (
        Not(part=words("storm")),
        Not(part=exactly("high water")),
        Not(part=SourceIs(source="bbc.co.uk")),
    )


def test_a_minus_inside_a_word_is_part_of_it() -> None:
    assert parts("by-election") == (exactly("by-election"),)


def test_filters_hold_what_stands_behind_the_first_colon() -> None:
    assert parts("source:BBC.co.uk language:EN entity:country:RU") == (
        SourceIs(source="bbc.co.uk"),
        LanguageIs(language="en"),
        Names(entity="country:RU"),
    )


def test_a_filter_takes_a_quoted_value() -> None:
    assert parts('entity:"Angela Merkel"') == (Names(entity="Angela Merkel"),)


def test_times_bound_from_then_on_and_before_then() -> None:
    assert parts("since:2026-11-20 until:24h") == (
        Since(moment=datetime(2026, 11, 20, tzinfo=UTC)),
        Until(moment=NOW - timedelta(hours=24)),
    )


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("30m", NOW - timedelta(minutes=30)),
        ("7d", NOW - timedelta(days=7)),
        ("2w", NOW - timedelta(weeks=2)),
        ("2026-11-20", datetime(2026, 11, 20, tzinfo=UTC)),
        ("2026-11-20T08:30", datetime(2026, 11, 20, 8, 30, tzinfo=UTC)),
        ("2026-11-20T08:30+02:00", datetime(2026, 11, 20, 6, 30, tzinfo=UTC)),
    ],
)
def test_a_moment_is_a_distance_or_a_date_and_in_utc(
    text: str, moment: datetime
) -> None:
    found = parse_moment(text, now=NOW)
    assert found == moment
    assert found.utcoffset() == timedelta(0)


@pytest.mark.parametrize("text", ["yesterday", "7y", "2026-13-01", "999999w", ""])
def test_what_is_no_moment_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(BadQuery, match="write 2026-11-20"):
        parse_moment(text, now=NOW)


def test_a_moment_beyond_the_calendar_is_refused() -> None:
    first = datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=14))).isoformat()
    with pytest.raises(BadQuery, match="is no time"):
        parse_moment(first, now=NOW)


@pytest.mark.parametrize(
    ("query", "reason"),
    [
        ("", "the query is empty"),
        ("   ", "the query is empty"),
        ('storm "high water', r"never closed \(at character 7\)"),
        ("storm -", r"excludes nothing \(at character 7\)"),
        ("OR storm", r"OR needs a word on both sides \(at character 1\)"),
        ("storm OR", r"OR needs a word on both sides \(at character 7\)"),
        ("a OR OR b", r"OR needs a word on both sides \(at character 6\)"),
        ("storm !!!", r"no word in '!!!' \(at character 7\)"),
        ('""', "there is no word"),
        ("source:", r"source: has no value \(at character 1\)"),
        ('language:""', "language: has no value"),
        ("author:Ann", "there is no field author; fields are source, language"),
        ("a story:first", r"story: 'first' is no number.* \(at character 3\)"),
        ("a since:soon", r"since: 'soon' is no time.* \(at character 3\)"),
    ],
)
def test_a_wrong_query_is_refused_with_place_and_reason(
    query: str, reason: str
) -> None:
    with pytest.raises(BadQuery, match=reason):
        parts(query)


def test_sizes_are_bounded() -> None:
    with pytest.raises(BadQuery, match="longer than"):
        parts("a" * (MAX_QUERY_CHARS + 1))
    with pytest.raises(BadQuery, match="in a row"):
        parts("a" * (MAX_VALUE_CHARS + 1))
    with pytest.raises(BadQuery, match=r"more than .* parts"):
        parts("a " * (MAX_PARTS + 1))


def test_control_characters_and_lone_surrogates_never_reach_an_engine() -> None:
    assert parts("a\0b\ud800c") == (words("a"), words("b"), words("c"))


def test_composed_and_decomposed_letters_are_the_same_query() -> None:
    assert parts("cafe\u0301") == parts("caf\u00e9")


def test_words_are_split_at_punctuation_and_keep_their_marks() -> None:
    assert split_words("bbc.co.uk's हिन्दी _x_") == [
        "bbc",
        "co",
        "uk",
        "s",
        "हिन्दी",
        "x",
    ]


def leaves(part: Part) -> list[Part]:
    match part:
        case Not():
            return leaves(part.part)
        case AnyOf() | AllOf():
            return [leaf for inner in part.parts for leaf in leaves(inner)]
        case _:
            return [part]


PIECES = st.sampled_from(
    ['"', "-", "OR", " ", "since:", "source:", ":", "a", "7d", "\0", "ß", "*", "(", "!"]
)


@given(st.one_of(st.text(), st.lists(PIECES).map("".join)))
def test_any_string_is_a_query_or_a_clear_refusal(query: str) -> None:
    try:
        tree = parse_query(query, now=NOW)
    except BadQuery:
        return
    for leaf in leaves(tree):
        if isinstance(leaf, Words):
            assert split_words(leaf.text)
            assert "\0" not in leaf.text
