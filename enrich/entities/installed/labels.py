"""What the labels of other people's models are among ours."""

from collections.abc import Iterable, Mapping

from enrich.messages import EntityKind

PER, ORG, LOC, MISC = EntityKind.PER, EntityKind.ORG, EntityKind.LOC, EntityKind.MISC

# Each table: our label, and what others say for it.
_Table = Mapping[EntityKind, str]

# CoNLL-2003, WikiNER and WikiANN: ours, and so is what they are called in full.
_FOUR: _Table = {
    PER: "PER PERSON",
    ORG: "ORG ORGANIZATION ORGANISATION",
    LOC: "LOC LOCATION",
    MISC: "MISC",
}

# OntoNotes 5. Countries and cities (GPE) act like bodies, and buildings (FAC) belong
# to some, but both are found on a map. Nationalities, religions and parties (NORP) are
# what CoNLL calls MISC. Not here, and so dropped: dates, times, amounts, numbers.
_ONTONOTES: _Table = {
    LOC: "GPE FAC",
    MISC: "NORP EVENT WORK_OF_ART PRODUCT LAW LANGUAGE",
}

# WNUT 2017: a group is a band, a team or a club.
_WNUT: _Table = {ORG: "CORPORATION GROUP", MISC: "CREATIVE-WORK"}

# What pipelines of spaCy for single languages have besides. Norwegian says how a
# country acts (GPE_ORG, GPE_LOC) and marks adjectives of names (DRV); Swedish and
# Polish have words of their own.
_SPACY: _Table = {
    PER: "PRS PERSNAME",
    ORG: "ORGNAME",
    LOC: "GPE_LOC GPE_ORG FACILITY PLACENAME GEOGNAME",
    MISC: "DRV EVT PROD EVN WRK OBJ",
}

_KINDS = {
    label: kind
    for table in (_FOUR, _ONTONOTES, _WNUT, _SPACY)
    for kind, labels in table.items()
    for label in labels.split()
}

# A model that takes labels in words is asked for these. Ours for the rest is a word
# that names nothing, so that it is asked for by what it holds.
ASKED: Mapping[str, EntityKind] = {
    "person": PER,
    "organization": ORG,
    "location": LOC,
    "nationality, religion or political group": MISC,
    "event": MISC,
    "work of art": MISC,
    "product": MISC,
}


def kind_of(label: str) -> EntityKind | None:
    """Return which of our labels a foreign one is; None: it names nothing of ours."""
    return ASKED.get(label) or _KINDS.get(label.upper())


def has_kind(labels: Iterable[str]) -> bool:
    """Tell whether any of the labels is one of ours."""
    return any(kind_of(label) is not None for label in labels)
