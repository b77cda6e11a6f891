"""What enrich accepts and what it emits: the message contract of the second stage.

`EnrichArticles` carries texts, because an enrich worker may not ask the database.
`ArticlesEnriched` carries results only; the store settles copies and stories from
them inside its own transaction. Times are aware and in UTC.
"""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import ClassVar

from ingest.messages import require_utc


class Lane(StrEnum):
    """Which queue carries the work; live never waits behind bulk."""

    LIVE = "live"
    BULK = "bulk"


class Stage(StrEnum):
    """The stages of enrichment. Each is versioned and redone on its own."""

    LANGUAGE = "language"
    ENTITIES = "entities"
    COPIES = "copies"
    STORIES = "stories"


class EntityKind(StrEnum):
    """The label set that every recogniser shares."""

    PER = "PER"
    ORG = "ORG"
    LOC = "LOC"
    MISC = "MISC"


class Field(StrEnum):
    """Which stored string the offsets of a mention index."""

    TITLE = "title"
    TEXT = "text"


class EntitiesStatus(StrEnum):
    """How recognition ended for one article."""

    FOUND = "found"  # the recogniser knows the language; zero mentions is a result
    NAMES_ONLY = "names_only"  # language unsupported: only the alias table was used


class CopyKind(StrEnum):
    """How two articles with one text are related."""

    IDENTICAL = "identical"  # same normalised text
    NEAR = "near"  # lightly edited
    EXCERPT = "excerpt"  # the shorter one stands inside the longer one


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Pipeline:
    """What makes the results of one stage: an engine and the version of it.

    Equal pipelines give equal results for equal input. Parameters that change a
    result (thresholds, the hash of a model or of an alias file) are in the version.
    """

    stage: Stage
    name: str  # "py3langid"
    version: str  # "0.4.0+1"
    # How often it goes over a text, each time better and each time slower; the version
    # says it too.
    n_passes: int = field(default=1, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class ArticleToEnrich:
    """One stored revision of one article."""

    article_id: int
    revision: int
    title: str
    text: str
    language: str | None  # declared by feed or file; a hint
    published_at: datetime | None
    attempt: int = 0  # which of the attempts on this article it is; 0: not told

    def __post_init__(self) -> None:
        """Reject naive times at the border."""
        require_utc(self.published_at, "published_at")


class Rule(StrEnum):
    """What an operator can say of a name."""

    ALIAS = "alias"  # what is spelt so is this entity
    MERGE = "merge"  # two entities are one
    SPLIT = "split"  # one entity is another one where an article holds a word
    STOP = "stop"  # what is spelt so is none
    QID = "qid"  # what Wikidata calls it


@dataclass(frozen=True, slots=True, kw_only=True)
class NameRule:
    """One thing that an operator says of a name."""

    rule: Rule
    subject: str  # of alias and stop a name, else the key of an entity
    target: str = ""  # a key, or a number of Wikidata
    kind: EntityKind | None = None  # of an alias; of a stop name, only this kind
    detail: str = ""  # of an alias its language, of a split the word


@dataclass(frozen=True, slots=True, kw_only=True)
class EnrichArticles:
    """Command: enrich these articles with exactly these pipelines."""

    SCHEMA: ClassVar[str] = "enrich.enrich_articles"
    VERSION: ClassVar[int] = 1

    lane: Lane
    pipelines: tuple[Pipeline, ...]  # what the database wants; at most one a stage
    articles: tuple[ArticleToEnrich, ...]
    names: str = ""  # what operators say of names: the table that pipelines go by
    pass_number: int = 1  # which pass of those pipelines that have several


@dataclass(frozen=True, slots=True, kw_only=True)
class Language:
    """Which language a text is in, and who says so."""

    code: str  # ISO 639-1, or "und" where nothing can be told
    score: float  # 0..1
    origin: str  # "detector" or "declared"


@dataclass(frozen=True, slots=True, kw_only=True)
class Mention:
    """A span of the stored title or text that names something."""

    field: Field
    start: int  # characters, half-open
    end: int
    surface: str  # equals the field's [start:end]
    kind: EntityKind
    entity_key: str  # key of one of the entities beside it
    score: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Entity:
    """What the mentions of one article resolve to."""

    key: str  # "country:RU", "per:vladimir-putin"; equal = same entity everywhere
    kind: EntityKind
    name: str  # canonical spelling in this article
    n_mentions: int
    salience: float  # 0..1 within the article; made of what follows and n_mentions
    in_title: bool = False
    in_opening: bool = False  # in the first paragraph
    lateness: float = 0.0  # share of the text before its first mention; 0 in a title


@dataclass(frozen=True, slots=True, kw_only=True)
class Entities:
    """The result of the entity stage for one article."""

    status: EntitiesStatus
    mentions: tuple[Mention, ...]
    entities: tuple[Entity, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fingerprint:
    """Numbers such that near texts share them."""

    text_hash: bytes  # 16 bytes over the normalised token stream of the text
    title_hash: bytes  # 16 bytes over the normalised title
    n_tokens: int
    marks: bytes  # all winnowed marks: unsigned 64-bit, big-endian, packed
    n_lead_marks: int = 0  # so many are of the lead: they stand first, and all are keys
    numbers: bytes = b""  # hashes of its numbers: sorted unsigned 32-bit, packed


@dataclass(frozen=True, slots=True, kw_only=True)
class StoryFeatures:
    """A sparse unit vector of what an article is about."""

    # Heaviest first, then those of a sentence embedding, all in four decimals. But for
    # them the Euclidean norm is 1; with an embedding it is less.
    terms: tuple[tuple[str, float], ...]
    keys: tuple[int, ...]  # hashes of the heaviest terms, to find candidate stories


@dataclass(frozen=True, slots=True, kw_only=True)
class EnrichedArticle:
    """All results for one revision; None where the stage was not asked for."""

    article_id: int
    revision: int
    language: Language | None = None
    entities: Entities | None = None
    fingerprint: Fingerprint | None = None
    features: StoryFeatures | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ArticleFailed:
    """One article of a batch on which the pipeline raised."""

    article_id: int
    revision: int
    error: str  # the class of the exception
    detail: str  # message and place, without article text


@dataclass(frozen=True, slots=True, kw_only=True)
class ArticlesEnriched:
    """Event: a batch has been through the pipeline."""

    SCHEMA: ClassVar[str] = "enrich.articles_enriched"
    VERSION: ClassVar[int] = 1

    lane: Lane
    pipelines: tuple[Pipeline, ...]  # what was really used
    enriched_at: datetime
    articles: tuple[EnrichedArticle, ...]
    failed: tuple[ArticleFailed, ...] = ()
    pass_number: int = 1  # which pass of those pipelines that have several

    def __post_init__(self) -> None:
        """Reject naive times at the border."""
        require_utc(self.enriched_at, "enriched_at")


# The values below never travel on a queue. They are the words in which the store,
# which may not import the deciding code, asks for a decision and is answered.


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """How alike two fingerprints are."""

    kind: CopyKind
    containment: float  # share of the shorter text's marks found in the longer
    resemblance: float  # shared marks over all marks
    numbers_differ: bool = False  # each has numbers in place of the other's


@dataclass(frozen=True, slots=True, kw_only=True)
class CopyPair:
    """Two articles that pass as copies; `low_id < high_id`."""

    low_id: int
    high_id: int
    comparison: Comparison


@dataclass(frozen=True, slots=True, kw_only=True)
class CopyVerdict:
    """An article judged a copy, the original it points to, and why."""

    article_id: int
    original_id: int
    comparison: Comparison


@dataclass(frozen=True, slots=True, kw_only=True)
class StoryCandidate:
    """A live story as the clusterer sees it."""

    story_id: int
    centroid: tuple[tuple[str, float], ...]  # mean of its articles, heaviest first
    n_articles: int
    first_at: datetime  # time of its first article
    last_at: datetime  # time of its latest article


@dataclass(frozen=True, slots=True, kw_only=True)
class StoryChoice:
    """Where an article belongs."""

    story_id: int | None  # None: it opens a story of its own
    score: float  # similarity with the chosen story, or with the best refused one


@dataclass(frozen=True, slots=True, kw_only=True)
class StoryPart:
    """What a review of stories moves as one: an article, or a story as a whole."""

    number: int  # whatever the caller knows it by
    story_id: int  # where it is now
    n_articles: int
    terms: tuple[tuple[str, float], ...]  # their mean
    at: datetime  # of an article its time, of a story the middle of its time


@dataclass(frozen=True, slots=True, kw_only=True)
class StoryGroup:
    """Parts that make one story."""

    story_id: int | None  # None: a new one
    numbers: tuple[int, ...]  # of the parts, by time
    scores: tuple[float, ...]  # mean similarity of each with the others; of one alone 1
