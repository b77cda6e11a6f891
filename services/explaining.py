"""Why an article is where it is: the evidence of the store, judged as when it came."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from enrich.dedup.decide import MIN_CONTAINMENT, MIN_RESEMBLANCE, compare, overlap
from enrich.dedup.furniture import without
from enrich.dedup.numbers import numbers_only_in
from enrich.dedup.passages import find_passages
from enrich.entities.spans import Document
from enrich.messages import Fingerprint, StoryCandidate, StoryFeatures
from enrich.pipeline import MAX_TEXT_CHARS
from enrich.stories.assign import MIN_SIMILARITY, assign, product
from enrich.stories.embedding import Encoder, embed
from enrich.stories.features import (
    Terms,
    Vector,
    WordStatistics,
    describe,
    is_embedded,
)
from ingest.articles import article_uid
from store.queries import StoryTurn
from store.queries.explain import Evidence, Key, Rewrite

MAX_PASSAGES = 3
MAX_PASSAGE_CHARS = 300
MAX_NUMBERS = 8
MAX_ALMOST = 10
MAX_TERMS = 10
MAX_STORIES = 3
EMBEDDING = "sentence embedding"  # what all terms of one are told as


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """What made it an article of its own: all that has this key is this article."""

    uid: str  # hash of the value
    made_of: str  # address, entry, file; or unknown, where it is that no more
    value: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """A stretch that article and original share, from both texts."""

    n_tokens: int  # words, or characters of scripts without spaces
    in_article: str
    in_original: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CopyOf:
    """Of what the article is a copy, and how that can be seen."""

    original_id: int
    title: str
    source: str
    kind: str
    containment: float
    resemblance: float
    numbers_differ: bool  # each has numbers in place of the other's
    numbers_only_here: tuple[str, ...]  # the first ones of the article
    numbers_only_there: tuple[str, ...]  # of the original
    passages: tuple[Match, ...]  # the longest first


@dataclass(frozen=True, slots=True, kw_only=True)
class Almost:
    """An article that shares keys and was judged no copy."""

    article_id: int
    title: str
    source: str
    n_shared_keys: int
    containment: float
    resemblance: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """A word or entity that article and story share, or their embeddings."""

    term: str
    share: float  # of the similarity, in the same unit; of embeddings also below 0


@dataclass(frozen=True, slots=True, kw_only=True)
class InStory:
    """The article in its story."""

    story_id: int
    title: str
    n_articles: int
    role: str
    score: float  # when it joined; of an opener: of the best story refused then
    joined_at: datetime
    similarity: float  # mean with its articles as they are now, itself among them
    terms: tuple[Term, ...]  # the largest share first
    turns: tuple[StoryTurn, ...]  # of the article and its story, the latest first


@dataclass(frozen=True, slots=True, kw_only=True)
class OtherStory:
    """A story that the article is not in, and how near it is now."""

    story_id: int
    title: str
    n_articles: int
    score: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """Why an article is what it is."""

    article_id: int
    title: str
    source: str
    identity: Identity
    n_appearances: int
    appearances: tuple[Key, ...]
    revisions: tuple[Rewrite, ...]
    copy_of: CopyOf | None
    min_containment: float  # either makes most pairs copies
    min_resemblance: float
    almost_copies: tuple[Almost, ...]  # the highest containment first
    story: InStory | None
    min_similarity: float
    other_stories: tuple[OtherStory, ...]  # the nearest first


def features_of(
    evidence: Evidence, statistics: WordStatistics, encoder: Encoder | None = None
) -> StoryFeatures:
    """Return what the article is about, by the entities that are stored of it."""
    document = Document(
        title=evidence.title,
        text=evidence.text[:MAX_TEXT_CHARS],
        language=evidence.language or "und",
    )
    features = describe(
        title=document.title,
        text=document.text,
        language=document.language,
        entities=evidence.entities,
        statistics=statistics,
    )
    return embed(features, document, encoder)


def explain(
    evidence: Evidence,
    features: StoryFeatures,
    near: Sequence[tuple[str, StoryCandidate]],
) -> Explanation:
    """Judge the evidence on an article.

    Args:
        evidence: What the store has.
        features: What the article is about.
        near: Titles and states of the stories it could join now.
    """
    return Explanation(
        article_id=evidence.article_id,
        title=evidence.title,
        source=evidence.source,
        identity=_identity(evidence),
        n_appearances=evidence.n_appearances,
        appearances=evidence.keys,
        revisions=evidence.rewrites,
        copy_of=_copy(evidence),
        min_containment=MIN_CONTAINMENT,
        min_resemblance=MIN_RESEMBLANCE,
        almost_copies=_almost(evidence),
        story=_story(evidence, features),
        min_similarity=MIN_SIMILARITY,
        other_stories=_others(evidence, features, near),
    )


def _identity(evidence: Evidence) -> Identity:
    values = [("address", evidence.url or "")]
    for one in evidence.keys:
        # What has no page of its own is known by its place in its feed or file.
        values += [("entry", f"{one.feed} {one.key}"), ("file", one.key)]
    for made_of, value in values:
        if article_uid(value) == evidence.uid:
            return Identity(uid=evidence.uid, made_of=made_of, value=value)
    return Identity(uid=evidence.uid, made_of="unknown", value=None)


def _copy(evidence: Evidence) -> CopyOf | None:
    found, text = evidence.copy_of, evidence.original_text
    if found is None or text is None:
        return None
    passages = find_passages(evidence.text, text, most=MAX_PASSAGES)
    return CopyOf(
        original_id=found.original_id,
        title=found.original_title,
        source=found.original_source,
        kind=found.kind,
        containment=found.containment,
        resemblance=found.resemblance,
        numbers_differ=found.numbers_differ,
        numbers_only_here=numbers_only_in(evidence.text, text, most=MAX_NUMBERS),
        numbers_only_there=numbers_only_in(text, evidence.text, most=MAX_NUMBERS),
        passages=tuple(
            Match(
                n_tokens=one.n_tokens,
                in_article=_clip(evidence.text[one.one]),
                in_original=_clip(text[one.other]),
            )
            for one in passages
        ),
    )


def _clip(text: str) -> str:
    if len(text) <= MAX_PASSAGE_CHARS:
        return text
    return f"{text[: MAX_PASSAGE_CHARS - 1]}…"


def _almost(evidence: Evidence) -> tuple[Almost, ...]:
    if evidence.marks is None:
        return ()
    marks = _bare(evidence, evidence.source, evidence.marks)
    almost = []
    for one in evidence.nearest:
        theirs = _bare(evidence, one.source, one.marks)
        if compare(marks, theirs) is not None:
            continue
        found = overlap(marks, theirs)
        almost.append(
            Almost(
                article_id=one.article_id,
                title=one.title,
                source=one.source,
                n_shared_keys=one.n_shared_keys,
                containment=found.containment,
                resemblance=found.resemblance,
            )
        )
    almost.sort(key=lambda one: (-one.containment, one.article_id))
    return tuple(almost[:MAX_ALMOST])


def _bare(evidence: Evidence, source: str, marks: Fingerprint) -> Fingerprint:
    return without(marks, evidence.furniture.get(source, b""))


def _story(evidence: Evidence, features: StoryFeatures) -> InStory | None:
    member = evidence.membership
    if member is None:
        return None
    vector, centroid = dict(features.terms), member.centroid
    return InStory(
        story_id=member.story_id,
        title=member.title,
        n_articles=member.n_articles,
        role=member.role,
        score=member.score,
        joined_at=member.joined_at,
        similarity=product(vector, centroid),
        terms=_shared(vector, centroid),
        turns=evidence.turns,
    )


def _shared(vector: Vector, centroid: Terms) -> tuple[Term, ...]:
    shares: dict[str, float] = {}
    for term, weight in centroid:
        if term in vector:
            name = EMBEDDING if is_embedded(term) else term
            shares[name] = shares.get(name, 0.0) + vector[term] * weight
    terms = [Term(term=term, share=share) for term, share in shares.items()]
    terms.sort(key=lambda one: (-one.share, one.term))
    return tuple(terms[:MAX_TERMS])


def _others(
    evidence: Evidence,
    features: StoryFeatures,
    near: Sequence[tuple[str, StoryCandidate]],
) -> tuple[OtherStory, ...]:
    own = evidence.membership.story_id if evidence.membership else None
    others = [
        OtherStory(
            story_id=story.story_id,
            title=title,
            n_articles=story.n_articles,
            score=assign(features, evidence.sort_at, [story]).score,
        )
        for title, story in near
        if story.story_id != own
    ]
    others.sort(key=lambda one: (-one.score, one.story_id))
    return tuple(others[:MAX_STORIES])
