"""Saved pages that are made to cost time, each as large as it has to be for that."""

import json
from collections.abc import Callable

SENTENCE = (
    "The council voted on Tuesday evening to reopen the old harbour bridge to cars."
)
LINE = f"<p>{SENTENCE}"
PAGES: dict[str, Callable[[], str]] = {
    "ten megabytes of tags": lambda: "<html>" + "<p>" * 3_300_000,
    "ten megabytes of text": lambda: "<html><p>" + "word " * 2_000_000,
    "many attributes of many tags": lambda: (
        "<html>" + ("<p " + "a=1 " * 2_000 + ">") * 1_200
    ),
    "attributes to the bound": lambda: (
        "<html>" + ("<p " + "a=1 " * 3 + ">" + SENTENCE) * 15_000
    ),
    "open formatting": lambda: "<html>" + "<font>x<b>y<i>z" * 190 + LINE * 4_000,
    "deep to the bound": lambda: "<html>" + ("<div>" * 590 + "</div>" * 590) * 15,
    "deeper than the library": lambda: "<html>" + "<div>" * 9_900 + LINE * 9,
    "cells": lambda: "<html>" + "<td>x" * 19_000,
    "wide cells": lambda: (
        "<html><table>" + "<tr><td colspan=1000 rowspan=65000>x" * 6_000
    ),
    "lists in lists": lambda: "<html>" + "<ul><li>x</ul>" * 6_000,
    "the same line": lambda: "<html>" + LINE * 4_900,
    "containers": lambda: "<html>" + f"<article>{LINE}</article>" * 9_000,
    "separators in a title": lambda: f"<html><title>{'a - ' * 400_000}</title>{LINE}",
    "comments without end": lambda: "<html>" + "<!-- " * 19_000,
    "objects of JSON-LD": lambda: (
        "<script type=application/ld+json>"
        + json.dumps([{"@graph": [{}]}] * 20_000)
        + "</script>"
        + LINE
    ),
}
