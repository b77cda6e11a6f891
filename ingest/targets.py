"""Targets: which URLs a fetch may ask for, at the start and after a redirect."""

import re
from collections.abc import Iterable

from yarl import URL

from ingest.fetch_errors import FetchFailedError
from ingest.guard import Network, literal_refusal
from ingest.messages import PollOutcome

_SENDABLE = re.compile(r"[!-~]+")  # printable ASCII without spaces


def checked_url(text: str) -> URL:
    """Return a URL that may be asked for.

    Raises:
        FetchFailedError: It is no web address, or it carries credentials, which
            would end up in logs and in the database.
    """
    # The messages never repeat the URL: it may hold a password, and they are stored.
    try:
        # What is ASCII already goes out as it is; a signature may depend on it.
        url = URL(text, encoded=_SENDABLE.fullmatch(text) is not None)
        host = url.host
    except ValueError as error:
        raise FetchFailedError(
            PollOutcome.UNREACHABLE, "the URL makes no sense"
        ) from error
    if url.raw_user is not None or url.raw_password is not None:
        raise FetchFailedError(
            PollOutcome.BLOCKED, "a URL with credentials in it is not fetched"
        )
    if url.scheme not in {"http", "https"} or not host:
        raise FetchFailedError(
            PollOutcome.BLOCKED, "only http and https URLs with a host are fetched"
        )
    return url.with_fragment(None)


def checked_host(url: URL, allow: Iterable[Network]) -> None:
    """Refuse a host that is no public address on its face, for a proxy to connect to.

    Raises:
        FetchFailedError: It is an address, in whatever spelling, and not a public one.
    """
    reason = literal_refusal(url.host or "", allow)
    if reason is not None:
        raise FetchFailedError(PollOutcome.BLOCKED, reason)


def next_url(current: URL, location: str) -> URL:
    """Return where a redirect leads.

    Raises:
        FetchFailedError: It leads to nothing that may be asked for, or from https
            to http, where anybody on the way could answer.
    """
    try:
        relative = URL(location, encoded=_SENDABLE.fullmatch(location) is not None)
        # Some nonsense, as a port out of range, shows only when it is spelt out.
        target = str(current.join(relative))
    except ValueError as error:
        raise FetchFailedError(
            PollOutcome.HTTP_ERROR, "it redirects to something that is no URL"
        ) from error
    url = checked_url(target)
    if current.scheme == "https" and url.scheme == "http":
        raise FetchFailedError(
            PollOutcome.BLOCKED, "it redirects from https to plain http"
        )
    return url
