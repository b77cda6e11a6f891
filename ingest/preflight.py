"""The pre-flight: a linear scan that refuses what would cost the feed parser too much.

The parser needs quadratic time for some shapes of a document, and it reads every
item before any limit can be set on them. One pass over the tags finds those shapes,
cuts the document after the last item that is wanted, and tells whether it broke off.
"""

import re
from dataclasses import dataclass

from ingest.costs import ENOUGH, TOO_MUCH, Costs, FeedRefusedError, hostile
from ingest.messages import PollOutcome
from ingest.stretches import Captions, Measure, without

# Hand-written feeds stay below a tenth of each of these.
MAX_DEPTH = 256
MAX_PREFIXES = 256  # each tag of an unknown namespace is compared with all of them
# What looks like markup and is none sends the parser into its slow, forgiving mode.
MAX_STRAY_TAGS = 100_000
MAX_STRAY_AMPERSANDS = 500_000

ITEMS = {"item", "entry"}
_AUTHORS = {"author", "creator", "managingeditor", "publisher", "webmaster"}
_CATEGORIES = {"category", "subject", "keywords", "tags"}
_PLACES = {"box", "coordinates", "line", "linestring", "point", "polygon", "poslist"}
# HTML in a feed that is not escaped leaves these open; RSS has its own <link>
# and <source>, which are therefore missing.
_NEVER_CLOSED = {"area", "base", "br", "col", "embed", "hr", "img", "input", "wbr"}
_OTHER_DOCUMENTS = {
    "html": "a web page",
    "head": "a web page",
    "body": "a web page",
    "opml": "a list of feeds (import it as OPML)",
    "urlset": "a sitemap",
    "sitemapindex": "a sitemap",
}
_SPANS = {"<!--": "-->", "<![CDATA[": "]]>", "<?": "?>"}

# A quoted value ends at "<" at the latest, so no match looks further than the next
# tag, and nothing is ever tried twice: the whole scan is linear.
_TOKEN = re.compile(
    r"<!--|<!\[CDATA\[|<\?|<!"
    r"|<(?P<end>/?)(?P<name>[^\W\d][^\s/<>\"'=]*)"
    r"(?P<rest>[^<>\"']*+(?:(?:\"[^\"<]*+\"|'[^'<]*+')[^<>\"']*+)*+)(?P<closed>>?)"
)
_ENTITY = re.compile(r"ENTITY\s+(?!%)", re.IGNORECASE)
_BARE_AMPERSAND = re.compile(r"&(?!#?\w{1,31};)")
_PREFIX = re.compile(r"xmlns:([^\s=\"']+)")


