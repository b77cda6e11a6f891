"""The plan of a campaign: fault number N of a seed is always the same fault."""

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

# A chapter has an installation of its own, from empty to its last check, which keeps
# the checks quick and says within which faults something went wrong.
CHAPTER_FAULTS = 24
# A poisoned article takes minutes to end and does so beside other faults, so that a
# round, also one that is cut short, had better begin with one.
SLOW = "poison"


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One fault of a campaign."""

    stage: str
    number: int  # from 0, within its stage
    kind: str
    seed: str  # of the fault's own choices
    n_files: int  # handed over right before
    n_entries: int


def step_of(seed: int, stage: str, number: int, kinds: Sequence[str]) -> Step:
    """Return one fault of the plan.

    Each kind comes once in every round, in an order that the seed chooses.

    Args:
        seed: Of the campaign.
        stage: Where it strikes.
        number: From 0, within the stage.
        kinds: All that this stage can suffer.
    """
    round_number, place = divmod(number, len(kinds))
    deck = sorted(kinds)
    Random(f"{seed}/{stage}/{round_number}").shuffle(deck)  # noqa: S311  # no secret
    first = next((kind for kind in deck if kind.startswith(SLOW)), deck[0])
    deck.sort(key=lambda kind: kind != first)
    own = f"{seed}/{stage}/{number}"
    random = Random(own)  # noqa: S311  # as above
    return Step(
        stage=stage,
        number=number,
        kind=deck[place],
        seed=own,
        n_files=random.randint(5, 25),
        n_entries=random.randint(2, 12),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """How long a campaign goes on: until both are reached."""

    minutes: float
    n_faults: int  # of all stages together

    def share(self, n_stages: int) -> "Budget":
        """Return what each of several stages has to do, all at the same time."""
        return Budget(minutes=self.minutes, n_faults=-(-self.n_faults // n_stages))

    def is_spent(self, *, seconds: float, n_faults: int) -> bool:
        """Say whether enough has been done."""
        return seconds >= self.minutes * 60 and n_faults >= self.n_faults
