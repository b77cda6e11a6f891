"""Which entity a mention means."""

from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.names import operator_aliases

from enrich.entities.recogniser import RulesExtractor
from enrich.entities.resolve import resolve, weigh
from enrich.entities.spans import Document
from enrich.errors import BadNameTable
from enrich.messages import Entities, EntityKind


@cache
def extractor(aliases: str = "") -> RulesExtractor:
    return RulesExtractor(operator_aliases(aliases))


def find(
    text: str, *, title: str = "", language: str = "en", aliases: str = ""
) -> Entities:
    document = Document(title=title, text=text, language=language)
    (extraction,) = extractor(aliases).extract([document])
    return resolve(document, extraction)


def keys(text: str, title: str = "") -> list[str]:
    return [mention.entity_key for mention in find(text, title=title).mentions]


def test_a_surname_means_the_full_name() -> None:
    assert keys("Ada Brandt won. Critics say Brandt cheated.") == ["per:ada-brandt"] * 2


def test_a_headline_with_a_surname_means_the_person_of_the_text() -> None:
    text = "The mayor, Ada Brandt, has resigned."
    assert keys(text, "Mayor Brandt resigns") == ["per:ada-brandt"] * 2


def test_of_two_namesakes_the_nearest_earlier_one_is_meant() -> None:
    text = (
        "Ada Brandt met Hans Brandt. Then Brandt left. Ada Brandt stayed."
        " Then Mr. Brandt called."
    )
    assert keys(text) == [
        "per:ada-brandt",
        "per:hans-brandt",
        "per:hans-brandt",
        "per:ada-brandt",
        "per:ada-brandt",
    ]


def test_a_name_without_its_middle_name_is_the_same_person() -> None:
    text = "President Ada M. Brandt spoke. Ada Brandt left."
    assert len(set(keys(text))) == 1


@pytest.mark.parametrize(
    "text",
    [
        "The National Ferry Authority met. Critics say the NFA failed.",
        "The Union of National Ferry Crews (NFA) met. Critics say the NFA failed.",
    ],
)
def test_an_acronym_means_its_long_form(text: str) -> None:
    assert len(set(keys(text))) == 1
    assert len(find(text).entities) == 1


def test_a_company_is_one_with_and_without_its_legal_form() -> None:
    assert set(keys("Wexell Corp. grew. Wexell Ltd. too.")) == {"org:wexell"}


def test_a_country_and_its_people_are_one_entity_of_two_kinds_of_mention() -> None:
    found = find("Russia said the Russian army left. The Russians agreed.")
    assert [mention.kind for mention in found.mentions][:1] == [EntityKind.LOC]
    russia = next(entity for entity in found.entities if entity.key == "country:RU")
    assert (russia.kind, russia.name) == (EntityKind.LOC, "Russia")


def test_a_country_named_by_its_people_alone_has_its_own_name() -> None:
    (entity,) = find("They are Russian.").entities
    assert (entity.name, entity.kind) == ("Russia", EntityKind.LOC)


def test_an_entity_is_called_as_the_article_calls_it() -> None:
    (entity,) = find("Elle vit à Genève.", language="fr").entities
    assert (entity.key, entity.name) == ("loc:geneva", "Genève")
    (entity,) = find("He left the U.S. in May").entities
    assert (entity.key, entity.name) == ("country:US", "United States")


def test_a_shouted_name_is_spelt_as_elsewhere_in_the_article() -> None:
    found = find("WEXCOMBE, England - Snow fell in Wexcombe.")
    names = {entity.key: entity.name for entity in found.entities}
    assert names["loc:wexcombe"] == "Wexcombe"


def test_the_headline_and_the_opening_make_an_entity_salient() -> None:
    found = find(
        "Snow fell in Spain.\n\nLater it fell in Portugal too.",
        title="Snow in France",
    )
    assert [entity.name for entity in found.entities] == ["France", "Spain", "Portugal"]
    assert found.entities[0].salience == 1.0
    parts = {one.name: (one.in_title, one.in_opening) for one in found.entities}
    assert parts["France"] == (True, False)
    assert parts["Spain"] == (False, True)
    assert parts["Portugal"] == (False, False)
    assert [one.lateness > 0 for one in found.entities] == [False, True, True]


def test_an_acronym_in_brackets_means_what_the_table_knows_by_the_long_form() -> None:
    text = "The Red Cross (QXC) came. Critics say the QXC was late."
    assert set(keys(text)) == {"org:red-cross"}


def test_an_operator_table_gives_key_kind_and_name() -> None:
    aliases = "Alpha Holdings\tORG\twikidata:Q9\nthe Alphas\tORG\twikidata:Q9\ten\n"
    found = find("Critics say the Alphas paid.", aliases=aliases)
    (entity,) = found.entities
    assert (entity.key, entity.kind, entity.name) == (
        "wikidata:Q9",
        EntityKind.ORG,
        "Alpha Holdings",
    )


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("only an alias", "needs alias"),
        ("Acme\tORG\t", "needs alias"),
        ("Acme\tFIRM\torg:x", "FIRM"),
    ],
)
def test_a_bad_operator_table_names_the_line(line: str, reason: str) -> None:
    with pytest.raises(BadNameTable, match=f"line 3: .*{reason}"):
        operator_aliases(f"# comment\n\n{line}\n")


def test_an_operator_table_may_have_comments_heading_and_byte_order_mark() -> None:
    content = "\ufeffalias\ttype\tkey\tlang\n# x\n\nAcme\tORG\torg:acme\r\n"
    (alias,) = operator_aliases(content)
    assert (alias.spelling, alias.language) == ("Acme", "*")


VOCABULARY = [
    "Ada",
    "Brandt",
    "Hans",
    "President",
    "Russian",
    "Russia",
    "U.S.",
    "UN",
    "NATO",
    "(NFA)",
    "NFA",
    "the",
    "National",
    "Ferry",
    "Authority",
    "Inc.",
    "London",
    "LONDON",
    "said",
    ".",
    ",",
    "Mr.",
    "of",
    "\n\n",
]
PIECES = st.lists(
    st.sampled_from(VOCABULARY) | st.text(max_size=4),
    max_size=40,
)


@settings(max_examples=150)
@given(PIECES, PIECES)
def test_mentions_index_their_field_and_point_to_an_entity(
    title: list[str], text: list[str]
) -> None:
    document = Document(title=" ".join(title), text=" ".join(text), language="en")
    found = find(document.text, title=document.title)
    known = {entity.key: entity for entity in found.entities}
    assert len(known) == len(found.entities)
    for mention in found.mentions:
        content = document.field(mention.field)
        assert content[mention.start : mention.end] == mention.surface
        assert mention.entity_key in known
    assert sum(entity.n_mentions for entity in found.entities) == len(found.mentions)
    assert all(0.0 <= entity.salience <= 1.0 for entity in found.entities)
    # Its parts are stored, so that another formula needs no text.
    heaviest = max(map(weigh, found.entities), default=1.0)
    again = [round(weigh(entity) / heaviest, 4) for entity in found.entities]
    assert again == [entity.salience for entity in found.entities]
