"""NITF and NewsML-G2: the XML of news agencies (IPTC)."""

import re
from collections.abc import Iterator
from pathlib import Path
from xml.etree.ElementTree import Element

from ingest.charset import decode
from ingest.datelines import find_byline
from ingest.messages import FileOutcome
from ingest.readers.fields import (
    Problems,
    confidence_of,
    find_names,
    find_published,
    paragraphs,
)
from ingest.readers.reader import Piece
from ingest.readers.trees import (
    blocks_of,
    find_text,
    find_value,
    parse_tree,
    text_of,
)

# What may stand before the root: a declaration, comments, instructions, a DOCTYPE.
_PROLOG = (
    # Nothing is tried in a second way, which would take time in powers of two.
    r"\ufeff?\s*+(?:(?:<\?(?:(?!\?>).)*+\?>|<!--(?:(?!-->).)*+-->"
    r"|<!DOCTYPE[^>\[]*+(?:\[[^\]]*+\]\s*+)?>)\s*+)*+"
)
_NITF = re.compile(_PROLOG + r"<(?:[\w.-]+:)?nitf[\s>/]", re.DOTALL)
_G2 = re.compile(
    _PROLOG + r"<(?:[\w.-]+:)?(?:newsMessage|newsItem|packageItem)[\s>/]", re.DOTALL
)
_WITHDRAWN = {"canceled", "cancelled", "withheld"}
_LANG = "xml:lang"


class NitfReader:
    """Reads one story in NITF."""

    extractor = "nitf/1"
    media_type = "application/nitf+xml"

    def sniff(self, head: bytes, path: Path, /) -> bool:  # noqa: ARG002 - content decides
        """Recognise the root element."""
        return _NITF.match(decode(head).text) is not None

    def read(self, body: bytes, /) -> Iterator[Piece]:
        """Yield the story.

        Raises:
            UnreadableContentError: The XML is broken or hostile.
        """
        tree = parse_tree(body)
        tree.settle()
        yield from filter(None, [_nitf_piece(tree.root)])


class NewsmlReader:
    """Reads the text items of NewsML-G2, alone and in a message."""

    extractor = "newsml-g2/1"
    media_type = "application/vnd.iptc.g2.newsitem+xml"

    def sniff(self, head: bytes, path: Path, /) -> bool:  # noqa: ARG002 - content decides
        """Recognise the root element."""
        return _G2.match(decode(head).text) is not None

    def read(self, body: bytes, /) -> Iterator[Piece]:
        """Yield each item with a text; in a message it is known by its guid.

        Raises:
            UnreadableContentError: The XML is broken or hostile, or an item is
                withdrawn.
        """
        tree = parse_tree(body)
        problems = Problems()
        is_alone = tree.root.tag == "newsItem"
        for number, item in enumerate(tree.root.iter("newsItem")):
            if item in tree.unfinished:
                continue
            guid = item.get("guid") or f"item={number}"
            if _status(item) in _WITHDRAWN:
                reason = "The agency has withdrawn the item."
                problems.add(guid, reason, FileOutcome.NO_ARTICLE)
                continue
            piece = _g2_piece(item, fragment=None if is_alone else guid)
            if piece is not None:
                yield piece
        if tree.error is not None:
            problems.add("the end", tree.error)
        problems.settle()


def _nitf_piece(root: Element) -> Piece | None:
    head, text = "body/body.head/", blocks_of_all(root.iterfind("body/body.content"))
    title = find_text(root, head + "hedline/hl1", head + "hedline/hl2", "head/title")
    if not text and not title:
        return None
    bylines = [text_of(one) for one in root.iterfind(head + "byline")]
    authors = find_names([find_text(root, head + "byline/person"), *bylines][:2])[:1]
    docdata = "head/docdata/"
    issued = find_value(root, "norm", docdata + "date.issue", docdata + "date.release")
    dateline = find_value(root, "norm", head + "dateline/story.date")
    published = find_value(root, "date.publication", "head/pubdata")
    return Piece(
        title=title,
        text=text,
        byline=_byline(bylines) or ", ".join(authors) or None,
        language=root.get(_LANG) or find_value(root, _LANG, "body") or None,
        published=find_published(issued or published or dateline),
        confidence=confidence_of(title, text),
        url=find_value(root, "ex-ref", "head/pubdata") or None,
        source=find_value(root, "name", "head/pubdata")
        or find_text(root, head + "distributor")
        or find_value(root, "regsrc", docdata + "doc-id")
        or None,
        authors=authors,
    )


def _byline(bylines: list[str]) -> str | None:
    line = next(filter(None, bylines), "")
    return find_byline(line) or line or None


def blocks_of_all(elements: Iterator[Element]) -> str:
    """Return the text of some elements, a blank line between blocks."""
    return "\n\n".join(filter(None, map(blocks_of, elements)))


def _status(item: Element) -> str:
    # "stat:canceled": the prefix is that of a vocabulary.
    status = find_value(item, "qcode", "itemMeta/pubStatus")
    return status.rpartition(":")[2].lower()


def _g2_piece(item: Element, *, fragment: str | None) -> Piece | None:
    meta = "contentMeta/"
    title, text = _g2_title(item), _g2_text(item)
    if not text:
        return None  # a picture, a film, or a list of other items
    bylines = [text_of(one) for one in item.iterfind(meta + "by")]
    authors = find_names(_creators(item)) or find_names(bylines)
    created = find_text(item, meta + "contentCreated", "itemMeta/firstCreated")
    version = find_text(item, meta + "contentModified", "itemMeta/versionCreated")
    return Piece(
        title=title,
        text=text,
        byline=_byline(bylines) or ", ".join(authors) or None,
        language=find_value(item, "tag", meta + "language") or item.get(_LANG) or None,
        published=find_published(created) or find_published(version),
        confidence=confidence_of(title, text),
        fragment=fragment,
        url=_link(item),
        source=_provider(item) or None,
        authors=authors,
        updated=find_published(version, origin="updated"),
    )


def _g2_title(item: Element) -> str:
    return find_text(
        item,
        "contentMeta/headline",
        "contentSet/inlineXML/nitf/body/body.head/hedline/hl1",
        "contentSet/inlineXML/html/head/title",
        "itemMeta/title",
    )


def _g2_text(item: Element) -> str:
    """Return the text of the first form of the content that has any."""
    for form in item.iterfind("contentSet/inlineXML"):
        inside = form.find("nitf/body/body.content")
        text = blocks_of(form if inside is None else inside)
        if text:
            return text
    for form in item.iterfind("contentSet/inlineData"):
        if (form.get("contenttype") or "text/plain").startswith("text/plain"):
            return paragraphs("".join(form.itertext()).strip())
    return ""


def _creators(item: Element) -> Iterator[str]:
    for creator in item.iterfind("contentMeta/creator"):
        yield find_text(creator, "name") or creator.get("literal", "")


def _provider(item: Element) -> str:
    provider = find_text(item, "itemMeta/provider/name", "contentMeta/infoSource/name")
    literal = find_value(item, "literal", "itemMeta/provider")
    return provider or literal or find_text(item, "contentMeta/creditline")


def _link(item: Element) -> str | None:
    """Return the page of an item, where it names one."""
    for link in item.iterfind("itemMeta/link"):
        if link.get("rel", "").rpartition(":")[2].lower() in {"canonical", "webpage"}:
            return link.get("href")
    return None
