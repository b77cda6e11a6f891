"""The pre-flight: a linear scan that refuses what would cost the feed parser too much.

The parser needs quadratic time for some shapes of a document, and it reads every
item before any limit can be set on them. One pass over the tags finds those shapes,
cuts the document after the last item that is wanted, and tells whether it broke off.
"""

import re
from dataclasses import dataclass

from ingest.messages import PollOutcome
from ingest.stretches import Captions, Measure, without

# Hand-written feeds stay below a tenth of each of these.
MAX_ATTRIBUTES = 256  # 16,000 on one tag took the parser 4 s, with squares from there
MAX_DEPTH = 256
MAX_PREFIXES = 256  # each tag of an unknown namespace is compared with all of them
MAX_TAGS = 300_000  # openings and ends; the parser needs up to 20 us for each
# What looks like markup and is none sends the parser into its slow, forgiving mode.
MAX_STRAY_TAGS = 100_000
MAX_STRAY_AMPERSANDS = 500_000
# An author is searched for a mail address in the square of its length: 8 KB took
# 0.6 s. The sum of the squares is bounded, so that many cannot do what one may not.
MAX_AUTHOR_COST = 8192**2
# Every tag of an item is compared with all tags of the item before it.
MAX_CATEGORY_COST = 20_000_000

ITEMS = {"item", "entry"}
_AUTHORS = {"author", "creator", "managingeditor", "publisher", "webmaster"}
_CATEGORIES = {"category", "subject", "keywords", "tags"}
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
_QUOTED = re.compile(r"\"[^\"]*\"|'[^']*'")
_BARE_AMPERSAND = re.compile(r"&(?!#?\w{1,31};)")
_PREFIX = re.compile(r"xmlns:([^\s=\"']+)")


class FeedRefusedError(Exception):
    """The document must not go to the parser, and the outcome says why."""

    def __init__(self, outcome: PollOutcome, reason: str) -> None:
        """Keep what the event of the poll repeats."""
        super().__init__(reason)
        self.outcome = outcome
        self.reason = reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """A document that the parser may read."""

    text: str  # from the root element on, without comments
    root: str  # name of the root element, in lower case and without prefix
    n_items: int
    complete: bool  # the root element was closed, or cut by us
    last_item_open: bool  # it broke off inside its last item
    cut: bool  # there were more items than wanted


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
        self.n_tags = self.n_items = 0
        self.n_explained = 0  # "<" that stand inside comments and CDATA
        self.authors, self.categories = Measure(), Measure()
        self.captions = Captions()
        self.n_categories = self.author_cost = self.category_cost = 0

    def run(self) -> Checked:
        position = 0
        while (token := _TOKEN.search(self.text, position)) is not None:
            position = token.end()
            self.n_tags += 1
            if self.n_tags > MAX_TAGS:
                raise _hostile(f"it has more than {MAX_TAGS} tags")
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
                raise _hostile("it declares entities of its own")
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
        self.n_explained += self.text.count("<", start, end) - 1
        if opening != "<![CDATA[":
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
            self.n_categories = 0
            self.root_end = None
            if self.n_items > self.max_items:
                return True
            self.authors.depth = self.categories.depth = 0
        self._push(name, local, token)
        return False

    def _push(self, name: str, local: str, token: re.Match[str]) -> None:
        if token["rest"].endswith("/"):
            if not self.stack and self.root_end is None:
                self.root_end = token.end()
            return
        if local in _AUTHORS:
            self.authors.open(token.end())
        elif local in _CATEGORIES:
            self.categories.open(token.end())
        self.captions.open(name, local, token)
        if local not in _NEVER_CLOSED:
            self.stack.append(name)
        if len(self.stack) > MAX_DEPTH:
            raise _hostile(f"its elements are nested more than {MAX_DEPTH} deep")

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
        if len(rest) > MAX_ATTRIBUTES and _n_attributes(rest) > MAX_ATTRIBUTES:
            raise _hostile(f"a tag has more than {MAX_ATTRIBUTES} attributes")
        if "xmlns:" in rest:
            self.prefixes.update(_PREFIX.findall(rest))
            if len(self.prefixes) > MAX_PREFIXES:
                raise _hostile(f"it declares more than {MAX_PREFIXES} namespaces")

    def _end(self, token: re.Match[str]) -> None:
        name = token["name"]
        local = _local(name)
        if local in _AUTHORS:
            self._count_author(self.authors.close(token.start()))
        elif local in _CATEGORIES:
            n_chars = self.categories.close(token.start())
            self._count_words(self.text[token.start() - n_chars : token.start()])
        self.captions.close(self.text, local, token)
        if name in self.stack:
            while self.stack.pop() != name:
                pass
            if not self.stack and self.root_end is None:
                self.root_end = token.end()

    def _count_author(self, n_chars: int) -> None:
        self.author_cost += n_chars**2
        if self.author_cost > MAX_AUTHOR_COST:
            raise _hostile("its author names are too long")

    def _count_words(self, words: str) -> None:
        n_words = 1 + words.count(",") + words.count(" ")
        self.n_categories += n_words
        self.category_cost += n_words * self.n_categories
        if self.category_cost > MAX_CATEGORY_COST:
            raise _hostile("it has too many categories")

    def _close_to(self, names: set[str]) -> None:
        """Forget an item that the next one shows to be over."""
        for depth, name in enumerate(self.stack):
            if _local(name) in names:
                del self.stack[depth:]
                return

    def _refuse_strays(self, end: int) -> None:
        n_tags = self.text.count("<", 0, end) - self.n_explained - self.n_tags
        if n_tags > MAX_STRAY_TAGS:
            raise _hostile("it has too many tags that are none")
        # Only a text with that many can have that many bare ones.
        if self.text.count("&", 0, end) > MAX_STRAY_AMPERSANDS:
            bare = _BARE_AMPERSAND.finditer(self.text, 0, end)
            if sum(1 for _ in bare) > MAX_STRAY_AMPERSANDS:
                raise _hostile("it has too many ampersands that stand for nothing")

    def _result(self, *, cut_at: int | None) -> Checked:
        if not self.root:
            raise FeedRefusedError(PollOutcome.NOT_A_FEED, "it has no XML element")
        cut = cut_at is not None
        # Behind the root some hosts add scripts, which make the parser start over.
        end = cut_at if cut_at is not None else self.root_end or len(self.text)
        self._refuse_strays(end)
        self.drops += self.captions.over()
        kept = list(without(self.drops, self.text, self.root_start, end))
        if cut:
            kept.extend(f"</{name}>" for name in reversed(self.stack))
        return Checked(
            text="".join(kept),
            root=self.root,
            n_items=min(self.n_items, self.max_items),
            complete=cut or self.root_end is not None,
            last_item_open=not cut
            and any(_local(name) in ITEMS for name in self.stack),
            cut=cut,
        )


def _n_attributes(rest: str) -> int:
    """Count the attributes of a tag, also where they lack quotes, values or spaces."""
    bare, n_quoted = _QUOTED.subn("", rest)
    return max(n_quoted, bare.count("="), bare.count("/"), len(bare.split()))


def _local(name: str) -> str:
    return name.rpartition(":")[2].lower()


def _hostile(reason: str) -> FeedRefusedError:
    return FeedRefusedError(PollOutcome.HOSTILE, reason)
