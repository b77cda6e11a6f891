"""Rounds: what can be written at once without one entry standing in for another.

To write a batch must come to the same as to write its documents one after another.
Two things stand against writing all of it in one go: a key that a document shows twice,
and an article to which two feeds give different texts, each of them a revision.
"""

from collections.abc import Iterator, Sequence

from store.seen import Name, Seen


def rounds(seen: Sequence[Seen]) -> Iterator[list[int]]:
    """Yield places of entries, in their order, each once.

    In a round no entry comes twice, all feeds give an article the same text, and a
    feed that must wait for the next round does so as a whole.
    """
    rest = list(range(len(seen)))
    while rest:
        chosen = _first_of_each(seen, _agreeing(seen, rest))
        yield chosen
        rest = sorted(set(rest).difference(chosen))


def _agreeing(seen: Sequence[Seen], places: Sequence[int]) -> list[int]:
    """Return the places of the feeds of which no two give an article unlike texts."""
    by_feed: dict[int, list[int]] = {}
    for place in places:
        by_feed.setdefault(seen[place].feed_id, []).append(place)
    texts: dict[str, set[str]] = {}  # of each article, by hash
    agreeing: list[int] = []
    for some in by_feed.values():
        given = _texts(seen, some)
        if all(texts.get(uid, hashes) == hashes for uid, hashes in given.items()):
            texts |= given
            agreeing += some
        else:
            # Nor may those behind it overtake it.
            texts |= {uid: set() for uid in given}
    return sorted(agreeing)


def _texts(seen: Sequence[Seen], places: Sequence[int]) -> dict[str, set[str]]:
    """Return what one feed gives; no other agrees where it needs a further round."""
    texts: dict[str, set[str]] = {}
    names = {seen[place].name for place in places}
    repeats = {f"feed {seen[places[0]].feed_id}"} if len(names) < len(places) else set()
    for place in places:
        article = seen[place].entry.article
        if article is not None:
            given = texts.setdefault(article.uid, set(repeats))
            given.add(article.content_hash)
    return texts


def _first_of_each(seen: Sequence[Seen], places: Sequence[int]) -> list[int]:
    firsts: dict[Name, int] = {}
    for place in places:
        firsts.setdefault(seen[place].name, place)
    return sorted(firsts.values())
