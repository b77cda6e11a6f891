"""Which entity each span means, and how much the article is about it."""

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from enrich.entities.keys import kind_of, make_key
from enrich.entities.names import (
    Name,
    Persons,
    clean_surface,
    find_acronyms,
    fold,
)
from enrich.entities.operators import OperatorNames
from enrich.entities.spans import Document, Extraction, Span
from enrich.messages import Entities, Entity, EntityKind, Field, Mention

VERSION = "2"  # raise it with every change that alters keys, names or salience

# Salience in words: how often, in the headline, in the opening, how late.
_TITLE_BONUS = 1.0
_OPENING_BONUS = 0.5
_POSITION_DECAY = 0.5
_SCORE_DIGITS = 4

NOTHING_SAID = OperatorNames()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Meant:
    """A span with what it means."""

    span: Span
    kind: EntityKind  # of the entity; the span of a demonym keeps its own
    key: str
    name: str


def resolve(
    document: Document, extraction: Extraction, operators: OperatorNames = NOTHING_SAID
) -> Entities:
    """Turn the spans of one article into entities and mentions of them.

    Within the article a surname joins the full name it belongs to, and an acronym
    the name it abbreviates. What a table knows keeps the key of the table. Then what
    operators say holds: which names are none, which keys are one, and which are two.
    """
    spans = [
        span
        for span in extraction.spans
        if not operators.is_stopped(_surface(document, span), span.kind)
    ]
    names = [_name(document, span) for span in spans]
    resolved = _resolve_all(document, spans, names)
    meant = _choose_names(
        [_as_operators_say(operators, document, one) for one in resolved]
    )
    entities = _count(document, meant)
    return Entities(
        status=extraction.status,
        mentions=tuple(_mention(document, found) for found in meant),
        entities=entities,
    )


def _as_operators_say(
    operators: OperatorNames, document: Document, found: _Meant
) -> _Meant:
    key = operators.key_of(found.key, f"{document.title}\n{document.text}")
    if key == found.key:
        return found
    return replace(found, key=key, kind=kind_of(key) or found.kind)


def _surface(document: Document, span: Span) -> str:
    return document.field(span.field)[span.start : span.end]


def _name(document: Document, span: Span) -> Name:
    surface = _surface(document, span)
    return Name(kind=span.kind, words=tuple(clean_surface(surface).split()))


def _resolve_all(
    document: Document, spans: Sequence[Span], names: Sequence[Name]
) -> list[_Meant]:
    persons = Persons(names)
    long_forms = find_acronyms(document, spans, names)
    known = {
        fold(name.text): span
        for name, span in zip(names, spans, strict=True)
        if span.key is not None
    }
    meant: list[_Meant] = []
    for index, (span, name) in enumerate(zip(spans, names, strict=True)):
        if span.key is not None:
            meant.append(_from_table(span, span, name))
            continue
        if name.kind is EntityKind.PER:
            full = persons.find_full(name, index)
        else:
            full = long_forms.get(fold(name.text), name)
        table = known.get(fold(full.text))
        if table is not None and table.kind is full.kind:
            meant.append(_from_table(span, table, name))
        else:
            key = make_key(full.kind, full.text)
            meant.append(_Meant(span=span, kind=full.kind, key=key, name=full.text))
    return meant


def _from_table(span: Span, table: Span, name: Name) -> _Meant:
    key = table.key or ""
    # "Russian" and "Russia" are one entity, which is a place.
    is_place = kind_of(key) is EntityKind.LOC
    kind = EntityKind.LOC if is_place else table.kind
    # An entity is called as the article calls it: "Genève", where that is a name.
    spelt_out = span.kind is kind and not name.text.replace(".", "").isupper()
    own = name.text if spelt_out and not table.operator else table.name or key
    return _Meant(span=span, kind=kind, key=key, name=own)


def _choose_names(meant: Sequence[_Meant]) -> list[_Meant]:
    """Give each key one name: the longest that is not shouted, then the commonest."""
    spellings: dict[str, Counter[str]] = defaultdict(Counter)
    for found in meant:
        spellings[found.key][found.name] += 1
    chosen = {
        key: max(
            counts, key=lambda name: (not name.isupper(), len(name), counts[name], name)
        )
        for key, counts in spellings.items()
    }
    return [replace(found, name=chosen[found.key]) for found in meant]


def _mention(document: Document, found: _Meant) -> Mention:
    span = found.span
    return Mention(
        field=span.field,
        start=span.start,
        end=span.end,
        surface=_surface(document, span),
        kind=span.kind,
        entity_key=found.key,
        score=span.score,
    )


def _count(document: Document, meant: Iterable[_Meant]) -> tuple[Entity, ...]:
    groups: dict[str, list[_Meant]] = defaultdict(list)
    for found in meant:
        groups[found.key].append(found)
    summed = [_sum_up(document, key, group) for key, group in groups.items()]
    heaviest = max(map(weigh, summed), default=1.0)
    entities = [
        replace(one, salience=round(weigh(one) / heaviest, _SCORE_DIGITS))
        for one in summed
    ]
    return tuple(sorted(entities, key=lambda entity: (-entity.salience, entity.key)))


def _sum_up(document: Document, key: str, group: Sequence[_Meant]) -> Entity:
    """Return an entity with the parts of its weight."""
    in_title = any(found.span.field is Field.TITLE for found in group)
    starts = [found.span.start for found in group if found.span.field is Field.TEXT]
    opening = document.text.find("\n\n")
    opening_end = opening if opening >= 0 else len(document.text)
    is_late = not in_title and starts
    return Entity(
        key=key,
        kind=group[0].kind,
        name=group[0].name,
        n_mentions=len(group),
        salience=0.0,
        in_title=in_title,
        in_opening=bool(starts) and starts[0] < opening_end,
        lateness=round(starts[0] / len(document.text), _SCORE_DIGITS)
        if is_late
        else 0.0,
    )


def weigh(entity: Entity) -> float:
    """Return how much an article is about an entity, by what is stored of it.

    Only the ratio within one article means anything: the heaviest has salience 1.
    """
    return (
        math.log1p(entity.n_mentions)
        + _TITLE_BONUS * entity.in_title
        + _OPENING_BONUS * entity.in_opening
        - _POSITION_DECAY * entity.lateness
    )
