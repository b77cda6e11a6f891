"""XML that holds no article in a format we know: refused with advice."""

import re
from pathlib import Path
from typing import NoReturn
from xml.parsers import expat

from ingest.messages import FileOutcome
from ingest.readers.reader import UnreadableContentError

_FEED_ROOTS = {"rss": "RSS", "feed": "Atom", "RDF": "RSS 1.0", "urlset": "sitemap"}
_LIST_ROOTS = {"opml": "OPML list of feeds", "sitemapindex": "sitemap index"}
_START = re.compile(
    rb"[\xef\xbb\xbf\s]*+(?:<!--(?:(?!-->).)*+-->\s*+)*+"
    rb"(?:<\?xml\b|<(?:rss|feed|rdf:RDF|opml|urlset|sitemapindex)\b)",
    re.DOTALL,
)


class XmlReader:
    """Tells what an XML file is and why it is not read as an article."""

    extractor = "xml/1"
    media_type = "application/xml"

    def sniff(self, head: bytes, path: Path, /) -> bool:  # noqa: ARG002 - content decides
        """Recognise a declaration or the root of a feed, also behind comments."""
        return _START.match(head) is not None

    def read(self, body: bytes, /) -> NoReturn:
        """Refuse the file with the reason.

        Raises:
            UnreadableContentError: Always.
        """
        raise UnreadableContentError(FileOutcome.MALFORMED, _xml_reason(body))


def _xml_reason(body: bytes) -> str:
    parser = expat.ParserCreate()
    roots: list[str] = []

    def remember(name: str, attributes: dict[str, str]) -> None:  # noqa: ARG001 - expat calls it so
        if not roots:
            roots.append(name.rpartition(":")[2])

    def refuse(*_declaration: object) -> None:
        raise _EntityError

    parser.StartElementHandler = remember
    # No article format needs entities of its own, and bombs are made of them.
    parser.EntityDeclHandler = refuse
    try:
        parser.Parse(body, True)  # noqa: FBT003 - the C function takes no keyword
    # An encoding that does not exist, or that the parser has no table for.
    except (expat.ExpatError, LookupError, ValueError) as error:
        return f"The XML is broken: {error}."
    except _EntityError:
        return "The XML declares entities of its own, which is refused."
    return _root_reason(roots[0])


class _EntityError(Exception):
    """Leaves the parser at the first entity declaration."""


def _root_reason(root: str) -> str:
    if root in _FEED_ROOTS:
        kind = _FEED_ROOTS[root]
        return f"This is a feed ({kind}) and no article; add its address as a feed."
    if root in _LIST_ROOTS:
        return f"This is an {_LIST_ROOTS[root]} and no article; import it as such."
    return f"XML with the root <{root[:40]}> is no format that can be read."
