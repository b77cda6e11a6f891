"""Clean text: one spelling for characters, spaces and lines, with or without HTML."""

import html
import re
import unicodedata
from collections import Counter
from functools import cache

import nh3

MAX_TITLE_CHARS = 512  # the longest real headline seen has 300; more is a mistake
# An HTML parser needs time in the square of the nesting depth and of the attributes
# of one tag: 100,000 open <div> took 14 s. Articles stay far below both bounds, and
# above them tags are cut out without a parser, in linear time.
MAX_PARSED_CHARS = 400_000
MAX_OPEN_TAGS = 500

# Spaces of other widths look like a space and break every comparison of words.
_SPACES = "\u00a0\u1680\u202f\u205f\u3000" + "".join(map(chr, range(0x2000, 0x200B)))
# Invisible: they split words for a computer and for nobody else. The joiners
# U+200C and U+200D stay, because Persian, Indic scripts and emoji need them.
_INVISIBLE = "\u00ad\u200b\u2060\ufeff\ufffe\uffff"
# Overrides of direction can make an operator's screen show another text.
_DIRECTION = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
_LINE_ENDS = "\r\x0b\x0c\x85\u2028"
_CONTROLS = "".join(map(chr, [*range(0x20), *range(0x7F, 0xA0)]))

# Later entries win: a line end is first listed among the controls.
_TABLE: dict[int, str | None] = {
    **dict.fromkeys(map(ord, _CONTROLS + _INVISIBLE + _DIRECTION)),
    **dict.fromkeys(map(ord, _SPACES), " "),
    **dict.fromkeys(map(ord, _LINE_ENDS), "\n"),
    ord("\n"): "\n",
    ord("\t"): "\t",
    0x2029: "\n\n",
}
_SURROGATE = re.compile("[\ud800-\udfff]")
# Marks on one letter are sorted in the square of their number: 16,000 took 0.4 s. No
# script puts more than ten there; Unicode's own bound for streams is 30 (UAX 15).
MAX_MARKS = 30


# Two, because a set of letters is looked up at once below U+10000 alone.
_COMMON_END, _RARE_END = 0x10000, 0x1F000


@cache  # to look at all letters takes 50 ms, which not every process has to wait for
def _pile_of(end: int) -> re.Pattern[str]:
    codes = range(0x300, end)
    marks = "".join(char for char in map(chr, codes) if unicodedata.combining(char))
    # The first of them apart: so the engine looks for it alone, which is faster.
    return re.compile(f"[{marks}][{marks}]{{{MAX_MARKS - 1}}}[{marks}]+")


_RARE = re.compile("[\U00010000-\U0001efff]")

_BLOCKS = {
    *("address", "article", "aside", "blockquote", "center", "dd", "details", "div"),
    *("dl", "dt", "fieldset", "figcaption", "figure", "footer", "h1", "h2", "h3"),
    *("h4", "h5", "h6", "header", "hgroup", "hr", "li", "main", "nav", "ol", "p"),
    *("pre", "section", "summary", "table", "tbody", "tfoot", "thead", "tr", "ul"),
}
_CELLS = {"caption", "td", "th"}
# Elements whose content is no prose, or is shown only where something failed.
_SILENT = {
    *("applet", "audio", "button", "canvas", "datalist", "embed", "head", "iframe"),
    *("map", "math", "noembed", "noframes", "noscript", "object", "script", "select"),
    *("style", "svg", "template", "textarea", "title", "video"),
}
_CLEANER = nh3.Cleaner(
    tags=_BLOCKS | _CELLS | {"br"},
    clean_content_tags=_SILENT,
    attributes={},
    link_rel=None,
)
_TAG = re.compile(r"<(/?)([a-z][a-z0-9]*)[^>]*>")
_ANY_TAG = re.compile(r"<[/!a-zA-Z]")
_OPENING = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9]*)")
_OPEN_TAG = re.compile(r"<[a-zA-Z][^<>]*")
# These never hold others of their kind: a parser closes them by itself.
_SHALLOW = {
    *("area", "base", "br", "col", "dd", "dt", "embed", "hr", "img", "input", "li"),
    *("link", "meta", "option", "p", "source", "td", "th", "tr", "track", "wbr"),
}
_RAW = re.compile(
    r"<(script|style|iframe|noscript|template)\b[^<>]*>.*?(?:</\1\b[^<>]*>|\Z)",
    re.IGNORECASE | re.DOTALL,
)
_LOOSE_TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9]*|!)[^<>]*>?")
_BLANK_LINES = re.compile(r"\n\s*\n")


