"""Heads of pages: what a page tells machines about its article.

JSON-LD and meta elements, and the markup that stands in for them. All of it is a claim
of the page: it is cleaned and bounded, and never run.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import islice
from urllib.parse import urljoin, urlsplit

from selectolax.lexbor import LexborHTMLParser, LexborNode

from ingest.articles import MAX_AUTHORS, Published
from ingest.datelines import find_byline, find_date
from ingest.text import MAX_TITLE_CHARS, collapse, plain_title, shorten

MAX_LD_CHARS = 500_000  # of one block; articleBody makes long ones
MAX_LD_OBJECTS = 500  # lists of related pages are long, too
MAX_META_CHARS = 5_000  # a description has a few hundred
MAX_PARTS = 8  # of a title: headline, section, site
MAX_HEADLINES = 20

_ARTICLE = re.compile(r"(?:Article|Posting|Report|Review|Blog|Recipe|Interview)$")
# "Headline | The Gazette": the name of the site follows the last of these.
_SITE = re.compile(r"\s+(?:[|–—·•»:]+|-+)\s+")  # noqa: RUF001 - dashes are meant
_AUTHORS = ("author", "article:author", "parsely-author", "dc.creator", "byl")
_DATES = (
    *("article:published_time", "datepublished", "date", "parsely-pub-date"),
    *("dc.date.issued", "dc.date", "pubdate", "sailthru.date"),
)
_DESCRIPTIONS = ("og:description", "description", "twitter:description")


@dataclass(frozen=True, slots=True, kw_only=True)
class PageHead:
    """What a page says of itself; empty or None where it says nothing."""

    title: str
    titles: frozenset[str]  # all spellings of the title, without the site's name
    descriptions: frozenset[str]
    byline: str | None
    language: str | None  # as declared
    published: Published | None
    url: str | None  # canonical, as declared; http or https
    text: str  # the article as JSON-LD holds it, or ""
    is_free: bool  # False: the page says that it shows a part only


def read_head(page: LexborHTMLParser) -> PageHead:
    """Return what the head of a parsed page, and its headlines, say."""
    meta = _meta(page)
    facts = _facts(page)
    stated = [meta.get("og:title", ""), _text_of(facts, "headline")]
    stated += [meta.get("twitter:title", ""), _text_of(facts, "name")]
    headlines = [_line(node) for node in page.css("h1")[:MAX_HEADLINES]]
    surest = [_first_text(page, "article h1, main h1"), *headlines[:1]]
    whole = _first_text(page, "title")
    title = next(filter(None, (*stated, *surest, whole)), "")
    spellings = {*stated, *headlines, whole}
    spellings |= {one for each in [*stated, whole] for one in _without_site(each)}
    return PageHead(
        title=_bare(title, meta.get("og:site_name", ""), headlines),
        titles=frozenset(spellings - {""}),
        descriptions=frozenset(meta[name] for name in _DESCRIPTIONS if name in meta),
        byline=_byline(meta, facts),
        language=_language(page, meta, facts),
        published=_published(page, meta, facts),
        url=_url(page, meta, facts),
        text=_body(facts),
        is_free=str(facts.get("isAccessibleForFree", True)).lower() != "false",
    )


def _meta(page: LexborHTMLParser) -> dict[str, str]:
    found: dict[str, str] = {}
    for node in page.css("meta[content]"):
        attributes = node.attributes
        name = next(
            filter(None, map(attributes.get, ("property", "name", "itemprop"))), None
        )
        content = collapse((attributes.get("content") or "")[:MAX_META_CHARS])
        if name and content:
            found.setdefault(name.lower(), content)
    return found


def _facts(page: LexborHTMLParser) -> dict[str, object]:
    """Return the JSON-LD object that describes the article, or an empty one."""
    for node in page.css('script[type="application/ld+json"]'):
        block = node.text()
        if len(block) > MAX_LD_CHARS:
            continue
        try:
            content = json.loads(block, strict=False)
        except (ValueError, RecursionError):  # many are cut off or hold comments
            continue
        for one in _objects(content):
            kinds = one.get("@type")
            for kind in kinds if isinstance(kinds, list) else [kinds]:
                if isinstance(kind, str) and _ARTICLE.search(kind):
                    return one
    return {}


def _objects(content: object) -> Iterator[dict[str, object]]:
    """Yield the objects of a block: alone, in a list, or in a graph."""
    pending = [content]
    for _ in range(MAX_LD_OBJECTS):
        if not pending:
            return
        one = pending.pop(0)
        if isinstance(one, list):
            pending.extend(one[:MAX_LD_OBJECTS])
        elif isinstance(one, dict):
            yield one
            pending.extend(filter(None, map(one.get, ("@graph", "mainEntity"))))


def _text_of(facts: dict[str, object], name: str) -> str:
    value = facts.get(name)
    return plain_title(value) if isinstance(value, str) else ""


def _first_text(page: LexborHTMLParser, selector: str) -> str:
    node = page.css_first(selector)
    return "" if node is None else _line(node)


def _line(node: LexborNode) -> str:
    return shorten(collapse(node.text(separator=" ")), MAX_TITLE_CHARS)


def _without_site(title: str) -> Iterator[str]:
    """Yield the beginnings of a title that end where a site's name may begin."""
    for mark in islice(_SITE.finditer(title[:MAX_TITLE_CHARS]), MAX_PARTS):
        yield title[: mark.start()]


