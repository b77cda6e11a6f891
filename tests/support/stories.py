"""Reads the labelled articles that stand beside the project, and edits of them."""

import gzip
import json

from support.shared import shared_path

Row = dict[str, str]


def read_rows(name: str) -> list[Row]:
    """Return `ecbplus-stories` or `ecbplus-neardup`, or skip the test."""
    path = shared_path(f"corpora/stories/{name}.jsonl.gz")
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]
