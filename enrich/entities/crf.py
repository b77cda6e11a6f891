"""The recogniser with a linear model: the embedded default."""

from collections.abc import Iterable

from enrich.entities.card import read_card
from enrich.entities.recogniser import RulesExtractor, rules_info
from enrich.entities.spans import ExtractorInfo
from enrich.entities.tables import Alias
from enrich.entities.tagged import TaggedExtractor

CRF_VERSION = "2"  # raise it with every change of code here that alters a span


class CrfExtractor(TaggedExtractor):
    """Finds names in English by the linear model and by tables."""

    def __init__(self, operator_aliases: Iterable[Alias] = ()) -> None:
        # Here, because whoever only asks for versions should not pay for numpy.
        from enrich.entities.modelfile import load_model  # noqa: PLC0415 - as said

        # First, because of all that is loaded the model takes the most on the way.
        model = load_model()
        super().__init__(RulesExtractor(operator_aliases), model, crf_info())


def crf_info() -> ExtractorInfo:
    """Describe the recogniser without loading its model or its tables."""
    rules = rules_info()
    return ExtractorInfo(
        name="crf",
        version=f"{CRF_VERSION}-{read_card().version}-{rules.version}",
        languages=rules.languages,
    )
