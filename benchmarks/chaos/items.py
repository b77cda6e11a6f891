"""Known items: what the campaign hands to the line, each under a name of its own."""

from dataclasses import dataclass

from support.pages import PAGE, SYLLABLES

# An article that holds this mark makes the poisoned worker do what follows it.
POISON_MARK = "chaos-poison-"
# Paragraphs of a page that are not its text: a menu, the title, buttons; then a link.
_ABOVE = 3
_BELOW = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One item that must end as one article, stored and enriched once."""

    name: str  # of a file its address, of an entry its link
    title: str
    n_entries: int = 1  # feeds that bring it
    poison: str | None = None  # what it does to its workers; it ends in quarantine


def town_of(number: int) -> str:
    """Return a name that no other number below 100,000 has."""
    return "".join(SYLLABLES[int(digit)] for digit in f"{number:05}").capitalize()


def title_of(number: int) -> str:
    """Return the headline of an item."""
    return f"{town_of(number)} plans a bridge over its river"


def page_of(number: int, *, poison: str | None = None) -> str:
    """Return an item as people save a page: an article among its furniture."""
    return PAGE.format(
        title=title_of(number),
        town=town_of(number),
        n=number,
        cost=f"{number % 90 + 3}{_poison(poison)}",
    )


def text_of(number: int, *, poison: str | None = None) -> str:
    """Return the paragraphs of an item alone, as a feed has them."""
    paragraphs = page_of(number, poison=poison).split("\n\n")
    return "\n\n".join(paragraphs[_ABOVE:-_BELOW])


def _poison(kind: str | None) -> str:
    return f" {POISON_MARK}{kind}" if kind else ""
