"""Steady polling: a fixed pace, for what costs nobody else anything to look at."""

from ingest.schedule import FAILING_ERRORS, Cause, Liveness, Wait

EVERY_SECONDS = 60  # unless an operator says otherwise
SHORTEST_SECONDS, LONGEST_SECONDS = 5, 86_400
# What is away comes back without a word, a disk that is mounted again for one: it is
# looked at this often at least, for ever.
MAX_ERROR_SECONDS = 900
_MAX_DOUBLINGS = 16


def steady_wait(every_seconds: int, *, n_errors: int, has_more: bool = False) -> Wait:
    """Return how long to leave a feed alone that has a fixed pace.

    Args:
        every_seconds: Its pace.
        n_errors: Polls in a row that failed; each doubles the wait.
        has_more: The last poll could not tell all that is new.
    """
    liveness = Liveness.FAILING if n_errors >= FAILING_ERRORS else Liveness.LIVE
    if n_errors:
        doubled = every_seconds << min(n_errors, _MAX_DOUBLINGS)
        seconds = min(doubled, max(every_seconds, MAX_ERROR_SECONDS))
        return Wait(seconds, every_seconds, liveness, Cause.ERRORS)
    if has_more:
        return Wait(0.0, every_seconds, liveness, Cause.MORE)
    return Wait(every_seconds, every_seconds, liveness, Cause.FIXED)
