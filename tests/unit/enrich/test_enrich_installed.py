"""What is made of the names of installed models, and what is said where one is missing.

No library is needed here; `test_enrich_libraries.py` asks those that are installed.
"""

import json
import shutil
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.names import operator_aliases

from enrich.entities.installed.extractor import InstalledExtractor
from enrich.entities.installed.identity import digest_folder, find_in_package, is_path
from enrich.entities.installed.labels import ASKED, has_kind, kind_of
from enrich.entities.installed.tags import join_tags
from enrich.entities.installed.torchmodels import first_pieces
from enrich.entities.installed.windows import (
    MAX_CHARS,
    MAX_WORD_CHARS,
    MAX_WORDS,
    Named,
    Window,
    cover,
    paragraphs,
    sentences,
)
from enrich.entities.passages import Passage, join_passage, read_passage
from enrich.entities.recogniser import RulesExtractor
from enrich.entities.spans import Document, ExtractorInfo, Span
from enrich.entities.tiers import describe_extractor, load_extractor
from enrich.errors import ModelUnusable, UnknownTier
from enrich.messages import EntitiesStatus, EntityKind, Field

# ---- labels and tags ----


@pytest.mark.parametrize(
    ("labels", "kind"),
    [
        ("PER PERSON person PRS persName", EntityKind.PER),
        ("ORG ORGANIZATION corporation orgName", EntityKind.ORG),
        ("LOC LOCATION GPE FAC placeName GPE_ORG", EntityKind.LOC),
        ("MISC NORP EVENT WORK_OF_ART PRODUCT LAW LANGUAGE DRV", EntityKind.MISC),
        ("DATE TIME CARDINAL MONEY PERCENT QUANTITY ORDINAL LABEL_1 O", None),
    ],
)
def test_foreign_labels_are_ours_or_dropped(
    labels: str, kind: EntityKind | None
) -> None:
    assert {kind_of(label) for label in labels.split()} == {kind}
    assert has_kind(labels.split()) == (kind is not None)


def test_a_model_that_takes_words_is_asked_for_all_four_labels() -> None:
    assert {kind_of(label) for label in ASKED} == set(EntityKind)


@pytest.mark.parametrize(
    ("tags", "names"),
    [
        ("O B-PER I-PER O", [(1, 3, "PER")]),
        ("B-PER B-PER I-ORG", [(0, 1, "PER"), (1, 2, "PER"), (2, 3, "ORG")]),
        ("I-LOC I-LOC O I-LOC", [(0, 2, "LOC"), (3, 4, "LOC")]),  # IOB1
        ("B-ORG I-ORG L-ORG U-ORG", [(0, 3, "ORG"), (3, 4, "ORG")]),  # BILOU
        ("B-ORG E-ORG I-ORG S-LOC", [(0, 2, "ORG"), (2, 3, "ORG"), (3, 4, "LOC")]),
        ("PER PER ORG O", [(0, 2, "PER"), (2, 3, "ORG")]),  # no parts at all
        ("O O", []),
    ],
)
def test_names_are_joined_from_tags_of_any_notation(
    tags: str, names: list[tuple[int, int, str]]
) -> None:
    assert join_tags(tags.split()) == names


# ---- windows and places ----


@cache
def rules() -> RulesExtractor:
    return RulesExtractor()


def passage(text: str) -> Passage:
    return read_passage(text, rules().lexicon("en"))


def window(text: str) -> Window:
    (one,) = paragraphs(passage(text))
    return one


@pytest.mark.parametrize(
    ("text", "span", "words"),
    [
        ("He saw Ada Brandt there", "Ada Brandt", ["Ada", "Brandt"]),
        ("the al-Assad family", "Assad", ["al-Assad"]),
        ("see https://paris.example/x now", "paris", []),
        ("said Putin's aide", "Putin'", ["Putin"]),
        ("in Rome , then", " Rome ", ["Rome"]),
        ("in Rome , then", " ", []),
    ],
)
def test_a_span_is_the_words_that_it_mostly_covers(
    text: str, span: str, words: list[str]
) -> None:
    given_window = window(text)
    start = text.index(span)
    found = cover(given_window, start, start + len(span))
    assert (given_window.words[slice(*found)] if found else []) == words


def test_windows_end_with_sentences_and_at_blank_lines() -> None:
    text = "One is here. Two\nis here.\n\nThree is\there."
    assert [one.text for one in paragraphs(passage(text))] == [
        "One is here. Two is here.",
        "Three is here.",
    ]


