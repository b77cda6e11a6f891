"""The recognisers to choose from, with one set of labels."""

from collections.abc import Callable, Iterable
from functools import partial
from typing import NamedTuple

from enrich.entities.adapters import (
    FORMS,
    describe_installed,
    is_adapter,
    load_installed,
)
from enrich.entities.crf import CrfExtractor, crf_info
from enrich.entities.minilm import MinilmExtractor, minilm_info
from enrich.entities.recogniser import RulesExtractor, rules_info
from enrich.entities.spans import EntityExtractor, ExtractorInfo
from enrich.entities.tables import Alias
from enrich.errors import UnknownTier


class _Tier(NamedTuple):
    load: Callable[[Iterable[Alias]], EntityExtractor]
    describe: Callable[[], ExtractorInfo]


_TIERS = {
    "crf": _Tier(CrfExtractor, crf_info),
    "minilm": _Tier(MinilmExtractor, minilm_info),
    "rules": _Tier(RulesExtractor, rules_info),
}
TIERS = tuple(_TIERS)
DEFAULT_TIER = "crf"


def load_extractor(tier: str, aliases: Iterable[Alias] = ()) -> EntityExtractor:
    """Load a recogniser with its model and tables.

    Raises:
        UnknownTier: There is no such recogniser.
        ModelDamaged: The file of its model is not the one that was trained.
        ModelUnusable: What it needs is not installed, or of no use.
    """
    return _find(tier).load(aliases)


def describe_extractor(tier: str) -> ExtractorInfo:
    """Describe a recogniser without loading it.

    Raises:
        UnknownTier: There is no such recogniser.
        ModelUnusable: An installed model is meant that is missing.
    """
    return _find(tier).describe()


def _find(tier: str) -> _Tier:
    if is_adapter(tier):
        return _Tier(partial(load_installed, tier), partial(describe_installed, tier))
    if tier not in _TIERS:
        raise UnknownTier(tier, (*TIERS, *FORMS))
    return _TIERS[tier]
