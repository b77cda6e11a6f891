"""Why a fetch gave no reply: one error, with the outcome it stands for."""

from aiohttp import (
    ClientConnectorDNSError,
    ClientConnectorError,
    ClientHttpProxyError,
    ClientProxyConnectionError,
    ClientResponseError,
    ClientSSLError,
    ConnectionTimeoutError,
    ServerDisconnectedError,
)

from ingest.messages import PollOutcome

# The connection itself failed, whatever was asked for.
_HOST_ERRORS = (ClientConnectorError, ConnectionTimeoutError)
# The first one that an error is an instance of; the last ones are the widest.
_OUTCOMES: tuple[tuple[type[Exception], PollOutcome, str], ...] = (
    (
        ConnectionTimeoutError,
        PollOutcome.TIMEOUT,
        "{host} could not be reached in time",
    ),
    (TimeoutError, PollOutcome.TIMEOUT, "it did not answer in full in time"),
    (ClientConnectorDNSError, PollOutcome.UNREACHABLE, "{host} has no address"),
    (
        ClientProxyConnectionError,
        PollOutcome.UNREACHABLE,
        "the proxy cannot be reached",
    ),
    (
        ClientHttpProxyError,
        PollOutcome.UNREACHABLE,
        "the proxy does not connect to {host}: {error}",
    ),
    (ClientSSLError, PollOutcome.UNREACHABLE, "TLS failed: {error}"),
    (
        ServerDisconnectedError,
        PollOutcome.UNREACHABLE,
        "it hung up without an answer",
    ),
    (ClientResponseError, PollOutcome.HTTP_ERROR, "not HTTP: {error}"),
)


class FetchFailedError(Exception):
    """There is no reply, and the outcome says why."""

    def __init__(
        self,
        outcome: PollOutcome,
        reason: str,
        *,
        retry_after: str | None = None,
        whole_host: bool = False,
    ) -> None:
        """Keep what the event of the poll repeats."""
        super().__init__(reason)
        self.outcome = outcome
        self.reason = reason
        self.retry_after = retry_after
        self.whole_host = whole_host  # other feeds of the host would fail alike


def failure(error: Exception, host: str) -> FetchFailedError:
    """Return the one outcome that an error of the HTTP client stands for."""
    fitting = (row[1:] for row in _OUTCOMES if isinstance(error, row[0]))
    outcome, sentence = next(fitting, (PollOutcome.UNREACHABLE, "{error}"))
    reason = sentence.format(host=host, error=brief(error))
    return FetchFailedError(outcome, reason, whole_host=isinstance(error, _HOST_ERRORS))


def brief(error: Exception) -> str:
    """Return what an error says, on one line that fits into a table."""
    return " ".join((str(error) or type(error).__name__).split())[:200]
