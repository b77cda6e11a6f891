"""What enrich workers answer: mended where words cannot be kept, or else refused.

Workers take strangers' documents apart and operators plug in engines of their own. One
odd answer must not keep the others of its message from being stored, on any engine.
"""

import math
from collections.abc import Iterator
from dataclasses import replace

from enrich.messages import EnrichedArticle, Entities, Fingerprint, StoryFeatures
from store.plain import MAX_KEY_BYTES, UnfitValue, said, storable, storable_key

# A character is four bytes at most: shorter keys need no counting of their bytes.
_SURELY_SHORT = MAX_KEY_BYTES // 4
MAX_INTEGER = 2**31 - 1
MAX_BIG_INTEGER = 2**63 - 1
MAX_LANGUAGE_CHARS = 16
MARK_BYTES = 8


def mend_answer(article: EnrichedArticle) -> EnrichedArticle:
    """Return results as both engines keep them; most are returned as they came.

    Names, spellings and keys lose what no database takes, and keys what no index takes.

    Raises:
        UnfitValue: A number, a span or a reference in it means nothing.
    """
    _require_language(article)
    if article.fingerprint is not None:
        _require_fingerprint(article.fingerprint)
    if article.features is not None:
        _require_features(article.features)
    if article.entities is None:
        return article
    entities = article.entities
    if not _is_plain(entities):
        entities = _mended(entities)
    _require_entities(entities)
    return replace(article, entities=entities)


def _require_language(article: EnrichedArticle) -> None:
    if (found := article.language) is None:
        return
    for text in (found.code, found.origin):
        if len(text) > MAX_LANGUAGE_CHARS or storable(text) != text:
            raise UnfitValue(f"{text[:MAX_LANGUAGE_CHARS]!a} is no language or origin")
    _require_finite("the score of the language", found.score)


def _require_fingerprint(found: Fingerprint) -> None:
    _require_within("the length in tokens", found.n_tokens, MAX_INTEGER)
    n_marks, rest = divmod(len(found.marks), MARK_BYTES)
    if rest:
        raise UnfitValue("the marks are cut off")
    _require_within("the number of marks of the lead", found.n_lead_marks, n_marks)


def _require_features(found: StoryFeatures) -> None:
    for term, weight in found.terms:
        if storable(term) != term:
            raise UnfitValue(f"the term {term!a} cannot be stored")
        _require_finite("the weight of a term", weight)
    for key in found.keys:
        _require_within("the key of a term", abs(key), MAX_BIG_INTEGER)


def _is_plain(entities: Entities) -> bool:
    """Say at little cost that nothing needs mending: hardly anything ever does."""
    texts = list(_texts(entities))
    together = "".join(texts)
    return storable(together) == together and (
        not texts or max(map(len, texts)) <= _SURELY_SHORT
    )


def _texts(entities: Entities) -> Iterator[str]:
    for entity in entities.entities:
        yield entity.key
        yield entity.name
    for mention in entities.mentions:
        yield mention.entity_key
        yield mention.surface


def _mended(entities: Entities) -> Entities:
    return replace(
        entities,
        entities=tuple(
            replace(one, key=storable_key(one.key), name=said(one.name) or "?")
            for one in entities.entities
        ),
        mentions=tuple(
            replace(
                one,
                entity_key=storable_key(one.entity_key),
                surface=storable_key(one.surface),
            )
            for one in entities.mentions
        ),
    )


def _require_entities(found: Entities) -> None:
    keys = {one.key for one in found.entities}
    if len(keys) < len(found.entities):
        raise UnfitValue("an entity is summed up twice")
    for one in found.entities:
        _require_within("the number of mentions", one.n_mentions, MAX_INTEGER)
        _require_finite("the weight of an entity", one.salience)
        _require_finite("a part of the weight of an entity", one.lateness)
    for mention in found.mentions:
        if mention.entity_key not in keys:
            raise UnfitValue(f"a mention of {mention.entity_key!a}, which has no sum")
        if not 0 <= mention.start < mention.end <= MAX_INTEGER:
            raise UnfitValue(f"no span: {mention.start} to {mention.end}")
        if mention.score is not None:
            _require_finite("the score of a mention", mention.score)


def _require_within(name: str, value: int, most: int) -> None:
    if not 0 <= value <= most:
        raise UnfitValue(f"{name} is out of range: {value}")


def _require_finite(name: str, value: float) -> None:
    if not math.isfinite(value):
        raise UnfitValue(f"{name} is no number: {value}")
