"""Stable keys of entities: equal keys mean the same entity in every article."""

import re
import unicodedata

from enrich.messages import EntityKind

MAX_SLUG_CHARS = 120  # a key is indexed by the database; no name is longer

_NOT_SLUG = re.compile(r"[\W_]+")
# Letters that have no accent to take off and yet a plain spelling.
_PLAIN = str.maketrans(
    {"ø": "o", "đ": "d", "ł": "l", "\u0131": "i", "æ": "ae", "œ": "oe"}
)
_LEGAL = re.compile(
    r"(?:[\s,]+(?:&\s*)?(?:inc|incorporated|corp|corporation|ltd|limited|plc|llc|llp|gmbh"
    r"|ag|kg|kgaa|se|s\.?a|s\.?p\.?a|s\.?r\.?l|n\.?v|b\.?v|oyj|ab|asa|a/s|co|pty)\.?)+$",
    re.IGNORECASE,
)


def make_key(kind: EntityKind, name: str) -> str:
    """Return "per:vladimir-putin" and the like.

    The slug is casefolded, without accents and, for organisations, without the
    legal form. A name of marks alone keeps them, so that no key is empty.
    """
    if kind is EntityKind.ORG:
        name = strip_legal_form(name)
    folded = unicodedata.normalize("NFKD", name.casefold().translate(_PLAIN))
    plain = "".join(char for char in folded if not unicodedata.combining(char))
    # "U.S." and "Sana'a" are one word.
    joined = re.sub(r"(?<=\w)['\u2019](?=\w)|\.(?=\w\.)", "", plain)
    slug = _NOT_SLUG.sub("-", joined).strip("-") or name.strip()
    return f"{kind.value.lower()}:{slug[:MAX_SLUG_CHARS]}"


def kind_of(key: str) -> EntityKind | None:
    """Return what the key of an entity says of its kind; None where it says nothing."""
    name = key.partition(":")[0].upper()
    if name == "COUNTRY":
        return EntityKind.LOC
    return EntityKind[name] if name in EntityKind.__members__ else None


def strip_legal_form(name: str) -> str:
    """Take "Inc", "plc", "GmbH" and their like off the end of a company's name."""
    return _LEGAL.sub("", name) or name
