"""Mojibake: text that was decoded with a wrong charset once, and its repair by ftfy.

The only user of ftfy. A repair changes what a line reads and never its document, whose
bytes are kept; that it was made is told beside the text.
"""

from typing import NamedTuple

# A line is repaired as a whole or not at all. Longer ones are no lines of a text.
MAX_LINE_CHARS = 20_000
MAX_CHARS = 2_000_000  # of a text that is looked at


class Repaired(NamedTuple):
    """A text, and what was done to it."""

    text: str
    n_lines: int  # that were repaired
    score: float  # signs of mojibake for each thousand characters, as it came


def repair(text: str) -> Repaired:
    """Return the text with the lines put right that show a wrong decoding.

    Lines in which ftfy finds fewer signs of mojibake afterwards are taken, all others
    stay as they are, byte for byte.
    """
    if text.isascii() or len(text) > MAX_CHARS:
        return Repaired(text, 0, 0.0)
    from ftfy import fix_encoding  # noqa: PLC0415 - few texts have any, and it loads slowly
    from ftfy.badness import badness  # noqa: PLC0415 - see above

    lines = text.split("\n")
    n_bad = n_lines = 0
    for i, line in enumerate(lines):
        if line.isascii() or len(line) > MAX_LINE_CHARS:
            continue
        before = badness(line)
        n_bad += before
        if before:
            fixed = fix_encoding(line)
            if fixed != line and badness(fixed) < before:
                lines[i] = fixed
                n_lines += 1
    score = round(1000 * n_bad / len(text), 2)
    return Repaired("\n".join(lines) if n_lines else text, n_lines, score)
