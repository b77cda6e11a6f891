"""Tags of words, in any of the usual notations, become names."""

from collections.abc import Sequence

from enrich.entities.installed.windows import Named

_OUTSIDE = "O"
_PARTS = frozenset("BIELSU")
_OPENING = frozenset("BSU")
_CLOSING = frozenset("ELSU")


def split_tag(tag: str) -> tuple[str, str]:
    """Return part and label of a tag: "B-PER" is B and PER, "PER" is I and PER.

    The part is that of IOB, BILOU or BIOES; the label of words outside names is "".
    """
    if tag in {_OUTSIDE, ""}:
        return _OUTSIDE, ""
    if len(tag) > 2 and tag[0] in _PARTS and tag[1] == "-":  # noqa: PLR2004 - "B-"
        return tag[0], tag[2:]
    return "I", tag


def join_tags(tags: Sequence[str]) -> list[Named]:
    """Return the names that tags of adjacent words mark.

    A name ends where the label changes, where another begins, and where its own last
    word says so. A model may begin one in its midst ("I-" after "O").
    """
    found: list[Named] = []
    is_open = False
    for place, tag in enumerate(tags):
        part, label = split_tag(tag)
        if not label:
            is_open = False
            continue
        goes_on = is_open and part not in _OPENING and found[-1].label == label
        if goes_on:
            found[-1] = found[-1]._replace(last=place + 1)
        else:
            found.append(Named(place, place + 1, label))
        is_open = part not in _CLOSING
    return found
