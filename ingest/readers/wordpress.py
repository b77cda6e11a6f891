"""WordPress exports (WXR): the posts of a site, in a dialect of RSS."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from xml.etree.ElementTree import Element

from ingest.articles import Published
from ingest.charset import decode
from ingest.readers.fields import confidence_of, find_names, find_published, paragraphs
from ingest.readers.reader import Piece
from ingest.readers.trees import find_text, parse_tree
from ingest.text import plain_text, plain_title
from ingest.urls import publisher

_ROOT = re.compile(r"<rss\b[^>]*\bxmlns:wp\s*=", re.DOTALL)
_PARAGRAPH = re.compile(r"<p\b", re.IGNORECASE)
_BLANK_LINE = re.compile(r"\r?\n[ \t]*\r?\n")
_SHORTCODE = re.compile(
    r"\[/?(?P<name>[a-z][a-z0-9_-]{1,40})(?P<values>\s[^\[\]]{0,2000})?/?\]"
)
_CLOSED = re.compile(r"\[/([a-z][a-z0-9_-]{1,40})\]")
_ALONE = {"audio", "embed", "gallery", "playlist", "video"}


class WordPressReader:
    """Reads the published posts of an export."""

    extractor = "wordpress/1"
    media_type = "application/rss+xml"

    def sniff(self, head: bytes, path: Path, /) -> bool:  # noqa: ARG002 - content decides
        """Recognise RSS that declares the namespace of the exports."""
        return _ROOT.search(decode(head).text) is not None

    def read(self, body: bytes, /) -> Iterator[Piece]:
        """Yield each published post; it is known by its number.

        Raises:
            UnreadableContentError: The XML is broken or hostile.
        """
        tree = parse_tree(body)
        for channel in tree.root.iterfind("channel"):
            site = _site(channel)
            for number, item in enumerate(channel.iterfind("item")):
                if item not in tree.unfinished and _is_published(item):
                    post = find_text(item, "post_id") or f"{number}"
                    yield _piece(site, item, fragment=f"post={post}")
        tree.settle()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Site:
    """What holds for all posts; to find it takes as long as there are posts."""

    source: str | None
    language: str | None
    names: Mapping[str, str]  # of authors, by their login


def _site(channel: Element) -> _Site:
    return _Site(
        source=publisher(find_text(channel, "link")) or None,
        language=find_text(channel, "language") or None,
        names=dict(_authors(channel)),
    )


def _authors(channel: Element) -> Iterator[tuple[str, str]]:
    """Yield the login and the name of each author."""
    for author in channel.iterfind("author"):
        name = find_text(author, "author_display_name")
        if name:
            yield find_text(author, "author_login"), name


def _is_published(item: Element) -> bool:
    # Pages, menus and pictures are items too, and so are drafts.
    is_post = find_text(item, "post_type") in {"post", ""}
    return is_post and find_text(item, "status") in {"publish", ""}


def _piece(site: _Site, item: Element, *, fragment: str) -> Piece:
    title = plain_title(find_text(item, "title"))
    text = _text(item)
    creator = find_text(item, "creator")
    authors = find_names([site.names.get(creator, creator)])
    return Piece(
        title=title,
        text=text,
        byline=", ".join(authors) or None,
        language=site.language,
        published=_date(item, "post_date_gmt", "published")
        or find_published(find_text(item, "pubDate")),
        confidence=confidence_of(title, text),
        fragment=fragment,
        url=find_text(item, "link") or None,
        source=site.source,
        authors=authors,
        updated=_date(item, "post_modified_gmt", "updated"),
    )


def _date(item: Element, path: str, origin: str) -> Published | None:
    raw = find_text(item, path)
    # What was never set is written as the year 0.
    return None if raw.startswith("0000") else find_published(raw, origin=origin)


def _text(item: Element) -> str:
    encoded = item.find("encoded")
    content = "" if encoded is None else "".join(encoded.itertext())
    content = _without_shortcodes("".join(_without_captions(content)))
    if _PARAGRAPH.search(content) is None:
        # Until it is shown, WordPress keeps paragraphs as blank lines.
        content = _BLANK_LINE.sub("<p>", content)
    return paragraphs(plain_text(content))


def _without_captions(content: str) -> Iterator[str]:
    """Yield what stands between pictures with captions."""
    end, position = "[/caption]", 0
    while (start := content.find("[caption ", position)) >= 0:
        closing = content.find(end, start)
        if closing < 0:
            break
        yield content[position:start]
        position = closing + len(end)
    yield content[position:]


def _without_shortcodes(content: str) -> str:
    """Cut out shortcodes; "[sic]" is none: it has no values and no end."""
    known = _ALONE | set(_CLOSED.findall(content))

    def keep(match: re.Match[str]) -> str:
        is_code = match["name"] in known or "=" in (match["values"] or "")
        return "" if is_code else match[0]

    return _SHORTCODE.sub(keep, content)