def test_a_sentence_that_is_too_long_is_cut_behind_a_mark() -> None:
    text = ", ".join(["Ada Lou Brandt"] * 50)
    first, *_ = cut = paragraphs(passage(text))
    assert all(one.text.startswith("Ada Lou Brandt") for one in cut)
    assert len(first.starts) == MAX_WORDS
    (whole, rest) = paragraphs(passage("x " * 150))
    assert (len(whole.starts), len(rest.starts)) == (MAX_WORDS, 150 - MAX_WORDS)


def test_labelled_sentences_are_windows_of_their_own() -> None:
    joined = join_passage([["Ada", "left"], ["Paris", "slept"]], rules().lexicon("en"))
    cut = sentences(joined)
    assert [one.words for one in cut] == [["Ada", "left"], ["Paris", "slept"]]
    assert [one.first for one in cut] == [0, 2]


PIECES = st.lists(
    st.sampled_from(["Ada", "Brandt", "Paris", ". ", "\n\n", "U.S.", "é", "x" * 120])
    | st.text(max_size=4)
    | st.just("\ud800"),
    max_size=40,
)


@given(PIECES)
def test_windows_are_bounded_and_hold_the_words_at_their_places(
    pieces: list[str],
) -> None:
    read = passage(" ".join(pieces * 6))
    seen = 0
    for one in paragraphs(read):
        tokens = read.tokens[one.first : one.first + len(one.starts)]
        assert one.first >= seen
        seen = one.first + len(tokens)
        assert 0 < len(tokens) <= MAX_WORDS
        assert len(one.text) <= MAX_CHARS
        assert "\n" not in one.text
        assert [len(word) for word in one.words] == [len(t.text) for t in tokens]
        one.text.encode()
        assert any(map(str.isalnum, one.text))
    # Nothing is left out that might be a name.
    words = [word for one in paragraphs(read) for word in one.words]
    usual = [t.text for t in read.tokens if len(t.text) <= MAX_WORD_CHARS]
    assert [w for w in words if w.isalnum()] == [w for w in usual if w.isalnum()]


def test_a_word_takes_the_first_piece_that_begins_in_it() -> None:
    # Marks of the model have no characters, and some pieces bring their space along.
    spans = [(0, 0), (0, 2), (2, 4), (4, 9), (9, 10), (0, 0)]
    assert first_pieces(window("Adam Smith"), spans) == {0: 1, 1: 3}


# ---- the recogniser around a model ----


class Capitals:
    """Labels what is written in capitals, and now and then more than there is."""

    def find(
        self, windows: Sequence[Window], *, are_cut: bool
    ) -> Iterator[Sequence[Named]]:
        for one in windows:
            words = one.words
            names = [
                Named(place, place + 1, "ORG" if are_cut else "PERSON")
                for place, word in enumerate(words)
                if word[0].isupper()
            ]
            yield [*names, Named(0, len(words), "CARDINAL"), *names[:1]]


def extractor(*, reads: str = "en", aliases: str = "") -> InstalledExtractor:
    info = ExtractorInfo(name="x", version="1", languages=frozenset({reads}))
    found = InstalledExtractor(Capitals(), info, reads=reads, rules=rules())
    return found.with_aliases(operator_aliases(aliases)) if aliases else found


def read(text: str, **options: str) -> tuple[EntitiesStatus, list[tuple[str, str]]]:
    document = Document(title="", text=text, language=options.pop("language", "en"))
    (extraction,) = extractor(**options).extract([document])
    return extraction.status, [
        (text[span.start : span.end], span.key or span.kind.value)
        for span in extraction.spans
    ]


def test_tables_and_operators_have_their_say_as_with_every_tier() -> None:
    text = "Tomsen left Cairo for the Firm"
    expected = [("Tomsen", "PER"), ("Cairo", "loc:cairo"), ("the Firm", "org:firm")]
    aliases = "the Firm\tORG\torg:firm"
    assert read(text, aliases=aliases) == (EntitiesStatus.FOUND, expected)


@pytest.mark.parametrize(
    ("words", "name"),
    [
        ("the Blue Barn", "Blue Barn"),
        ("The Blue Barn", "The Blue Barn"),
        ("the", ""),
        (', " Blue Barn \'s " .', "Blue Barn"),
        ("Yahoo !", "Yahoo !"),
        ("Kim ( singer )", "Kim ( singer )"),
        ("- ) .", ""),
        ("a )", ""),
    ],
)
def test_marks_and_an_article_are_taken_off_a_name(words: str, name: str) -> None:
    class Everything:
        def find(
            self, windows: Sequence[Window], *, are_cut: bool
        ) -> Iterator[Sequence[Named]]:
            assert are_cut
            yield from ([Named(0, len(one.starts), "ORG")] for one in windows)

    own = InstalledExtractor(
        Everything(), extractor().info, reads="*", rules=RulesExtractor()
    )
    spans = own.find_in_words([words.split()])
    assert [words[span.start : span.end] for span in spans] == ([name] if name else [])


