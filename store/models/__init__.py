"""All tables. Importing this package fills `Base.metadata`."""

from store.models.articles import Article, Entry, EntryAlias, Revision
from store.models.base import Base
from store.models.copies import (
    CopyPair,
    Duplicate,
    Fingerprint,
    FingerprintKey,
    Story,
    StoryEvent,
    StoryKey,
    StoryMember,
)
from store.models.enrichment import (
    ActivePipeline,
    ArticleEntity,
    Enrichment,
    Entity,
    EntityAlias,
    Mention,
    Pipeline,
)
from store.models.feeds import Document, Feed, Poll, PollPart, Run, RunFile
from store.models.work import EnrichWork, Job, JobRange, Quarantine

__all__ = [
    "ActivePipeline",
    "Article",
    "ArticleEntity",
    "Base",
    "CopyPair",
    "Document",
    "Duplicate",
    "EnrichWork",
    "Enrichment",
    "Entity",
    "EntityAlias",
    "Entry",
    "EntryAlias",
    "Feed",
    "Fingerprint",
    "FingerprintKey",
    "Job",
    "JobRange",
    "Mention",
    "Pipeline",
    "Poll",
    "PollPart",
    "Quarantine",
    "Revision",
    "Run",
    "RunFile",
    "Story",
    "StoryEvent",
    "StoryKey",
    "StoryMember",
]
