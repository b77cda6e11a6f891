"""The pace of polls: how long to wait until another request is worth its price.

Requests go where they find most: a feed is due when the entries that are expected by
then would have waited, all together, for a price in entry-seconds. One price for all
feeds spends any number of requests on those with most to discover, and where feeds
differ only in pace the distance between polls falls with its square root.
"""

from math import inf

from ingest.rhythm import HOUR, RECENT_HALF_LIFE, Rhythm, batch_second, by_hour

# An entry that is out counts at once as if it had waited so long: an hour, and less
# where requests are cheap. Without it busy feeds would wait for the sake of idle ones.
HEAD_START_SECONDS = 3_600
HEAD_START_SHARE = 0.65  # of the price
# So many entries overdue, and the feed is believed to have slowed down by half.
PATIENCE = 6.0
# Chance brings more than expected now and then: a burst begins above so much of it.
BURST_SIGMAS = 0.5
# A promised delay is kept where so many entries are expected to profit from it.
PROMISED_ENTRIES = 0.12
# A poll comes at the latest when half of the document may have been replaced.
WINDOW_SHARE = 0.5

_RECENT_SECONDS = RECENT_HALF_LIFE * 1.4427  # over which `recent` counts, in effect
_BURST_AN_HOUR = 0.5 ** (HOUR / RECENT_HALF_LIFE)


def worth_waiting(
    rhythm: Rhythm, *, price: float, most: float, within: float = inf
) -> float:
    """Return the seconds after which another poll is worth its price.

    Args:
        rhythm: As it is since its last update, from which the wait counts.
        price: Entry-seconds of waiting for which one request is made; above 0.
        most: Longest wait to think of, in seconds.
        within: Promised delay, in seconds: the poll comes so soon in any case, or as
            soon after as there is likely to be anything.
    """
    slowed = PATIENCE / (PATIENCE + rhythm.overdue)
    head_start = min(price * HEAD_START_SHARE, HEAD_START_SECONDS)
    room = rhythm.window * WINDOW_SHARE or inf
    cost = due = elapsed = 0.0
    burst = -1.0
    hours = by_hour(rhythm, rhythm.updated_at)
    while True:
        length, usual = next(hours)
        burst = _burst(rhythm, usual) if burst < 0 else burst * _BURST_AN_HOUR
        pace = usual * slowed + burst
        more = pace * length
        slope = due + pace * head_start  # of the cost, as this hour begins
        then = cost + (slope + more / 2) * length
        late = elapsed + length >= within and due + more >= PROMISED_ENTRIES
        if late or then >= price or due + more >= room or elapsed + length >= most:
            break
        cost, due, elapsed = then, due + more, elapsed + length
    root: float = (slope * slope + 2 * pace * (price - cost)) ** 0.5
    wait = min((root - slope) / pace, (room - due) / pace)
    if late:
        wait = min(wait, max(within - elapsed, (PROMISED_ENTRIES - due) / pace))
    return min(elapsed + wait, most)


def _burst(rhythm: Rhythm, usual: float) -> float:
    """Return entries a second beyond the usual ones, as the last hours show them."""
    mean = usual * _RECENT_SECONDS
    noise: float = BURST_SIGMAS * (mean + 0.25) ** 0.5
    return max(0.0, rhythm.recent - mean - noise) / _RECENT_SECONDS


def after_batch(rhythm: Rhythm, *, wait: float, least: float) -> float | None:
    """Return the wait nearest to another one that ends as a batch is out.

    Args:
        rhythm: As it is since its last update, from which the waits count.
        wait: Seconds that were planned.
        least: Shortest wait to return, in seconds.

    Returns:
        Seconds, or None for a feed that brings no batches.
    """
    second = batch_second(rhythm)
    if second is None:
        return None
    beyond = (rhythm.updated_at + wait - second) % HOUR
    nearest = wait - beyond if beyond < HOUR / 2 else wait - beyond + HOUR
    return nearest if nearest >= least else nearest + HOUR
