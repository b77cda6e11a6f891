"""The closed vocabularies that the tables speak."""

from enum import StrEnum


class FeedKind(StrEnum):
    """Where the entries of a feed come from."""

    WEB = "web"  # polled over HTTP
    FILES = "files"  # handed over by `wireroom ingest`
    FOLDER = "folder"  # found in a folder that is watched


class FeedState(StrEnum):
    """What the scheduler does with a feed."""

    ACTIVE = "active"
    PAUSED = "paused"  # by the operator
    GONE = "gone"  # the server said 410
    QUARANTINED = "quarantined"  # polls of it keep dying
    REMOVED = "removed"  # unsubscribed; its articles stay
    MANUAL = "manual"  # never due: entries are handed over


class Trust(StrEnum):
    """What is known of the validators of a feed."""

    TRUSTED = "trusted"
    IGNORED = "ignored"  # sent, and answered with the whole body for nothing
    LYING = "lying"  # they called a changed feed unchanged; sent no more


class MoveKind(StrEnum):
    """What a permanent redirect came to."""

    MOVED = "moved"
    MERGED = "merged"  # another feed polls that address already


class PollState(StrEnum):
    """Where a poll stands."""

    OPEN = "open"
    DONE = "done"
    ABANDONED = "abandoned"  # its lease ran out; a later poll took over


class FileState(StrEnum):
    """Where the reading of a file stands."""

    PENDING = "pending"
    DONE = "done"
    QUARANTINED = "quarantined"


class PageState(StrEnum):
    """Where the page of an article stands."""

    PENDING = "pending"
    DONE = "done"
    QUARANTINED = "quarantined"


class PageSkip(StrEnum):
    """The end of a page that was wanted and that nobody was asked for."""

    TOO_OLD = "too_old"  # the entry is old news
    OVER_LIMIT = "over_limit"  # the feed has had its pages for today
    OVERTAKEN = "overtaken"  # a full text came from elsewhere meanwhile
    UNWANTED = "unwanted"  # its feed's pages were switched off, or it was removed


class EntryOutcome(StrEnum):
    """The single named end of an entry in the store."""

    STORED = "stored"  # it brought an article that was not there
    DUPLICATE = "duplicate"  # it is one more appearance of a stored article
    REJECTED = "rejected"  # it held no article
    QUARANTINED = "quarantined"  # writing it kept failing


class Review(StrEnum):
    """Whether somebody has looked at an article that is little trusted."""

    OPEN = "open"
    ACCEPTED = "accepted"


class EnrichStatus(StrEnum):
    """How a stage ended for one revision."""

    DONE = "done"
    NAMES_ONLY = "names_only"  # language unsupported by the recogniser


class QuarantineKind(StrEnum):
    """What is in quarantine."""

    FEED = "feed"
    FILE = "file"
    ENTRY = "entry"
    ARTICLE = "article"
    PAGE = "page"
    MESSAGE = "message"


class QuarantineState(StrEnum):
    """What became of an item in quarantine."""

    OPEN = "open"
    REPLAYED = "replayed"
    DISCARDED = "discarded"


class RunKind(StrEnum):
    """What started a run."""

    INGEST = "ingest"
    POLL = "poll"
    FOLDER = "folder"  # a poll found files in a watched folder


class DeliveryState(StrEnum):
    """Where a webhook delivery stands."""

    PENDING = "pending"
    DELIVERED = "delivered"
    GIVEN_UP = "given_up"


class JobState(StrEnum):
    """Where a job stands."""

    RUNNING = "running"
    DONE = "done"


class RangeState(StrEnum):
    """Where one range of a job stands."""

    PENDING = "pending"
    DONE = "done"


class MemberRole(StrEnum):
    """How an article came into a story."""

    OPENER = "opener"
    MEMBER = "member"
    COPY = "copy"  # follows its original


class StoryEventKind(StrEnum):
    """What happened to a story."""

    OPENED = "opened"
    JOINED = "joined"
    MOVED = "moved"
    MERGED = "merged"
    SPLIT = "split"
