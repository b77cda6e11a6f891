"""What operators say of names: read, written, refused and applied."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from enrich import pipeline
from enrich.entities.operators import (
    MAX_TABLE_BYTES,
    check_rule,
    compile_names,
    names_digest,
    read_names,
    write_names,
)
from enrich.entities.recogniser import RulesExtractor
from enrich.entities.resolve import resolve
from enrich.entities.spans import Document
from enrich.errors import BadNameTable
from enrich.messages import Entities, EntityKind, NameRule, Rule
from enrich.pipeline import EnrichOptions, make_tools, with_names


def find(text: str, table: str, *, title: str = "") -> Entities:
    names = compile_names(read_names(table))
    document = Document(title=title, text=text, language="en")
    (extraction,) = RulesExtractor(names.aliases).extract([document])
    return resolve(document, extraction, names)


def keys(text: str, table: str, *, title: str = "") -> set[str]:
    return {entity.key for entity in find(text, table, title=title).entities}


CELLS = st.text("abcXYZ :-é", min_size=1, max_size=8).filter(
    lambda it: it.strip() == it
)
RULES = st.one_of(
    st.builds(
        NameRule,
        rule=st.just(Rule.ALIAS),
        subject=CELLS,
        target=CELLS,
        kind=st.sampled_from(EntityKind),
        detail=st.sampled_from(["", "en", "de"]),
    ),
    st.builds(
        NameRule,
        rule=st.just(Rule.STOP),
        subject=CELLS,
        kind=st.none() | st.sampled_from(EntityKind),
    ),
    st.builds(
        NameRule,
        rule=st.just(Rule.SPLIT),
        subject=CELLS,
        target=CELLS,
        detail=CELLS,
    ),
)


@given(st.lists(RULES, max_size=8))
def test_a_table_that_was_written_is_read_as_the_same_rules(
    rules: list[NameRule],
) -> None:
    table = write_names(rules)
    again = read_names(table)
    assert set(again) == set(rules)
    assert write_names(again) == table
    assert write_names([*rules, *rules]) == table


def test_the_number_of_an_item_changes_no_result() -> None:
    table = write_names(read_names("stop\tReuters\n"))
    more = write_names(read_names("qid\tper:ada\tQ7259\nstop\tReuters\n"))
    assert names_digest(more) == names_digest(table)
    assert names_digest(table) != names_digest("")


@pytest.mark.parametrize(
    ("table", "reason"),
    [
        ("merge\ta", "line 1: merge needs two keys"),
        ("\nmerge\ta\ta", "line 2: merge needs two keys"),
        ("split\ta\tb", "a word that tells them apart"),
        ("qid\ta\t7259", "Q7747"),
        ("stop\t", "needs a name or a key"),
        ("stop\ta\t\tNAME", "type 'NAME'"),
        ("stop\ta\u202eb", "cannot be seen"),
        (f"stop\t{'a' * 400}", "more than 300 characters"),
        ("merge\ta\tb\nmerge\tb\tc\nmerge\tc\ta", "in a circle"),
        ("stop\tx" + "y" * 200 + "\n", ""),
    ],
)
def test_what_makes_no_sense_is_refused(table: str, reason: str) -> None:
    if not reason:
        large = "".join(f"stop\tn{n}{'y' * 200}\n" for n in range(3_000))
        assert len(large) > MAX_TABLE_BYTES
        with pytest.raises(BadNameTable, match="more than"):
            read_names(large)
        return
    with pytest.raises(BadNameTable, match=reason):
        read_names(table)


def test_a_rule_without_its_parts_is_no_rule() -> None:
    with pytest.raises(ValueError, match="alias needs a key and a type"):
        check_rule(NameRule(rule=Rule.ALIAS, subject="Ada", target="per:ada"))


TEXT = "Mr. Hans Brandt met Mrs. Ada Kowalczyk in Paris. Brandt of Wexell Corp. left."


def test_two_entities_that_are_one_have_one_key_and_the_longer_name() -> None:
    table = "merge\tper:hans-brandt\tper:h\nmerge\tper:h\tper:johannes-brandt\n"
    found = find(TEXT, table)
    (brandt,) = (one for one in found.entities if one.key == "per:johannes-brandt")
    assert (brandt.kind, brandt.name, brandt.n_mentions) == (
        EntityKind.PER,
        "Hans Brandt",
        2,
    )
    assert "per:hans-brandt" not in {one.key for one in found.entities}


def test_what_is_merged_into_another_kind_is_of_that_kind() -> None:
    found = find(TEXT, "merge\torg:wexell\tper:mr-wexell\n")
    (wexell,) = (one for one in found.entities if one.key == "per:mr-wexell")
    assert wexell.kind is EntityKind.PER


def test_a_word_of_the_article_tells_two_of_one_name_apart() -> None:
    table = "split\tper:hans-brandt\tper:hans-brandt-baker\t\tbread\n"
    assert "per:hans-brandt" in keys(TEXT, table)
    assert "per:hans-brandt" in keys(f"{TEXT} Breadth counts.", table)
    assert "per:hans-brandt-baker" in keys(TEXT, table, title="Of Bread")


def test_a_stop_name_is_no_entity() -> None:
    assert "org:wexell" in keys(TEXT, "")
    assert "org:wexell" not in keys(TEXT, "stop\tWexell Corp.\n")
    assert "org:wexell" not in keys(TEXT, "stop\twexell corp.\t\tORG\n")
    assert "org:wexell" in keys(TEXT, "stop\tWexell Corp.\t\tPER\n")


@pytest.mark.parametrize("second", [None, "crf"])
def test_names_change_without_loading_the_models_again(
    second: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = EnrichOptions(entity_second_tier=second)
    options = replace(first, names="stop\tReuters\n")
    tools, wanted = make_tools(first), make_tools(options).pipelines
    monkeypatch.setattr(pipeline, "load_extractor", None)  # whoever calls it fails
    other = with_names(tools, options)
    assert other.pipelines == wanted
    assert other.pipelines != tools.pipelines
    assert other.detector is tools.detector
    for number in (1, 2):
        model = vars(tools.extractor_of(number))["_model"]
        assert vars(other.extractor_of(number))["_model"] is model
