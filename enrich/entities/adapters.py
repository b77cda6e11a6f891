"""Recognisers around models that are installed: named by their library and model."""

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from enrich.entities.installed import spacymodel
from enrich.entities.installed.extractor import InstalledExtractor
from enrich.entities.installed.identity import (
    Place,
    find_in_folder,
    find_in_hub_cache,
    find_in_package,
    is_path,
    library_version,
    read_card,
)
from enrich.entities.installed.spacymodel import SpacyModel
from enrich.entities.installed.torchmodels import GlinerModel, TransformersModel
from enrich.entities.installed.windows import InstalledModel
from enrich.entities.recogniser import RULES_LANGUAGES, RulesExtractor, rules_info
from enrich.entities.spans import EntityExtractor, ExtractorInfo
from enrich.entities.tables import ANY_LANGUAGE, Alias
from enrich.errors import ModelUnusable

ADAPTERS_VERSION = "1"  # raise it with every change of `installed` that alters a span
_MAX_NAME_CHARS = 64  # of a pipeline


class _Adapter(NamedTuple):
    library: str
    card: str  # a file that every model of the library has
    find: Callable[[str, str, str], Place]  # of a name that is no path
    load: Callable[[str, str], InstalledModel]


_ADAPTERS = {
    "spacy": _Adapter(spacymodel.LIBRARY, spacymodel.CARD, find_in_package, SpacyModel),
    "gliner": _Adapter("gliner", "gliner_config.json", find_in_hub_cache, GlinerModel),
    "hf": _Adapter("transformers", "config.json", find_in_hub_cache, TransformersModel),
}
FORMS = tuple(f"{kind}:NAME" for kind in _ADAPTERS)


class _Chosen(NamedTuple):
    adapter: _Adapter
    place: Place
    info: ExtractorInfo
    reads: str


def is_adapter(tier: str) -> bool:
    """Tell whether the name of a tier has the form of an installed model."""
    kind, _, name = tier.partition(":")
    return kind in _ADAPTERS and bool(name.strip())


def load_installed(tier: str, aliases: Iterable[Alias] = ()) -> EntityExtractor:
    """Load an installed model; nothing is ever downloaded.

    Raises:
        ModelUnusable: The library or the model is missing, or of no use here.
    """
    chosen = _choose(tier)
    try:
        model = chosen.adapter.load(tier, chosen.place.source)
    except ModelUnusable:
        raise
    except Exception as error:  # libraries raise what they like of a damaged file
        detail = f"{type(error).__name__}: {error}".splitlines()[0]
        raise ModelUnusable(tier, f"it cannot be loaded ({detail})") from error
    rules = RulesExtractor(aliases)
    return InstalledExtractor(model, chosen.info, reads=chosen.reads, rules=rules)


def describe_installed(tier: str) -> ExtractorInfo:
    """Describe an installed model without loading it, or its library.

    Raises:
        ModelUnusable: The library or the model is missing.
    """
    return _choose(tier).info


def _choose(tier: str) -> _Chosen:
    kind, _, name = tier.partition(":")
    adapter = _ADAPTERS[kind]
    version = library_version(tier, adapter.library)
    find = find_in_folder if is_path(name) else adapter.find
    place = find(tier, name, adapter.card)
    reads = ANY_LANGUAGE
    if kind == "spacy":
        reads = _language(read_card(place.folder / adapter.card))
    # Of a folder the last name: hosts may keep one model in different places.
    shown = place.folder.name if is_path(name) else name
    info = ExtractorInfo(
        name=f"{kind}:{shown}"[:_MAX_NAME_CHARS],
        version=f"{ADAPTERS_VERSION}-{version}-{place.mark}-{rules_info().version}",
        languages=RULES_LANGUAGES | {reads},
    )
    return _Chosen(adapter, place, info, reads)


def _language(card: Any) -> str:
    stated = str(card.get("lang") or spacymodel.ANY_LANGUAGE)
    return ANY_LANGUAGE if stated == spacymodel.ANY_LANGUAGE else stated