def clean(text: str) -> str:
    r"""Return the text in NFC, without controls but `\n` and `\t`, with plain spaces.

    The result can be stored by any database: it holds no NUL and no surrogate.
    Halves of a surrogate pair that belong together are joined; a lone one becomes
    U+FFFD, so that the loss can be seen.
    """
    # Of what the table changes nothing is printable, and most texts are but for "\n".
    if not (text.isprintable() or text.replace("\n", "").isprintable()):
        text = _without_oddities(text)
    if text.isascii():
        return text
    pile = _pile_of(_RARE_END if _RARE.search(text) else _COMMON_END)
    return unicodedata.normalize("NFC", pile.sub(_short_pile, text))


def _without_oddities(text: str) -> str:
    if _SURROGATE.search(text):
        text = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text.replace("\r\n", "\n").translate(_TABLE)


def _short_pile(pile: re.Match[str]) -> str:
    return pile[0][:MAX_MARKS]


def collapse(text: str) -> str:
    """Return the cleaned text on one line, with single spaces."""
    if text.isascii() and text.isprintable() and "  " not in text:
        return text.strip(" ")
    return " ".join(clean(text).split())


def tidy(text: str) -> str:
    """Return the cleaned text with one blank line, never more, between paragraphs.

    The ends of lines are bare and single line breaks inside a paragraph stay.
    """
    text = "\n".join(map(str.strip, clean(text).split("\n")))
    if "\n\n\n" in text:
        text = re.sub(r"\n{3,}", "\n\n", text)
    return text.strip("\n")


def plain_text(html_text: str) -> str:
    """Return the readable text of an HTML fragment, a blank line between blocks.

    Scripts, styles, frames and form controls go with their content. Entities are
    decoded once, so that an escaped tag is text. A fragment without any tag keeps
    its own blank lines: feeds often call plain text HTML.
    """
    if _ANY_TAG.search(html_text) is None:
        paragraphs = _BLANK_LINES.split(clean(html.unescape(html_text)))
    else:
        paragraphs = _paragraphs(_sanitise(html_text.replace("\0", "")))
    return "\n\n".join(filter(None, map(collapse, paragraphs)))


def plain_title(html_text: str) -> str:
    """Return the text of an HTML fragment as a title: one line, at most 512 chars."""
    return shorten(collapse(plain_text(html_text)), MAX_TITLE_CHARS)


def nesting(html_text: str) -> int:
    """Return how deep a parser would nest the tags, at most, without parsing them."""
    depths: Counter[str] = Counter()
    depth = deepest = 0
    for slash, tag in _OPENING.findall(html_text):
        name = tag.lower()
        step = -1 if slash else 1
        if name not in _SHALLOW and depths[name] + step >= 0:
            depths[name] += step
            depth += step
            deepest = max(deepest, depth)
    return deepest


def n_attributes(html_text: str) -> int:
    """Return how many names and attributes the tags have, about, without a parser."""
    return sum(len(tag.split()) for tag in _OPEN_TAG.findall(html_text))


def shorten(line: str, max_chars: int) -> str:
    """Return the line, cut at a space and ended with an ellipsis where too long."""
    if len(line) <= max_chars:
        return line
    head = line[: max_chars - 1]
    cut = head.rfind(" ")
    # A space far from the end would throw away most of a text without spaces.
    return (head[:cut] if cut > max_chars // 2 else head).rstrip() + "…"


def _sanitise(html_text: str) -> str:
    """Reduce HTML to block tags, line breaks and escaped text."""
    if len(html_text) <= MAX_PARSED_CHARS and _is_shallow(html_text):
        return _CLEANER.clean(html_text)
    return _LOOSE_TAG.sub(_keep_block, _RAW.sub(" ", html_text))


def _is_shallow(html_text: str) -> bool:
    # Counting is quicker, and there are no more openings than "<".
    few = html_text.count("<") <= MAX_OPEN_TAGS
    return few or nesting(html_text) <= MAX_OPEN_TAGS


def _keep_block(tag: re.Match[str]) -> str:
    name = tag.group(2).lower()
    return f"<{name}>" if name in _BLOCKS or name == "br" else ""


def _paragraphs(sanitised: str) -> list[str]:
    """Split sanitised HTML, which holds only tags that we let through."""
    # Unbroken whitespace first: in HTML a line end is a space, `<br>` is the break.
    marked = _TAG.sub(_mark, " ".join(sanitised.split()))
    if "\n" in marked:
        marked = re.sub(r"\n{2,}", "\f", re.sub(r" ?\n ?", "\n", marked))
    # One <br> breaks a line of a paragraph, which we write as a space; two of
    # them are how many feeds write a paragraph.
    return [html.unescape(part) for part in marked.split("\f")]


def _mark(tag: re.Match[str]) -> str:
    name = tag.group(2)
    if name == "br":
        return "\n"
    return " " if name in _CELLS else "\f"
