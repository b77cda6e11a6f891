"""What an article says of a name here, used where it says nothing of it there."""

from collections import defaultdict
from collections.abc import Iterable, Sequence

from enrich.entities.chunks import Chunk
from enrich.entities.rules import Guess
from enrich.messages import EntityKind

Judged = tuple[Chunk, Guess | None]

# Measured as the scores of the rules are.
_SURNAME_SCORE = 0.8
_VIEW_SCORE = 0.6


def settle_kinds(judged: Sequence[Judged]) -> list[Judged]:
    """Give candidates without a guess, or with a loose one, the article's view.

    A lone word that is the first or last word of a person named in full is that
    person. Else the kind with the highest sum of scores for this spelling counts.
    """
    surnames = _find_surnames(judged)
    views = _find_views(judged)
    settled: list[Judged] = []
    for chunk, guess in judged:
        if guess is not None and guess.firm:
            settled.append((chunk, guess))
        elif len(chunk.words) == 1 and chunk.words[0] in surnames:
            settled.append((chunk, Guess(EntityKind.PER, _SURNAME_SCORE, firm=False)))
        else:
            view = views.get(chunk.lowers)
            agree = guess and view and guess.kind is view.kind
            settled.append((chunk, guess if agree else view))
    return settled


def _find_surnames(judged: Iterable[Judged]) -> frozenset[str]:
    names: set[str] = set()
    for chunk, guess in judged:
        if guess is not None and guess.kind is EntityKind.PER and len(chunk.words) > 1:
            names.add(chunk.words[-1])
            names.add(chunk.words[0])
    return frozenset(names)


def _find_views(judged: Iterable[Judged]) -> dict[tuple[str, ...], Guess]:
    sums: dict[tuple[str, ...], dict[EntityKind, float]] = defaultdict(dict)
    for chunk, guess in judged:
        if guess is not None:
            kinds = sums[chunk.lowers]
            kinds[guess.kind] = kinds.get(guess.kind, 0.0) + guess.score
    views: dict[tuple[str, ...], Guess] = {}
    for words, kinds in sums.items():
        kind = max(kinds, key=lambda kind: (kinds[kind], kind.value))
        views[words] = Guess(kind, _VIEW_SCORE, firm=False)
    return views