def _bare(title: str, site: str, headlines: list[str]) -> str:
    """Cut the site's name off a title, where the page tells that it is one."""
    for one in _without_site(title):
        rest = title[len(one) :].strip(" |–—·•»:-")  # noqa: RUF001 - dashes
        if one in headlines or (site and rest.casefold() == site.casefold()):
            return one
    return title


def _byline(meta: dict[str, str], facts: dict[str, object]) -> str | None:
    names = [", ".join(_names(facts.get("author")))]
    names += [meta.get(name, "") for name in _AUTHORS]
    for name in names:
        if name and "://" not in name:
            return find_byline(name) or name
    return None


def _names(author: object) -> list[str]:
    authors = author if isinstance(author, list) else [author]
    names = (
        one.get("name") if isinstance(one, dict) else one
        for one in authors[:MAX_AUTHORS]
    )
    return [collapse(name) for name in names if isinstance(name, str)]


def _language(
    page: LexborHTMLParser, meta: dict[str, str], facts: dict[str, object]
) -> str | None:
    root = page.root
    declared = None if root is None else root.attributes.get("lang")
    stated = facts.get("inLanguage")
    stated = stated if isinstance(stated, str) else None
    return declared or stated or meta.get("og:locale") or meta.get("language")


def _published(
    page: LexborHTMLParser, meta: dict[str, str], facts: dict[str, object]
) -> Published | None:
    node = page.css_first("time[datetime]")
    tagged = None if node is None else node.attributes.get("datetime")
    stated = [meta.get(_DATES[0]), facts.get("datePublished")]
    stated += [*map(meta.get, _DATES[1:]), tagged]
    for raw in stated:
        found = find_date(collapse(raw)) if isinstance(raw, str) else None
        if found is not None:
            return replace(found, origin="published")
    return None


def _url(
    page: LexborHTMLParser, meta: dict[str, str], facts: dict[str, object]
) -> str | None:
    """Return the first address that is whole; a relative one needs a base."""
    node = page.css_first("link[rel=canonical][href]")
    canonical = None if node is None else node.attributes.get("href")
    whole = meta.get("og:url", "")
    page_of = facts.get("mainEntityOfPage")
    page_of = page_of.get("@id") if isinstance(page_of, dict) else page_of
    for url in (canonical, whole, page_of, facts.get("url")):
        if isinstance(url, str) and (found := _whole_url(whole, collapse(url))):
            return found
    return None


def _whole_url(base: str, url: str) -> str | None:
    try:
        joined = urljoin(base, url)
        parts = urlsplit(joined)
    except ValueError:  # a broken IPv6 address
        return None
    return joined if parts.scheme in {"http", "https"} and parts.hostname else None


def _body(facts: dict[str, object]) -> str:
    text = facts.get("articleBody")
    return text if isinstance(text, str) else ""
