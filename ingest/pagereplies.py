"""Replies to requests for pages: which hold a page, and what they say of it."""

from email.message import Message
from http import HTTPStatus
from pathlib import Path

from ingest.charset import binary_reason
from ingest.fetch import Reply
from ingest.pagejudge import is_front_page
from ingest.pagewords import PageOutcome
from ingest.readers.html import HtmlReader

MAX_MEDIA_TYPE_CHARS = 120
HEAD_BYTES = 4_096

_HTML = {"text/html", "application/xhtml+xml"}
_UNTOLD = {"", "text/plain", "application/octet-stream", "application/xml", "text/xml"}
_OUTCOMES = {
    HTTPStatus.UNAUTHORIZED: PageOutcome.DENIED,
    HTTPStatus.PAYMENT_REQUIRED: PageOutcome.PAYWALL,
    HTTPStatus.FORBIDDEN: PageOutcome.DENIED,
    HTTPStatus.UNAVAILABLE_FOR_LEGAL_REASONS: PageOutcome.DENIED,
    HTTPStatus.NOT_FOUND: PageOutcome.NOT_FOUND,
    HTTPStatus.GONE: PageOutcome.NOT_FOUND,
    HTTPStatus.TOO_MANY_REQUESTS: PageOutcome.THROTTLED,
    HTTPStatus.SERVICE_UNAVAILABLE: PageOutcome.THROTTLED,
}


def refusal(url: str, reply: Reply) -> tuple[PageOutcome, str] | None:
    """Return why a reply to a request for a URL is no page, or None where it is one."""
    if not HTTPStatus.OK <= reply.status < HTTPStatus.MULTIPLE_CHOICES:
        known = {int(status): outcome for status, outcome in _OUTCOMES.items()}
        outcome = known.get(reply.status, PageOutcome.HTTP_ERROR)
        return outcome, f"The server answered {reply.status}."
    if is_front_page(url, reply.url):
        return PageOutcome.NOT_FOUND, "The server sends its readers to the front page."
    if reply.truncated:
        return PageOutcome.HTTP_ERROR, "The connection broke before all had come."
    if not _is_html(reply):
        return PageOutcome.NOT_HTML, f"It is {media_type(reply) or 'of no kind'}."
    return None


def _is_html(reply: Reply) -> bool:
    kind = _declared(reply).get_content_type() if reply.content_type else ""
    if binary_reason(reply.body) is not None:
        return False
    if kind in _HTML:
        return True
    return kind in _UNTOLD and HtmlReader().sniff(reply.body[:HEAD_BYTES], Path())


def _declared(reply: Reply) -> Message:
    header = Message()
    header["Content-Type"] = media_type(reply)
    return header


def media_type(reply: Reply) -> str:
    """Return what a reply says that it is, or "" where that makes no sense."""
    declared = " ".join((reply.content_type or "").split())[:MAX_MEDIA_TYPE_CHARS]
    return declared if declared.isascii() and declared.isprintable() else ""


def charset(reply: Reply) -> str | None:
    """Return the charset that a reply declares."""
    found = _declared(reply).get_content_charset() if reply.content_type else None
    return str(found) if found else None
