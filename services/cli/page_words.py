"""What became of a page, in one sentence for the operator."""

from ingest.pagewords import PageOutcome
from store.queries.pages import PageLine
from store.words import PageSkip, PageState

SENTENCES: dict[str, str] = {
    PageOutcome.ACCEPTED: "its text is that of the article",
    PageOutcome.NO_BETTER: "it is hardly longer than what the feed says",
    PageOutcome.UNRELATED: "it has little of what title and entry say",
    PageOutcome.NO_ARTICLE: "no line of it is prose",
    PageOutcome.PAYWALL: "it asks to be paid for the rest",
    PageOutcome.CONSENT: "it asks for consent and shows nothing else",
    PageOutcome.ROBOTS: "robots.txt of its host asks us not to read it",
    PageOutcome.DENIED: "its server does not let us in",
    PageOutcome.NOT_FOUND: "its server does not have it",
    PageOutcome.NOT_HTML: "it is no page but a document of another kind",
    PageOutcome.TOO_LARGE: "it is larger than pages may be",
    PageOutcome.HOSTILE: "its markup is made to cost time",
    PageOutcome.BLOCKED: "it leads to an address that is not public",
    PageOutcome.THROTTLED: "its server asked us to slow down, every time",
    PageOutcome.HTTP_ERROR: "its server failed, every time",
    PageOutcome.TIMEOUT: "its server did not answer in time, every time",
    PageOutcome.UNREACHABLE: "its server could not be reached, every time",
    PageSkip.TOO_OLD: "the entry was old when it was seen (page_max_age_days)",
    PageSkip.OVER_LIMIT: "its feed had had its pages of the day (pages_a_day)",
    PageSkip.OVERTAKEN: "a full text came from elsewhere meanwhile",
    PageSkip.UNWANTED: "its feed was removed, or its pages were switched off",
}


def page_story(page: PageLine) -> str:
    """Return what became of a page and why."""
    if page.state == PageState.QUARANTINED:
        return "in quarantine: every attempt at it died or was never answered"
    if page.state == PageState.PENDING and page.attempts:
        return f"it is tried again after {page.attempts} attempts"
    if page.state == PageState.PENDING:
        return "it waits for its turn"
    return SENTENCES.get(page.outcome or "", page.outcome or "unknown")