@pytest.mark.parametrize(
    ("reads", "language", "by_model"),
    [("en", "en", True), ("en", "de", False), ("*", "de", True), ("*", "und", True)],
)
def test_languages_that_the_model_does_not_read_are_left_to_the_rules(
    reads: str, language: str, *, by_model: bool
) -> None:
    text = "Gestern sprach Kowalczyk"
    document = Document(title="", text=text, language=language)
    (extraction,) = extractor(reads=reads).extract([document])
    kinds = [(span.start, span.kind) for span in extraction.spans]
    if by_model:
        assert kinds == [(0, EntityKind.PER), (15, EntityKind.PER)]
    else:
        assert [extraction] == rules().extract([document])


def test_english_words_are_left_to_the_rules_by_a_model_of_another_language() -> None:
    words = [["Mr.", "Kowalczyk", "left"]]
    assert extractor(reads="de").find_in_words(words) == rules().find_in_words(words)
    assert {span.kind for span in extractor().find_in_words(words)} == {EntityKind.ORG}


def is_apart(spans: Sequence[Span]) -> bool:
    return all(left.end <= right.start for left, right in pairwise(spans))


@settings(max_examples=60, deadline=None)
@given(PIECES, PIECES)
def test_spans_lie_in_their_field_in_order_and_apart(
    title: list[str], text: list[str]
) -> None:
    document = Document(title=" ".join(title), text=" ".join(text), language="en")
    one, again = extractor().extract([document, document])
    assert one == again
    for field in Field:
        content = document.field(field)
        spans = [span for span in one.spans if span.field is field]
        assert all(content[span.start : span.end].strip() for span in spans)
        assert all(0 <= span.start < span.end <= len(content) for span in spans)
        assert is_apart(spans)


# ---- what is installed ----


@pytest.mark.parametrize("ask", [load_extractor, describe_extractor])
@pytest.mark.parametrize(
    ("tier", "library"),
    [("spacy:en_core", "spacy"), ("hf:a/b", "transformers"), ("gliner:a/b", "gliner")],
)
def test_a_missing_library_is_named_with_what_to_install(
    tier: str,
    library: str,
    ask: Callable[[str], object],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("sys.path", [])  # nothing at all is installed
    with pytest.raises(ModelUnusable, match=f"'{tier}'.*pip install {library}"):
        ask(tier)


@pytest.mark.parametrize("tier", ["spacy:", "hf: ", "stanza:en", "spacy", ""])
def test_other_names_are_no_tiers_and_the_forms_are_told(tier: str) -> None:
    with pytest.raises(UnknownTier, match="rules, spacy:NAME, gliner:NAME, hf:NAME"):
        describe_extractor(tier)


def test_paths_are_told_from_names() -> None:
    paths = ["/models/a", "./a", "../a", "~/a", "~me/a"]
    assert all(map(is_path, paths))
    assert not any(map(is_path, ["en_core_web_sm", "owner/model", "a.b/c", "a"]))


def test_a_packaged_model_is_described_by_its_card_without_an_import(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "xx_made_up"
    package.mkdir()
    (package / "__init__.py").write_text("raise SystemExit")
    (package / "meta.json").write_text(json.dumps({"version": "3.1.0", "lang": "xx"}))
    monkeypatch.syspath_prepend(tmp_path)
    place = find_in_package("spacy:xx_made_up", "xx_made_up", "meta.json")
    assert (place.source, place.mark) == ("xx_made_up", "3.1.0")
    for name in ("json", "not_there", "../up"):  # no model, no package, no name
        with pytest.raises(ModelUnusable, match="install the package of the model"):
            find_in_package("spacy:x", name, "meta.json")


def test_every_file_of_a_folder_counts_but_not_where_the_folder_is(
    tmp_path: Path,
) -> None:
    model = tmp_path / "model"
    (model / "ner").mkdir(parents=True)
    (model / "config.json").write_text("{}")
    weights = model / "ner" / "weights"
    weights.write_bytes(b"abc")
    before = digest_folder(model)
    copied = Path(shutil.copytree(model, tmp_path / "copy"))
    (copied / ".cache").write_text("of a tool")
    assert digest_folder(copied) == before
    weights.write_bytes(b"abx")
    assert digest_folder(model) != before
