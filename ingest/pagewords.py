"""The closed vocabularies of pages, which messages and tables share."""

from enum import StrEnum

MORE = 1.3  # times the text of a feed that a page must have to be the fuller one


class Fullness(StrEnum):
    """How much of its article an entry carries that has a page of its own."""

    WHOLE = "whole"
    SHORT = "short"  # a summary, and no longer than those are
    CUT_OFF = "cut_off"  # it breaks off, or says that it goes on elsewhere
    HEADLINE = "headline"  # no text at all


class PagePolicy(StrEnum):
    """Whether the pages of a feed's entries are fetched."""

    AUTO = "auto"  # where the entry only teases
    ALWAYS = "always"
    NEVER = "never"


class PageOutcome(StrEnum):
    """The single named end of one attempt to get the text of an article's page."""

    ACCEPTED = "accepted"
    NO_BETTER = "no_better"  # hardly longer than what the entry said
    UNRELATED = "unrelated"  # it has little of what title and entry say
    NO_ARTICLE = "no_article"  # no line of it is prose
    PAYWALL = "paywall"  # it shows a beginning and asks to be paid for the rest
    CONSENT = "consent"  # it asks for consent and shows nothing else
    ROBOTS = "denied_by_robots"
    DENIED = "denied"  # 401, 403, 451
    NOT_FOUND = "not_found"  # 404, 410, or sent on to the front page
    NOT_HTML = "not_html"
    TOO_LARGE = "too_large"
    HOSTILE = "hostile"  # markup that is made to cost time
    BLOCKED = "blocked"  # the address guard refused it
    THROTTLED = "throttled"  # 429, 503; without a status nobody has asked
    HTTP_ERROR = "http_error"
    TIMEOUT = "timeout"
    UNREACHABLE = "unreachable"
