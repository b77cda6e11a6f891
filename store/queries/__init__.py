"""The read side: questions to the database, answered with frozen rows."""

from store.queries.article_page import (
    Appearance,
    ArticlePage,
    EntityOfArticle,
    Ledger,
    RevisionLine,
    find_article,
    get_article,
)
from store.queries.articles import ArticleLine, list_articles
from store.queries.cursors import Cursor, parse_cursor
from store.queries.duplicates import DuplicateLine, list_duplicates
from store.queries.entities import (
    EntityDay,
    EntityLine,
    entity_timeline,
    list_entities,
)
from store.queries.explain import Evidence, get_evidence, stories_near
from store.queries.feeds import FeedLine, SourceLine, articles_per_source, list_feeds
from store.queries.hosts import HostLine, count_pauses, list_hosts
from store.queries.journal import LogLine, list_log
from store.queries.quarantine import (
    QuarantineItem,
    QuarantineLine,
    get_quarantined,
    list_quarantine,
)
from store.queries.runs import RunProgress, run_progress
from store.queries.status import (
    LaneLine,
    PipelineLine,
    Status,
    Totals,
    counts,
    status,
)
from store.queries.stories import (
    StoryLine,
    StoryTurn,
    find_story,
    list_stories,
    story_turns,
)
from store.queries.work import Standing, WorkState, count_standings, work_state

__all__ = [
    "Appearance",
    "ArticleLine",
    "ArticlePage",
    "Cursor",
    "DuplicateLine",
    "EntityDay",
    "EntityLine",
    "EntityOfArticle",
    "Evidence",
    "FeedLine",
    "HostLine",
    "LaneLine",
    "Ledger",
    "LogLine",
    "PipelineLine",
    "QuarantineItem",
    "QuarantineLine",
    "RevisionLine",
    "RunProgress",
    "SourceLine",
    "Standing",
    "Status",
    "StoryLine",
    "StoryTurn",
    "Totals",
    "WorkState",
    "articles_per_source",
    "count_pauses",
    "count_standings",
    "counts",
    "entity_timeline",
    "find_article",
    "find_story",
    "get_article",
    "get_evidence",
    "get_quarantined",
    "list_articles",
    "list_duplicates",
    "list_entities",
    "list_feeds",
    "list_hosts",
    "list_log",
    "list_quarantine",
    "list_stories",
    "parse_cursor",
    "run_progress",
    "status",
    "stories_near",
    "story_turns",
    "work_state",
]
