"""Which language an article is in, from its text and what its source declares."""

import re
from dataclasses import dataclass
from typing import Protocol

from enrich.messages import Language

RULES_VERSION = "1"  # raise it with every change below that alters a result

UNKNOWN = "und"

# The cost of the detector grows with length; its accuracy does not after this.
SAMPLE_CHARS = 1000

# Feeds carry the language of their template. Beyond this length the detector is
# right more often than they are (1.000 of 540 texts of 720 characters).
TRUST_DETECTOR_CHARS = 200

# Without a declaration a short text is named only where the detector is sure.
MIN_LETTERS = 20
MIN_SCORE = 0.5

# Neighbours that differ in a few words of a text. Where the source names one of a
# group and the detector another, the source knows better.
_NEIGHBOURS = (
    frozenset({"no", "nb", "nn", "da"}),
    frozenset({"sr", "hr", "bs"}),
    frozenset({"id", "ms"}),
    frozenset({"gl", "pt"}),
    frozenset({"cs", "sk"}),
)

_SUBTAG = re.compile(r"[a-z]{2,3}")


class Identifier(Protocol):
    """What is used of the library's identifier."""

    def classify(self, text: str) -> tuple[str, float]:
        """Return the likeliest language and its probability."""

    def rank(self, text: str) -> list[tuple[str, float]]:
        """Return all languages and their probabilities."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LanguageDetector:
    """The loaded model; about 0.7 CPU-seconds and 12 MB, so make one a process."""

    identifier: Identifier


def load_detector() -> LanguageDetector:
    """Load the model that stands in the library's wheel."""
    # Here, because whoever only asks for versions should not pay for numpy.
    from enrich.identifier import load_identifier  # noqa: PLC0415 - as said

    return LanguageDetector(identifier=load_identifier())


def detect_language(
    title: str, text: str, declared: str | None, detector: LanguageDetector
) -> Language:
    """Return the language of an article.

    For a text of more than 200 characters the detector decides; for a shorter one
    the declaration does, if there is one. "und" says that nothing can be told.
    """
    hint = _parse_hint(declared)
    sample = _sample(title, text)
    n_letters = sum(map(str.isalpha, sample))
    if hint is None and n_letters < MIN_LETTERS:
        return Language(code=UNKNOWN, score=0.0, origin="detector")
    if hint is not None and len(text) <= TRUST_DETECTOR_CHARS:
        return _declared(hint, sample, detector)
    code, score = detector.identifier.classify(sample)
    if hint is not None and (n_letters < MIN_LETTERS or _are_neighbours(hint, code)):
        return _declared(hint, sample, detector)
    if hint is None and score < MIN_SCORE:
        return Language(code=UNKNOWN, score=round(score, 4), origin="detector")
    return Language(code=code, score=round(score, 4), origin="detector")


def _parse_hint(declared: str | None) -> str | None:
    match = _SUBTAG.match((declared or "").strip().lower())
    return None if match is None or match[0] == UNKNOWN else match[0]


def _sample(title: str, text: str) -> str:
    if len(text) > TRUST_DETECTOR_CHARS:
        return text[:SAMPLE_CHARS]
    return f"{title}\n{text}".strip()


def _declared(hint: str, sample: str, detector: LanguageDetector) -> Language:
    # The score stays the detector's, so that a doubtful declaration can be seen.
    score = dict(detector.identifier.rank(sample)).get(hint, 0.0)
    return Language(code=hint, score=round(score, 4), origin="declared")


def _are_neighbours(hint: str, code: str) -> bool:
    return any(hint in group and code in group for group in _NEIGHBOURS)
