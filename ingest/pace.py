"""The pace of polls: how long to wait until another request is worth its price.

Requests go where they find most: a feed is due when the entries that are expected by
then would have waited, all together, for a price in entry-seconds. One price for all
feeds spends any number of requests on those with most to discover, and where feeds
differ only in pace the distance between polls falls with its square root.
"""

from math import inf

from ingest.rhythm import (
    DAY,
    FIRST_WEEKDAY,
    HOUR,
    RECENT_HALF_LIFE,
    Rhythm,
    batch_second,
    clustering,
    week_of,
)

# An entry that is out counts at once as if it had waited so long: an hour, and less
# where requests are cheap. Without it busy feeds would wait for the sake of idle ones.
HEAD_START_SECONDS = 3_600
HEAD_START_SHARE = 0.65  # of the price
# So many entries overdue, and the feed is believed to have slowed down by half.
PATIENCE = 6.0
# Chance brings more than expected now and then: a burst begins above so much of it.
BURST_SIGMAS = 0.5
LEAST_BURST = 0.5 * BURST_SIGMAS  # where nothing at all is usual
# A promised delay is kept where so many entries are expected to profit from it.
PROMISED_ENTRIES = 0.12
# A poll comes before chance, as this feed knows it, may have replaced the document.
WINDOW_SIGMAS = 3.0
# And each time that it had been replaced makes so many more shares of the room for it.
LOSS_WEIGHT = 2.0

HOURS = 24
_RECENT_SECONDS = RECENT_HALF_LIFE * 1.4427  # over which `recent` counts, in effect
_BURST_AN_HOUR = 0.5 ** (HOUR / RECENT_HALF_LIFE)


def worth_waiting(
    rhythm: Rhythm,
    *,
    price: float,
    most: float,
    within: float = inf,
    loss_weight: float = LOSS_WEIGHT,
) -> float:
    """Return the seconds after which another poll is worth its price.

    Args:
        rhythm: As it is since its last update, from which the wait counts.
        price: Entry-seconds of waiting for which one request is made; above 0. Where
            it is infinite, only what the document holds counts.
        most: Longest wait to think of, in seconds.
        within: Promised delay, in seconds: the poll comes so soon in any case, or as
            soon after as there is likely to be anything.
        loss_weight: How much sooner a document is read that had been found replaced.
    """
    base, days, day_prior, hours, hour_prior = week_of(rhythm)
    slowed = PATIENCE / (PATIENCE + rhythm.overdue)
    head_start = min(price * HEAD_START_SHARE, HEAD_START_SECONDS)
    room = _room(rhythm, loss_weight)
    cost = due = elapsed = 0.0
    weekday, hour, length = _clock(rhythm.updated_at)
    daily = base * (days[weekday] + day_prior)
    burst = _burst(rhythm, daily * (hours[hour] + hour_prior))
    daily *= slowed
    while True:
        pace = daily * (hours[hour] + hour_prior) + burst
        ahead = due + pace * length
        slope = due + pace * head_start  # of the cost, as this hour begins
        then = cost + (slope + (ahead - due) / 2) * length
        end = elapsed + length
        if then >= price or ahead >= room:
            break
        # What was promised waits until there is something.
        if end >= most or (end >= within and ahead >= PROMISED_ENTRIES):
            break
        cost, due, elapsed = then, ahead, end
        burst *= _BURST_AN_HOUR
        length = HOUR
        hour += 1
        if hour == HOURS:
            hour, weekday = 0, (weekday + 1) % 7
            daily = slowed * base * (days[weekday] + day_prior)
    root: float = (slope * slope + 2 * pace * (price - cost)) ** 0.5
    wait = min(elapsed + min((root - slope) / pace, (room - due) / pace), most)
    if end < within:
        return wait
    return min(wait, max(within, elapsed + (PROMISED_ENTRIES - due) / pace))


def _clock(moment: float) -> tuple[int, int, float]:
    """Return day of the week, hour and the seconds until that hour ends."""
    day, second = divmod(moment, DAY)
    hour = int(second // HOUR)
    return (int(day) + FIRST_WEEKDAY) % 7, hour, (hour + 1) * HOUR - second


def _room(rhythm: Rhythm, loss_weight: float) -> float:
    """Return how many entries may be expected until a poll, so that none is lost.

    So many, and some sigmas more, just fit into the document.
    """
    if not rhythm.window:
        return inf
    sigmas = WINDOW_SIGMAS * clustering(rhythm) ** 0.5
    root: float = ((sigmas * sigmas + 4 * rhythm.window) ** 0.5 - sigmas) / 2
    # Sizes of groups are seen only as far as they fit; that one did not is no guess.
    return root * root / (1.0 + loss_weight * rhythm.replaced)


def _burst(rhythm: Rhythm, usual: float) -> float:
    """Return entries a second beyond the usual ones, as the last hours show them."""
    if rhythm.recent <= LEAST_BURST:
        return 0.0
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
