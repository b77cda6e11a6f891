"""All tables. Importing this package fills `Base.metadata`."""

from store.models.access import ApiKey, AuditLog
from store.models.articles import Article, Entry, EntryAlias, Revision
from store.models.base import Base
from store.models.copies import (
    CopyPair,
    Duplicate,
    Fingerprint,
    FingerprintKey,
    SourceFurniture,
)
from store.models.enrichment import (
    ActivePipeline,
    ArticleEntity,
    Enrichment,
    Entity,
    EntityAlias,
    Mention,
    NameRule,
    Pipeline,
)
from store.models.feeds import Feed, ItemMarks
from store.models.folders import FolderFile, FolderPoll
from store.models.hosts import FeedMove, HostPause
from store.models.lines import LearnedLine, RevisionLines
from store.models.outbound import (
    Alert,
    Outbox,
    WatchRule,
    WebhookDelivery,
    WebhookEndpoint,
)
from store.models.pages import Page
from store.models.retention import RetentionPolicy, Tombstone
from store.models.rollups import EntityHour, IngestHour
from store.models.runs import (
    Document,
    FilePortion,
    Poll,
    PollMonth,
    PollPart,
    Run,
    RunFile,
)
from store.models.stories import (
    Story,
    StoryEvent,
    StoryKey,
    StoryMember,
    StoryVector,
)
from store.models.work import EnrichWork, Job, JobRange, Quarantine

__all__ = [
    "ActivePipeline",
    "Alert",
    "ApiKey",
    "Article",
    "ArticleEntity",
    "AuditLog",
    "Base",
    "CopyPair",
    "Document",
    "Duplicate",
    "EnrichWork",
    "Enrichment",
    "Entity",
    "EntityAlias",
    "EntityHour",
    "Entry",
    "EntryAlias",
    "Feed",
    "FeedMove",
    "FilePortion",
    "Fingerprint",
    "FingerprintKey",
    "FolderFile",
    "FolderPoll",
    "HostPause",
    "IngestHour",
    "ItemMarks",
    "Job",
    "JobRange",
    "LearnedLine",
    "Mention",
    "NameRule",
    "Outbox",
    "Page",
    "Pipeline",
    "Poll",
    "PollMonth",
    "PollPart",
    "Quarantine",
    "RetentionPolicy",
    "Revision",
    "RevisionLines",
    "Run",
    "RunFile",
    "SourceFurniture",
    "Story",
    "StoryEvent",
    "StoryKey",
    "StoryMember",
    "StoryVector",
    "Tombstone",
    "WatchRule",
    "WebhookDelivery",
    "WebhookEndpoint",
]
