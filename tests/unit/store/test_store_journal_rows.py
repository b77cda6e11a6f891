"""The row of a deed: nothing in it that must not be kept, and both engines keep it."""

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from store.journal import Action, Deed, about, masked, row_of

NOW = datetime(2026, 11, 22, tzinfo=UTC)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.datetimes(),
    lambda one: st.lists(one) | st.dictionaries(st.text(), one) | st.tuples(one, one),
    max_leaves=20,
)


def test_a_subject_names_the_first_of_many() -> None:
    assert about("feed", [3]) == "feed:3"
    assert about("feed", [3, 4]) == "feed:3,4"
    assert about("feed", range(1, 1000)).endswith(",19,20,+979")


@pytest.mark.parametrize(
    ("address", "kept"),
    [
        ("https://a.test/rss?page=2", "https://a.test/rss?page=2"),
        ("https://ann:pw@a.test/rss", "https://***@a.test/rss"),
        ("https://t0ken@a.test/", "https://***@a.test/"),
        ("https://a.test/?api_key=x&page=2", "https://a.test/?api_key=***&page=2"),
        (
            "see https://a.test/?a=1&Token=x#top",
            "see https://a.test/?a=1&Token=***#top",
        ),
        ("postgresql://u:p@[::1]/db", "postgresql://***@[::1]/db"),
        ("ann@a.test", "ann@a.test"),
    ],
)
def test_secrets_of_addresses_are_masked(address: str, kept: str) -> None:
    assert masked(address) == kept
    assert masked(kept) == kept


@given(actor=st.text(), subject=st.text(), before=VALUES, after=VALUES)
def test_any_deed_is_a_row_that_both_engines_keep(
    actor: str, subject: str, before: object, after: object
) -> None:
    deed = Deed(
        action=Action.POLL,
        subject=subject,
        before={"value": before},
        after={"value": after},
    )
    row = row_of(deed, actor=actor, now=NOW)
    for text in (row["actor"], row["subject"]):
        assert text
        assert text.isprintable() or not any(char < " " for char in text)
        assert len(text) <= 500
    written = json.dumps([row["before"], row["after"]], allow_nan=False)
    assert "\\u0000" not in written
    json.dumps(row["after"], ensure_ascii=False).encode()


def test_what_is_long_is_cut() -> None:
    deed = Deed(
        action=Action.FEEDS_ADD,
        subject="feed:1",
        after={"urls": ["https://a.test/"] * 5_000, "note": "x" * 100_000},
    )
    after = row_of(deed, actor="ada", now=NOW)["after"]
    assert after["urls"][-1] == "and 4900 more"
    assert len(after["note"]) == 1_000
