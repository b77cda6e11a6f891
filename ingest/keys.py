"""Keys: what tells the entries of one feed apart, from one poll to the next.

Most feeds give a guid, but some give the same one to every item, a new one at every
poll, or none. So what the key is made of is chosen per feed, by what separates the
items of a document, and kept while it does.
"""

import hashlib
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from ingest.messages import KeyMode

# A chosen mode must tell nine of ten items apart. It is given up only below half, or
# one odd document would give every entry of a feed a new key.
MIN_TO_CHOOSE = 0.9
MIN_TO_KEEP = 0.5
MAX_KEY_CHARS = 500  # an index of PostgreSQL takes 2,700 bytes, four for a character
_KEPT_CHARS = 400
_MODES = (KeyMode.GUID, KeyMode.LINK, KeyMode.TITLE_DATE, KeyMode.CONTENT)
_WEB_ADDRESS = re.compile(r"https?://([^/?#]*)(.*)", re.IGNORECASE | re.DOTALL)
_NEVER = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What may identify one item; each is None where the item has it not."""

    guid: str | None
    link: str | None  # canonical
    title: str | None
    date: str | None  # as spelt
    content: str | None  # hash over title and text
    updated_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """The identity of one item within its feed."""

    key: str
    mode: KeyMode
    aliases: tuple[str, ...]
    owns_link: bool  # no other item links there, so the page is its article
    is_duplicate: bool  # a twin in the same document is the entry
    is_identity: bool  # False: only the position, because there is nothing else


def choose_mode(items: Sequence[Facts], kept: KeyMode | None) -> KeyMode | None:
    """Return what the keys of a feed are made of.

    `kept` is the mode of the last poll; it stays while it separates half the items.
    """
    # Versions of one item in one document are no reason to give a mode up.
    distinct = {_versioned(facts): facts for facts in items}.values()
    if not distinct:
        return kept
    if kept in _MODES and _separated(distinct, kept) >= MIN_TO_KEEP:
        return kept
    for mode in _MODES:
        if _separated(distinct, mode) >= MIN_TO_CHOOSE:
            return mode
    return KeyMode.CONTENT


def assign_keys(
    items: Sequence[Facts], mode: KeyMode, *, site_url: str | None
) -> list[Key]:
    """Return a key for each item, all different.

    An item without what `mode` asks for falls back to the next mode. Of items that
    are the same to us, the one updated last keeps the key, else the first.
    """
    keys = [_key(facts, mode, n) for n, facts in enumerate(items)]
    keys = _told_apart(items, keys)
    duplicates = _duplicates(items, keys)
    kept = [facts for n, facts in enumerate(items) if n not in duplicates]
    n_links = Counter(facts.link for facts in kept)
    aliases = _Aliases(kept)
    return [
        Key(
            key=_bounded(duplicates.get(n, key)),
            mode=key_mode,
            aliases=() if n in duplicates else aliases.of(facts, site_url),
            owns_link=n_links[facts.link] == 1 and not _is_front(facts.link, site_url),
            is_duplicate=n in duplicates,
            is_identity=_value(facts, key_mode) is not None,
        )
        for n, (facts, (key, key_mode)) in enumerate(zip(items, keys, strict=True))
    ]


def _versioned(facts: Facts) -> object:
    """Return what all versions of an item share."""
    if facts.guid is None and facts.link is None:
        return facts
    return facts.guid, facts.link, facts.title


def _separated(items: Iterable[Facts], mode: KeyMode) -> float:
    values = [_value(facts, mode) for facts in items]
    return len(set(values) - {None}) / len(values)


def _value(facts: Facts, mode: KeyMode) -> str | None:
    match mode:
        case KeyMode.GUID:
            return facts.guid
        case KeyMode.LINK:
            return facts.link
        case KeyMode.TITLE_DATE if facts.title and facts.date:
            return f"title-date:{_digest(facts.title, facts.date)}"
        case KeyMode.CONTENT if facts.content:
            return f"content:{facts.content}"
    return None


def _key(facts: Facts, mode: KeyMode, position: int) -> tuple[str, KeyMode]:
    start = _MODES.index(mode)
    for candidate in (*_MODES[start:], *_MODES[:start]):
        value = _value(facts, candidate)
        if value is not None:
            return value, candidate
    return f"position:{position}", KeyMode.CONTENT


def _told_apart(
    items: Sequence[Facts], keys: Sequence[tuple[str, KeyMode]]
) -> list[tuple[str, KeyMode]]:
    """Add the link to a guid that leads to several, and the title to such a link."""
    seconds = defaultdict(set)
    for facts, (key, mode) in zip(items, keys, strict=True):
        seconds[key].add(_second(facts, mode))
    return [
        (f"{key} {_second(facts, mode)}", mode)
        if len(seconds[key]) > 1
        else (key, mode)
        for facts, (key, mode) in zip(items, keys, strict=True)
    ]


def _second(facts: Facts, mode: KeyMode) -> str | None:
    if mode is KeyMode.GUID:
        return facts.link
    return facts.title if mode is KeyMode.LINK else None


def _duplicates(
    items: Sequence[Facts], keys: Sequence[tuple[str, KeyMode]]
) -> dict[int, str]:
    """Return the positions of the twins that are left out, each with a key for it."""
    places = defaultdict(list)
    for n, (key, _) in enumerate(keys):
        places[key].append(n)
    renamed = {}
    for key, twins in list(places.items()):
        kept = max(twins, key=lambda n: (items[n].updated_at or _NEVER, -n))
        ordinal = 1
        for n in twins:
            if n == kept:
                continue
            ordinal += 1
            while f"{key}#{ordinal}" in places:
                ordinal += 1
            renamed[n] = f"{key}#{ordinal}"
    return renamed


class _Aliases:
    """Other names of an entry, as far as they mean one item of the document."""

    def __init__(self, kept: Sequence[Facts]) -> None:
        addresses = (guid_address(facts) for facts in kept)
        hosts = {host for host, _ in filter(None, addresses)}
        # In a feed of many publishers one path names several pages.
        self.bare = len(hosts) == 1
        self.counts = Counter(name for facts in kept for name in self._names(facts))

    def of(self, facts: Facts, site_url: str | None) -> tuple[str, ...]:
        names = (name for name in self._names(facts) if self.counts[name] == 1)
        is_front = _is_front(facts.link, site_url)
        front = _link_name(facts.link) if facts.link and is_front else None
        return tuple(_bounded(name) for name in names if name != front)

    def _names(self, facts: Facts) -> list[str]:
        names = []
        if facts.guid:
            # A site that moves to https or to another host keeps its paths.
            address = guid_address(facts) if self.bare else None
            name = address[1] if address else facts.guid
            if name.strip("/"):
                names.append(f"guid:{name}")
        if facts.link:
            names.append(_link_name(facts.link))
        return names


def _link_name(link: str) -> str:
    """Return the alias of a page, the same for http and https."""
    return f"link:{link.partition(':')[2]}"


def guid_address(facts: Facts) -> tuple[str, str] | None:
    """Return the host of a guid that is a web address, and what stands behind it."""
    address = _WEB_ADDRESS.fullmatch(facts.guid or "")
    return (address[1].lower(), address[2]) if address else None


def _is_front(link: str | None, site_url: str | None) -> bool:
    """Tell whether a link leads to the site itself, where the text changes daily."""
    if link is None:
        return False
    address = _WEB_ADDRESS.fullmatch(link)
    return link == site_url or (address is not None and address[2] in {"", "/"})


def _bounded(key: str) -> str:
    if len(key) <= MAX_KEY_CHARS:
        return key
    return f"{key[:_KEPT_CHARS]} sha256:{_digest(key)}"


def _digest(*parts: str) -> str:
    # Lone surrogates cannot be UTF-8 and still have to give some number.
    joined = "\n".join(parts).encode("utf-8", "surrogatepass")
    return hashlib.sha256(joined).hexdigest()