__all__ = ["Checked", "FeedRefusedError", "check"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """A document that the parser may read."""

    text: str  # from the root element on, without comments
    root: str  # name of the root element, in lower case and without prefix
    n_items: int
    complete: bool  # the root element was closed, or cut by us
    last_item_open: bool  # it broke off inside its last item
    cut: bool  # there were more items than wanted, or than the parser has time for


def check(text: str, *, max_items: int) -> Checked:
    """Scan an XML document and return what of it the parser may read.

    Raises:
        FeedRefusedError: It is no feed, or it is made to cost too much.
    """
    return _Scan(text, max_items).run()


class _Scan:
    """The state of one pass over the tags."""

    def __init__(self, text: str, max_items: int) -> None:
        self.text = text
        self.max_items = max_items
        self.drops: list[tuple[int, int]] = []  # spans that the parser will not read
        self.root = ""
        self.root_start = 0
        self.root_end: int | None = None
        self.stack: list[str] = []
        self.prefixes: set[str] = set()
        self.unclosed: set[str] = set()  # spans whose end does not come any more
        self.broken = False  # the last tag was not closed
        self.n_items = 0
        self.costs = Costs()
        self.n_explained = 0  # "<" that stand inside comments and CDATA
        self.authors, self.categories, self.places = Measure(), Measure(), Measure()
        self.captions = Captions()

    def run(self) -> Checked:
        position = 0
        while (token := _TOKEN.search(self.text, position)) is not None:
            position = token.end()
            self.costs.tag()
            if token["name"] is None:
                position = self._span(token[0], token.start(), position)
            elif token["end"]:
                self._end(token)
            elif self._start(token):
                return self._result(cut_at=token.start())
        return self._result(cut_at=None)

    def _span(self, opening: str, start: int, position: int) -> int:
        """Return where to go on after a comment, CDATA, instruction or declaration."""
        if opening == "<!":
            if _ENTITY.match(self.text, position):
                raise hostile("it declares entities of its own")
            return position
        # Behind a broken tag the opening may be part of an attribute for the parser,
        # and what follows would be hidden from us alone.
        if self.broken or opening in self.unclosed:
            return position
        end = self.text.find(_SPANS[opening], position)
        if end < 0:
            self.unclosed.add(opening)
            return len(self.text) if opening == "<![CDATA[" else position
        end += len(_SPANS[opening])
        n_inside = self.text.count("<", start, end) - 1
        self.n_explained += n_inside
        if opening == "<![CDATA[":
            self.costs.n_markup += n_inside
        else:
            self.drops.append((start, end))
        return end

    def _start(self, token: re.Match[str]) -> bool:
        """Note a start tag; return whether it opens the first unwanted item."""
        name, rest = token["name"], token["rest"]
        local = _local(name)
        if not self.root:
            self._open_root(local, token.start())
        self.broken = not token["closed"]
        self._count_attributes(rest)
        if local in ITEMS:
            self._close_to(ITEMS)
            self.drops += self.captions.over()
            self.n_items += 1
            self.costs.n_categories = 0
            self.root_end = None
            if self.n_items > self.max_items or self._is_enough(token.start()):
                return True
            self.authors.depth = self.categories.depth = self.places.depth = 0
        self._push(name, local, token)
        return False

    def _is_enough(self, position: int) -> bool:
        """Tell whether the items so far are all that the parser should be given."""
        spent = self.costs.microseconds(self.text, position)
        return self.n_items > 1 and spent > ENOUGH

    def _push(self, name: str, local: str, token: re.Match[str]) -> None:
        if token["rest"].endswith("/"):
            if not self.stack and self.root_end is None:
                self.root_end = token.end()
            return
        if local in _AUTHORS:
            self.authors.open(token.end())
        elif local in _CATEGORIES:
            self.categories.open(token.end())
        elif local in _PLACES:
            self.places.open(token.end())
        self.captions.open(name, local, token)
        if local not in _NEVER_CLOSED:
            self.stack.append(name)
        if len(self.stack) > MAX_DEPTH:
            raise hostile(f"its elements are nested more than {MAX_DEPTH} deep")

    def _open_root(self, local: str, position: int) -> None:
        if local in _OTHER_DOCUMENTS:
            raise FeedRefusedError(
                PollOutcome.NOT_A_FEED, f"it is {_OTHER_DOCUMENTS[local]}, not a feed"
            )
        self.root = local
        # What stands before the root is of no use to the parser, and white space
        # there costs it quadratic time.
        self.root_start = position

    def _count_attributes(self, rest: str) -> None:
        self.costs.attributes(rest)
        if "xmlns:" in rest:
            self.prefixes.update(_PREFIX.findall(rest))
            if len(self.prefixes) > MAX_PREFIXES:
                raise hostile(f"it declares more than {MAX_PREFIXES} namespaces")

    def _end(self, token: re.Match[str]) -> None:
        name = token["name"]
        local = _local(name)
        if local in _AUTHORS:
            self.costs.author(self.authors.close(token.start()))
        elif local in _CATEGORIES:
            n_chars = self.categories.close(token.start())
            self.costs.words(self.text[token.start() - n_chars : token.start()])
        elif local in _PLACES:
            self.costs.place(self.places.close(token.start()))
        self.captions.close(self.text, local, token)
        if name in self.stack:
            while self.stack.pop() != name:
                pass
            if not self.stack and self.root_end is None:
                self.root_end = token.end()

    def _close_to(self, names: set[str]) -> None:
        """Forget an item that the next one shows to be over."""
        for depth, name in enumerate(self.stack):
            if _local(name) in names:
                del self.stack[depth:]
                return

    def _refuse_strays(self, end: int) -> None:
        n_tags = self.text.count("<", 0, end) - self.n_explained - self.costs.n_tags
        if n_tags > MAX_STRAY_TAGS:
            raise hostile("it has too many tags that are none")
        # Only a text with that many can have that many bare ones.
        if self.text.count("&", 0, end) > MAX_STRAY_AMPERSANDS:
            bare = _BARE_AMPERSAND.finditer(self.text, 0, end)
            if sum(1 for _ in bare) > MAX_STRAY_AMPERSANDS:
                raise hostile("it has too many ampersands that stand for nothing")

    def _result(self, *, cut_at: int | None) -> Checked:
        if not self.root:
            raise FeedRefusedError(PollOutcome.NOT_A_FEED, "it has no XML element")
        cut = cut_at is not None
        # Behind the root some hosts add scripts, which make the parser start over.
        end = cut_at if cut_at is not None else self.root_end or len(self.text)
        self._refuse_strays(end)
        if not cut and self.costs.microseconds(self.text, end) > TOO_MUCH:
            raise hostile("it would take the parser too long")
        self.drops += self.captions.over()
        kept = list(without(self.drops, self.text, self.root_start, end))
        if cut:
            kept.extend(f"</{name}>" for name in reversed(self.stack))
        return Checked(
            text="".join(kept),
            root=self.root,
            n_items=self.n_items - cut,
            complete=cut or self.root_end is not None,
            last_item_open=not cut
            and any(_local(name) in ITEMS for name in self.stack),
            cut=cut,
        )


def _local(name: str) -> str:
    return name.rpartition(":")[2].lower()
