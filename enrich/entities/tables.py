"""The tables of names and cues that stand beside this module, as they are read."""

import lzma
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path

from enrich.entities.keys import make_key
from enrich.messages import EntityKind

TABLES = Path(__file__).parent / "tables"

ANY_LANGUAGE = "*"

COUNTRY_NAMES = "country-names.tsv"

_TABLE_SUFFIXES = frozenset({".tsv", ".txt", ".xz"})

_LANGUAGE_COLUMNS = ("de", "fr", "es", "pt", "it")


@dataclass(frozen=True, slots=True, kw_only=True)
class Alias:
    """A spelling and what it means."""

    spelling: str
    kind: EntityKind  # of a mention with this spelling
    key: str
    name: str  # canonical
    language: str  # "*" means every language
    operator: bool = False  # an operator's word is never overruled


def tables_digest() -> str:
    """Return eight hex digits over all tables: a changed table is a new version."""
    digest = blake2b(digest_size=4)
    for path in sorted(TABLES.iterdir()):
        if path.suffix in _TABLE_SUFFIXES:
            digest.update(path.name.encode() + path.read_bytes())
    return digest.hexdigest()


def read_aliases() -> Iterator[Alias]:
    """Yield every built-in alias: countries, demonyms, places, organisations."""
    yield from _read_countries()
    yield from _read_country_names()
    yield from _read_demonyms()
    for (names,) in _read_rows("organisations.tsv"):
        yield from _spell(names, EntityKind.ORG)
    for _country, places in _read_rows("places.tsv"):
        for names in places.split(";"):
            yield from _spell(names, EntityKind.LOC)


def read_cues() -> dict[str, dict[str, frozenset[str]]]:
    """Return cue words by language and class; words in small letters."""
    cues: dict[str, dict[str, frozenset[str]]] = {}
    for language, name, words in _read_rows("cues.tsv"):
        cues.setdefault(language, {})[name] = frozenset(words.split("|"))
    return cues


def read_given_names() -> frozenset[str]:
    """Return given names of people."""
    return frozenset((TABLES / "given-names.txt").read_text("utf-8").split())


def read_common_words() -> frozenset[str]:
    """Return English words that are no names when a sentence starts with them."""
    body = lzma.decompress((TABLES / "common-en.txt.xz").read_bytes())
    return frozenset(body.decode().split("\n")) - {""}


def _read_countries() -> Iterator[Alias]:
    for code, english, demonyms, *others in _read_rows("countries.tsv"):
        key, name = f"country:{code}", english.split("|")[0]
        columns = [
            (ANY_LANGUAGE, english),
            *zip(_LANGUAGE_COLUMNS, others, strict=True),
        ]
        for language, spellings in columns:
            yield from _means(spellings, EntityKind.LOC, key, name, language)
        yield from _means(demonyms, EntityKind.MISC, key, name, "en")


def read_countries() -> Iterator[tuple[str, list[str]]]:
    """Yield the code of each country and its English names, the canonical one first."""
    for code, english, *_ in _read_rows("countries.tsv"):
        yield code, english.split("|")


def _read_country_names() -> Iterator[Alias]:
    canonical = {code: names[0] for code, names in read_countries()}
    for code, language, names in _read_rows(COUNTRY_NAMES):
        key, name = f"country:{code}", canonical[code]
        yield from _means(names, EntityKind.LOC, key, name, language)


def _read_demonyms() -> Iterator[Alias]:
    countries = {
        f"country:{code}": english.split("|")[0]
        for code, english, *_ in _read_rows("countries.tsv")
    }
    places = {alias.key: alias.name for alias in _all_places()}
    for key, language, spellings in _read_rows("demonyms.tsv"):
        name = countries.get(key) or places.get(key) or spellings.split("|")[0]
        yield from _means(spellings, EntityKind.MISC, key, name, language)


def _all_places() -> Iterator[Alias]:
    for _country, places in _read_rows("places.tsv"):
        for names in places.split(";"):
            yield from _spell(names, EntityKind.LOC)


def _spell(names: str, kind: EntityKind) -> Iterator[Alias]:
    name = names.split("|", maxsplit=1)[0]
    return _means(names, kind, make_key(kind, name), name, ANY_LANGUAGE)


def _means(
    spellings: str, kind: EntityKind, key: str, name: str, language: str
) -> Iterator[Alias]:
    for spelling in spellings.split("|"):
        if spelling != "=":  # spelt as in English
            yield Alias(
                spelling=spelling, kind=kind, key=key, name=name, language=language
            )


def _read_rows(table: str) -> Iterator[list[str]]:
    for line in (TABLES / table).read_text("utf-8").splitlines():
        if line and not line.startswith("#"):
            yield line.split("\t")
