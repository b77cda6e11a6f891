"""Why a fetch gave no reply: one error, with the outcome it stands for."""

from aiohttp import (
    ClientConnectorDNSError,
    ClientConnectorError,
    ClientResponseError,
    ClientSSLError,
    ConnectionTimeoutError,
    ServerDisconnectedError,
)

from ingest.messages import PollOutcome

# The connection itself failed, whatever was asked for.
_HOST_ERRORS = (ClientConnectorError, ConnectionTimeoutError)


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
    match error:
        case ConnectionTimeoutError():
            outcome, reason = (
                PollOutcome.TIMEOUT,
                f"{host} could not be reached in time",
            )
        case TimeoutError():
            outcome, reason = PollOutcome.TIMEOUT, "it did not answer in full in time"
        case ClientConnectorDNSError():
            outcome, reason = PollOutcome.UNREACHABLE, f"{host} has no address"
        case ClientSSLError():
            outcome, reason = PollOutcome.UNREACHABLE, f"TLS failed: {brief(error)}"
        case ServerDisconnectedError():
            outcome, reason = PollOutcome.UNREACHABLE, "it hung up without an answer"
        case ClientResponseError():
            outcome, reason = PollOutcome.HTTP_ERROR, f"not HTTP: {brief(error)}"
        case _:
            outcome, reason = PollOutcome.UNREACHABLE, brief(error)
    return FetchFailedError(outcome, reason, whole_host=isinstance(error, _HOST_ERRORS))


def brief(error: Exception) -> str:
    """Return what an error says, on one line that fits into a table."""
    return " ".join((str(error) or type(error).__name__).split())[:200]
