"""Builds the table of the names that countries have in other languages.

Run as `python -m training.entities.build_countries`; the names are those of the Unicode
CLDR, as the package `babel` has them. Only facts are kept: code, language, names.
"""

import re
import sys
from collections.abc import Iterator
from importlib.metadata import version

from babel import Locale
from babel.localedata import exists

from enrich.entities.tables import COUNTRY_NAMES, TABLES, read_countries

# Languages of the feeds that are asked for most; English and its spellings stand in
# the table that was made by hand.
LANGUAGES = (
    *("ar", "bg", "cs", "da", "de", "el", "es", "fa", "fi", "fr", "he", "hi", "hu"),
    *("id", "it", "ja", "ko", "nl", "no", "pl", "pt", "ro", "ru", "sv", "tr", "uk"),
    *("vi", "zh"),
)
# CLDR calls them by what they are to China, which no text does.
_LEFT_OUT = frozenset({"HK", "MO"})
# Chinese and Japanese have wide brackets.
_BRACKETS = re.compile(r"^(.*?)\s*[(\uff08]\s*(.*?)\s*[)\uff09]$")
HEADING = "# code\tlanguage\tnames in it, where they differ from the English ones"


def main() -> None:
    """Write a line for each country and language."""
    lines = [HEADING, *rows()]
    (TABLES / COUNTRY_NAMES).write_text("\n".join(lines) + "\n", encoding="utf-8")
    babel = version("babel")
    sys.stdout.write(f"{len(lines) - 1} rows, {len(LANGUAGES)} languages, {babel=}\n")


def rows() -> Iterator[str]:
    """Yield the lines of the table, by language and code."""
    english = {code: set(names) for code, names in read_countries()}
    for language in LANGUAGES:
        if not exists(language):
            raise LookupError(f"no such language in CLDR: {language}")
        territories = Locale(language).territories
        for code in sorted(english.keys() - _LEFT_OUT):
            names = list(names_of(territories.get(code, "")))
            news = [name for name in names if name not in english[code]]
            if news:
                yield f"{code}\t{language}\t{'|'.join(news)}"


def names_of(name: str) -> Iterator[str]:
    """Yield the names in a name: "Myanmar (Birma)" has two."""
    match = _BRACKETS.match(name)
    for one in match.groups() if match else (name,):
        if one and "|" not in one:
            yield one


if __name__ == "__main__":
    main()
