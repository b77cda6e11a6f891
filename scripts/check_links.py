"""Checks that what the documentation links to inside the project is there."""

import re
import sys
from collections import Counter
from collections.abc import Iterator
from functools import cache
from itertools import pairwise
from pathlib import Path
from urllib.parse import unquote, urlsplit

from markdown_it import MarkdownIt
from markdown_it.token import Token

from scripts.tree import ROOT, project_files


def main() -> int:
    """Print every broken link and return how the check ended."""
    found = list(broken_links(ROOT))
    for breach in found:
        print(breach, file=sys.stderr)
    return 1 if found else 0


def broken_links(root: Path) -> Iterator[str]:
    """Yield `file: target: reason` for each link that leads nowhere."""
    for page in project_files(root, "*.md"):
        for target in links(page):
            if reason := fault(page, target, root):
                yield f"{page.relative_to(root)}: {target}: {reason}"


def fault(page: Path, target: str, root: Path) -> str | None:
    """Return what is wrong with a link, or None."""
    parts = urlsplit(target)
    if parts.scheme or parts.netloc:
        # Pages elsewhere come and go; a check of them would fail at random.
        return None
    goal = page if not parts.path else page.parent / unquote(parts.path)
    if not goal.resolve().is_relative_to(root.resolve()):
        return "leads out of the project"
    if not goal.exists():
        return "no such file"
    if parts.fragment and goal.suffix == ".md":
        known = unquote(parts.fragment) in anchors(goal.resolve())
        return None if known else "no such heading"
    return None


def links(page: Path) -> Iterator[str]:
    """Yield the targets of a page's links and pictures."""
    for token in inline_tokens(page):
        target = token.attrGet("href") or token.attrGet("src")
        if target:
            yield str(target)


@cache
def anchors(page: Path) -> frozenset[str]:
    """Return the anchors that a page's headings get where it is shown."""
    seen: Counter[str] = Counter()
    found = set()
    tokens = MarkdownIt("gfm-like", {"linkify": False}).parse(page.read_text("utf-8"))
    for opening, content in pairwise(tokens):
        if opening.type != "heading_open":
            continue
        slug = heading_slug(content)
        # The second heading of a name is told apart by a number.
        found.add(f"{slug}-{seen[slug]}" if seen[slug] else slug)
        seen[slug] += 1
    return frozenset(found)


def heading_slug(heading: Token) -> str:
    """Return the anchor of one heading, by GitHub's rule."""
    words = "".join(
        part.content
        for part in heading.children or []
        if part.type in {"text", "code_inline"}
    )
    return re.sub(r"[^\w\- ]", "", words.lower()).replace(" ", "-")


def inline_tokens(page: Path) -> Iterator[Token]:
    """Yield the parts of a page's running text; code blocks have none."""
    tokens = MarkdownIt("gfm-like", {"linkify": False}).parse(page.read_text("utf-8"))
    for token in tokens:
        yield from token.children or []


if __name__ == "__main__":
    sys.exit(main())
