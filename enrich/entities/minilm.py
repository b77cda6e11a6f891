"""The recogniser with a neural model: slower than the default, and finds more."""

from collections.abc import Iterable

from enrich.entities.minilmcard import read_minilm_card
from enrich.entities.recogniser import RulesExtractor, rules_info
from enrich.entities.spans import ExtractorInfo
from enrich.entities.tables import Alias
from enrich.entities.tagged import TaggedExtractor

MINILM_VERSION = "1"  # raise it with every change of code that alters a span


class MinilmExtractor(TaggedExtractor):
    """Finds names in English by the neural model and by tables."""

    def __init__(self, operator_aliases: Iterable[Alias] = ()) -> None:
        # Here, because to ask for versions needs neither numpy nor the extra.
        from enrich.entities.minilmfile import load_minilm  # noqa: PLC0415 - as said

        model = load_minilm()
        super().__init__(RulesExtractor(operator_aliases), model, minilm_info())


def minilm_info() -> ExtractorInfo:
    """Describe the recogniser without loading its model or its tables."""
    rules = rules_info()
    return ExtractorInfo(
        name="minilm",
        version=f"{MINILM_VERSION}-{read_minilm_card().version}-{rules.version}",
        languages=rules.languages,
    )
