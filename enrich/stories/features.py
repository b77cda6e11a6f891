"""What an article is about, as a sparse unit vector of words and named entities."""

import lzma
import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import stopwordsiso
from xxhash import xxh3_64_intdigest

from enrich.messages import Entity, StoryFeatures

VERSION = "3"  # raise it with every change that alters a vector

MAX_TERMS = 60  # 89 % of the squared length of what 350 words give
MAX_KEYS = 12  # 99 % of pairs on one event share at least one

LEAD_WORDS = 60  # who, what, where and when stand in the first two sentences

# Share of the squared length of the vector. This and the weights of lead and country
# are from a coarse search on one half of the labelled topics, over twelve orders of
# arrival; the scores are flat around them.
ENTITY_SHARE = 0.15
LEAD_WEIGHT = 5.0  # a word of the lead counts as so many of the body
TITLE_WEIGHT = 3.0

# A country names the scene of many stories, a person or firm of few.
COUNTRY_WEIGHT = 0.7

_WORD = re.compile(r"[^\W\d_]+(?:['\u2019-][^\W\d_]+)*|\d+(?:[.,]\d+)*")
_UNSPACED = re.compile(
    "[\u0e00-\u0eff\u1780-\u17ff\u3005\u3041-\u30ff\u3400-\u4dbf\u4e00-\u9fff"
    "\uf900-\ufaff]+"
)
_POSSESSIVE = re.compile(r"['\u2019]s?$")
_MIN_PLURAL = 4  # letters: "gas" and "bus" are no plurals
_IDF_TABLE = Path(__file__).parent / "tables" / "idf-en.tsv.xz"

# Four decimals say all that is known, and keep what is stored of an article short.
WEIGHT_DIGITS = 4

# The terms that are numbers of a sentence embedding (`enrich.stories.embedding`) begin
# with it, which no word and no key of an entity does.
EMBEDDED = "~"

Vector = Mapping[str, float]
Terms = tuple[tuple[str, float], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class WordStatistics:
    """How rare words are in English news; of other words nothing is known."""

    idf: Mapping[str, float]  # by folded word
    unseen: float  # for a word that is not there


def load_statistics() -> WordStatistics:
    """Read the table of document counts that stands beside this module."""
    heading, *lines = lzma.decompress(_IDF_TABLE.read_bytes()).decode().splitlines()
    n_documents = int(heading.split("\t")[1])
    counts: Counter[str] = Counter()
    for line in lines:
        word, count = line.split("\t")
        folded = fold_word(word, "en")
        counts[folded] = min(n_documents, counts[folded] + int(count))
    return WordStatistics(
        idf={word: math.log((n_documents + 1) / n) for word, n in counts.items()},
        unseen=math.log(n_documents + 1),
    )


def describe(
    *,
    title: str,
    text: str,
    language: str,
    entities: Sequence[Entity],
    statistics: WordStatistics,
) -> StoryFeatures:
    """Return the features of an article.

    Words weigh `log(1 + count) * idf`, with those of title and lead counted more
    often; entities weigh by the logarithm of their mentions. An article of no known
    words has no terms.
    """
    words = _weigh_words(title, text, language, statistics)
    names = _weigh_entities(entities)
    share = ENTITY_SHARE if words and names else float(bool(names))
    vector = {
        **_scale(words, math.sqrt(1 - share)),
        **_scale(names, math.sqrt(share)),
    }
    terms = unit_terms(vector, MAX_TERMS)
    return StoryFeatures(terms=terms, keys=index_keys(terms))


def unit_terms(vector: Vector, limit: int) -> Terms:
    """Return the heaviest terms, heaviest first, scaled to unit length."""
    heaviest = heaviest_terms(vector, limit)
    norm = math.sqrt(math.fsum(weight * weight for _, weight in heaviest))
    scaled = ((term, weight / norm) for term, weight in heaviest)
    return tuple((term, round(weight, WEIGHT_DIGITS)) for term, weight in scaled)


def heaviest_terms(vector: Vector, limit: int) -> Terms:
    """Return the heaviest terms, heaviest first; equal ones by their spelling.

    The terms of a sentence embedding do not count in the limit: none of them says
    anything alone. They stand behind the others, in the order of the vector.
    """
    plain, embedded = [], []
    for term, weight in vector.items():
        if is_embedded(term):
            embedded.append((term, weight))
        elif weight > 0.0:
            plain.append((term, weight))
    plain.sort(key=lambda pair: (-pair[1], pair[0]))
    return (*plain[:limit], *embedded)


def index_keys(terms: Terms) -> tuple[int, ...]:
    """Return the keys of the heaviest terms, under which stories are found."""
    words = (term for term, _ in terms[:MAX_KEYS] if not is_embedded(term))
    return tuple(sorted({hash_term(term) for term in words}))


def is_embedded(term: str) -> bool:
    """Tell whether a term is a number of a sentence embedding."""
    return term.startswith(EMBEDDED)


def hash_term(term: str) -> int:
    """Return the key under which stories with this term are found, signed 64-bit."""
    value = xxh3_64_intdigest(term.encode("utf-8", "surrogatepass"))
    return value - (1 << 64) if value >= 1 << 63 else value


def fold_word(word: str, language: str) -> str:
    """Return one spelling for the forms of a word; English plurals lose their "s"."""
    folded = _POSSESSIVE.sub("", word.casefold())
    if language != "en" or len(folded) < _MIN_PLURAL or folded[-1] != "s":
        return folded
    if folded.endswith("ies"):
        return folded[:-3] + "y"
    return folded if folded.endswith(("ss", "us", "is")) else folded[:-1]


def _weigh_words(
    title: str, text: str, language: str, statistics: WordStatistics
) -> dict[str, float]:
    words = _split_words(text)
    counts: dict[str, float] = dict(Counter(words))
    for extra, weight in (
        (_split_words(title), TITLE_WEIGHT),
        (words[:LEAD_WORDS], LEAD_WEIGHT - 1),
    ):
        for word in extra:
            counts[word] = counts.get(word, 0.0) + weight
    stopwords = _stopwords(language)
    folded: dict[str, float] = {}
    for word, count in counts.items():
        if word not in stopwords and len(word) > 1:
            term = fold_word(word, language)
            folded[term] = folded.get(term, 0.0) + count
    # Words of other languages are all unseen: there the stop words do the work.
    idf = statistics.idf if language == "en" else {}
    return {
        term: math.log1p(count) * idf.get(term, statistics.unseen)
        for term, count in folded.items()
    }


def _split_words(text: str) -> list[str]:
    words = _WORD.findall(text.casefold())
    if text.isascii() or not _UNSPACED.search(text):
        return words
    return [part for word in words for part in _split_unspaced(word)]


def _split_unspaced(word: str) -> Iterable[str]:
    """Cut a run of a script without spaces into pairs of characters."""
    if not _UNSPACED.fullmatch(word) or len(word) == 1:
        return (word,)
    return (word[index : index + 2] for index in range(len(word) - 1))


def _weigh_entities(entities: Iterable[Entity]) -> dict[str, float]:
    return {
        entity.key: math.log1p(entity.n_mentions)
        * (COUNTRY_WEIGHT if entity.key.startswith("country:") else 1.0)
        for entity in entities
    }


def _scale(weights: Vector, length: float) -> dict[str, float]:
    norm = math.sqrt(math.fsum(weight * weight for weight in weights.values()))
    return {term: weight * length / norm for term, weight in weights.items()}


@cache
def _stopwords(language: str) -> frozenset[str]:
    return frozenset(stopwordsiso.stopwords(language))
