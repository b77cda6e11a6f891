from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.articles import Published, article_uid, content_hash, make_article
from ingest.messages import Article

NOON = datetime(2017, 12, 12, 12, 0, tzinfo=UTC)


def article(**changes: Any) -> Article:
    fields: dict[str, Any] = {
        "identity": "file:///a.txt",
        "url": None,
        "source": "seeds",
        "title": "A title",
        "text": "A text.",
        "byline": None,
        "language": None,
        "published": None,
        "extractor": "text-seed/3",
        "confidence": 0.5,
    }
    return make_article(**{**fields, **changes})


def test_equal_identities_give_equal_articles() -> None:
    assert article().uid == article(title="Other").uid == article_uid("file:///a.txt")
    assert article_uid("a") != article_uid("b")
    assert len(article_uid("\ud800")) == 64


@given(st.lists(st.text("ab.\u00e9", min_size=1), min_size=1), st.sampled_from(" \n\t"))
def test_white_space_is_no_new_revision(words: list[str], space: str) -> None:
    assert content_hash("t", space.join(words)) == content_hash(" t ", " ".join(words))


@pytest.mark.parametrize(
    ("before", "after"),
    [("49 years", "48 years"), ("Polish", "polish"), ("Yes.", "Yes!"), ("a b", "ab")],
)
def test_what_a_reader_sees_is_a_new_revision(before: str, after: str) -> None:
    assert content_hash("t", before) != content_hash("t", after)
    assert content_hash(before, "t") != content_hash(after, "t")


def test_title_and_text_do_not_run_into_each_other() -> None:
    assert content_hash("a b", "c") != content_hash("a", "b c")


def test_ligatures_and_wide_forms_are_the_same_revision() -> None:
    assert content_hash("\ufb01nal", "\uff11") == content_hash("final", "1")


@pytest.mark.parametrize(
    ("title", "text"),
    [("A  title", "A text."), ("", "A text."), ("A title", "A text.\n")],
)
def test_a_known_hash_counts_only_for_the_title_and_text_as_they_stay(
    title: str, text: str
) -> None:
    assert article(known_hash="f" * 64).content_hash == "f" * 64
    made = article(title=title, text=text, known_hash="f" * 64)
    assert made.content_hash == content_hash(made.title, made.text)


def test_every_field_is_clean_and_bounded() -> None:
    made = article(
        title=" A\x00 title\n", text="one\x00\r\n\r\n\r\n\r\ntwo", byline=" By\nX "
    )
    assert (made.title, made.text, made.byline) == ("A title", "one\n\ntwo", "By X")
    assert len(article(title="x" * 9000).title) == 512
    assert article(byline=" \n").byline is None


def test_a_missing_title_is_made_of_the_text() -> None:
    made = article(title="", text="word " * 100)
    assert made.title.startswith("word word")
    assert len(made.title) <= 80


@pytest.mark.parametrize(
    "changes",
    [{"title": " ", "text": "\n"}, {"identity": ""}, {"confidence": 1.5}],
)
def test_nonsense_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"identity|confidence"):
        article(**changes)


@pytest.mark.parametrize(
    ("declared", "language"),
    [("en-GB", "en"), ("DE", "de"), ("pt_BR", "pt"), ("english", None), ("", None)],
)
def test_only_the_primary_subtag_of_a_language_is_kept(
    declared: str, language: str | None
) -> None:
    assert article(language=declared).language == language


def test_the_time_of_publication_keeps_its_spelling_and_origin() -> None:
    made = article(published=Published(at=NOON, raw="12 Dec\n2017", origin="dateline"))
    assert made.published_at == NOON
    assert (made.published_raw, made.published_from) == ("12 Dec 2017", "dateline")


def test_a_naive_time_is_refused() -> None:
    naive = Published(at=NOON.replace(tzinfo=None), raw=None, origin="dateline")
    with pytest.raises(ValueError, match="aware"):
        article(published=naive)
